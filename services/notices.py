"""Notices: an akim's message to every registered resident of an okrug or of chosen villages."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from core.languages import Language
from core.outcomes import ARRIVED, Outcome
from models.delivery import Message, Notice, Recipient
from models.people import Address
from services import roles
from services.outbox import NOTICE, seal_content
from services.territory import codes_inside
from services.unit import Refused, Unit

TITLE, BODY = "notice.title", "notice.text"
LIVE_PAUSE = timedelta(seconds=3)  # between edits of the author's live message
LIVE_AFTER = timedelta(minutes=1)  # once everything is sent, only receipts change it
LIVE_ENDS = timedelta(hours=48)

_REACH = """
    SELECT r.id AS resident_id, best.id AS address_id, best.account_id,
           coalesce(best.language, r.language) AS language, best.last_inbound_at
    FROM resident AS r LEFT JOIN LATERAL (
        SELECT a.id, a.account_id, a.language, a.last_inbound_at FROM resident_address AS ra
        JOIN address AS a ON a.id = ra.address_id
        WHERE ra.resident_id = r.id AND a.stopped_at IS NULL
        ORDER BY a.last_inbound_at DESC NULLS LAST, a.id LIMIT 1
    ) AS best ON true
    WHERE r.place_code = ANY($1::text[])
      AND r.registered_at IS NOT NULL AND r.deleted_at IS NULL
"""
_QUEUE = f"""
WITH reach AS ({_REACH}), sent AS (
    INSERT INTO delivery (id, message_id, address_id, account_id, priority, not_before, created_at)
    SELECT gen_random_uuid(), m.id, one.address_id, one.account_id, {NOTICE}, $5, $5
    FROM (SELECT DISTINCT ON (address_id) address_id, account_id, language, last_inbound_at
          FROM reach WHERE address_id IS NOT NULL ORDER BY address_id, language) AS one
    JOIN unnest($3::text[], $4::uuid[]) AS m (language, id) ON m.language = one.language
    ORDER BY one.last_inbound_at DESC NULLS LAST, one.address_id
    RETURNING id, address_id
), told AS (
    INSERT INTO recipient (notice_id, resident_id, delivery_id)
    SELECT $2, reach.resident_id, sent.id FROM reach LEFT JOIN sent USING (address_id)
    RETURNING delivery_id
)
SELECT count(*) AS recipients, count(*) FILTER (WHERE delivery_id IS NULL) AS unreachable FROM told
"""
_COUNTS = """
SELECT CASE WHEN r.delivery_id IS NULL THEN 'no-address'
            ELSE coalesce(d.outcome, 'pending:' || coalesce(d.waiting_for, '')) END AS state,
       count(*) AS people,
       count(r.acknowledged_at) AS acknowledged,
       count(*) FILTER (WHERE d.delivered_at IS NOT NULL) AS delivered,
       count(*) FILTER (WHERE d.read_at IS NOT NULL) AS read
FROM recipient AS r LEFT JOIN delivery AS d ON d.id = r.delivery_id
WHERE r.notice_id = $1 GROUP BY 1
"""
_ACKNOWLEDGE = """
WITH mine AS (
    SELECT d.id FROM message AS m JOIN delivery AS d ON d.message_id = m.id AND d.address_id = $2
    WHERE m.notice_id = $1
), heard AS (
    UPDATE recipient AS r SET acknowledged_at = $3 FROM mine
    WHERE r.delivery_id = mine.id AND r.notice_id = $1 AND r.acknowledged_at IS NULL
    RETURNING r.resident_id
), full_text AS (
    UPDATE delivery AS d SET outcome = 'sent', sent_at = $3 FROM mine
    WHERE d.id = mine.id AND d.outcome = 'announced'
)
SELECT n.revision, n.created_at, (SELECT count(*) FROM heard) AS newly,
       EXISTS (SELECT 1 FROM mine) AS addressed
