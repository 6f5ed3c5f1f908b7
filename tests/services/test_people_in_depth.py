"""Joining in depth: chains, roles with a term, what is decided in between, what is guessed wrong,
and what is left after a deletion."""

from collections.abc import Sequence
from datetime import date, timedelta
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text
from support.database import TestDatabase

from conversation.message import Content
from core.clock import FrozenClock, local_date
from core.languages import Language
from models.people import ResidentAddress
from rules.notices import NoticeKind
from rules.rulebook import DEFAULTS
from services import (
    dead_letters,
    drafts,
    files,
    moves,
    notice_changes,
    notices,
    outbox,
    people,
    residents,
    roles,
    rulebook,
    wishes,
)
from services.notices import NoticeText
from services.residents import Registration
from services.roles import RoleName
from services.unit import Refused, Unit
from tests.services.conftest import NAME, VILLAGE, Settler

OKRUG, DISTRICT, NEXT_VILLAGE, PHONE = "595041000", "595000000", "595041500", "+77010000001"
BIRTH, WRONG = date(1986, 3, 5), date(1990, 1, 1)
TEXTS = {one: NoticeText("Су жоқ", "Ертең") for one in Language}
Pair = list[tuple[UUID, UUID]]


@pytest.fixture
async def pair(settled: TestDatabase, settle: Settler) -> Pair:
    """The same person, registered on Telegram and on WhatsApp with the same proved phone."""
    return [
        await settle(channel=channel, phone=PHONE, phone_proved=True)
        for channel in ("telegram", "whatsapp")
    ]


async def join(db: TestDatabase, pair: Pair, birth: date = BIRTH) -> UUID:
    (kept, _), (gone, address) = pair
    async with db.unit() as unit:
        unit.actor = gone
        return (await people.join(unit, kept, gone, address, PHONE, birth)).merge


async def part(db: TestDatabase, merge: UUID, actor: UUID) -> None:
    async with db.unit() as unit:
        unit.actor = actor
        await people.part(unit, merge)


async def rows(db: TestDatabase, statement: str, **values: object) -> list[tuple[object, ...]]:
    async with db.session() as session:
        return [tuple(row) for row in await session.execute(text(statement), values)]


async def do(db: TestDatabase, statement: str, **values: object) -> None:
    async with db.session() as session:
        await session.execute(text(statement), values)


async def send(db: TestDatabase, settle: Settler, audience: Sequence[str] = (VILLAGE,)) -> UUID:
    """A notice under way, of an akim who lives elsewhere."""
    author, chat = await settle("595030100")
    notice = uuid4()
    async with db.unit() as unit:
        await roles.grant(unit, author, RoleName.AKIM, OKRUG)
        unit.actor = author
        await notices.announce(
            unit,
            again=True,
            notice=notice,
            author_address=chat,
            place_code=OKRUG,
            audience=list(audience),
            texts=TEXTS,
            monolingual=None,
        )
        contents = {one: Content(one, TEXTS[one].body).to_json() for one in Language}
        await notices.queue(unit, notice, contents)
    return notice


async def pause(db: TestDatabase, notice: UUID) -> None:
    async with db.unit() as unit:
        unit.actor = (await notices.view(unit, notice)).author  # type: ignore[union-attr]
        assert await notice_changes.pause(unit, notice)


STANDING = "SELECT resident_id, role FROM role WHERE revoked_at IS NULL ORDER BY 1, 2"
RECIPIENTS = "SELECT resident_id, excluded FROM recipient WHERE notice_id = :id ORDER BY 1"
DELIVERIES = (
    "SELECT d.address_id, d.outcome, d.waiting_for FROM delivery AS d JOIN message AS m"
    " ON m.id = d.message_id WHERE m.notice_id = :id ORDER BY 1"
)


SENT = "UPDATE delivery SET outcome = 'sent', claimed_until = NULL WHERE outcome IS NULL"


