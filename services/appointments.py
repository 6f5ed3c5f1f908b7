"""Who holds which role, and giving and taking roles in the chat: rights are checked here.

An akim appoints and dismisses the clerks of that very office and says what each may do; an
operator does the same for every role at the place of the operator's role and below it; a
district supervisor only looks. Every look at who holds what is noted, with the place.
"""

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import select, text

from core.names import person_key
from models.people import Address, AddressAlias, Invitation, Resident, ResidentAddress, Role
from models.system import Account
from models.territory import Place
from services import roles, rulebook, territory
from services.intake import ALIAS
from services.residents import NAME
from services.roles import MAY_SEE_ROLES, Power, RoleName, RoleView
from services.unit import Refused, Unit

_PHONE_END = 4  # figures of a phone by which an official without a name is recognised


@dataclass(frozen=True, slots=True)
class Holder:
    """A standing role and who holds it. An official who has not registered has no name here:
    the messenger and, on WhatsApp, the end of the number tell who it is."""

    id: UUID
    resident: UUID
    view: RoleView
    since: datetime
    name: str | None
    channel: str | None
    phone_end: str | None


@dataclass(frozen=True, slots=True)
class Offer:
    """An invitation that waits to be redeemed."""

    id: UUID
    view: RoleView  # what it would grant
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Made:
    """A new invitation. The code is said once and kept by nobody here."""

    code: str
    view: RoleView
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Office:
    """What somebody may do with the roles of a place."""

    place_code: str
    offers: tuple[RoleName, ...]  # the roles that may be given there; none: only a look
    looks_below: bool


async def offices(unit: Unit, who: UUID | None) -> list[str]:
    """The places at which this person's own roles let roles be seen, the oldest first."""
    held = await roles.standing(unit, who)
    return list(dict.fromkeys(view.place_code for view in held if view.role in MAY_SEE_ROLES))


async def office(unit: Unit, place_code: str) -> Office:
    """What the actor may do with the roles of this place. Raises Refused: not even look."""
    seen_by = await _require_look(unit, place_code)
    offered = [
        role for role in RoleName if await roles.may_appoint(unit, unit.actor, role, place_code)
    ]
    return Office(place_code, tuple(offered), seen_by.role is not RoleName.AKIM)


async def holders(unit: Unit, place_code: str) -> list[Holder]:
    """Who holds a role at exactly this place, by role and then by name. Raises Refused."""
    await _require_look(unit, place_code)
    unit.audit("roles-seen", None, place=place_code)
    return await everybody(unit, [place_code])


async def everybody(unit: Unit, places: Collection[str] | None = None) -> list[Holder]:
    """Who holds a role at these places, or anywhere. Asks nobody's right."""
    wanted = select(Role).where(roles.stands(unit.now))
    if places is not None:
        wanted = wanted.where(Role.place_code.in_(places))
    rows = (await unit.session.scalars(wanted)).all()
    return sorted([await _holder(unit, row) for row in rows], key=_order)


async def holder(unit: Unit, role: UUID) -> Holder:
    """Who holds this role. Raises Refused: no right to look there, or it does not stand."""
    row = await _standing_row(unit, role)
    await _require_look(unit, row.place_code)
    unit.audit("roles-seen", row.id, place=row.place_code)
    return await _holder(unit, row)


async def described(unit: Unit, role: UUID) -> Holder:
    """Who holds (or held) this role. Asks nobody's right. Raises LookupError."""
    row = await unit.session.get(Role, role)
    if row is None:
        raise LookupError(f"no role {role}")
    return await _holder(unit, row)


async def over(unit: Unit, role: UUID) -> Holder | None:
    """Closes a role whose term is over; who held it. None: it was prolonged, taken or given anew
    meanwhile."""
    row = await unit.session.get(Role, role, with_for_update=True)
    if row is None or row.revoked_at is not None or row.until is None or row.until > unit.now:
        return None
    row.revoked_at = row.until
    unit.audit("role-over", row.resident_id, role=row.role, place=row.place_code)
    return await _holder(unit, row)


async def may_change(unit: Unit, found: Holder) -> bool:
    """May the actor take this role, or change what was delegated with it?"""
    view = found.view
    return await roles.may_appoint(unit, unit.actor, view.role, view.place_code)


