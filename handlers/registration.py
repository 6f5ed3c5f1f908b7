"""Registration: consent, name, village, street, date of birth, phone, one look at it all."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from uuid import UUID

import phonenumbers

from conversation import forms
from conversation.forms import (
    Accepted,
    Done,
    Form,
    Given,
    Jump,
    Leave,
    Problem,
    Stay,
    Step,
    text_of,
)
from conversation.message import Ask, ChannelName, Choice, Contact, Reply
from conversation.router import Routes
from conversation.state import Answers, FormState
from conversation.turn import Turn
from core.clock import local_date
from core.ids import short
from core.texts import T, Words
from handlers import family, home, joining, village
from handlers.forms import known, shown, unclear, wordless
from rules.dates import NoSuchDay, read_day
from rules.names import LONGEST_NAME, NameFault, check_name
from rules.people import age, birthday
from services import moves, people, residents, roles, rulebook, territory
from services.residents import Profile, Registration

routes = Routes()

LONGEST_STREET = 100  # characters


async def begin(turn: Turn, village: str | None = None) -> Sequence[Reply]:
    """Starts at the consent; a deep link may have named the village already."""
    answers = await _prefilled(turn, village)
    if phone := joining.chat_phone(turn):
        answers |= await _proved(turn, phone)
    return await forms.begin(turn, OWN, answers)


@routes.choice("family-add")
async def one_more(turn: Turn, ids: tuple[str, ...]) -> Sequence[Reply]:
    """Registers one more person behind this chat; one who was half entered is gone on with."""
    here = await people.members(turn.unit, turn.address)
    place = here[0].place_code if here else None
    room, most = await residents.has_room(turn.unit, turn.address, place)
    if not room:
        return await home.menu_saying(turn, T("family-full", most=most))
    return await _gone_on_with(turn, OTHER) or await _begin_other(turn)


async def _begin_other(turn: Turn) -> Sequence[Reply]:
    """A registration of their own, with the same phone."""
    answers: Answers = {"other": True}
    mine = await residents.profile(turn.unit, turn.speaker)
    phone = joining.chat_phone(turn)
    if phone is None and mine is not None and mine.level == "phone":
        phone = mine.phone
    if phone:
        answers |= await _proved(turn, phone)
    first, *rest = await forms.begin(turn, OTHER, answers)
    return [first.saying(T("family-add-begin")), *rest]


async def _gone_on_with(turn: Turn, form: Form) -> Sequence[Reply] | None:
    """What was begun of this form and waits, with a word about it."""
    waits = forms.waiting(turn, form)
    if waits is None:
        return None
    first, *rest = await forms.take_up(turn, form, waits)
    return [first.saying(T(f"parked-{form.name}")), *rest]


async def _proved(turn: Turn, phone: str) -> Answers:
    """The answers about a phone that the messenger vouches for."""
    return {"phone": phone, "proved": True, "known": await joining.known_elsewhere(turn, phone)}


async def begin_or_resume(turn: Turn, village: str) -> Sequence[Reply]:
    """A link that is followed again, in the middle, loses no answers."""
    waits = forms.waiting(turn, OWN)
    if waits is None:
        return await begin(turn, village)
    waits.answers |= await _prefilled(turn, village)
    return await forms.take_up(turn, OWN, waits)


@routes.choice("register", words=("зарегистрироваться", "тіркелу"))
async def from_menu(turn: Turn, ids: tuple[str, ...]) -> Sequence[Reply]:
    """Registration from the menu, or by its word."""
    if await residents.profile(turn.unit, turn.speaker):
        return await home.menu_saying(turn, T("registered-already"))
    here = await people.members(turn.unit, turn.address)
    if len(here) > 1 and await home.is_guest(turn):
        return await home.menu(turn)  # who is it that writes?
    return await _gone_on_with(turn, OWN) or await begin(turn)


async def correct(turn: Turn, profile: residents.Profile) -> Sequence[Reply]:
    """The last look again, filled with what is kept, to correct it; or the correction that was
    begun."""
    return await _gone_on_with(turn, EDIT) or await _correct(turn, profile)


async def _correct(turn: Turn, profile: residents.Profile) -> Sequence[Reply]:
    return await forms.begin(turn, EDIT, _kept(profile), at="summary")


def _kept(profile: residents.Profile) -> Answers:
    told: Answers = {
        "consent": True,
        "name": profile.full_name,
        village.VILLAGE: profile.place_code,
        "street": profile.street or "",
        "birth": profile.birth_date.isoformat(),
    }
    was = [told[one] for one in _TOLD]
    return {**told, **_number_of(profile), "again": True, "was": was}


_TOLD = ("name", village.VILLAGE, "street", "birth")


def _changed(answers: Answers) -> bool:
    """Has a correction corrected anything yet?"""
    return not answers.get("kept") or answers.get("was") != [answers.get(one) for one in _TOLD]


def _number_of(profile: residents.Profile) -> Answers:
    proved = profile.level == "phone"  # who was recognised may have typed theirs
    return {"phone": profile.phone or "", "proved": proved, "asked": proved, "kept": True}


async def _kept_now(turn: Turn, answers: Answers) -> Answers:
    """What was not told in this form is what is kept now: the person may have moved, or exchanged
    the number, since it was begun, also on the other messenger."""
    mine = await residents.profile(turn.unit, turn.speaker) if answers.get("again") else None
    if mine is None:
        return {}
    now = _kept(mine)
    was = dict(zip(_TOLD, answers.get("was", ()), strict=False))
    untold = {one: now[one] for one in was if answers.get(one) == was[one]}
    number = _number_of(mine) if answers.get("kept") else {}
    return {**untold, **number, "was": now["was"]}


async def _prefilled(turn: Turn, code: str | None) -> Answers:
    return await village.prefilled(turn, code) if code else {}


# Consent


async def _ask_consent(turn: Turn, answers: Answers) -> Reply:
    more = bool(answers.get("more"))
    choices = [Choice("c-yes", T("consent-yes"))]
    if not more:
        choices.append(Choice("c-more", T("consent-more")))
    choices.append(Choice("c-no", T("consent-no")))
    text = T("consent-more-text" if more else "consent-ask")
    return Reply(text, choices)


async def _consent(turn: Turn, answers: Answers, given: Given) -> Accepted:
    match given.chosen.code if given.chosen else None:
        case "c-yes":
            return Done({"consent": True, "more": False})
        case "c-more":
            return Stay({"more": True})
        case "c-no":
            forms.drop(turn)
            return Leave(await home.menu_saying(turn, await _declined(turn, answers)))
    return unclear("consent-unclear", given)


async def _declined(turn: Turn, answers: Answers) -> T:
    """What is kept nevertheless: of others on this phone their data, of an official the role."""
    if answers.get("other"):
        return T("consent-declined-other")
    if await roles.standing(turn.unit, turn.speaker):
        return T("consent-declined-official")
    return T("consent-declined")


# Name


async def _ask_name(turn: Turn, answers: Answers) -> Reply:
    return Reply(T("name-ask"))


async def _name(turn: Turn, answers: Answers, given: Given) -> Accepted:
    typed = given.text.strip()
    if not typed:
        return wordless("text-needed", given)
    match check_name(typed):
        case NameFault.LONG:
            return Problem(T("name-long", length=len(typed), most=LONGEST_NAME))
        case NameFault.LETTERS:
            return Problem(T("name-letters", typed=shown(typed)))
        case NameFault.ONE_WORD:
            return Problem(T("name-one-word", typed=shown(typed)))
        case name:
            return Done({"name": name, **await _already(turn, answers | {"name": name})})


# Street


async def _ask_street(turn: Turn, answers: Answers) -> Reply:
    return Reply(T("street-ask"), [Choice("st-skip", T("street-skip"))])


async def _street(turn: Turn, answers: Answers, given: Given) -> Accepted:
    if given.chosen is not None:
        return Done({"street": ""})
    typed = " ".join(given.text.split())
    if not typed:
        return wordless("text-needed", given)
    if len(typed) > LONGEST_STREET:
        return Problem(T("street-long", length=len(typed)))
    if _is_date(turn, typed):
        return Problem(T("street-date", typed=shown(typed)))
    return Done({"street": typed})


def _is_date(turn: Turn, typed: str) -> bool:
    """Who answers the next question already; a street may well be called "1 Мая"."""
    try:
        return read_day(typed, local_date(turn.unit.now)) is not None
    except NoSuchDay:
        return True


# Date of birth


async def _ask_birth(turn: Turn, answers: Answers) -> Reply:
    return Reply(T("birth-ask"))


async def _birth(turn: Turn, answers: Answers, given: Given) -> Accepted:
    typed, today = given.text.strip(), local_date(turn.unit.now)
    if not typed:
        return wordless("text-needed", given)
    try:
        day = read_day(typed, today)
    except NoSuchDay:
        return Problem(T("birth-no-such-day", typed=shown(typed)))
    if day is None:
        return Problem(T("birth-form", typed=shown(typed)))
    if day > today:
        return Problem(T("birth-future", typed=shown(typed)))
    rules = await rulebook.of(turn.unit.session, text_of(answers, village.VILLAGE) or None)
    years = age(day, today)
    if years > rules.oldest_age:
        return Problem(T("birth-too-old", typed=shown(typed), age=years))
    if years < rules.youngest_age:
        return Problem(
            T("birth-too-young", typed=shown(typed), age=years, youngest=rules.youngest_age)
        )
    birth = {"birth": day.isoformat()}
    return Done(birth | await _already(turn, answers | birth))


# Somebody who is behind this chat already


async def _already(turn: Turn, answers: Answers) -> Answers:
    """The answer "already": who else here has this name and date of birth."""
    name, birth = text_of(answers, "name"), text_of(answers, "birth")
    if not name or not birth:
        return {"already": None}
    whose, born = await _whose(turn, answers), date.fromisoformat(birth)
    found = await residents.already(turn.unit, turn.address, whose, name, born)
    return {"already": str(found) if found else None}


def _is_already(answers: Answers) -> bool:
    return bool(answers.get("already"))


async def _ask_already(turn: Turn, answers: Answers) -> Reply:
    answers |= await _already(turn, answers)
    here = await people.members(turn.unit, turn.address)
    found = next((one for one in here if str(one.id) == answers["already"]), None)
    if found is None:
        return Reply(T("family-already-not"), [Choice("al-on", T("menu-resume"))])
    data = Choice("who", T("family-already-data"), (short(found.id), "profile"))
    return Reply(T("family-already", name=found.shown), [data])


async def _stands_already(turn: Turn, answers: Answers, given: Given) -> Accepted:
    """No answer leads on from here, only another name or date; or that person has left."""
    found = await _already(turn, answers)
    if not _is_already(found):
        return Done(found)
    return replace(unclear("not-understood", given), repeats=True)


# Phone


def _phone_is_asked(answers: Answers) -> bool:
    return not answers.get("proved")


async def _ask_phone(turn: Turn, answers: Answers) -> Reply:
    if answers.get("proved"):  # to be exchanged: only Telegram proves another one
        return Reply(T("phone-change", phone=text_of(answers, "phone")), ask=Ask.CONTACT)
    skip = [Choice("ph-skip", T("phone-skip"))]
    if turn.incoming.channel is ChannelName.TELEGRAM:
        return Reply(T("phone-ask"), skip, ask=Ask.CONTACT)
    return Reply(T("phone-ask-typed"), skip)


async def _phone(turn: Turn, answers: Answers, given: Given) -> Accepted:
    if given.chosen is not None:
        return Done({"phone": "", "proved": False, "kept": False})
    if given.contact is not None:
        if not given.contact.own:
            return Problem(T("phone-foreign"))
        return await _shared(turn, answers, given.contact.phone)
    if not given.text.strip():
        return wordless("text-needed", given)
    if turn.incoming.channel is ChannelName.TELEGRAM:
        return Problem(T("phone-change-typed" if answers.get("proved") else "phone-typed"))
    phone = read_phone(given.text)
    if phone is None:
        return Problem(T("phone-wrong", typed=shown(given.text)))
    return Done({"phone": phone, "proved": False, "kept": False})


async def _shared(turn: Turn, answers: Answers, phone: str) -> Done:
    """A contact of their own; where the number is being exchanged it should be another one."""
    again = answers.get("proved") and phone == text_of(answers, "phone")
    notice = T("phone-same", phone=phone) if again else None
    return Done(await _with_number(turn, answers, phone), notice)


async def _with_number(turn: Turn, answers: Answers, phone: str) -> Answers:
    """A number that the messenger vouches for. Who said by the same number that they are not
    somebody else is not asked again ("asked")."""
    asked = bool(answers.get("asked")) and phone == text_of(answers, "phone")
    return await _proved(turn, phone) | {"asked": asked, "kept": False}


async def _number_at_once(turn: Turn, answers: Answers, contact: Contact) -> Accepted:
    """Shared at the last look, without a word about the phone before."""
    if not contact.own:
        return Problem(T("phone-foreign"), repeats=True)
    taken = await _shared(turn, answers, contact.phone)
    return Stay(taken.values, taken.notice or T("phone-taken", phone=contact.phone))


@routes.contact
async def shared(turn: Turn) -> Sequence[Reply] | None:
    """A contact of their own that nobody asked for proves the number of whoever has none proved:
    the registration that waits goes on with it, or the last look at their data."""
    contact = turn.incoming.contact
    if contact is None or not contact.own:
        return None
    mine = await residents.profile(turn.unit, turn.speaker)
    if mine is not None and mine.level == "phone":
        return None
    if mine is not None and (asked := await family.who(turn, "profile-edit")):
        return asked
    form = EDIT if mine else OWN
    waits = forms.waiting(turn, form)
    if waits is None:
        if mine is None:
            return None
        waits = FormState(form.name, form.version, "summary", _kept(mine), owner=turn.speaker)
    if form is OWN and not waits.answers.get("consent"):
        return None
    if waits.step == "phone":
        await forms.take_up(turn, form, waits)
        return await forms.answer(turn, form, Given(contact=contact))
    waits.answers |= await _with_number(turn, waits.answers, contact.phone)
    first, *rest = await forms.take_up(turn, form, waits)
    return [first.saying(T("phone-taken", phone=contact.phone)), *rest]


async def _fix_phone(turn: Turn, answers: Answers) -> Accepted:
    """Another number: on Telegram it is shared; on WhatsApp it is that of the chat, and only a
    chat that hides it is asked for one, unless that would take a proved one's place."""
    answers |= await _kept_now(turn, answers)
    proved, kept = bool(answers.get("proved")), text_of(answers, "phone")
    here = joining.chat_phone(turn)
    if turn.incoming.channel is ChannelName.TELEGRAM or not (proved or here):
        return Jump("phone")
    if here is None:
        return Problem(T("phone-hidden", phone=kept), repeats=True)
    if proved and here == kept:
        return Problem(await _number_of_the_chat(turn, answers, here), repeats=True)
    return Stay(await _with_number(turn, answers, here), T("phone-chat-taken", phone=here))