async def correct(db: TestDatabase, notice: UUID) -> None:
    contents = {one: Content(one, "Түзету").to_json() for one in Language}
    async with db.unit() as unit:
        unit.actor = (await notices.view(unit, notice)).author  # type: ignore[union-attr]
        assert await notice_changes.correct(
            unit,
            notice,
            texts={one: NoticeText("Түзету", "Түзету") for one in Language},
            monolingual=None,
            revision=2,
            plain=contents,
            correction=contents,
        )


# Notices that are open, or were when the two were joined


@pytest.mark.parametrize("paused", [False, True])
async def test_parted_before_it_went_out_both_get_it(
    settled: TestDatabase, settle: Settler, pair: Pair, paused: bool
) -> None:
    """Joined by mistake and parted: nobody misses the notice that was under way meanwhile."""
    notice = await send(settled, settle)
    if paused:
        await pause(settled, notice)
    before = await rows(settled, RECIPIENTS, id=notice), await rows(settled, DELIVERIES, id=notice)
    merge = await join(settled, pair)
    assert ("cancelled" in [row[1] for row in await rows(settled, DELIVERIES, id=notice)]) is True
    await part(settled, merge, pair[0][0])
    after = await rows(settled, RECIPIENTS, id=notice), await rows(settled, DELIVERIES, id=notice)
    assert after == before


STATUS = "SELECT status, finished_at, live_at FROM notice WHERE id = :id"


@pytest.mark.parametrize("days", [1, 14])
async def test_a_notice_that_ended_meanwhile_begins_again_for_the_one_that_was_withdrawn(
    settled: TestDatabase, settle: Settler, pair: Pair, days: int
) -> None:
    """A notice is over within minutes, the term to part is days: whoever was withdrawn never got
    it, and was not counted."""
    notice = await send(settled, settle)
    merge = await join(settled, pair)
    (kept, chat), (gone, other) = pair
    await do(settled, SENT)
    await do(settled, "UPDATE notice SET status = 'finished', finished_at = queued_at")
    settled.clock.offset += timedelta(days=days)
    await part(settled, merge, kept)
    assert dict(await rows(settled, RECIPIENTS, id=notice)) == {kept: None, gone: None}
    found = await rows(settled, DELIVERIES, id=notice)
    assert sorted(found, key=str) == sorted([(chat, "sent", None), (other, None, None)], key=str)
    ((status, finished, live),) = await rows(settled, STATUS, id=notice)
    assert (status, finished) == ("sending", None)
    assert live == settled.clock.now(), "its author sees it"
    async with settled.session() as session:
        found = await notices.progress(await session.connection(), notice)
    assert (found.total, found.sent, found.pending) == (2, 1, 1)


@pytest.mark.parametrize(("status", "days"), [("finished", 15), ("cancelled", 1)])
async def test_what_is_no_news_any_more_or_was_cancelled_stays_as_it_is(
    settled: TestDatabase, settle: Settler, pair: Pair, status: str, days: int
) -> None:
    """Fourteen days by the rulebook: as long as one waits for its reader."""
    notice = await send(settled, settle)
    merge = await join(settled, pair)
    await do(settled, "UPDATE notice SET status = :status", status=status)
    settled.clock.offset += timedelta(days=days)
    statements = RECIPIENTS, DELIVERIES, STATUS
    before = [await rows(settled, one, id=notice) for one in statements]
    await part(settled, merge, pair[0][0])
    assert before == [await rows(settled, one, id=notice) for one in statements]


