"""One person on two messengers: the same proved phone offers to join, a date of birth confirms."""

from collections.abc import Sequence
from datetime import date
from uuid import UUID

from conversation import forms
from conversation.forms import Accepted, Done, Form, Given, Leave, Problem, Stay, Step, text_of
from conversation.message import AliasKind, ChannelName, Choice, Reply
from conversation.router import Routes
from conversation.state import Answers
from conversation.turn import Turn
from core.clock import local_date
from core.ids import from_short, short
from core.texts import Joined, Near, T
from handlers import conversations, family, home
from handlers.forms import known, shown, unclear, wordless
from handlers.telling import tell_at
from rules.dates import NoSuchDay, read_day
from services import installation, people, residents, rulebook, territory
from services.people import Known
from services.unit import Refused

routes = Routes()

_ELSEWHERE = "elsewhere"  # chats that the messenger says are the same sender's


def chat_phone(turn: Turn) -> str | None:
    """The number that this chat itself proves: WhatsApp writes from one, where it carries it."""
    if turn.incoming.channel is not ChannelName.WHATSAPP:
        return None
    phones = (a.value for a in turn.incoming.aliases if a.kind is AliasKind.PHONE)
    return next(phones, None)


async def known_elsewhere(turn: Turn, phone: str) -> list[str]:
    """Who proved this phone on another chat, as the answer "known" keeps it."""
    found = await people.known_by_phone(turn.unit, phone, turn.address, turn.speaker)
    return [str(one.id) for one in found]


def step(name: str) -> Step:
    """The question "is this you?", as forms declare it; asked where somebody has proved this
    phone before. On WhatsApp that is known at once, on Telegram when the contact is shared."""
    return Step(name, _ask, _accept, True, _applies, _back, holds=("known",))


def _applies(answers: Answers) -> bool:
    return bool(answers.get("known"))


def _back(answers: Answers) -> bool:
    """From the date of birth back to who it is."""
    return answers.pop("joins", None) is not None


async def _candidates(turn: Turn, answers: Answers) -> list[Known]:
    """Those of the answer "known" who can still be joined with."""
    unit, address, speaker = turn.unit, turn.address, turn.speaker
    found = await people.known_at(unit, _elsewhere(answers), address, speaker)
    if phone := text_of(answers, "phone"):
        found += await people.known_by_phone(unit, phone, address, speaker)
    wanted = {one.id: one for one in found if str(one.id) in answers["known"]}
    return list(wanted.values())


def _elsewhere(answers: Answers) -> list[UUID]:
    return [UUID(one) for one in answers.get(_ELSEWHERE, ())]


async def _ask(turn: Turn, answers: Answers) -> Reply:
    candidates = await _candidates(turn, answers)
    chosen = next((one for one in candidates if str(one.id) == answers.get("joins")), None)
    if chosen is not None:
        return Reply(T("join-birth", name=chosen.shown))
    lines, choices = [], []
    for one in candidates:
        place = await territory.get_place(turn.unit.session, one.place_code)
        village = territory.name_of(place).full
        lines.append(T("join-who", name=one.shown, village=village))
        choices.append(Choice("j-yes", T("join-yes", name=one.shown), (short(one.id),)))
    key = "join-ask-here" if _elsewhere(answers) else "join-ask"
    text = T(key, people=Joined(lines), count=len(lines))
    return Reply(text, [*choices, Choice("j-no", T("join-no"))])


async def _accept(turn: Turn, answers: Answers, given: Given) -> Accepted:
    code, *ids = (given.chosen.code, *given.chosen.ids) if given.chosen else ("",)
    if code == "j-no":
        return Done({"known": [], "joins": None, "asked": True})
    if code == "j-yes":
        return await _said_who(turn, answers, ids)
    if not answers.get("joins"):
        return unclear("join-unclear", given)
    return await _confirm(turn, answers, given)


async def _said_who(turn: Turn, answers: Answers, ids: Sequence[str]) -> Accepted:
    """Who has told a date of birth in this form already is not asked for it again."""
    here = {short(one.id): one for one in await _candidates(turn, answers)}
    if not ids or ids[0] not in here:
        turn.unit.audit("tap-refused", turn.address)
        return Stay({"joins": None}, T("refused-join"))
    joins = {"joins": str(here[ids[0]].id)}
    told = text_of(answers, "birth")
    if not told:
        return Stay(joins)
    answers |= joins
    day = date.fromisoformat(told)
    outcome = await _with_day(turn, answers, day, f"{day:%d.%m.%Y}")
    if isinstance(outcome, Problem):
        return Stay(joins, outcome.text)
    return outcome