async def _number_of_the_chat(turn: Turn, answers: Answers, phone: str) -> T:
    """Why it cannot be another one here, and for who is registered where it can."""
    if not answers.get("again") or turn.speaker is None:
        return T("phone-chat", phone=phone)
    if ChannelName.TELEGRAM.value in await people.channels(turn.unit, turn.speaker):
        return T("phone-chat-telegram", phone=phone)
    return T("phone-chat-alone", phone=phone)


def read_phone(typed: str) -> str | None:
    """The number in E.164; 8 701…, 8(701)… and 7701… are Kazakhstan's."""
    try:
        number = phonenumbers.parse(typed, "KZ")
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_valid_number(number):
        return None
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


# The last look

_CORRECTIONS = ("name", "village", "street", "birth", "phone")


async def _ask_summary(turn: Turn, answers: Answers) -> Reply:
    answers |= await _kept_now(turn, answers)
    return Reply(
        T("summary-ask", **await described(turn, answers)),
        [
            Choice("s-yes", T("summary-yes")),
            *(Choice("s-fix", T(f"summary-{step}"), (step,)) for step in _CORRECTIONS),
        ],
    )


async def _summary(turn: Turn, answers: Answers, given: Given) -> Accepted:
    if given.contact is not None:
        return await _number_at_once(turn, answers, given.contact)
    match given.chosen and (given.chosen.code, *given.chosen.ids):
        case ("s-yes",):
            found = await _already(turn, answers)
            return Jump("already", found) if _is_already(found) else Done(found)
        case ("s-fix", "phone"):
            return await _fix_phone(turn, answers)
        case ("s-fix", step) if step in _CORRECTIONS:
            return Jump(step)
    return unclear("summary-unclear", given)