async def test_who_has_it_all_the_same_does_not_begin_it_again(
    settled: TestDatabase, settle: Settler, pair: Pair
) -> None:
    """Withdrawn while a process had it in hand: it arrived, and counts again."""
    notice = await send(settled, settle)
    later = settled.clock.now() + timedelta(seconds=30)
    await do(settled, "UPDATE delivery SET claimed_until = :later", later=later)
    merge = await join(settled, pair)
    await do(settled, SENT)
    await do(settled, "UPDATE notice SET status = 'finished'")
    await part(settled, merge, pair[0][0])
    assert {who for _, who in await rows(settled, RECIPIENTS, id=notice)} == {None}
    assert [row[1] for row in await rows(settled, DELIVERIES, id=notice)] == ["sent", "sent"]
    assert [row[0] for row in await rows(settled, STATUS, id=notice)] == ["finished"]


@pytest.mark.parametrize("ended", [False, True])
async def test_a_notice_that_was_corrected_meanwhile_is_given_back_in_its_newest_words(
    settled: TestDatabase, settle: Settler, pair: Pair, ended: bool
) -> None:
    """Nobody gets what the akim has taken back; before, whoever was withdrawn got neither."""
    notice = await send(settled, settle)
    merge = await join(settled, pair)
    await correct(settled, notice)
    if ended:
        await do(settled, SENT)
        await do(settled, "UPDATE notice SET status = 'finished'")
    await part(settled, merge, pair[0][0])
    found = await rows(
        settled,
        "SELECT d.outcome, m.revision, m.corrects FROM delivery AS d JOIN message AS m"
        " ON m.id = d.message_id WHERE d.address_id = :chat",
        chat=pair[1][1],
    )
    assert found == [(None, 2, False)]


@pytest.mark.parametrize(
    ("did", "stands"),
    [
        pytest.param("UPDATE recipient SET acknowledged_at = now() WHERE resident_id = :gone", 1),
        pytest.param(
            "UPDATE delivery SET outcome = 'sent' WHERE id ="
            " (SELECT delivery_id FROM recipient WHERE resident_id = :gone)",
            1,
        ),
        pytest.param("UPDATE recipient SET acknowledged_at = now()", 0),
        pytest.param("SELECT :gone", 0),
    ],
    ids=["read", "got", "both read", "nothing yet"],
)
async def test_the_one_that_was_first_counts(
    settled: TestDatabase, settle: Settler, pair: Pair, did: str, stands: int
) -> None:
    """What was read counts, whichever record it was."""
    notice = await send(settled, settle)
    async with settled.session() as session:
        values = {"gone": pair[1][0]} if ":gone" in did else {}
        if did != "SELECT :gone":
            await session.execute(text(did), values)
    await join(settled, pair)
    counted = [who for who, excluded in await rows(settled, RECIPIENTS, id=notice) if not excluded]
    assert counted == [pair[stands][0]]


async def test_what_is_for_the_family_too_is_not_taken_back(
    settled: TestDatabase, settle: Settler, pair: Pair
) -> None:
    """Both records behind one chat share one delivery: it still goes out."""
    (_, chat), (gone, _) = pair
    await do(settled, "DELETE FROM resident_address WHERE resident_id = :gone", gone=gone)
    async with settled.unit() as unit:
        unit.session.add(
            ResidentAddress(resident_id=gone, address_id=chat, created_at=settled.clock.now())
        )
    notice = await send(settled, settle)
    await join(settled, pair)
    assert await rows(settled, DELIVERIES, id=notice) == [(chat, None, None)]
    assert sorted(
        str(excluded) for _, excluded in await rows(settled, RECIPIENTS, id=notice)
    ) == ["None", "merged"]  # fmt: skip


# Chats and chains


async def test_a_chat_that_both_had_is_both_again(settled: TestDatabase, pair: Pair) -> None:
    """Before, parting took the first one's own chat away."""
    (_, chat), (gone, _) = pair
    async with settled.unit() as unit:
        unit.session.add(
            ResidentAddress(resident_id=gone, address_id=chat, created_at=settled.clock.now())
        )
    links = "SELECT resident_id, address_id FROM resident_address ORDER BY 1, 2"
    before = await rows(settled, links)
    merge = await join(settled, pair)
    await part(settled, merge, pair[0][0])
    assert await rows(settled, links) == before


