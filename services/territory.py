"""Looks places up: what lies above and below a place, who heads it, what it was before.

Reads only; editions of the classifier come in through `services.territory_import`. Lists are in
the order of the Kazakh alphabet. Whether a place lies inside another is decided here, by the
parents in the table: a code's digits alone do not tell (see `services.territory_codes`).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import Select, bindparam, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from core.languages import Language
from core.names import sort_key
from core.place_names import PlaceKind, PlaceName, path_text, place_name
from core.texts import Named
from models.territory import Place, PlaceHistory, PlaceLevel, TerritoryRevision


def _above() -> Select[Place]:
    """The place and everything above it, by the parents in the table."""
    start = select(Place.code, Place.parent_code).where(Place.code == bindparam("place"))
    chain = start.cte("above", recursive=True)
    upper = aliased(Place)
    chain = chain.union(
        select(upper.code, upper.parent_code).join(chain, upper.code == chain.c.parent_code)
    )
    return select(Place).where(Place.code.in_(select(chain.c.code)))


def _inside() -> Select[Place]:
    """The place and everything standing below it, by the parents in the table."""
    tree = select(Place.code).where(Place.code == bindparam("place")).cte("below", recursive=True)
    lower = aliased(Place)
    tree = tree.union(select(lower.code).join(tree, lower.parent_code == tree.c.code))
    return select(Place).where(Place.code.in_(select(tree.c.code)), Place.abolished_at.is_(None))


# Of the place with the code `place`. Made once: every turn asks for one of them, and to put one
# together takes longer than to run it.
_ABOVE, _INSIDE = _above(), _inside()
_SETTLEMENTS = _INSIDE.where(Place.level == PlaceLevel.SETTLEMENT)
_CODES_INSIDE, _SETTLEMENT_CODES = (
    each.with_only_columns(Place.code) for each in (_INSIDE, _SETTLEMENTS)
)


class UnknownPlace(LookupError):
    """No place has this code."""


@dataclass(frozen=True, slots=True)
class PlaceCard:
    """All that `zhiyn territory show` says of a place."""

    place: Place
    full: Named
    path: Named
    akim: Named
    above: Sequence[Place]
    children: Sequence[Place]
    history: Sequence[PlaceHistory]


def name_of(place: Place) -> PlaceName:
    """The name of a place, taken apart: `.short`, `.full`, `.locative`, `.akim()`."""
    return place_name(place.name_kk, place.name_ru)


def in_order(places: Iterable[Place], language: Language = Language.KK) -> list[Place]:
    """The places by their short names, as the Kazakh alphabet goes."""
    return sorted(
        places, key=lambda place: (sort_key(name_of(place).short.in_(language)), place.code)
    )


async def revision(session: AsyncSession) -> int:
    """Grows whenever the territory changes; zero before the first import."""
    return await session.scalar(select(TerritoryRevision.revision)) or 0


async def find_place(session: AsyncSession, code: str) -> Place | None:
    """The place, abolished or not, or None."""
    return await session.get(Place, code)


async def find_home(session: AsyncSession, code: str) -> Place | None:
    """The standing place where somebody can live: a settlement, a town, a district in a city."""
    place = await find_place(session, code)
    return place if place and place.abolished_at is None and _is_home(place) else None


async def get_place(session: AsyncSession, code: str) -> Place:
    """The place, abolished or not. Raises UnknownPlace."""
    place = await find_place(session, code)
    if place is None:
        raise UnknownPlace(code)
    return place


async def standing_place(session: AsyncSession, code: str) -> Place | None:
    """The place itself if it stands, else the one that it was merged into, however many times."""
    place, seen = await get_place(session, code), {code}
    while place.abolished_at is not None:
        if place.replaced_by is None or place.replaced_by in seen:
            return None
        seen.add(place.replaced_by)
        place = await get_place(session, place.replaced_by)
    return place


async def ancestors(session: AsyncSession, code: str) -> list[Place]:
    """The places above a place, nearest first; the place itself is not among them."""
    rows = await session.scalars(_ABOVE, {"place": code})
    by_code = {place.code: place for place in rows}
    chain = _chain(by_code, code)
    return [by_code[above] for above in chain if above != code]


async def children(
    session: AsyncSession, code: str, language: Language = Language.KK
) -> list[Place]:
    """The standing places directly below a place, in alphabetical order."""
    living = select(Place).where(Place.parent_code == code, Place.abolished_at.is_(None))
    return in_order(await session.scalars(living), language)


async def oblasts(session: AsyncSession, language: Language = Language.KK) -> list[Place]:
    """All oblasts and the cities that are ones, in alphabetical order."""
    living = select(Place).where(Place.level == PlaceLevel.OBLAST, Place.abolished_at.is_(None))
    return in_order(await session.scalars(living), language)


async def settlements(
    session: AsyncSession, code: str, language: Language = Language.KK
) -> list[Place]:
    """All standing settlements in a place, however deep, and itself if it is one."""
    return in_order(await session.scalars(_SETTLEMENTS, {"place": code}), language)


async def villages(
    session: AsyncSession, okrug: str, language: Language = Language.KK
) -> list[Place]:
    """The standing settlements of an okrug, in alphabetical order."""
    return await settlements(session, okrug, language)


async def settlement_codes(session: AsyncSession, code: str) -> list[str]:
    """The codes of all standing settlements in a place; of a district, also of the villages
    that belong to no okrug."""
    return sorted(await session.scalars(_SETTLEMENT_CODES, {"place": code}))


async def codes_inside(session: AsyncSession, code: str) -> list[str]:
    """The codes of a place and of all standing places in it: also of a city that has no
    settlement row of its own and yet is lived in."""
    return sorted(await session.scalars(_CODES_INSIDE, {"place": code}))


async def independent_villages(
    session: AsyncSession, district: str, language: Language = Language.KK
) -> list[Place]:
    """The standing settlements of a district that belong to no okrug."""
    below = await children(session, district, language)
    return [place for place in below if place.level is PlaceLevel.SETTLEMENT]


async def is_inside(session: AsyncSession, code: str, whole: str) -> bool:
    """Whether a place is, or lies in, another: 595041100 is inside 595041000 and 590000000."""
    if code == whole:
        return await find_place(session, code) is not None
    return any(place.code == whole for place in await ancestors(session, code))


async def okrug_of(session: AsyncSession, code: str) -> Place:
    """The place whose akim is responsible for a settlement: its okrug, or itself without one."""
    place = await get_place(session, code)
    if place.level is PlaceLevel.SETTLEMENT and place.parent_code is not None:
        above = await get_place(session, place.parent_code)
        if above.level is PlaceLevel.SUB_DISTRICT:
            return above
    return place


async def path_of(session: AsyncSession, code: str) -> Named:
    """Where a place lies: "село Бугровое, Бугровский сельский округ, Кызылжарский район, …"."""
    place = await get_place(session, code)
    return path_text(map(name_of, [place, *await ancestors(session, code)]))


async def akim_of(session: AsyncSession, code: str) -> Named:
    """The title of the akim of a place: "Аким Бугровского сельского округа"."""
    place = await get_place(session, code)
    return await _akim(session, place)


async def history(session: AsyncSession, code: str) -> list[PlaceHistory]:
    """What the place was before each change, oldest first."""
    rows = select(PlaceHistory).where(PlaceHistory.place_code == code).order_by(PlaceHistory.id)
    return list(await session.scalars(rows))


async def card(session: AsyncSession, code: str) -> PlaceCard:
    """All that is known of a place. Raises UnknownPlace."""
    place = await get_place(session, code)
    above = await ancestors(session, code)
    return PlaceCard(
        place=place,
        full=name_of(place).full,
        path=path_text(map(name_of, [place, *above])),
        akim=await _akim(session, await okrug_of(session, code)),
        above=above,
        children=await children(session, code),
        history=await history(session, code),
    )


async def _akim(session: AsyncSession, place: Place) -> Named:
    name = name_of(place)
    return name.akim(_seat(name, await children(session, place.code)))


def _seat(name: PlaceName, below: Sequence[Place]) -> PlaceName | None:
    """The one town or village that an office is named for, if there is exactly one such."""
    named = [name_of(place) for place in sorted(below, key=lambda place: place.code)]
    same = [other for other in named if other.kind is name.seat_kind]
    alike = [other for other in same if other.stem.kk == name.stem.kk]
    best = alike or same
    return best[0] if len(best) == 1 else None


def _is_home(place: Place) -> bool:
    """As `village_search` has it: cities too, where no settlement row says the same."""
    kind = name_of(place).kind
    if place.level is PlaceLevel.SETTLEMENT or kind is PlaceKind.CITY:
        return True
    return place.level is PlaceLevel.SUB_DISTRICT and kind is PlaceKind.DISTRICT


def _chain(by_code: dict[str, Place], code: str) -> list[str]:
    chain: list[str] = []
    at: str | None = code
    while at is not None and at in by_code and at not in chain:
        chain.append(at)
        at = by_code[at].parent_code
    return chain
