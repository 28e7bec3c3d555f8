"""The cluster, where one is configured."""

from importlib.util import find_spec

from services.training.cluster.health import probe
from services.training.commands.checks.verdict import Verdict, failed, well

CHECK = "cluster"
PATIENT_SECONDS = 5.0


async def check_cluster(address: str) -> Verdict:
    """It answers here. Whether it takes a worker of this release, the first job finds out."""
    if find_spec("ray") is None:
        return failed(CHECK, "Ray is not installed here: pip install 'morrow[ray]'")
    if (fault := await probe(address, PATIENT_SECONDS)) is not None:
        return failed(CHECK, f"{fault}: start it, or unset MORROW_RAY_ADDRESS")
    if await probe(address) is not None:
        return failed(
            CHECK, f"{address} answers, but too late for workers, which wait 90 ms for it"
        )
    return well(CHECK, f"{address} answers")
