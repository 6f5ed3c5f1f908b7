"""The territory: every place of the classifier КАТО, what it used to be, and how often it changed.

Places are never deleted: an abolished one keeps its row, so that old notices and minutes still
say where they were made (LAW part 1; classifier НК РК 11).
"""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import BigInteger, CheckConstraint, Enum, ForeignKey, Identity, String
from sqlalchemy.orm import Mapped, mapped_column

from core.place_names import PlaceKind
from models.base import Base


class PlaceLevel(StrEnum):
    """The four levels of КАТО: the groups ab, cd, ef, hij of the code."""

    OBLAST = "oblast"
    DISTRICT = "district"  # or a city of oblast significance
    SUB_DISTRICT = "sub_district"  # a rural okrug, a town, a district in a city
    SETTLEMENT = "settlement"


class PlaceChange(StrEnum):
    """What a new edition of the classifier did to a place that was known."""

    RENAMED = "renamed"
    MOVED = "moved"
    RECLASSIFIED = "reclassified"
    ABOLISHED = "abolished"
    MERGED = "merged"
    REVIVED = "revived"


def _text_enum(kind: type[StrEnum], name: str) -> Enum:
    """An enumeration kept as text under a CHECK: PostgreSQL's own enum types resist migrations."""
    return Enum(
        kind,
        name=name,
        native_enum=False,
        create_constraint=True,
        length=16,
        values_callable=lambda members: [member.value for member in members],
    )


class Place(Base):
    """A row of КАТО. The code is text: a leading zero is significant."""

    __tablename__ = "place"
    __table_args__ = (
        CheckConstraint("code ~ '^[0-9]{9}$'", name="code"),
        CheckConstraint("replaced_by IS NULL OR abolished_at IS NOT NULL", name="replaced"),
        CheckConstraint("replaced_by <> code AND parent_code <> code", name="itself"),
    )

    code: Mapped[str] = mapped_column(String(9), primary_key=True)
    level: Mapped[PlaceLevel] = mapped_column(_text_enum(PlaceLevel, "level"))
    kind: Mapped[PlaceKind] = mapped_column(_text_enum(PlaceKind, "kind"))
    type_code: Mapped[str] = mapped_column(String(1))
    parent_code: Mapped[str | None] = mapped_column(ForeignKey("place.code"), index=True)
    name_ru: Mapped[str]
    name_kk: Mapped[str]
    classifier: Mapped[str | None]
    abolished_at: Mapped[datetime | None]
    replaced_by: Mapped[str | None] = mapped_column(ForeignKey("place.code"))
    updated_at: Mapped[datetime]


class PlaceHistory(Base):
    """What a place was before a change. Append-only."""

    __tablename__ = "place_history"

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    place_code: Mapped[str] = mapped_column(ForeignKey("place.code"), index=True)
    changed_at: Mapped[datetime]
    change: Mapped[PlaceChange] = mapped_column(_text_enum(PlaceChange, "change"))
    old_name_ru: Mapped[str]
    old_name_kk: Mapped[str]
    old_parent_code: Mapped[str | None] = mapped_column(String(9))
    old_level: Mapped[PlaceLevel] = mapped_column(_text_enum(PlaceLevel, "old_level"))
    old_type_code: Mapped[str] = mapped_column(String(1))
    classifier: Mapped[str | None]


class TerritoryRevision(Base):
    """One row: grows with every import that changed something, so that indexes know to reload."""

    __tablename__ = "territory_revision"
    __table_args__ = (CheckConstraint("id = 1", name="single"),)

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    revision: Mapped[int] = mapped_column(BigInteger)
    changed_at: Mapped[datetime]