async def test_joined_after_joined_follows(
    settled: TestDatabase, settle: Settler, pair: Pair
) -> None:
    """A into B, B into C: A is C; B parted takes A along; deleting C deletes all of them."""
    third = await settle(channel="telegram", phone=PHONE, phone_proved=True)
    await join(settled, pair)
    into_third = await join(settled, [third, pair[0]])
    merged = "SELECT id FROM resident WHERE merged_into = :id ORDER BY 1"
    assert len(await rows(settled, merged, id=third[0])) == 2
    async with settled.unit() as unit:
        assert await roles.same_person(unit, pair[1][0]) == third[0]
    await part(settled, into_third, third[0])
    assert await rows(settled, merged, id=third[0]) == []
    assert await rows(settled, merged, id=pair[0][0]) == [(pair[1][0],)]
    await join(settled, [third, pair[0]])
    async with settled.unit() as unit:
        await residents.forget(unit, third[0])
    assert await rows(settled, "SELECT 1 FROM resident WHERE deleted_at IS NULL") == []
    assert await rows(settled, "SELECT 1 FROM resident WHERE full_name IS NOT NULL") == []


# Kinds of notices


async def mutes(db: TestDatabase, person: UUID, *kinds: NoticeKind, muted: bool = True) -> None:
    async with db.unit() as unit:
        unit.actor = person
        for kind in kinds:
            await wishes.mute(unit, person, kind, muted=muted)


async def muted(db: TestDatabase, pair: Pair) -> list[object]:
    found = dict(await rows(db, "SELECT id, muted FROM resident"))
    return [found[person] for person, _ in pair]


async def test_what_either_does_not_want_does_not_come(settled: TestDatabase, pair: Pair) -> None:
    """Before, the kinds muted by the record that went came again. Parted: as it was."""
    (kept, _), (gone, _) = pair
    await mutes(settled, kept, NoticeKind.EVENT)
    await mutes(settled, gone, NoticeKind.EVENT, NoticeKind.UTILITIES)
    before = await muted(settled, pair)
    merge = await join(settled, pair)
    assert (await muted(settled, pair))[0] == ["event", "utilities"]
    await part(settled, merge, kept)
    assert await muted(settled, pair) == before == [["event"], ["event", "utilities"]]


async def test_parting_leaves_what_was_muted_meanwhile(settled: TestDatabase, pair: Pair) -> None:
    (kept, _), (gone, _) = pair
    await mutes(settled, gone, NoticeKind.EVENT, NoticeKind.UTILITIES)
    merge = await join(settled, pair)
    await mutes(settled, kept, NoticeKind.EVENT, muted=False)
    await mutes(settled, kept, NoticeKind.ANNOUNCEMENT)
    await part(settled, merge, kept)
    assert await muted(settled, pair) == [["announcement"], ["event", "utilities"]]


async def test_joined_before_this_rule_is_parted_all_the_same(
    settled: TestDatabase, pair: Pair
) -> None:
    """What such a joining moved says nothing about kinds."""
    merge = await join(settled, pair)
    await do(settled, "UPDATE merge SET moved = moved - 'muted'")
    await part(settled, merge, pair[0][0])


# Roles


