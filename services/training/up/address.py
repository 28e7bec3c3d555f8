"""Where the API listens, and whether it says that it is ready."""

import http.client
import socket
from dataclasses import dataclass

ANSWER_SECONDS = 2.0
WILDCARDS = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}  # noqa: S104


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


def free_address(host: str, port: int) -> Address:
    """Make sure that the API will be able to listen there. Raises PortTaken.

    Port 0 becomes a free one. For a wildcard host the address is the loopback one.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        with socket.create_server((host, port), family=family) as trial:
            found = int(trial.getsockname()[1])
    except OSError as error:
        raise PortTaken(host, port, error) from error
    return Address(WILDCARDS.get(host, host), found)


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
