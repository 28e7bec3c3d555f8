"""A shop with models, for acts upon them."""

from tests.models.conftest import shop

__all__ = ["shop"]