@pytest.mark.parametrize(
    ("mine", "theirs", "stays"),
    [
        pytest.param(None, 10, 0, id="for ever and for ten days"),
        pytest.param(10, None, 1, id="for ten days and for ever"),
        pytest.param(10, 20, 1, id="the later one"),
        pytest.param(-1, 10, 1, id="one that is over"),
    ],
)
async def test_of_the_same_role_the_longer_one_stays(
    settled: TestDatabase, pair: Pair, mine: int | None, theirs: int | None, stays: int
) -> None:
    """Before, a role that was over kept out the one that stood."""
    now = settled.clock.now()
    async with settled.unit() as unit:
        for (person, _), days in zip(pair, (mine, theirs), strict=True):
            until = None if days is None else now + timedelta(days=abs(days))
            await roles.grant(unit, person, RoleName.CLERK, OKRUG, until=until)
    if mine == -1:
        await do(settled, "UPDATE role SET until = :past WHERE resident_id = :who",
                 past=now - timedelta(days=1), who=pair[0][0])  # fmt: skip
    ids = {row[0]: row[1] for row in await rows(settled, "SELECT resident_id, id FROM role")}
    merge = await join(settled, pair)
    standing = "SELECT id, resident_id FROM role WHERE revoked_at IS NULL"
    assert await rows(settled, standing) == [(ids[pair[stays][0]], pair[0][0])]
    await part(settled, merge, pair[0][0])
    back = {(ids[person], person) for person, _ in (pair if mine != -1 else pair[1:])}
    assert set(await rows(settled, standing)) == back


async def test_a_role_taken_away_meanwhile_does_not_come_back(
    settled: TestDatabase, pair: Pair
) -> None:
    """Nobody gets a role again by parting."""
    async with settled.unit() as unit:
        for person, _ in pair:
            await roles.grant(unit, person, RoleName.AKIM, OKRUG)
        await roles.grant(unit, pair[1][0], RoleName.DEPUTY, DISTRICT)
    merge = await join(settled, pair)
    async with settled.unit() as unit:
        assert await roles.revoke(unit, pair[0][0], RoleName.AKIM, OKRUG)
        assert await roles.revoke(unit, pair[0][0], RoleName.DEPUTY, DISTRICT)
    await part(settled, merge, pair[0][0])
    assert await rows(settled, STANDING) == []


# Who is refused


async def test_two_wrong_dates_and_it_rests_for_a_day(settled: TestDatabase, pair: Pair) -> None:
    """A recycled number and a list of birthdays do not lead to somebody else's vote."""
    (kept, _), (gone, address) = pair
    async with settled.unit() as unit:
        assert not await people.is_born(unit, kept, WRONG)
        assert [one.id for one in await people.known_by_phone(unit, PHONE, address, gone)] == [kept]
        assert not await people.is_born(unit, kept, WRONG)
    async with settled.unit() as unit:
        assert await people.known_by_phone(unit, PHONE, address, gone) == []
        assert not await people.is_born(unit, kept, BIRTH), "not even the right one now"
    with pytest.raises(Refused):
        await join(settled, pair)
    settled.clock.offset += timedelta(hours=DEFAULTS.join_rest)
    async with settled.unit() as unit:
        assert [one.id for one in await people.known_by_phone(unit, PHONE, address, gone)] == [kept]
    assert await join(settled, pair)


async def test_how_many_wrong_dates_and_for_how_long_is_for_the_rulebook(
    settled: TestDatabase, pair: Pair
) -> None:
    (kept, _), (gone, address) = pair
    async with settled.unit() as unit:
        await rulebook.decide(unit, "join-tries", "1", None, "Решение от 01.11.2026 № 1")
        await rulebook.decide(unit, "join-rest", "3", None, "Решение от 01.11.2026 № 1")
        assert not await people.is_born(unit, kept, WRONG)
    async with settled.unit() as unit:
        assert await people.known_by_phone(unit, PHONE, address, gone) == []
        assert not await people.is_born(unit, kept, BIRTH)
    settled.clock.offset += timedelta(hours=3)
    async with settled.unit() as unit:
        assert [one.id for one in await people.known_by_phone(unit, PHONE, address, gone)] == [kept]
        assert await people.is_born(unit, kept, BIRTH)


