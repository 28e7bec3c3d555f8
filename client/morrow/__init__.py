"""The Python client of Morrow.

    from morrow import Client

    with Client("https://morrow.example", key) as client:
        client.import_sales_file("sales.csv")
        job = client.create_job()
        for event in client.events(job):
            print(event["percent"], event["message"])
        forecast = client.get_forecast("rye bread", days=7)

`AsyncClient` has the same operations, awaited. What is answered is
typed in `morrow.schemas`. It needs httpx alone.
"""

from morrow.async_client import AsyncClient
from morrow.client import Client
from morrow.errors import Damaged, GaveUp, MorrowError, Refused, Unreachable
from morrow.importing.outcome import Imported, ImportRefused
from morrow.importing.part import ImportLimits
from morrow.importing.progress import Progress
from morrow.retries import Retries
from morrow.transfers import Download
from morrow.values import KEEP

__all__ = [
    "KEEP",
    "AsyncClient",
    "Client",
    "Damaged",
    "Download",
    "GaveUp",
    "ImportLimits",
    "ImportRefused",
    "Imported",
    "MorrowError",
    "Progress",
    "Refused",
    "Retries",
    "Unreachable",
]
