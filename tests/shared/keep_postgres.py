"""Start the server of a data directory, print its process and superuser address, wait for ever."""

import sys
import time
from pathlib import Path

from shared.postgres import EmbeddedPostgres

server = EmbeddedPostgres(fsync=False).start(Path(sys.argv[1]))
print(server.server.pid, server.url(), flush=True)
time.sleep(600)