async def _confirm(turn: Turn, answers: Answers, given: Given) -> Accepted:
    """The date of birth has to be the one that is kept."""
    typed = given.text.strip()
    if not typed:
        return wordless("text-needed", given)
    try:
        day = read_day(typed, local_date(turn.unit.now))
    except NoSuchDay:
        return Problem(T("birth-no-such-day", typed=shown(typed)))
    if day is None:
        return Problem(T("birth-form", typed=shown(typed)))
    return await _with_day(turn, answers, day, shown(typed))


async def _with_day(turn: Turn, answers: Answers, day: date, typed: str) -> Accepted:
    known_id = UUID(answers["joins"])
    if not await people.is_born(turn.unit, known_id, day):
        return await _wrong_day(turn, answers, typed)
    try:
        done = await people.join(
            turn.unit,
            known_id,
            None if answers.get("other") else turn.speaker,
            turn.address,
            text_of(answers, "phone") or None,
            day,
            elsewhere=_elsewhere(answers),
            language=turn.said,
        )
    except Refused as refused:
        rest = [one for one in answers["known"] if one != answers["joins"]]
        return _apart({"known": rest, "joins": None}, T(refused.reason))
    return await _now_one(turn, done)


async def _now_one(turn: Turn, done: people.Joined) -> Leave:
    forms.drop(turn)
    await conversations.hand_over(turn, done.gone, done.kept)
    family.is_speaking(turn, done.kept)
    await residents.set_language(turn.unit, done.kept, turn.said)
    await _tell_elsewhere(turn, done.kept, "joined-elsewhere")
    if len(await people.channels(turn.unit, done.kept)) > 1:
        return Leave([_prefer_ask(T("joined"))])
    return Leave(await home.menu_saying(turn, T("joined-here")))


async def _tell_elsewhere(turn: Turn, who: UUID, key: str) -> None:
    """Their other chats hear what was done here, and by whose name."""
    profile = await residents.profile(turn.unit, who)
    name = people.masked(profile.full_name) if profile else ""
    said = T(key, messenger=T(f"messenger-{turn.incoming.channel}"), name=name)
    for chat in await installation.addresses_of(turn.unit, who, but=turn.address):
        await tell_at(turn.unit, chat, Reply(said, nav=(home.MENU,), screen=False))


async def _wrong_day(turn: Turn, answers: Answers, typed: str) -> Accepted:
    """Once more; after that it is somebody else, and what was typed is kept."""
    left = [str(one.id) for one in await _candidates(turn, answers)]
    if answers["joins"] in left:
        return Problem(T("join-birth-wrong", typed=typed))
    rules = await rulebook.of(turn.unit.session, None)
    said = T("join-not-you", tries=rules.join_tries, hours=rules.join_rest)
    return _apart({"known": left, "joins": None}, said)


def _apart(values: Answers, why: T) -> Accepted:
    """Not joined: on with the others who are known, or with what comes next. "asked" keeps the
    form from asking again at its end."""
    if values["known"]:
        return Stay(values, why)
    return Done(values | {"asked": True, "why": [why.key, dict(why.args)]}, why)


# On its own, for somebody who is registered already: after a phone, from the menu, from my data


async def offer(turn: Turn, phone: str) -> Sequence[Reply] | None:
    """After a phone was proved: the offer, if somebody else is known by it."""
    known_ids = await known_elsewhere(turn, phone)
    if not known_ids:
        return None
    return await forms.begin(turn, FORM, {"phone": phone, "known": known_ids})


@routes.choice("same")
async def was_here(turn: Turn, ids: tuple[str, ...]) -> Sequence[Reply]:
    """The messenger says that somebody who wrote under another name is the same sender: asked
    once, from the menu."""
    found = await home.was_here_before(turn)
    if not found:
        return await home.menu(turn)
    turn.state.met += [str(one) for one in turn.elsewhere]
    answers = {
        "known": [str(one.id) for one in found],
        _ELSEWHERE: [str(one) for one in turn.elsewhere],
    }
    return await forms.begin(turn, FORM, answers)


@routes.choice("also")
async def also_me(turn: Turn, ids: tuple[str, ...]) -> Sequence[Reply]:
    """Takes back a "no" that was a mistake: the same question once more."""
    if asked := await family.who(turn, "also"):
        return asked
    phone, known_ids = await _on_the_other(turn)
    if not known_ids:
        return await home.menu_saying(turn, T("join-undo"))
    return await forms.begin(turn, FORM, {"phone": phone, "known": known_ids})


family.remember("also", also_me)


