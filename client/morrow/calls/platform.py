"""How the service does, and whom it calls."""

from morrow.call import Again, Call, Pages, listed, post
from morrow.schemas.platform import BreakerReset, CircuitBreaker, Live, Ready


def live() -> Call[Live]:
    """Whether the API answers at all; asks for no key."""
    return Call("GET", "/health/live")


def ready() -> Call[Ready]:
    """Whether the API can serve, and what is wrong where it cannot; asks for no key."""
    return Call("GET", "/health/ready", welcome=(503,))


def list_circuit_breakers() -> Pages[CircuitBreaker]:
    """Whom the service calls, and whether it does at present; the operator sees all."""
    return listed("/circuit-breakers")


def reset_circuit_breaker(name: str) -> Call[BreakerReset]:
    """Have every process close a breaker; for the operator."""
    return post("/circuit-breakers/{name}/reset", Again.SAFE, name=name)