FROM notice AS n WHERE n.id = $1
"""


@dataclass(frozen=True, slots=True)
class NoticeText:
    """A title of one line, and what it is about."""

    title: str
    body: str


@dataclass(frozen=True, slots=True)
class NoticeView:
    """A notice, opened."""

    id: UUID
    place_code: str
    texts: Mapping[Language, NoticeText]
    revision: int
    created_at: datetime
    status: str

    def text(self, language: Language) -> NoticeText:
        """In this language, or in the only one that its author declared."""
        return self.texts.get(language) or next(iter(self.texts.values()))


@dataclass(frozen=True, slots=True)
class Reach:
    """Whom a notice would reach: residents by channel, and those with no chat to write to."""

    by_channel: Mapping[str, int]
    unreachable: int

    @property
    def people(self) -> int:
        """All registered residents of the audience."""
        return sum(self.by_channel.values()) + self.unreachable


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a notice has come, in residents."""

    total: int
    sent: int  # accepted in full by the messenger
    announced: int  # WhatsApp: the template went, the full text waits for the tap
    pending: int
    acknowledged: int
    delivered: int
    read: int
    failed: Mapping[str, int] = field(default_factory=dict)  # outcome → residents
    waiting: Mapping[str, int] = field(default_factory=dict)

    @property
    def finished(self) -> bool:
        """Nothing is left to be sent now; what waits for a person's message may still go."""
        return self.pending == 0


async def reach(unit: Unit, audience: Sequence[str]) -> Reach:
    """How many residents these settlements have, by the messenger that would be used."""
    connection = await unit.connection()
    rows = await connection.exec_driver_sql(
        f"SELECT a.channel, count(*) AS people FROM ({_REACH}) AS reach"
        " LEFT JOIN account AS a ON a.id = reach.account_id GROUP BY 1",
        (list(audience),),
    )
    counts = {row.channel: row.people for row in rows}
    return Reach({k: v for k, v in counts.items() if k}, counts.get(None, 0))


async def send(
    unit: Unit,
    *,
    notice: UUID,
    author_address: UUID,
    place_code: str,
    audience: Sequence[str],
    texts: Mapping[Language, NoticeText],
    monolingual: Language | None,
    contents: Mapping[Language, dict[str, Any]],
    live_message: UUID | None = None,
) -> bool:
    """Queues the notice for everybody in the audience; False when it was queued before.

    Both languages are needed unless the author declares the only one (invariant 8). Raises
    Refused without the role at that place, with a text missing, or for places outside it.
    """
    await roles.require(unit, unit.actor, roles.MAY_SEND_NOTICES, place_code)
    _check_languages(texts, monolingual)
    if outside := set(audience) - set(await codes_inside(unit.session, place_code)):
        unit.audit("audience-outside", notice, place=place_code, codes=sorted(outside))
        raise Refused("refused-role")
    row = _row(unit, notice, place_code, audience, texts, monolingual)
    row |= {"author_address_id": author_address, "live_message": live_message}
    made = await unit.session.execute(
        insert(Notice).values(row).on_conflict_do_nothing().returning(Notice.id)
    )
    if made.scalar_one_or_none() is None:
        return False
    await _queue(unit, notice, audience, contents)
    unit.audit("notice-sent", notice, place=place_code, villages=len(audience))
    return True


async def view(unit: Unit, notice: UUID) -> NoticeView | None:
    """The notice, opened."""
    found = await unit.session.get(Notice, notice)
    return _view(unit, found) if found else None


async def addressed_to(unit: Unit, notice: UUID, address: UUID) -> bool:
    """Did this notice go to this address? If not, the tap was forged, which is noted."""
    found = await unit.session.scalar(
        text(
            "SELECT 1 FROM recipient AS r JOIN delivery AS d ON d.id = r.delivery_id"
            " WHERE r.notice_id = :notice AND d.address_id = :address LIMIT 1"
        ),
        {"notice": notice, "address": address},
    )
    if found is None:
        unit.audit("tap-refused", notice)
    return found is not None


