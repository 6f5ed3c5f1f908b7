"""The rows of a resident go over to another one, and back: what joining and parting move.

A joining keeps in `merge.moved` the ids of all that it moved, so that parting gives back exactly
that, and nothing which somebody decided in between is undone by it.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import delete, select, text, update
from sqlalchemy.dialects.postgresql import insert

from models.delivery import Draft, Notice
from models.people import Address, Resident, ResidentAddress, Role
from services import rulebook
from services.unit import Unit
from services.wanted import OLD

Moved = dict[str, list[Any]]
_FOR_EVER = datetime.max.replace(tzinfo=UTC)

# In a notice that is still open, one of two recipients who are one person is withdrawn: the one
# that has not read it, has not got it, else the one of the record that goes. What is in a process'
# hands, or is also for somebody else behind that chat, still goes out.
_WITHDRAW = """
WITH twice AS (
    SELECT k.notice_id, k.resident_id AS kept, g.resident_id AS gone,
           (g.acknowledged_at IS NOT NULL)::int * 2
             + coalesce(gd.outcome IN ('sent', 'announced'), false)::int
           > (k.acknowledged_at IS NOT NULL)::int * 2
             + coalesce(kd.outcome IN ('sent', 'announced'), false)::int AS later
    FROM recipient AS k JOIN recipient AS g ON g.notice_id = k.notice_id
    JOIN notice AS n ON n.id = k.notice_id AND n.status IN ('scheduled', 'sending', 'paused')
    LEFT JOIN delivery AS kd ON kd.id = k.delivery_id
    LEFT JOIN delivery AS gd ON gd.id = g.delivery_id
    WHERE k.resident_id = :kept AND g.resident_id = :gone
      AND k.excluded IS NULL AND g.excluded IS NULL
), withdrawn AS (
    UPDATE recipient AS r SET excluded = 'merged' FROM twice
    WHERE r.notice_id = twice.notice_id
      AND r.resident_id = CASE WHEN twice.later THEN twice.kept ELSE twice.gone END
    RETURNING r.notice_id, r.resident_id, r.delivery_id, r.second_id
), dropped AS (
    UPDATE delivery AS d SET outcome = 'cancelled', waiting_for = NULL, finished_at = :now
    FROM withdrawn AS w
    WHERE d.id IN (w.delivery_id, w.second_id) AND d.outcome IS NULL
      AND (d.claimed_until IS NULL OR d.claimed_until < :now)
      AND NOT EXISTS (SELECT 1 FROM recipient AS o WHERE d.id IN (o.delivery_id, o.second_id)
                      AND o.notice_id = w.notice_id AND o.resident_id <> w.resident_id
                      AND o.excluded IS NULL)
    RETURNING d.id, w.notice_id, w.resident_id
)
SELECT w.notice_id, w.resident_id,
       ARRAY(SELECT d.id FROM dropped AS d WHERE d.notice_id = w.notice_id
             AND d.resident_id = w.resident_id) AS deliveries
FROM withdrawn AS w
"""
# Only with the words that the notice has now. What went there as the second messenger of the one
# who stays was not that one's, and does not count for them.
_GIVE_BACK = f"""
WITH again AS (
    UPDATE recipient SET excluded = NULL
    WHERE notice_id = :notice AND resident_id = :resident AND excluded = 'merged'
    RETURNING delivery_id, second_id
), others AS (
    UPDATE recipient AS o SET second_id = NULL FROM again, delivery AS d
    WHERE o.notice_id = :notice AND o.resident_id <> :resident
      AND o.second_id IN (again.delivery_id, again.second_id) AND d.id = o.second_id
      AND NOT EXISTS (SELECT 1 FROM resident_address AS ra
                      WHERE ra.resident_id = o.resident_id AND ra.address_id = d.address_id)
)
UPDATE delivery AS d SET message_id = m.id, outcome = NULL, finished_at = NULL,
       not_before = :now, waiting_for = CASE WHEN :paused THEN 'paused' END
FROM message AS old JOIN message AS m ON m.notice_id = old.notice_id
  AND m.language = old.language AND m.corrects = old.corrects AND NOT {OLD}
WHERE d.id = ANY(:deliveries) AND d.message_id = old.id AND d.outcome = 'cancelled'
  AND NOT EXISTS (SELECT 1 FROM delivery AS o WHERE o.message_id = m.id
                  AND o.address_id = d.address_id AND o.id <> d.id)
