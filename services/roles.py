"""Roles: granted for a place and a term by a one-time invitation, checked here and not in the
menu. Who gives and takes them in the chat: `services.appointments`."""

import secrets
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.dialects.postgresql import insert

from models.people import Invitation, Resident, Role
from models.territory import Place
from services import due, rulebook
from services.territory import ancestors
from services.unit import Refused, Unit

ENDED_DUE = "role-ended"  # a role whose term is over: the person is told (handlers.roles)
_ALPHABET = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"  # nothing that is read for something else
_CODE_LENGTH = 12  # 60 bits: not to be guessed within its term


class RoleName(StrEnum):
    """What somebody may be here (LAW part 2)."""

    AKIM = "akim"
    CLERK = "clerk"
    DEPUTY = "deputy"
    SUPERVISOR = "supervisor"
    OPERATOR = "operator"


class Power(StrEnum):
    """What an akim may delegate to a clerk of the office, each by itself."""

    SEND = "send"  # notices that are not urgent
    URGENT = "urgent"  # urgent ones, which go at night too
    CORRECT = "correct"  # correct, pause, cancel what was sent
    REPORT = "report"  # the outcome per resident, with names


MAY_SEND_NOTICES = frozenset({RoleName.AKIM, RoleName.CLERK})
MAY_SEE_NOTICES = MAY_SEND_NOTICES | {RoleName.SUPERVISOR}  # how they go, without names
MAY_SEE_ROLES = frozenset({RoleName.AKIM, RoleName.SUPERVISOR, RoleName.OPERATOR})


class RoleWrong(ValueError):
    """Such a role cannot be given; the text says why, in one line for the command line."""


@dataclass(frozen=True, slots=True)
class RoleView:
    """A role that stands today."""

    role: RoleName
    place_code: str
    until: datetime | None
    powers: frozenset[Power] = frozenset(Power)

    def may(self, power: Power | None) -> bool:
        """A clerk within what was delegated, everybody else by the role itself."""
        return power is None or self.role is not RoleName.CLERK or power in self.powers


@dataclass(frozen=True, slots=True)
class Redeemed:
    """What came of an invitation. `renewed`: the role was held, with another term or powers."""

    view: RoleView
    role_id: UUID
    inviter: UUID | None  # None: the operator's command line
    renewed: bool


# Invitations


async def invite(
    unit: Unit,
    role: RoleName,
    place_code: str,
    *,
    until: datetime | None = None,
    powers: Collection[Power] | None = None,
) -> str:
    """A new one-time code for this role; only its keyed hash is stored. Asks nobody's right: the
    command line needs none, the chat goes by `appointments.offer`.

    `until`: when the role ends. `powers`: of a clerk; None: all. The code is valid for the
    rulebook's `invitation_term`, in calendar days. Raises LookupError when there is no such place
    or it is abolished, RoleWrong for a term that is over and for powers that are not a clerk's.
    """
    place = await unit.session.get(Place, place_code)
    if place is None or place.abolished_at is not None:
        raise LookupError(f"no place {place_code}")
    if until is not None and until <= unit.now:
        raise RoleWrong("the role would end before it begins")
    if powers is not None and (role is not RoleName.CLERK or not powers):
        raise RoleWrong("powers: only of a clerk, and at least one")
    code = "".join(secrets.choice(_ALPHABET) for _ in range(_CODE_LENGTH))
    rules = await rulebook.of(unit.session, place_code)
    invitation = Invitation(
        id=unit.new_id(),
        code_hash=_code_hash(unit, code),
        role=role.value,
        place_code=place_code,
        created_at=unit.now,
        created_by=unit.actor,
        expires_at=unit.now + timedelta(days=rules.invitation_term),
        role_until=until,
        powers=_stored(powers),
    )
    unit.session.add(invitation)
    await unit.session.flush()
    given = _audited(until, invitation.powers)
    unit.audit("invitation-made", invitation.id, role=role.value, place=place_code, **given)
    return code


async def check_invitation(unit: Unit, code: str, resident: UUID | None) -> Invitation:
    """The invitation, locked, if this person can redeem it now; a refusal is noted.

    Raises Refused: unknown, used (by somebody else or by this very person), withdrawn, expired,
    the role's term over, the place abolished, the inviter no longer entitled; and, the invitation
    staying unused: by the inviter, or the role is held already with the same term and powers.
    """
    invitation = await unit.session.scalar(
        select(Invitation).where(Invitation.code_hash == _code_hash(unit, code)).with_for_update()
    )
    reason = await _unusable(unit, invitation, resident)
    if invitation is None or reason is not None:
        unit.audit("invitation-refused", invitation.id if invitation else None, reason=reason)
        raise Refused(reason or "refused-invitation-unknown")
    return invitation


