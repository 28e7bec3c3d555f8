"""What every answer to a limited tenant says: how its bucket of requests stands."""

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from services.training.metering.requests import STANDING
from shared.safe_headers import STARTS


class RateLimitHeaders:
    """ASGI middleware, of errors as well: `RateLimit-*` as of when the request was let in."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_with_limits(message: Message) -> None:
            if message["type"] in STARTS and (standing := scope.get(STANDING)) is not None:
                MutableHeaders(scope=message).update(standing.headers())
            await send(message)

        await self.app(scope, receive, send_with_limits)