async def described(turn: Turn, answers: Answers) -> dict[str, Words]:
    """The answers as the person reads them."""
    code = text_of(answers, village.VILLAGE)
    phone = text_of(answers, "phone")
    return {
        "name": text_of(answers, "name"),
        "path": await territory.path_of(turn.unit.session, code),
        "street": text_of(answers, "street") or T("summary-nothing"),
        "birth": f"{date.fromisoformat(text_of(answers, 'birth')):%d.%m.%Y}",
        "phone": phone or T("summary-no-phone"),
    }


async def _finish(turn: Turn, answers: Answers) -> Sequence[Reply]:
    answers |= await _kept_now(turn, answers)
    given = Registration(
        full_name=text_of(answers, "name"),
        place_code=text_of(answers, village.VILLAGE),
        birth_date=date.fromisoformat(text_of(answers, "birth")),
        language=turn.said,
        street=text_of(answers, "street") or None,
        phone=text_of(answers, "phone") or None,
        phone_proved=bool(answers.get("proved")),
    )
    speaker = await _whose(turn, answers)
    if speaker is None:
        room, most = await residents.has_room(turn.unit, turn.address, given.place_code)
        if not room:
            return await home.menu_saying(turn, T("family-full", most=most))
    before = await residents.profile(turn.unit, speaker) if answers.get("again") else None
    if before is not None and _is_kept(before, given):
        return await home.menu_saying(turn, T("profile-unchanged"))
    if answers.get("again") and speaker is not None:
        await moves.move(turn.unit, speaker, given.place_code)
    person = await residents.register(turn.unit, turn.address, speaker, given)
    turn.speak_as(person)
    receipt = await (_corrected(turn, given, before) if answers.get("again") else _new(turn, given))
    if given.phone and given.phone_proved and not answers.get("asked"):
        offered = await joining.offer(turn, given.phone)
        if offered:
            first, *rest = offered
            return [first.saying(receipt), *rest]
    return await home.menu_saying(turn, receipt)


