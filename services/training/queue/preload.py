"""Imported first by the fork server, which lives in the worker's process group: a SIGTERM to the
group must drain the worker, not end the children it is waiting for."""

import signal

signal.signal(signal.SIGTERM, signal.SIG_IGN)