async def redeem(unit: Unit, resident: UUID, code: str) -> Redeemed:
    """Grants the invitation's role to this resident. The second use grants nothing.

    Raises Refused as `check_invitation` does.
    """
    invitation = await check_invitation(unit, code, resident)
    invitation.used_at, invitation.used_by = unit.now, resident
    role, powers = RoleName(invitation.role), _powers(invitation.powers)
    held = await _held(unit, resident, role, invitation.place_code)
    granted = await grant(
        unit,
        resident,
        role,
        invitation.place_code,
        until=invitation.role_until,
        powers=powers,
        by=invitation.created_by,
    )
    unit.audit("invitation-redeemed", invitation.id, resident=str(resident), role_id=str(granted))
    view = RoleView(role, invitation.place_code, invitation.role_until, powers or frozenset(Power))
    return Redeemed(view, granted, invitation.created_by, renewed=held is not None)


async def _unusable(unit: Unit, invitation: Invitation | None, resident: UUID | None) -> str | None:
    if invitation is None:
        return "refused-invitation-unknown"
    held = None
    if resident is not None:
        held = await _held(unit, resident, RoleName(invitation.role), invitation.place_code)
    if invitation.used_at is not None:
        own = held is not None and await same_person(unit, invitation.used_by) == resident
        return "refused-invitation-yours" if own else "refused-invitation-used"
    if invitation.withdrawn_at is not None:
        return "refused-invitation-withdrawn"
    if invitation.expires_at <= unit.now:
        return "refused-invitation-expired"
    if invitation.role_until is not None and invitation.role_until <= unit.now:
        return "refused-invitation-term"
    place = await unit.session.get(Place, invitation.place_code)
    if place is None or place.abolished_at is not None:
        return "refused-invitation-place"
    if not await _inviter_still_may(unit, invitation):
        return "refused-invitation-inviter"
    if resident is not None and await same_person(unit, invitation.created_by) == resident:
        return "refused-invitation-own"
    if held and (held.until, held.powers) == (invitation.role_until, invitation.powers):
        return "refused-invitation-held"
    return None


async def _inviter_still_may(unit: Unit, invitation: Invitation) -> bool:
    """Whoever has lost the role gives none away any more. The command line always may."""
    if invitation.created_by is None:
        return True
    inviter = await same_person(unit, invitation.created_by)
    role, place = RoleName(invitation.role), invitation.place_code
    return await may_appoint(unit, inviter, role, place)


async def may_appoint(unit: Unit, who: UUID | None, role: RoleName, place_code: str) -> bool:
    """May this person give and take this role there? An akim those of the clerks of exactly that
    office, an operator every role at the place of the operator's role and below it."""
    above = await at_or_above(unit, place_code)
    for view in await standing(unit, who):
        if view.role is RoleName.OPERATOR and view.place_code in above:
            return True
        of_the_office = view.role is RoleName.AKIM and view.place_code == place_code
        if of_the_office and role is RoleName.CLERK:
            return True
    return False


async def same_person(unit: Unit, resident: UUID | None) -> UUID | None:
    """The resident, or the one that this one was joined with since."""
    found = await unit.session.get(Resident, resident) if resident else None
    return found.merged_into or found.id if found else None


# Roles


async def grant(
    unit: Unit,
    resident: UUID,
    role: RoleName,
    place_code: str,
    *,
    until: datetime | None = None,
    powers: Collection[Power] | None = None,
    by: UUID | None = None,
) -> UUID:
    """The resident holds the role at the place from now on, the role's id; granting twice is
    granting once, with the later term and powers. Asks nobody's right (see `invite`).

    `by`: who decided it; the unit's actor when nobody is named. Raises Refused for somebody whose
    data are deleted.
    """
    found = await unit.session.get_one(
        Resident, resident, with_for_update={"read": True}, populate_existing=True
    )
    if found.deleted_at is not None:
        unit.audit("role-refused", resident, role=role.value, place=place_code)
        raise Refused("refused-role")
    row = await _held(unit, resident, role, place_code)
    stored = _stored(powers)
    told = _audited(until, stored)
    if row is None:
        new = Role(role=role.value, place_code=place_code, until=until, powers=stored)
        granted = await _insert(unit, resident, new, by or unit.actor)
        if granted is not None:
            unit.audit("role-granted", resident, role=role.value, place=place_code, **told)
            await _plan_end(unit, granted, until)
            return granted
        row = await _held(unit, resident, role, place_code)  # another process was faster
    if row is None:
        raise RuntimeError("a role that stands and cannot be found")
    if (row.until, row.powers) != (until, stored):
        row.until, row.powers = until, stored
        await unit.session.flush()
        unit.audit("role-renewed", resident, role=role.value, place=place_code, **told)
        await _plan_end(unit, row.id, until)
    return row.id


async def revoke(unit: Unit, resident: UUID, role: RoleName, place_code: str) -> bool:
    """Ends the role now; False when it did not stand."""
    row = await _held(unit, resident, role, place_code)
    if row is None:
        return False
    await end(unit, row)
    return True


