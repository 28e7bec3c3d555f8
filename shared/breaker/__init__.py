"""Circuit breakers for asynchronous calls: they stop asking what does not answer."""

from shared.breaker.breaker import Breaker, BreakerOpen, Outcome, Permit
from shared.breaker.breakers import Breakers
from shared.breaker.report import Report, State
from shared.breaker.terms import BreakerTerms

__all__ = [
    "Breaker",
    "BreakerOpen",
    "BreakerTerms",
    "Breakers",
    "Outcome",
    "Permit",
    "Report",
    "State",
]