async def test_a_refused_joining_leaves_nothing_behind(
    settled: TestDatabase, settle: Settler, pair: Pair
) -> None:
    """Somebody new: before, each refusal left an empty person behind the chat."""
    _, address = await settle()
    before = await rows(settled, "SELECT count(*) FROM resident")
    async with settled.unit() as unit:
        with pytest.raises(Refused, match="refused-join"):
            await people.join(unit, pair[0][0], None, address, PHONE, WRONG)
        with pytest.raises(Refused, match="refused-join"):
            await people.join(unit, pair[0][0], None, address, "+77019999999", BIRTH)
        with pytest.raises(Refused, match="refused-join"):
            await people.join(unit, pair[0][0], None, address, None, BIRTH)
    assert await rows(settled, "SELECT count(*) FROM resident") == before
    found = await rows(settled, "SELECT 1 FROM audit WHERE action = 'join-refused'")
    assert len(found) == 3


async def test_somebody_with_another_proved_phone_is_another(
    settled: TestDatabase, settle: Settler, pair: Pair
) -> None:
    other, chat = await settle(phone="+77015555555", phone_proved=True)
    async with settled.unit() as unit:
        with pytest.raises(Refused, match="refused-join-phone"):
            await people.join(unit, pair[0][0], other, chat, PHONE, BIRTH)


async def test_the_same_sender_joins_without_a_phone(
    settled: TestDatabase, settle: Settler
) -> None:
    """Two names of one WhatsApp: the record whose phone is proved is kept."""
    hidden, hidden_chat = await settle(channel="whatsapp", phone=PHONE)
    seen, seen_chat = await settle(channel="whatsapp", phone=PHONE, phone_proved=True)
    async with settled.unit() as unit:
        found = await people.known_at(unit, [hidden_chat], seen_chat, seen)
        assert [one.id for one in found] == [hidden]
        done = await people.join(
            unit, hidden, seen, seen_chat, None, BIRTH, elsewhere=[hidden_chat]
        )
    assert done.kept == seen
    assert await rows(settled, "SELECT id FROM resident WHERE merged_into = :id", id=seen) == [
        (hidden,)
    ]


# The term


async def test_the_term_is_the_one_that_was_promised(settled: TestDatabase, pair: Pair) -> None:
    """Longer or shorter terms are for those who join later; what was wiped never comes back."""
    kept = pair[0][0]
    merge = await join(settled, pair)
    for days in ("1", "365"):
        async with settled.unit() as unit:
            await rulebook.decide(unit, "merge-undo", days, None, "Решение от 01.11.2026 № 1")
        settled.clock.offset += timedelta(days=14)
        async with settled.unit() as unit:
            assert [one.merge for one in await people.joined(unit, kept)] == [merge]
    settled.clock.offset += timedelta(days=3)
    async with settled.unit() as unit:
        assert await people.joined(unit, kept) == []
        await people.settle(unit, merge)
    with pytest.raises(Refused, match="refused-part"):
        await part(settled, merge, kept)


async def test_parted_in_time_nothing_is_wiped(settled: TestDatabase, pair: Pair) -> None:
    """The row that is due finds nothing to do."""
    merge = await join(settled, pair)
    await part(settled, merge, pair[0][0])
    async with settled.unit() as unit:
        await people.settle(unit, merge)
    assert len(await rows(settled, "SELECT 1 FROM resident WHERE full_name IS NOT NULL")) == 2


# Deletion