async def end(unit: Unit, row: Role) -> None:
    """Ends a role that stands. Asks nobody's right."""
    row.revoked_at, row.revoked_by = unit.now, unit.actor
    await unit.session.flush()
    unit.audit("role-revoked", row.resident_id, role=row.role, place=row.place_code)


async def standing(unit: Unit, resident: UUID | None) -> list[RoleView]:
    """The roles that this resident holds now, the oldest first."""
    if resident is None:
        return []
    found = await unit.session.scalars(
        select(Role)
        .where(Role.resident_id == resident, stands(unit.now))
        .order_by(Role.granted_at, Role.id)
    )
    return [view_of(role) for role in found]


async def require(
    unit: Unit,
    resident: UUID | None,
    roles: Collection[RoleName],
    place_code: str,
    power: Power | None = None,
    *,
    own_office: bool = False,
) -> RoleView:
    """The role by which this resident, or whom the record was joined with since, may act at this
    place: held there or, unless it has to be the place's `own_office`, above it; of several the
    one held there.

    `power` is what a clerk must have been given as well.

    Raises Refused, and notes the attempt, for everybody else; what was not delegated and a role
    that has ended are told apart from what was never held.
    """
    above = {place_code} if own_office else await at_or_above(unit, place_code)
    resident = await same_person(unit, resident)
    held = [
        view
        for view in await standing(unit, resident)
        if view.role in roles and view.place_code in above
    ]
    for view in sorted(held, key=lambda one: one.place_code != place_code):
        if view.may(power):
            return view
    unit.audit("role-missing", resident, roles=sorted(roles), place=place_code, power=power)
    if held:
        raise Refused("refused-role-power")
    ended = await _has_ended(unit, resident, roles, above)
    raise Refused("refused-role-ended" if ended else "refused-role")


def stands(now: datetime) -> ColumnElement[bool]:
    """The condition that a role is neither revoked nor over."""
    return Role.revoked_at.is_(None) & or_(Role.until.is_(None), Role.until > now)


def view_of(row: Role) -> RoleView:
    """The role as others see it."""
    powers = _powers(row.powers)
    given = frozenset(Power) if powers is None else powers
    return RoleView(RoleName(row.role), row.place_code, row.until, given)


async def at_or_above(unit: Unit, place_code: str) -> set[str]:
    """The place and all places above it: a role held at any of them holds here."""
    return {place_code, *(place.code for place in await ancestors(unit.session, place_code))}


async def _has_ended(
    unit: Unit, resident: UUID | None, names: Iterable[RoleName], above: Collection[str]
) -> bool:
    if resident is None:
        return False
    found = await unit.session.scalar(
        select(Role.id)
        .where(
            Role.resident_id == resident,
            Role.role.in_([name.value for name in names]),
            Role.place_code.in_(above),
        )
        .limit(1)
    )
    return found is not None


async def _held(unit: Unit, resident: UUID, role: RoleName, place_code: str) -> Role | None:
    """The row of the standing role, locked. One whose term is over is closed for good, so that
    the same role can be given again."""
    row = await unit.session.scalar(
        select(Role)
        .where(
            Role.resident_id == resident,
            Role.role == role.value,
            Role.place_code == place_code,
            Role.revoked_at.is_(None),
        )
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    if row is not None and row.until is not None and row.until <= unit.now:
        row.revoked_at = row.until
        await unit.session.flush()
        return None
    return row


async def _insert(unit: Unit, resident: UUID, new: Role, by: UUID | None) -> UUID | None:
    """The new row's id; None when another process has made the same role meanwhile."""
    made = await unit.session.execute(
        insert(Role)
        .values(
            id=unit.new_id(),
            resident_id=resident,
            role=new.role,
            place_code=new.place_code,
            granted_at=unit.now,
            granted_by=by,
            until=new.until,
            powers=new.powers,
        )
        .on_conflict_do_nothing()
        .returning(Role.id)
    )
    return made.scalar_one_or_none()


async def _plan_end(unit: Unit, role: UUID, until: datetime | None) -> None:
    if until is not None:
        key = f"{ENDED_DUE}:{role}:{until:%Y%m%d%H%M}"
        await due.plan(unit, until, ENDED_DUE, role, key=key)


def _stored(powers: Collection[Power] | None) -> list[str] | None:
    return None if powers is None else sorted(power.value for power in powers)


def _powers(stored: Collection[str] | None) -> frozenset[Power] | None:
    return None if stored is None else frozenset(map(Power, stored))


def _audited(until: datetime | None, powers: list[str] | None) -> dict[str, object]:
    return {"until": until.isoformat() if until else None, "powers": powers}


def _code_hash(unit: Unit, code: str) -> bytes:
    return unit.keyring.index("invitation", code.strip().upper())
