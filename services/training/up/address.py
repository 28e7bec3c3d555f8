"""Where the API listens, and whether it says that it is ready."""

import http.client
import socket
from dataclasses import dataclass

ANSWER_SECONDS = 2.0
BACKLOG = 1024
WILDCARDS = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}  # noqa: S104 - not bound to


class PortTaken(Exception):
    def __init__(self, host: str, port: int, reason: OSError) -> None:
        self.host = host
        self.port = port
        super().__init__(
            f"cannot listen on {host} port {port}: {reason.strerror}; "
            "choose another with --host and --port, or --port 0 for any free one"
        )


@dataclass(frozen=True, slots=True)
class Address:
    """Where the API is reached from this machine."""

    host: str
    port: int

    @property
    def url(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{self.port}"


def listen(host: str, port: int) -> socket.socket:
    """A socket that listens there, for the API to inherit. Raises PortTaken; port 0 is a free one.

    Held by the supervisor, it keeps the address from everybody else, and callers waiting in line
    while the API is started again.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=BACKLOG)
    except OSError as error:
        raise PortTaken(host, port, error) from error


def address_of(listening: socket.socket) -> Address:
    """Where it is reached from this machine; for a wildcard host that is the loopback address."""
    host, port = listening.getsockname()[:2]
    return Address(WILDCARDS.get(host, host), port)


def free_port(host: str, port: int) -> int:
    """`port` if it is free at this moment, or any that is where it is 0. Raises PortTaken."""
    with listen(host, port) as trial:
        return address_of(trial).port


def unreadiness(address: Address) -> str | None:
    """Why `/health/ready` does not answer 200 at this moment; None if it does."""
    connection = http.client.HTTPConnection(address.host, address.port, timeout=ANSWER_SECONDS)
    try:
        connection.request("GET", "/health/ready")
        answer = connection.getresponse()
        body = answer.read(2000).decode(errors="replace")
    except (OSError, http.client.HTTPException) as error:
        return f"{type(error).__name__}: {error}"
    finally:
        connection.close()
    return None if answer.status == http.HTTPStatus.OK else f"status {answer.status}: {body}"
