"""What artifact stores count."""

from prometheus_client import Counter

CHECKSUM_FAILURES = Counter(
    "morrow_artifact_checksum_failures_total",
    "Reads of artifacts whose bytes were not those of their digest, and were not handed out",
)
