"""What every table shares: `tenant_id` first in its key, foreign keys that keep to the tenant."""

import datetime as dt
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    Date,
    DateTime,
    Double,
    ForeignKeyConstraint,
    LargeBinary,
    MetaData,
    Text,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

Json = dict[str, Any]
NOW = text("now()")
EMPTY = text("'{}'::jsonb")


class Table(DeclarativeBase):
    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "fk": "fk_%(table_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {  # noqa: RUF012 - as SQLAlchemy has it
        str: Text,
        int: BigInteger,
        float: Double,
        bytes: LargeBinary,
        dt.datetime: DateTime(timezone=True),
        Json: JSONB,
        list[Json]: JSONB,
        list[str]: ARRAY(Text),
        list[float]: ARRAY(Double),
        list[dt.date]: ARRAY(Date),
    }

    tenant_id: Mapped[UUID] = mapped_column(primary_key=True, sort_order=-1)


def belongs_to(table: str, *columns: str) -> ForeignKeyConstraint:
    """A foreign key that cannot leave its tenant: `tenant_id` is always part of it."""
    ours = ["tenant_id", *columns]
    theirs = ["tenant_id", *(["id"] if columns else [])]
    return ForeignKeyConstraint(ours, [f"{table}.{name}" for name in theirs])
