"""Every series' forecast as one table, streamed series by series."""

import csv
import io
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from typing import Literal
from uuid import UUID

import pyarrow as pa
import pyarrow.parquet as pq

from services.training.forecasts.answers import answer_for, forecast_out
from services.training.forecasts.quantiles import AskedQuantiles
from services.training.forecasts.schemas import ForecastOut
from services.training.sales.snapshot import list_series
from shared.database import Sessions, tenant_transaction
from shared.errors import Problem
from shared.spreadsheet import inert

Format = Literal["csv", "parquet", "json"]
MEDIA_TYPES: dict[Format, str] = {
    "csv": "text/csv",
    "parquet": "application/vnd.apache.parquet",
    "json": "application/json",
}
COLUMNS = {
    "product": pa.string(),
    "location": pa.string(),
    "date": pa.date32(),
    "open": pa.bool_(),
    "mean": pa.float64(),
    "family": pa.string(),
    "level": pa.string(),
}


async def stream_export(
    sessions: Sessions,
    tenant_id: UUID,
    format: Format,
    asked: AskedQuantiles,
    served: Callable[[], None],
) -> AsyncIterator[bytes]:
    """The table in pieces, a series each, of which `served` is told; one that has nothing to
    average has no row."""
    write = WRITERS[format](list(asked.levels))
    yield write.begin()
    async for forecast in _forecasts(sessions, tenant_id, asked):
        yield write.add(forecast)
        served()
    yield write.end()


async def _forecasts(
    sessions: Sessions, tenant_id: UUID, asked: AskedQuantiles
) -> AsyncIterator[ForecastOut]:
    async with tenant_transaction(sessions, tenant_id) as session:
        keys = await list_series(session)
    for key in keys:
        try:
            answer = await answer_for(sessions, tenant_id, key.product, key.location, None)
        except Problem as problem:
            if problem.status != 404:
                raise
            continue
        yield forecast_out(key.product, key.location, answer, asked)


def _rows(forecast: ForecastOut) -> Iterator[Sequence[object]]:
    for day in forecast.days:
        yield (
            forecast.product,
            forecast.location,
            day.date,
            day.open,
            day.mean,
            forecast.family,
            forecast.level.value,
            *day.quantiles.values(),
        )


class CsvTable:
    def __init__(self, levels: Sequence[str]) -> None:
        self._header = [*COLUMNS, *(f"q{name}" for name in levels)]

    def begin(self) -> bytes:
        return self._lines([self._header])

    def add(self, forecast: ForecastOut) -> bytes:
        named = {"product": inert(forecast.product), "location": inert(forecast.location)}
        return self._lines(_rows(forecast.model_copy(update=named)))

    def end(self) -> bytes:
        return b""

    def _lines(self, rows: "Iterator[Sequence[object]] | list[list[str]]") -> bytes:
        text = io.StringIO()
        csv.writer(text, lineterminator="\n").writerows(rows)
        return text.getvalue().encode()


class JsonTable:
    """One document, `{"items": [a forecast each]}`."""

    def __init__(self, levels: Sequence[str]) -> None:
        self._between = b""

    def begin(self) -> bytes:
        return b'{"items":['

    def add(self, forecast: ForecastOut) -> bytes:
        piece = self._between + forecast.model_dump_json().encode()
        self._between = b","
        return piece

    def end(self) -> bytes:
        return b"]}"


class ParquetTable:
    """A row group for each series; the bytes written so far leave at once."""

    def __init__(self, levels: Sequence[str]) -> None:
        named = COLUMNS | {f"q{name}": pa.float64() for name in levels}
        self._schema = pa.schema(list(named.items()))
        self._buffer = io.BytesIO()
        self._writer = pq.ParquetWriter(self._buffer, self._schema)

    def begin(self) -> bytes:
        return self._drain()

    def add(self, forecast: ForecastOut) -> bytes:
        columns = list(zip(*_rows(forecast), strict=True))
        self._writer.write_table(
            pa.table([pa.array(column) for column in columns], names=self._schema.names).cast(
                self._schema
            )
        )
        return self._drain()

    def end(self) -> bytes:
        self._writer.close()
        return self._drain()

    def _drain(self) -> bytes:
        written = self._buffer.getvalue()
        self._buffer.seek(0)
        self._buffer.truncate()
        return written


WRITERS: dict[Format, Callable[[Sequence[str]], CsvTable | JsonTable | ParquetTable]] = {
    "csv": CsvTable,
    "json": JsonTable,
    "parquet": ParquetTable,
}
