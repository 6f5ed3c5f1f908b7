"""What all tables share: naming of constraints, the column types in use."""

from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

from sqlalchemy import DateTime, LargeBinary, MetaData, Text, Uuid
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}


class Base(DeclarativeBase):
    """Moments are stored in UTC with their zone; identifiers are UUIDs made by core.ids."""

    metadata = MetaData(naming_convention=NAMING)
    type_annotation_map: ClassVar[dict[Any, Any]] = {
        datetime: DateTime(timezone=True),
        str: Text(),
        UUID: Uuid(),
        bytes: LargeBinary(),
        dict[str, Any]: JSONB(),
        list[str]: JSONB(),
    }


POINTS_AT = "points_at"


def points_at(column: str) -> dict[str, str]:
    """For a column that refers to a row which is never deleted, and is written by the statement
    that found it: no foreign key looks it up again, row by row (decision 0029). Tests do."""
    return {POINTS_AT: column}