async def open_offers(unit: Unit, place_code: str) -> list[Offer]:
    """The invitations to this place that nobody has redeemed. Raises Refused."""
    await _require_look(unit, place_code)
    return await offers_at(unit, [place_code])


async def offers_at(unit: Unit, places: Collection[str] | None = None) -> list[Offer]:
    """The invitations to these places, or anywhere, that can still be redeemed, the newest
    first. Asks nobody's right."""
    wanted = select(Invitation).where(
        Invitation.used_at.is_(None),
        Invitation.withdrawn_at.is_(None),
        Invitation.expires_at > unit.now,
    )
    if places is not None:
        wanted = wanted.where(Invitation.place_code.in_(places))
    rows = await unit.session.scalars(
        wanted.order_by(Invitation.created_at.desc(), Invitation.id.desc())
    )
    return [_offer(row) for row in rows]


async def below(unit: Unit, place_code: str) -> list[tuple[Place, int]]:
    """The places directly below, in alphabetical order, each with the number of roles that are
    held there or deeper. Raises Refused."""
    await _require_look(unit, place_code)
    found = await unit.session.execute(
        text(
            "WITH RECURSIVE tree (code, child) AS ("
            " SELECT code, code FROM place WHERE parent_code = :place UNION"
            " SELECT p.code, t.child FROM place AS p JOIN tree AS t ON p.parent_code = t.code)"
            " SELECT t.child FROM tree AS t JOIN role AS r ON r.place_code = t.code"
            " WHERE r.revoked_at IS NULL AND (r.until IS NULL OR r.until > :moment)"
        ),
        {"place": place_code, "moment": unit.now},
    )
    held = Counter(row.child for row in found)
    return [
        (place, held[place.code]) for place in await territory.children(unit.session, place_code)
    ]


async def offer(
    unit: Unit,
    role: RoleName,
    place_code: str,
    *,
    until: datetime | None = None,
    powers: Collection[Power] | None = None,
) -> Made:
    """Invites somebody to a role. What an akim delegates ends with the akim's own term at the
    latest. Raises Refused, and notes the attempt, for what the actor may not give."""
    await _require_appoint(unit, role, place_code)
    ends = await _at_most(unit, place_code, until)
    try:
        code = await roles.invite(unit, role, place_code, until=ends, powers=powers)
    except LookupError:
        unit.audit("place-refused", unit.actor, place=place_code)
        raise Refused("refused-place") from None
    rules = await rulebook.of(unit.session, place_code)
    given = frozenset(Power) if powers is None else frozenset(powers)
    view = RoleView(role, place_code, ends, given)
    return Made(code, view, unit.now + timedelta(days=rules.invitation_term))


async def longest(unit: Unit, place_code: str) -> datetime | None:
    """The latest end of a role that the actor can give there; None: without an end."""
    return await _at_most(unit, place_code, None)


async def offer_of(unit: Unit, invitation: UUID) -> Offer | None:
    """The invitation, if it can still be redeemed. Raises Refused: no right to look there."""
    row = await unit.session.get(Invitation, invitation)
    if row is None:
        unit.audit("role-missing", unit.actor, invitation=str(invitation))
        raise Refused("refused-role")
    await _require_look(unit, row.place_code)
    gone = row.used_at or row.withdrawn_at or row.expires_at <= unit.now
    return None if gone else _offer(row)


async def withdraw(unit: Unit, invitation: UUID) -> str | None:
    """Makes an unused invitation void; its place, or None when it was used or void already.

    Raises Refused, and notes the attempt, for whom it does not concern.
    """
    row = await unit.session.get(Invitation, invitation, with_for_update=True)
    if row is None:
        unit.audit("role-missing", unit.actor, invitation=str(invitation))
        raise Refused("refused-role")
    await _require_appoint(unit, RoleName(row.role), row.place_code)
    return row.place_code if void(unit, row) else None


def void(unit: Unit, row: Invitation) -> bool:
    """Withdraws the invitation if nobody has used it. Asks nobody's right."""
    if row.used_at is not None or row.withdrawn_at is not None:
        return False
    row.withdrawn_at = unit.now
    unit.audit("invitation-withdrawn", row.id, role=row.role, place=row.place_code)
    return True


