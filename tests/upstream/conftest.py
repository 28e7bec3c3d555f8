"""A client with terms that suit a test."""

from collections.abc import AsyncIterator

import pytest

from shared.upstream.client import UpstreamClient
from tests.upstream.made_upstream import TERMS, patient_breakers


@pytest.fixture
async def client() -> AsyncIterator[UpstreamClient]:
    async with UpstreamClient(TERMS, patient_breakers()) as made:
        yield made
