"""Both clients, called the same way: what one promises, the other does."""

import asyncio
import inspect
from dataclasses import dataclass
from typing import Any, Literal

from morrow import AsyncClient, Client, Retries

AT_ONCE = Retries(first_pause=0.0)
"""Nothing is waited for but what the server asks for."""


@dataclass(frozen=True)
class Either:
    """A client of one kind, made for each call."""

    kind: Literal["waits", "awaits"]
    url: str
    key: str = "key"
    retries: Retries = AT_ONCE
    timeout: float = 30.0

    def do(self, operation: str, *args: Any, **kwargs: Any) -> Any:
        """What the operation returns; of an iterator, everything."""
        options = {"retries": self.retries, "timeout": self.timeout}
        if self.kind == "awaits":
            return asyncio.run(self._awaited(operation, args, kwargs, options))
        with Client(self.url, self.key, **options) as client:  # type: ignore[arg-type]
            result = getattr(client, operation)(*args, **kwargs)
            return list(result) if inspect.isgenerator(result) else result

    async def _awaited(
        self, operation: str, args: tuple[Any, ...], kwargs: dict[str, Any], options: dict[str, Any]
    ) -> Any:
        async with AsyncClient(self.url, self.key, **options) as client:
            result = getattr(client, operation)(*args, **kwargs)
            return [each async for each in result] if inspect.isasyncgen(result) else await result
