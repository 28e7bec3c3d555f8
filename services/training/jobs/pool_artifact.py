"""Pools as an artifact: with a mark of their own, so that no two learnings share a digest.

What is dropped is deleted after the commit that drops it. Were the same bytes learnt again just
then, by a job that is about to name them, they would be gone under its series.
"""

from uuid import uuid4

from shared.artifacts import ArtifactCorrupt, ArtifactMissing, ArtifactStore

MARK_BYTES = 16


def marked(pools: bytes) -> bytes:
    return uuid4().bytes + pools


def unmarked(artifact: bytes) -> bytes:
    """The pools' own bytes again."""
    return artifact[MARK_BYTES:]


async def is_whole(artifacts: ArtifactStore, owner: str, sha256: str) -> bool:
    """Whether the artifact is there and what its digest says. Raises `StoreUnavailable`."""
    try:
        async with artifacts.open(owner, sha256):
            return True
    except (ArtifactCorrupt, ArtifactMissing):
        return False