async def _everything(unit: Unit, person: UUID, chat: UUID) -> None:
    """All that may be kept of somebody besides the row itself."""
    account = await unit.session.scalar(
        text("SELECT account_id FROM address WHERE id = :id"), {"id": chat}
    )
    unit.actor = person
    await moves.move(unit, person, NEXT_VILLAGE)
    await drafts.save(unit, unit.new_id(), "notice", 1, "text", {"title": "Менің хабарым"})
    letter = {"text": "Ахметов Серік"}
    await dead_letters.keep(unit, account, chat, letter, ValueError("x"))
    await files.wanted(unit, account, chat, "photo", "image/png", "мен.png", "ref")
    for said, outcome in (("Аты-жөні: Ахметов Серік", None), ("бұрын айтылған", "sent")):
        content = Content(Language.KK, said).to_json()
        delivery = await outbox.enqueue(unit, chat, account, Language.KK, content, outbox.REPLY)
        await unit.session.execute(
            text("UPDATE delivery SET outcome = :outcome WHERE id = :id"),
            {"outcome": outcome, "id": delivery},
        )
    sealed = unit.keyring.seal("address.state", chat, '{"v":1}')
    await unit.session.execute(
        text("UPDATE address SET state = :state, speaker_id = :who WHERE id = :id"),
        {"state": sealed, "who": person, "id": chat},
    )


@pytest.mark.parametrize("joined", [False, True])
async def test_deleted_is_gone_from_everywhere(
    settled: TestDatabase, pair: Pair, joined: bool
) -> None:
    (kept, chat), _ = pair
    async with settled.unit() as unit:
        await roles.grant(unit, kept, RoleName.AKIM, OKRUG)
    if joined:
        await join(settled, pair)
    settled.clock.offset += timedelta(days=2)
    async with settled.unit() as unit:
        await _everything(unit, kept, chat)
    async with settled.unit() as unit:
        await residents.forget(unit, kept)
    for table in ("move", "draft", "dead_letter", "file", "platform_file"):
        where = "WHERE resident_id = :kept" if table == "move" else ""
        values = {"kept": kept} if table == "move" else {}
        assert await rows(settled, f"SELECT 1 FROM {table} {where}", **values) == [], table
    assert await rows(settled, "SELECT DISTINCT content FROM message") == [(b"",)]
    assert await rows(settled, "SELECT 1 FROM delivery WHERE outcome IS NULL") == []
    assert await rows(settled, "SELECT state, speaker_id FROM address WHERE id = :id", id=chat) == [
        (None, None)
    ]
    assert await rows(settled, STANDING) == []
    personal = (
        "SELECT id FROM resident WHERE coalesce(full_name, street, birth_date, phone, phone_hash)"
        " IS NOT NULL OR place_code IS NOT NULL"
    )
    assert await rows(settled, personal) == ([] if joined else [(pair[1][0],)])


async def test_of_a_shared_chat_only_their_letters_go(
    settled: TestDatabase, settle: Settler
) -> None:
    """Before, who deleted while somebody else had spoken last left theirs, and took the other's."""
    first, chat = await settle()
    async with settled.unit() as unit:
        given = residents.Registration("Ахметова Айгүл", VILLAGE, BIRTH, "kk")
        second = await residents.register(unit, chat, None, given)
    await do(settled, "UPDATE address SET speaker_id = :who", who=second)
    async with settled.unit() as unit:
        account = await unit.session.scalar(text("SELECT account_id FROM address"))
        for who in (first, second, None):
            unit.actor = who
            await dead_letters.keep(unit, account, chat, {"text": "x"}, ValueError("x"))
    async with settled.unit() as unit:
        await residents.forget(unit, first)
    assert await rows(settled, "SELECT speaker_id FROM dead_letter") == [(second,)]


async def test_who_wrote_a_letter_is_the_record_that_is_kept(
    settled: TestDatabase, pair: Pair
) -> None:
    """Joined, it is the one; parted, the other again; deleted or taken off, nobody."""
    (kept, _), (gone, chat) = pair

    async def writer() -> UUID | None:
        async with settled.unit() as unit:
            return await dead_letters.writer(unit, gone, chat)

    assert await writer() == gone
    merge = await join(settled, pair)
    assert await writer() == kept
    await part(settled, merge, kept)
    assert await writer() == gone
    async with settled.unit() as unit:
        assert await dead_letters.writer(unit, gone, pair[0][1]) is None, "another chat"
        await residents.forget(unit, gone)
    assert await writer() is None