def _is_kept(mine: Profile, given: Registration) -> bool:
    """Is all of it what is kept of the speaker anyhow?"""
    return (mine.full_name, mine.place_code, mine.street, mine.birth_date, mine.phone) == (
        given.full_name,
        given.place_code,
        given.street,
        given.birth_date,
        given.phone,
    ) and given.phone_proved == (mine.level == "phone")


async def _whose(turn: Turn, answers: Answers) -> UUID | None:
    """Whose record is written: only a correction writes over somebody who is registered."""
    if answers.get("again"):
        return turn.speaker
    another = answers.get("other") or await residents.profile(turn.unit, turn.speaker)
    return None if another else turn.speaker


async def _new(turn: Turn, given: Registration) -> T:
    """Who has just registered; a minor hears from which day votes and signatures open."""
    place = await territory.get_place(turn.unit.session, given.place_code)
    rules = await rulebook.of(turn.unit.session, given.place_code)
    adult_on = birthday(given.birth_date, rules.adult_age)
    name = territory.name_of(place).full
    standing = await moves.standing(turn.unit, turn.speaker) if turn.speaker else None
    known = (standing.counts_from, standing.adult_on) if standing else ()
    day = max([adult_on, *filter(None, known)])
    if adult_on > local_date(turn.unit.now):
        return T("registered-minor", village=name, day=day, age=rules.adult_age)
    if standing and not standing.counts_today:
        why = "registered-later" if standing.adult else "registered-birth"
        return T(why, village=name, day=day)
    return T("registered", village=name)