RETURNING d.id
"""
_OPEN = ("scheduled", "sending", "paused")


async def move(unit: Unit, source: UUID, target: UUID) -> Moved:
    """All that belongs to `source` belongs to `target`; the ids of what moved."""
    addresses, shared = await _move_chats(unit, source, target)
    roles, ended = await _move_roles(unit, source, target)
    spoke = await _handed(unit, Address, Address.speaker_id, source, target)
    return {
        "addresses": addresses,
        "shared": shared,
        "spoke": sorted({*addresses, *spoke}),  # nobody speaks from a chat that they left
        "roles": roles,
        "ended": ended,
        "drafts": await _handed(unit, Draft, Draft.author_id, source, target),
        "followers": await _handed(unit, Resident, Resident.merged_into, source, target),
        "withdrawn": await _withdraw(unit, source, target),
        "muted": await _mute_too(unit, source, target),
    }


async def move_back(unit: Unit, moved: Mapping[str, list[Any]], kept: UUID, gone: UUID) -> None:
    """What `move` moved belongs to `gone` again, as far as `kept` still has it."""
    await _chats_back(unit, moved, kept, gone)
    for table, column, name in (
        (Address, Address.speaker_id, "spoke"),
        (Draft, Draft.author_id, "drafts"),
        (Resident, Resident.merged_into, "followers"),
    ):
        await _handed(unit, table, column, kept, gone, moved[name])
    await _roles_back(unit, moved, kept, gone)
    await _unmute(unit, moved.get("muted", ()), kept)
    for notice, resident, deliveries in sorted(moved["withdrawn"]):  # locked in this order
        await _give_back(unit, UUID(notice), UUID(resident), _ids(deliveries))


async def _handed(
    unit: Unit,
    table: type[Address] | type[Draft] | type[Resident],
    column: Any,
    source: UUID,
    target: UUID,
    only: Sequence[str] | None = None,
) -> list[str]:
    """Rows of this table that name the one name the other (`only` these); which."""
    change = update(table).where(column == source)
    if only is not None:
        change = change.where(table.id.in_(_ids(only)))
    found = await unit.session.scalars(change.values({column.key: target}).returning(table.id))
    return [str(one) for one in found]


async def _move_chats(unit: Unit, source: UUID, target: UUID) -> tuple[list[str], list[str]]:
    """(chats that moved, chats that both had)."""
    left = delete(ResidentAddress).where(ResidentAddress.resident_id == source)
    mine = list(await unit.session.scalars(left.returning(ResidentAddress.address_id)))
    added = [one for one in mine if await _reached_at(unit, target, one)]
    return [str(one) for one in added], [str(one) for one in mine if one not in added]


async def _chats_back(unit: Unit, moved: Mapping[str, list[Any]], kept: UUID, gone: UUID) -> None:
    """One that the person was taken off meanwhile stays so."""
    left = delete(ResidentAddress).where(
        ResidentAddress.resident_id == kept,
        ResidentAddress.address_id.in_(_ids(moved["addresses"])),
    )
    back = await unit.session.scalars(left.returning(ResidentAddress.address_id))
    both = await unit.session.scalars(
        select(ResidentAddress.address_id).where(
            ResidentAddress.resident_id == kept,
            ResidentAddress.address_id.in_(_ids(moved["shared"])),
        )
    )
    for address in (*back, *both):
        await _reached_at(unit, gone, address)


async def _reached_at(unit: Unit, resident: UUID, address: UUID) -> bool:
    """The resident has this chat; False when that was so before."""
    added = await unit.session.execute(
        insert(ResidentAddress)
        .values(resident_id=resident, address_id=address, created_at=unit.now)
        .on_conflict_do_nothing()
        .returning(ResidentAddress.address_id)
    )
    return added.scalar_one_or_none() is not None


async def _move_roles(unit: Unit, source: UUID, target: UUID) -> tuple[list[str], list[list[str]]]:
    """(roles that moved, [role that ended, the same role that stays instead]). The same role at
    the same place stands once: the one that ends later."""
    held = {(one.role, one.place_code): one for one in await _standing(unit, target)}
    moved, ended = [], []
    for role in await _standing(unit, source):
        mine = held.get((role.role, role.place_code))
        stays = role if mine is None or _ends(role) > _ends(mine) else mine
        if mine is not None:
            goes = mine if stays is role else role
            _end(unit, goes)
            ended.append([str(goes.id), str(stays.id)])
            await unit.session.flush()  # before its place is taken
        if stays is role:
            role.resident_id = target
            unit.audit("role-moved", target, role=role.role, place=role.place_code)
            moved.append(str(role.id))
            await unit.session.flush()
    return moved, ended


async def _roles_back(unit: Unit, moved: Mapping[str, list[Any]], kept: UUID, gone: UUID) -> None:
    """A role that somebody took away meanwhile does not come back with its twin."""
    ended = {UUID(one): UUID(instead) for one, instead in moved["ended"]}
    standing = {one.id for one in await _standing(unit, kept)}
    for role in await unit.session.scalars(
        select(Role)
        .where(Role.id.in_(_ids(moved["roles"])), Role.resident_id == kept)
        .execution_options(populate_existing=True)
    ):
        role.resident_id = gone
        unit.audit("role-moved", gone, role=role.role, place=role.place_code)
    await unit.session.flush()
    for one, instead in ended.items():
        if instead in standing:
            twin = await unit.session.get_one(Role, one, populate_existing=True)
            twin.revoked_at = twin.revoked_by = None
            unit.audit("role-renewed", twin.resident_id, role=twin.role, place=twin.place_code)
    await unit.session.flush()


async def _standing(unit: Unit, resident: UUID) -> list[Role]:
    """The roles that stand, locked; those whose term is over are closed for good."""
    found = await unit.session.scalars(
        select(Role)
        .where(Role.resident_id == resident, Role.revoked_at.is_(None))
        .order_by(Role.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    roles = list(found)
    for role in roles:
        if role.until is not None and role.until <= unit.now:
            role.revoked_at = role.until
    await unit.session.flush()
    return [role for role in roles if role.revoked_at is None]


def _ends(role: Role) -> datetime:
    return role.until or _FOR_EVER


def _end(unit: Unit, role: Role) -> None:
    role.revoked_at, role.revoked_by = unit.now, unit.actor
    unit.audit("role-joined", role.resident_id, role=role.role, place=role.place_code)


async def _mute_too(unit: Unit, source: UUID, target: UUID) -> list[str]:
    """Kinds of notices that `source` does not want do not come to `target` either; which of them
    came until now."""
    gone, keep = [await unit.session.get_one(Resident, one) for one in (source, target)]
    added = sorted({*gone.muted} - {*keep.muted})
    keep.muted = sorted({*keep.muted, *added})
    return added


async def _unmute(unit: Unit, kinds: Sequence[str], kept: UUID) -> None:
    keep = await unit.session.get_one(Resident, kept, with_for_update=True, populate_existing=True)
    keep.muted = sorted({*keep.muted} - {*kinds})
    await unit.session.flush()


async def _withdraw(unit: Unit, source: UUID, target: UUID) -> list[Any]:
    """[notice, resident who is withdrawn from it, what was cancelled for that]."""
    rows = await unit.session.execute(
        text(_WITHDRAW), {"kept": target, "gone": source, "now": unit.now}
    )
    withdrawn = []
    for row in rows:
        unit.audit("recipient-withdrawn", row.notice_id, resident=str(row.resident_id))
        dropped = [str(one) for one in row.deliveries]
        withdrawn.append([str(row.notice_id), str(row.resident_id), dropped])
    return withdrawn


async def _give_back(unit: Unit, notice: UUID, resident: UUID, deliveries: list[UUID]) -> None:
    """Whoever was withdrawn is a recipient again, and gets it unless that has happened anyway:
    one that is over is under way again for that."""
    found = await unit.session.get(Notice, notice, with_for_update=True, populate_existing=True)
    if found is None or not await _is_news(unit, found):
        return
    given = await unit.session.execute(
        text(_GIVE_BACK),
        {
            "notice": notice,
            "resident": resident,
            "deliveries": deliveries,
            "paused": found.status == "paused",
            "now": unit.now,
        },
    )
    if found.status == "finished" and given.all():
        found.status, found.finished_at, found.live_at = "sending", None, unit.now
        await unit.session.flush()
        unit.audit("notice-reopened", notice, resident=str(resident))


async def _is_news(unit: Unit, found: Notice) -> bool:
    """Is it open, or over no longer than a notice may wait for its reader?"""
    if found.status in _OPEN:
        return True
    if found.status != "finished" or found.queued_at is None:
        return False
    rules = await rulebook.of(unit.session, found.place_code)
    return unit.now - found.queued_at <= timedelta(days=rules.notice_waits)


def _ids(stored: Sequence[str]) -> list[UUID]:
    return [UUID(one) for one in stored]