async def test_the_family_stays_and_speaks(settled: TestDatabase, settle: Settler) -> None:
    """One of two is deleted: the other speaks; of three nobody does until it is said."""
    first, chat = await settle()
    others = []
    for name in ("Ахметова Айгүл", "Ахметов Әлі"):
        async with settled.unit() as unit:
            given = residents.Registration(name, VILLAGE, BIRTH, "kk")
            others.append(await residents.register(unit, chat, None, given))
    await do(settled, "UPDATE address SET speaker_id = :who", who=first)
    async with settled.unit() as unit:
        await residents.forget(unit, first)
        assert await people.speaker_of(unit, chat) is None
        assert {one.id for one in await people.members(unit, chat)} == set(others)
    await do(settled, "UPDATE address SET speaker_id = :who", who=others[1])
    async with settled.unit() as unit:
        assert not await people.has_no_other_chat(unit, others[1], uuid4())
        assert await people.take_off(unit, others[1], chat)
        assert await people.speaker_of(unit, chat) == others[0]
        assert await residents.profile(unit, others[1]) is not None
        with pytest.raises(Refused, match="refused-member"):
            await people.take_off(unit, others[1], chat)


# Of age by the calendar


@pytest.mark.parametrize(("hours", "waits"), [(1, False), (48, True)])
async def test_another_date_of_birth_makes_nobody_of_age_at_once(
    settled: TestDatabase, settle: Settler, hours: int, waits: bool
) -> None:
    """Soon after registering it mends a slip; later it counts after as long as a move, and never
    later than what was told before."""
    young = date(2012, 3, 5)
    person, chat = await settle(birth_date=young)
    assert isinstance(settled.clock, FrozenClock)
    settled.clock.advance(timedelta(hours=hours))
    today = local_date(settled.clock.now())
    async with settled.unit() as unit:
        assert not (await residents.profile(unit, person)).adult  # type: ignore[union-attr]
        rules = await rulebook.of(unit.session, VILLAGE)
        older = Registration(NAME, VILLAGE, date(1990, 3, 5), "kk")
        await residents.register(unit, chat, person, older)
    async with settled.unit() as unit:
        statement = text("SELECT adult_on FROM resident WHERE id = :id")
        adult_on = await unit.session.scalar(statement, {"id": person})
    later = today + timedelta(days=rules.move_cooling_off)
    assert adult_on == (later if waits else None)


async def test_who_deletes_the_data_under_way_is_not_counted_as_cancelled(
    settled: TestDatabase, settle: Settler
) -> None:
    person, _ = await settle()
    await settle()
    notice = await send(settled, settle)
    async with settled.unit() as unit:
        await residents.forget(unit, person)
    async with settled.session() as session:
        found = await notices.progress(await session.connection(), notice)
    assert (found.total, found.failed) == (1, {})


async def test_who_has_stopped_is_told_apart_from_who_has_no_chat(
    settled: TestDatabase, settle: Settler
) -> None:
    _, stopped = await settle()
    person, _ = await settle()
    await do(settled, "UPDATE address SET stopped_at = now() WHERE id = :id", id=stopped)
    await do(settled, "DELETE FROM resident_address WHERE resident_id = :id", id=person)
    notice = await send(settled, settle)
    async with settled.session() as session:
        found = await notices.progress(await session.connection(), notice)
    assert found.failed == {"blocked": 1, "no-address": 1}
    await do(settled, "UPDATE address SET stopped_at = NULL WHERE id = :id", id=stopped)
    await do(
        settled,
        "INSERT INTO resident_address (resident_id, address_id, created_at)"
        " VALUES (:id, :chat, (SELECT queued_at FROM notice) + interval '1 second')",
        id=person,
        chat=stopped,
    )
    async with settled.session() as session:
        found = await notices.progress(await session.connection(), notice)
    assert found.failed == {"blocked": 1, "no-address": 1}, "as it was when it went"
