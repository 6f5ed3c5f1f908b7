"""`zhiyn invite` and `zhiyn roles list|revoke`, ready for the command line."""

from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import select

from core.clock import end_of, last_day, local
from handlers.roles import tell_ended
from models.people import Invitation, Role
from services import appointments, roles, rulebook, territory
from services.appointments import Holder, Offer
from services.roles import Power, RoleName, RoleView, RoleWrong
from services.unit import Unit


async def listed(unit: Unit, place: str | None) -> dict[str, list[dict[str, Any]]]:
    """Roles that stand and invitations that wait: everywhere, or at a place and below it.

    The look is noted in the audit trail. Raises UnknownPlace.
    """
    places = None
    if place is not None:
        await territory.get_place(unit.session, place)
        places = await territory.codes_inside(unit.session, place)
    unit.audit("roles-seen", None, place=place)
    return {
        "roles": [_role(one) for one in await appointments.everybody(unit, places)],
        "invitations": [_offer(one) for one in await appointments.offers_at(unit, places)],
    }


async def invited(
    unit: Unit, role: RoleName, place: str, until: str | None, powers: str | None
) -> tuple[str, str]:
    """A new invitation: its code, and until when it is valid. Raises RoleWrong, UnknownPlace."""
    try:
        ends = end_of(date.fromisoformat(until)) if until else None
    except ValueError:
        raise RoleWrong("--until: the last day of the role, like 2029-09-01") from None
    try:
        code = await roles.invite(unit, role, place, until=ends, powers=_chosen(powers))
    except LookupError:
        raise territory.UnknownPlace(place) from None
    rules = await rulebook.of(unit.session, place)
    valid = unit.now + timedelta(days=rules.invitation_term)
    return code, local(valid).isoformat(timespec="minutes")


async def revoked(unit: Unit, identifier: str) -> str:
    """Takes the role of this id, or makes the invitation void; what was done. Raises RoleWrong."""
    try:
        wanted = UUID(identifier)
    except ValueError:
        raise RoleWrong(f"{identifier}: not an id of zhiyn roles list") from None
    if found := await _taken(unit, wanted):
        return f"Taken: {_words(_role(found))}, {_who(found)}."
    row = await unit.session.get(Invitation, wanted, with_for_update=True)
    if row is not None and appointments.void(unit, row):
        return f"Void: the invitation as {row.role} at {row.place_code}."
    raise RoleWrong(f"{identifier}: no role that stands and no invitation that waits")


async def _taken(unit: Unit, role: UUID) -> Holder | None:
    row = await unit.session.scalar(
        select(Role).where(Role.id == role, roles.stands(unit.now)).with_for_update()
    )
    if row is None:
        return None
    found = await appointments.described(unit, role)
    await roles.end(unit, row)
    await tell_ended(unit, found)
    return found


def lines(found: dict[str, list[dict[str, Any]]]) -> Iterator[str]:
    """For a reader: one line each."""
    if not found["roles"]:
        yield "Nobody holds a role here."
    for one in found["roles"]:
        yield f"{one['id']}  {_words(one)}, {one['who']}, since {one['since']}"
    if found["invitations"]:
        yield "Invitations that wait:"
    for one in found["invitations"]:
        yield f"{one['id']}  {_words(one)}, valid until {one['valid_until']}"


def _words(one: dict[str, Any]) -> str:
    until = f" until {one['until']}" if one["until"] else ""
    powers = f" ({', '.join(one['powers'])})" if one["powers"] is not None else ""
    return f"{one['role']} at {one['place']}{powers}{until}"


def _role(found: Holder) -> dict[str, Any]:
    return {
        "id": str(found.id),
        **_view(found.view),
        "who": _who(found),
        "since": f"{local(found.since):%Y-%m-%d}",
    }


def _offer(found: Offer) -> dict[str, Any]:
    valid = local(found.expires_at).isoformat(timespec="minutes")
    return {"id": str(found.id), **_view(found.view), "valid_until": valid}


def _view(view: RoleView) -> dict[str, Any]:
    clerk = view.role is RoleName.CLERK
    return {
        "role": view.role.value,
        "place": view.place_code,
        "until": last_day(view.until).isoformat() if view.until else None,
        "powers": sorted(power.value for power in view.powers) if clerk else None,
    }


def _who(found: Holder) -> str:
    """Surname and the first letter of the name; a screen or a log is no place for more."""
    if found.name:
        surname, *given = found.name.split()
        return f"{surname} {given[0][0]}." if given else surname
    end = f" …{found.phone_end}" if found.phone_end else ""
    return f"not registered, {found.channel or 'no chat'}{end}"


def _chosen(typed: str | None) -> Sequence[Power] | None:
    """ "send,report" as powers. Raises RoleWrong."""
    if typed is None:
        return None
    words = {word.strip() for word in typed.split(",") if word.strip()}
    if unknown := words - set(Power):
        known = ", ".join(Power)
        raise RoleWrong(f"--powers: no {', '.join(sorted(unknown))}; there are: {known}")
    return [power for power in Power if power in words]