async def latest(unit: Unit, resident: UUID, limit: int = 5) -> list[NoticeView]:
    """The newest notices that were for this resident."""
    found = await unit.session.scalars(
        select(Notice)
        .join(Recipient, Recipient.notice_id == Notice.id)
        .where(Recipient.resident_id == resident)
        .order_by(Notice.created_at.desc())
        .limit(limit)
    )
    return [_view(unit, notice) for notice in found]


async def latest_by(unit: Unit, author: UUID, limit: int = 5) -> list[NoticeView]:
    """The newest notices of this author."""
    found = await unit.session.scalars(
        select(Notice)
        .where(Notice.author_id == author)
        .order_by(Notice.created_at.desc())
        .limit(limit)
    )
    return [_view(unit, notice) for notice in found]


async def acknowledge(unit: Unit, notice: UUID, address: UUID) -> tuple[int, bool] | None:
    """ "I have read it": (current revision, was it new?). Idempotent; one statement.

    None when this notice did not go to this address: a forged tap, which is noted.
    """
    connection = await unit.connection()
    row = (
        await connection.exec_driver_sql(_ACKNOWLEDGE, (notice, address, unit.now))
    ).one_or_none()
    if row is None or not row.addressed:
        unit.audit("tap-refused", notice)
        return None
    if row.newly:
        unit.audit("notice-acknowledged", notice)
    return row.revision, bool(row.newly)


async def shown_in_full(unit: Unit, notice: UUID, address: UUID) -> None:
    """The full text was asked for after its announcement: now it counts as delivered in full."""
    await unit.session.execute(
        text(
            "UPDATE delivery AS d SET outcome = 'sent', sent_at = :now FROM message AS m"
            " WHERE m.notice_id = :notice AND d.message_id = m.id AND d.address_id = :address"
            " AND d.outcome = 'announced'"
        ),
        {"now": unit.now, "notice": notice, "address": address},
    )


async def progress(connection: AsyncConnection, notice: UUID) -> Progress:
    """The counts that the author sees."""
    total = sent = announced = pending = acknowledged = delivered = read = 0
    failed: dict[str, int] = {}
    waiting: dict[str, int] = {}
    for row in await connection.exec_driver_sql(_COUNTS, (notice,)):
        total += row.people
        acknowledged += row.acknowledged
        delivered += row.delivered
        read += row.read
        state, _, why = row.state.partition(":")
        if state == "pending" and why in ("window-closed", "template-unavailable", "daily-limit"):
            waiting[why] = waiting.get(why, 0) + row.people
        elif state == "pending":
            pending += row.people
        elif state == Outcome.SENT:
            sent += row.people
        elif state == Outcome.ANNOUNCED:
            announced += row.people
        elif state not in ARRIVED:
            failed[state] = failed.get(state, 0) + row.people
    return Progress(total, sent, announced, pending, acknowledged, delivered, read, failed, waiting)


@dataclass(frozen=True, slots=True)
class LiveDue:
    """A live message that may change now."""

    notice: UUID
    address: UUID
    account: UUID
    channel: str
    language: Language
    first: UUID | None  # the delivery that the next ones edit
    shown: bytes | None
    age: timedelta
    was_finished: bool


async def live_due(unit: Unit, limit: int = 50) -> list[LiveDue]:
    """Live messages whose time has come; each belongs to one process until its commit."""
    connection = await unit.connection()
    rows = await connection.exec_driver_sql(
        "SELECT n.id, n.author_address_id, a.account_id, c.channel, a.language, n.live_message,"
        " n.live_shown, n.created_at, n.status FROM notice AS n"
        " JOIN address AS a ON a.id = n.author_address_id JOIN account AS c ON c.id = a.account_id"
        " WHERE n.live_at <= $1 AND NOT EXISTS (SELECT 1 FROM delivery AS d"
        "  WHERE d.address_id = a.id AND d.outcome IS NULL AND d.priority = 0)"
        " ORDER BY n.live_at LIMIT $2 FOR UPDATE OF n SKIP LOCKED",
        (unit.now, limit),
    )
    return [
        LiveDue(
            row.id,
            row.author_address_id,
            row.account_id,
            row.channel,
            Language(row.language or "kk"),
            row.live_message,
            row.live_shown,
            unit.now - row.created_at,
            row.status == "finished",
        )
        for row in rows
    ]