async def _on_the_other(turn: Turn) -> tuple[str, list[str]]:
    """(the speaker's own proved phone, who else has proved it on the other messenger)."""
    mine = await residents.profile(turn.unit, turn.speaker)
    if mine is None:
        return "", []
    proved = mine.phone if mine.level == "phone" else None
    for phone in dict.fromkeys((proved, chat_phone(turn))):
        found = await known_elsewhere(turn, phone) if phone else []
        there = [one for one in found if await _is_on(turn, UUID(one), _other_messenger(turn))]
        if phone and there:
            return phone, there
    return "", []


async def _is_on(turn: Turn, resident: UUID, channel: ChannelName) -> bool:
    return channel.value in await people.channels(turn.unit, resident)


def _other_messenger(turn: Turn) -> ChannelName:
    here = turn.incoming.channel
    return next(one for one in ChannelName if one is not here)


async def _finish(turn: Turn, answers: Answers) -> Sequence[Reply]:
    key, args = answers.get("why") or ("join-undo", {})
    return await home.menu_saying(turn, T(key, **args))


FORM = known(
    Form(
        name="joining",
        version=1,
        steps=(step("same"),),
        finish=_finish,
        cancelled=T("join-undo"),
    )
)
routes.form(FORM)


# Which messenger first


def _prefer_ask(receipt: T | None = None) -> Reply:
    choices = [Choice("prefer", T(f"messenger-{one}"), (one.value,)) for one in ChannelName]
    last = Choice("prefer", T("prefer-last"), ("last",))
    return Reply(T("prefer-ask"), [*choices, last], notice=receipt, nav=(home.MENU,))


@routes.choice("prefer-ask")
async def ask_preferred(turn: Turn, ids: tuple[str, ...]) -> Sequence[Reply]:
    """Which messenger do notices go to first?"""
    if asked := await family.who(turn, "prefer-ask"):
        return asked
    return [_prefer_ask()]


family.remember("prefer-ask", ask_preferred)


@routes.choice("prefer")
async def prefer(turn: Turn, ids: tuple[str, ...]) -> Sequence[Reply]:
    """Keeps the choice."""
    if asked := await family.who(turn, "prefer", ids):
        return asked
    channel = next((one for one in ChannelName if ids and one.value == ids[0]), None)
    if turn.speaker is not None:
        await people.prefer(turn.unit, turn.speaker, channel)
    done = T("prefer-done", messenger=T(f"messenger-{channel}")) if channel else T("prefer-any")
    return await home.menu_saying(turn, done)


family.remember("prefer", prefer)


# Apart again


async def profile_choices(turn: Turn) -> list[Choice]:
    """What the profile offers to somebody with two messengers, or who may have them."""
    if turn.speaker is None:
        return []
    choices = []
    if len(await people.channels(turn.unit, turn.speaker)) > 1:
        choices.append(Choice("prefer-ask", T("prefer-menu")))
    if (await _on_the_other(turn))[1]:
        choices.append(Choice("also", T(f"join-also-{_other_messenger(turn)}")))
    if await people.joined(turn.unit, turn.speaker):
        choices.append(Choice("part", T("part-menu")))
    return choices


@routes.choice("part")
async def ask_part(turn: Turn, ids: tuple[str, ...]) -> Sequence[Reply]:
    """Says what parting does, and asks."""
    if asked := await family.who(turn, "part"):
        return asked
    found = await people.joined(turn.unit, turn.speaker) if turn.speaker else []
    if not found:
        return await home.menu_saying(turn, T("part-none"))
    until = Near(local_date(found[0].until), turn.unit.now)
    choices = [
        Choice("part-yes", T("part-yes"), (short(found[0].merge),)),
        Choice("menu", T("part-no"), durable=True),
    ]
    return [Reply(T("part-ask", until=until), choices)]


family.remember("part", ask_part)


@routes.choice("part-yes")
async def part(turn: Turn, ids: tuple[str, ...]) -> Sequence[Reply]:
    """Two people again: this chat speaks for whom it spoke before."""
    if asked := await family.who(turn, "part"):
        return asked
    try:
        merge = from_short(ids[0])
    except (ValueError, IndexError):
        turn.unit.audit("tap-refused", turn.address)
        raise Refused("refused-part") from None
    kept, gone = await people.part(turn.unit, merge)
    await conversations.forget_where_absent(turn, kept, [gone])
    turn.speak_as(await people.speaker_of(turn.unit, turn.address))
    for one in (kept, gone):
        await _tell_elsewhere(turn, one, "parted-elsewhere")
    return await home.menu_saying(turn, T("parted"))