async def _corrected(turn: Turn, given: Registration, before: Profile | None) -> T:
    """Corrected; after a move also from which day the voice counts at the new place: of a minor
    not before they are grown up, which who corrects a date of birth hears too."""
    standing = await moves.standing(turn.unit, turn.speaker) if turn.speaker else None
    today = local_date(turn.unit.now)
    if standing is None:
        return T("profile-corrected")
    votes = max(standing.counts_from or date.min, standing.adult_on or date.min)
    if before and before.birth_date != given.birth_date and not standing.adult:
        rules = await rulebook.of(turn.unit.session, given.place_code)
        if birthday(given.birth_date, rules.adult_age) > today:
            return T("profile-corrected-minor", age=rules.adult_age, day=votes)
        return T("profile-corrected-birth", day=votes)
    if standing.counts_from is None or standing.counts_from <= today:
        return T("profile-corrected")
    return T("profile-corrected-later", day=f"{votes:%d.%m.%Y}")


def _cancelled(answers: Answers) -> T:
    return T("profile-unchanged" if answers.get("again") else "registration-cancelled")


_STEPS = (
    Step("consent", _ask_consent, _consent, holds=("consent",), ways_out=False),
    joining.step("same"),
    Step("name", _ask_name, _name, free_text=True, holds=("name",)),
    village.step(),
    Step("street", _ask_street, _street, free_text=True, holds=("street",)),
    Step("birth", _ask_birth, _birth, free_text=True, holds=("birth",)),
    Step("already", _ask_already, _stands_already, applies=_is_already),
    Step("phone", _ask_phone, _phone, free_text=True, applies=_phone_is_asked, holds=("phone",)),
    joining.step("same-by-contact"),
    Step("summary", _ask_summary, _summary),
)

# Three forms of the same questions, so that none is begun in place of another one that waits.
OWN = known(Form("registration", 1, _STEPS, _finish, _cancelled))
OTHER = known(Form("relative", 1, _STEPS, _finish, _cancelled, owned=False))
EDIT = known(Form("profile", 1, _STEPS, _finish, _cancelled, sure=family.sure, waits=_changed))
for form in (OWN, OTHER, EDIT):
    routes.form(form)
