"""Roles: granted for a place by a one-time invitation, checked here and not in the menu."""

import secrets
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from sqlalchemy import or_, select, update
from sqlalchemy.dialects.postgresql import insert

from models.people import Invitation, Role
from models.territory import Place
from services.territory import ancestors
from services.unit import Refused, Unit

INVITATION_TERM = timedelta(days=7)
_ALPHABET = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"  # nothing that is read for something else
_CODE_LENGTH = 12  # 60 bits: not to be guessed within its seven days


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


async def invite(
    unit: Unit, role: RoleName, place_code: str, term: timedelta = INVITATION_TERM
) -> str:
    """A new one-time code for this role; only its keyed hash is stored.

    Raises LookupError when there is no such place or it is abolished.
    """
    place = await unit.session.get(Place, place_code)
    if place is None or place.abolished_at is not None:
        raise LookupError(f"no place {place_code}")
    code = "".join(secrets.choice(_ALPHABET) for _ in range(_CODE_LENGTH))
    invitation = Invitation(
        id=unit.new_id(),
        code_hash=_code_hash(unit, code),
        role=role.value,
        place_code=place_code,
        created_at=unit.now,
        created_by=unit.actor,
        expires_at=unit.now + term,
    )
    unit.session.add(invitation)
    await unit.session.flush()
    unit.audit("invitation-made", invitation.id, role=role.value, place=place_code)
    return code


async def check_invitation(unit: Unit, code: str) -> Invitation:
    """The invitation, locked, if it can be redeemed now; a refusal is noted.

    Raises Refused: unknown, expired, used.
    """
    invitation = await unit.session.scalar(
        select(Invitation).where(Invitation.code_hash == _code_hash(unit, code)).with_for_update()
    )
    reason = _unusable(invitation, unit.now)
    if invitation is None or reason is not None:
        unit.audit("invitation-refused", invitation.id if invitation else None, reason=reason)
        raise Refused(reason or "refused-invitation-unknown")
    return invitation


async def redeem(unit: Unit, resident: UUID, code: str) -> RoleView:
    """Grants the invitation's role to this resident. The second use grants nothing.

    Raises Refused: unknown, expired, used.
    """
    invitation = await check_invitation(unit, code)
    invitation.used_at, invitation.used_by = unit.now, resident
    role = RoleName(invitation.role)
    await grant(unit, resident, role, invitation.place_code)
    return RoleView(role, invitation.place_code, None)


async def grant(unit: Unit, resident: UUID, role: RoleName, place_code: str) -> None:
    """The resident holds the role at the place from now on; granting twice is granting once."""
    await unit.session.execute(
        insert(Role)
        .values(
            id=unit.new_id(),
            resident_id=resident,
            role=role.value,
            place_code=place_code,
            granted_at=unit.now,
            granted_by=unit.actor,
        )
        .on_conflict_do_nothing()
    )
    unit.audit("role-granted", resident, role=role.value, place=place_code)


async def revoke(unit: Unit, resident: UUID, role: RoleName, place_code: str) -> bool:
    """Ends the role today; False when it did not stand."""
    ended = await unit.session.execute(
        update(Role)
        .where(
            Role.resident_id == resident,
            Role.role == role.value,
            Role.place_code == place_code,
            Role.revoked_at.is_(None),
        )
        .values(revoked_at=unit.now)
        .returning(Role.id)
    )
    if not ended.all():
        return False
    unit.audit("role-revoked", resident, role=role.value, place=place_code)
    return True


async def standing(unit: Unit, resident: UUID | None) -> list[RoleView]:
    """The roles that this resident holds now, the oldest first."""
    if resident is None:
        return []
    found = await unit.session.scalars(
        select(Role)
        .where(
            Role.resident_id == resident,
            Role.revoked_at.is_(None),
            or_(Role.until.is_(None), Role.until > unit.now),
        )
        .order_by(Role.granted_at, Role.id)
    )
    return [_view(role) for role in found]


async def require(
    unit: Unit,
    resident: UUID | None,
    roles: Collection[RoleName],
    place_code: str,
    power: Power | None = None,
) -> RoleView:
    """The role by which this resident may act at this place: held there or above it.

    `power` is what a clerk must have been given as well.

    Raises Refused, and notes the attempt, for everybody else.
    """
    above = {place_code, *(place.code for place in await ancestors(unit.session, place_code))}
    for view in await standing(unit, resident):
        if view.role in roles and view.place_code in above and view.may(power):
            return view
    unit.audit("role-missing", resident, roles=sorted(roles), place=place_code, power=power)
    raise Refused("refused-role")


def _view(role: Role) -> RoleView:
    given = frozenset(Power) if role.powers is None else frozenset(map(Power, role.powers))
    return RoleView(RoleName(role.role), role.place_code, role.until, given)


def _unusable(invitation: Invitation | None, now: datetime) -> str | None:
    if invitation is None:
        return "refused-invitation-unknown"
    if invitation.used_at is not None:
        return "refused-invitation-used"
    return "refused-invitation-expired" if invitation.expires_at <= now else None


def _code_hash(unit: Unit, code: str) -> bytes:
    return unit.keyring.index("invitation", code.strip().upper())
