"""One `/metrics` for many processes that write Prometheus multi-process files to one directory."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from prometheus_client import REGISTRY, CollectorRegistry, start_http_server
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead

LOOPBACK = "127.0.0.1"


class MetricsPortTaken(Exception):
    def __init__(self, port: int, reason: OSError) -> None:
        self.port = port
        super().__init__(
            f"cannot serve metrics on port {port}: {reason.strerror}; "
            "set MORROW_METRICS_PORT to another, or to 0 for any free one"
        )


@contextmanager
def serve_metrics(directory: Path, port: int) -> Iterator[str]:
    """Serve what the processes write to `directory`, emptied first; yields the address.

    Port 0 is any free one. Only on loopback. Raises MetricsPortTaken.
    """
    directory.mkdir(mode=0o700, exist_ok=True)
    for file in directory.glob("*.db"):
        file.unlink()
    registry = CollectorRegistry()
    MultiProcessCollector(registry, path=str(directory))  # type: ignore[no-untyped-call]
    with _serve(registry, LOOPBACK, port) as url:
        yield url


@contextmanager
def serve_own_metrics(host: str, port: int | None) -> Iterator[str | None]:
    """Serve this process's own metrics; None: somebody else serves them, or nobody."""
    if port is None:
        yield None
    else:
        with _serve(REGISTRY, host, port) as url:
            yield url


@contextmanager
def _serve(registry: CollectorRegistry, host: str, port: int) -> Iterator[str]:
    try:
        server, thread = start_http_server(port, host, registry)
    except OSError as error:
        raise MetricsPortTaken(port, error) from error
    try:
        yield f"http://{host}:{server.server_port}/metrics"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def forget_live_gauges(directory: Path, pids: Iterable[int]) -> None:
    """Drop what ended processes had to say about now; what they counted stays counted."""
    for pid in pids:
        mark_process_dead(pid, str(directory))  # type: ignore[no-untyped-call]
