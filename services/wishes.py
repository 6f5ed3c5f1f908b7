"""What a resident wishes of notices: which kinds not to hear of, which messenger comes first
(`people.prefer`). What the rulebook calls urgent always comes (`Rulebook.urgent_kinds`).
"""

from dataclasses import dataclass
from uuid import UUID

from models.people import Resident
from rules.notices import NoticeKind
from services import rulebook
from services.moves import registered
from services.unit import Refused, Unit


@dataclass(frozen=True, slots=True)
class Wishes:
    """The kinds that may be muted here, in their order; those that are; those that always come;
    the messenger to which notices go first (None: where the person wrote last)."""

    may_mute: tuple[NoticeKind, ...]
    muted: frozenset[NoticeKind]
    urgent: tuple[NoticeKind, ...]
    first: str | None


async def wishes(unit: Unit, resident: UUID) -> Wishes:
    """What this resident wishes. A muted kind that has become urgent comes again.

    Raises Refused for a guest.
    """
    return await _wishes(unit, await registered(unit, resident))


async def mute(unit: Unit, resident: UUID, kind: NoticeKind, *, muted: bool) -> Wishes:
    """No more notices of this kind, or again; what is queued already still comes.

    Raises Refused, and notes the attempt, for a guest, for somebody else, and for a kind that
    is urgent.
    """
    found = await registered(unit, resident, locked=True)
    if kind not in (await _wishes(unit, found)).may_mute:
        unit.audit("mute-refused", resident, kind=kind.value)
        raise Refused("refused-urgent")
    wanted = sorted({*found.muted, kind.value} if muted else {*found.muted} - {kind.value})
    if wanted != found.muted:
        found.muted = wanted
        await unit.session.flush()
        unit.audit("kinds-muted", resident, kinds=wanted)
    return await _wishes(unit, found)


async def _wishes(unit: Unit, found: Resident) -> Wishes:
    rules = await rulebook.of(unit.session, found.place_code)
    may_mute = tuple(kind for kind in NoticeKind if kind not in rules.urgent_kinds)
    return Wishes(
        may_mute=may_mute,
        muted=frozenset(kind for kind in may_mute if kind.value in found.muted),
        urgent=tuple(kind for kind in NoticeKind if kind in rules.urgent_kinds),
        first=found.preferred_channel,
    )
