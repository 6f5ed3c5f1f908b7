"""The outcome of a notice per resident: for those whose role allows to see names."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import text

from core.names import person_key
from models.territory import PlaceLevel
from services import due, notices, roles
from services.notices import IN_PART, SHARED, STATE, NoticeView
from services.residents import NAME
from services.territory_codes import level_of
from services.unit import Refused, Unit

REPORT_DUE = "notice-report"
FORGET_DUE = "file-forget"  # a report names people: its file is kept no longer than its link

_ROWS = f"""
SELECT r.resident_id, who.full_name, who.place_code, c.channel, r.acknowledged_at,
       coalesce(s.sent_at, d.sent_at, s.announced_at, d.announced_at) AS sent_at,
       coalesce(s.delivered_at, d.delivered_at) AS delivered_at,
       coalesce(s.read_at, d.read_at) AS read_at, {STATE} AS state, {IN_PART} AS in_part,
       r.acknowledged_at IS NOT NULL AND r.excluded IS NULL
       AND count(*) FILTER (WHERE r.excluded IS NULL) OVER (PARTITION BY {SHARED}) > 1 AS shared
FROM recipient AS r JOIN resident AS who ON who.id = r.resident_id
LEFT JOIN delivery AS d ON d.id = r.delivery_id LEFT JOIN delivery AS s ON s.id = r.second_id
LEFT JOIN account AS c ON c.id = CASE WHEN s.outcome IN ('sent', 'announced') THEN s.account_id
                                      ELSE d.account_id END
WHERE r.notice_id = :notice
"""


@dataclass(frozen=True, slots=True)
class ReportRow:
    """What became of the notice for one resident. No name: the person's data were deleted."""

    name: str | None
    place_code: str | None
    channel: str | None
    state: str  # an Outcome, "sent-in-part", "no-address", "muted", "pending", "waiting:<Outcome>"
    sent_at: datetime | None
    delivered_at: datetime | None
    read_at: datetime | None
    acknowledged_at: datetime | None
    shared: bool  # one tap, for all of a family on one phone


async def ask(unit: Unit, notice: UUID, address: UUID) -> None:
    """The report is made after this turn and sent to this address. Raises Refused."""
    await _allowed(unit, notice, unit.actor)
    actor = str(unit.actor)
    await due.plan(
        unit,
        unit.now,
        REPORT_DUE,
        notice,
        key=f"{REPORT_DUE}:{unit.new_id()}",
        details={"address": str(address), "resident": actor},
    )


async def rows(unit: Unit, notice: UUID, resident: UUID) -> list[ReportRow]:
    """Every recipient, by village and name as the Kazakh alphabet goes. The look is noted.

    Raises Refused when this resident may not see names (any more).
    """
    found = await _allowed(unit, notice, resident)
    result = await unit.session.execute(text(_ROWS), {"notice": notice})
    listed = []
    for row in result:
        name = row.full_name and unit.keyring.open(NAME, row.resident_id, row.full_name)
        listed.append(
            ReportRow(
                name,
                row.place_code,
                row.channel,
                "sent-in-part" if row.in_part else _state(row.state),
                row.sent_at,
                row.delivered_at,
                row.read_at,
                row.acknowledged_at,
                row.shared,
            )
        )
    unit.audit("notice-report", notice, place=found.place_code, people=len(listed))
    return sorted(listed, key=lambda one: (one.place_code or "~", person_key(one.name or "я" * 9)))


def has_names(place_code: str) -> bool:
    """May the office of this place see who its residents are? That of an okrug or a village: so
    people were told when they agreed. A district's own notices have counts."""
    return level_of(place_code) in (PlaceLevel.SUB_DISTRICT, PlaceLevel.SETTLEMENT)


async def _allowed(unit: Unit, notice: UUID, resident: UUID | None) -> NoticeView:
    """Names are seen by the office of an okrug whose notice it is, and by nobody above it (LAW 10;
    VOICE, consent)."""
    found = await notices.view(unit, notice)
    if found is None:
        unit.audit("tap-refused", notice)
        raise Refused("refused-role")
    await roles.require(
        unit,
        resident,
        roles.MAY_SEND_NOTICES,
        found.place_code,
        roles.Power.REPORT,
        own_office=True,
    )
    if not has_names(found.place_code):
        unit.audit("role-missing", notice, place=found.place_code)
        raise Refused("refused-role")
    return found


def _state(state: str) -> str:
    word, _, why = state.partition(":")
    if word == "excluded":
        return why
    return f"waiting:{why}" if word == "pending" and why else word
