"""Doorbells over LISTEN/NOTIFY: a hint that there is something to read, never the thing itself.

NOTIFY takes a global lock at commit, so it is never sent inside a transaction that does work: each
process rings from one connection of its own (`Bell`) and hears on another (`Listener`).
"""

from shared.doorbell.bell import Bell
from shared.doorbell.connection import LOST, Connect
from shared.doorbell.listener import Listener, wait_for_ring

__all__ = ["LOST", "Bell", "Connect", "Listener", "wait_for_ring"]
