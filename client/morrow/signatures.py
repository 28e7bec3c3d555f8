"""What `help()` and editors are shown of an operation that became a method."""

import inspect
from collections.abc import Callable
from typing import Any, TypeVar, get_args

F = TypeVar("F", bound=Callable[..., Any])


def show(method: F, operation: Callable[..., Any], result: type[Any] | None = None) -> F:
    """The method with the operation's name, words and parameters, and what comes of it: what the
    operation's own result is made of, in `result` where that is not it by itself."""
    told = inspect.signature(operation)
    of = get_args(told.return_annotation)[:1] or (told.return_annotation,)
    self = inspect.Parameter("self", inspect.Parameter.POSITIONAL_OR_KEYWORD)
    parameters = [each for each in told.parameters.values() if each.name != "link"]
    answer = of[0] if result is None else result[of[0]]
    shown = told.replace(parameters=[self, *parameters], return_annotation=answer)
    method.__name__, method.__doc__ = operation.__name__, operation.__doc__
    vars(method).update(__signature__=shown, __wrapped__=operation)
    return method