async def live_shown(unit: Unit, due: LiveDue, words: str, *, finished: bool) -> None:
    """Notes what the live message shows now, and when it may change next."""
    over = due.age > LIVE_ENDS
    pause = LIVE_AFTER if finished and due.age > LIVE_AFTER * 10 else LIVE_PAUSE
    connection = await unit.connection()
    await connection.exec_driver_sql(
        "UPDATE notice SET live_shown = $2,"
        " live_at = CASE WHEN $3 THEN NULL ELSE $4::timestamptz END,"
        " status = CASE WHEN $5 AND status = 'sending' THEN 'finished' ELSE status END,"
        " finished_at = CASE WHEN $5 THEN coalesce(finished_at, $6) ELSE finished_at END"
        " WHERE id = $1",
        (due.notice, shown_digest(words), over, unit.now + pause, finished, unit.now),
    )


def shown_digest(words: str) -> bytes:
    """By which a live message is known not to have changed."""
    return hashlib.sha256(words.encode()).digest()


async def address_account(unit: Unit, address: UUID) -> UUID:
    """The account that this address writes with."""
    return (await unit.session.get_one(Address, address)).account_id


def _check_languages(texts: Mapping[Language, NoticeText], monolingual: Language | None) -> None:
    needed = {monolingual} if monolingual else set(Language)
    if set(texts) != needed:
        raise Refused("refused-one-language")


def _row(
    unit: Unit,
    notice: UUID,
    place_code: str,
    audience: Sequence[str],
    texts: Mapping[Language, NoticeText],
    monolingual: Language | None,
) -> dict[str, Any]:
    row: dict[str, Any] = {
        "id": notice,
        "author_id": unit.actor,
        "place_code": place_code,
        "audience": list(audience),
        "monolingual": monolingual,
        "status": "sending",
        "recipients": 0,
        "unreachable": 0,
        "created_at": unit.now,
        "live_at": unit.now + LIVE_PAUSE,
    }
    for language, words in texts.items():
        row[f"title_{language}"] = unit.keyring.seal(f"{TITLE}_{language}", notice, words.title)
        row[f"text_{language}"] = unit.keyring.seal(f"{BODY}_{language}", notice, words.body)
    return row


async def _queue(
    unit: Unit, notice: UUID, audience: Sequence[str], contents: Mapping[Language, dict[str, Any]]
) -> None:
    messages = {language: unit.new_id() for language in Language}
    unit.session.add_all(
        Message(
            id=message,
            notice_id=notice,
            language=language,
            content=seal_content(unit.keyring, message, contents[language]),
            created_at=unit.now,
        )
        for language, message in messages.items()
    )
    await unit.session.flush()
    connection = await unit.connection()
    counts = (
        await connection.exec_driver_sql(
            _QUEUE,
            (list(audience), notice, list(messages), list(messages.values()), unit.now),
        )
    ).one()
    await connection.exec_driver_sql(
        "UPDATE notice SET recipients = $2, unreachable = $3 WHERE id = $1",
        (notice, counts.recipients, counts.unreachable),
    )


def _view(unit: Unit, found: Notice) -> NoticeView:
    texts: dict[Language, NoticeText] = {}
    for language in Language:
        title = getattr(found, f"title_{language}")
        body = getattr(found, f"text_{language}")
        if title is not None and body is not None:
            texts[language] = NoticeText(
                unit.keyring.open(f"{TITLE}_{language}", found.id, title),
                unit.keyring.open(f"{BODY}_{language}", found.id, body),
            )
    return NoticeView(
        found.id, found.place_code, texts, found.revision, found.created_at, found.status
    )