async def delegate(unit: Unit, role: UUID, powers: Collection[Power]) -> Holder:
    """Says anew what a clerk may do. Raises Refused, and notes the attempt, where that is not
    the actor's to say or the role is not a clerk's."""
    row = await _standing_row(unit, role, lock=True)
    await _require_appoint(unit, RoleName(row.role), row.place_code)
    if row.role != RoleName.CLERK or not powers:
        unit.audit("role-missing", unit.actor, role_id=str(role), powers=sorted(powers))
        raise Refused("refused-role")
    row.powers = sorted(power.value for power in powers)
    await unit.session.flush()
    unit.audit(
        "role-delegated", row.resident_id, role=row.role, place=row.place_code, powers=row.powers
    )
    return await _holder(unit, row)


async def dismiss(unit: Unit, role: UUID) -> Holder:
    """Takes a role; who held it. Raises Refused, and notes the attempt, where that is not the
    actor's to do or the role does not stand any more."""
    row = await _standing_row(unit, role, lock=True)
    await _require_appoint(unit, RoleName(row.role), row.place_code)
    found = await _holder(unit, row)
    await roles.end(unit, row)
    return found


async def _require_look(unit: Unit, place_code: str) -> RoleView:
    return await roles.require(unit, unit.actor, MAY_SEE_ROLES, place_code)


async def _require_appoint(unit: Unit, role: RoleName, place_code: str) -> None:
    if not await roles.may_appoint(unit, unit.actor, role, place_code):
        unit.audit("role-missing", unit.actor, wanted=role.value, place=place_code)
        raise Refused("refused-role")


async def _standing_row(unit: Unit, role: UUID, *, lock: bool = False) -> Role:
    row = await unit.session.get(Role, role, with_for_update=lock, populate_existing=True)
    gone = row is None or row.revoked_at is not None
    if row is None or gone or (row.until is not None and row.until <= unit.now):
        unit.audit("role-missing", unit.actor, role_id=str(role))
        raise Refused("refused-role-gone")
    return row


async def _at_most(unit: Unit, place_code: str, until: datetime | None) -> datetime | None:
    """The term, cut to that of the akim who gives the role; an operator's own term cuts none."""
    held = await roles.standing(unit, unit.actor)
    above = await roles.at_or_above(unit, place_code)
    if any(view.role is RoleName.OPERATOR and view.place_code in above for view in held):
        return until
    ends = [
        view.until
        for view in held
        if view.role is RoleName.AKIM and view.place_code == place_code and view.until is not None
    ]
    return min([*ends, *([until] if until else [])], default=None)


async def _holder(unit: Unit, row: Role) -> Holder:
    resident = await unit.session.get(Resident, row.resident_id)
    sealed = resident.full_name if resident is not None and resident.registered_at else None
    name = unit.keyring.open(NAME, row.resident_id, sealed) if sealed else None
    channel, end = await _chat(unit, row.resident_id)
    return Holder(row.id, row.resident_id, roles.view_of(row), row.granted_at, name, channel, end)


async def _chat(unit: Unit, resident: UUID) -> tuple[str | None, str | None]:
    """The messenger that the person wrote from last, and the end of the number there."""
    found = (
        await unit.session.execute(
            select(Account.channel, Address.id, AddressAlias.value)
            .join(Address, Address.account_id == Account.id)
            .join(ResidentAddress, ResidentAddress.address_id == Address.id)
            .outerjoin(
                AddressAlias,
                (AddressAlias.address_id == Address.id) & (AddressAlias.kind == "phone"),
            )
            .where(ResidentAddress.resident_id == resident)
            .order_by(Address.last_inbound_at.desc().nulls_last(), Address.id)
            .limit(1)
        )
    ).one_or_none()
    if found is None:
        return None, None
    phone = unit.keyring.open(ALIAS, found.id, found.value) if found.value else None
    return found.channel, phone[-_PHONE_END:] if phone else None


def _offer(row: Invitation) -> Offer:
    powers = frozenset(Power) if row.powers is None else frozenset(map(Power, row.powers))
    view = RoleView(RoleName(row.role), row.place_code, row.role_until, powers)
    return Offer(row.id, view, row.expires_at)


def _order(found: Holder) -> tuple[int, object, UUID]:
    return list(RoleName).index(found.view.role), person_key(found.name or ""), found.id
