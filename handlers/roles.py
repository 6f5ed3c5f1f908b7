"""Roles in the chat: who holds which, inviting, what a clerk may do, taking a role back."""

from collections.abc import Collection, Mapping, Sequence
from datetime import date
from uuid import UUID

from conversation import forms
from conversation.forms import Accepted, Done, Form, Given, Problem, Stay, Step, text_of
from conversation.message import Choice, Reply
from conversation.router import Routes
from conversation.state import Answers
from conversation.turn import Turn
from core.clock import end_of, last_day, local, local_date
from core.ids import from_short, short
from core.languages import Language
from core.texts import Joined, Named, T, Words, texts
from handlers import family, home
from handlers.forms import known, shown, unclear, wordless
from handlers.telling import tell
from rules.dates import NoSuchDay, read_day
from services import appointments, roles, territory
from services.appointments import Holder, Made, Offer, Office
from services.due import DueRow
from services.roles import MAY_SEE_ROLES, Power, RoleName, RoleView
from services.unit import Refused, Unit

routes = Routes()

FIRST_TICKED = (Power.SEND, Power.CORRECT)  # what a clerk is mostly asked to do


# The list


@routes.command("roles", "рөлдер", "роли")
async def listed(turn: Turn) -> Sequence[Reply]:
    """Who holds which role at the place of the speaker's own; of several, first which."""
    if asked := await family.who(turn, "roles"):
        return asked
    places = await appointments.offices(turn.unit, turn.speaker)
    if not places:
        await roles.require(turn.unit, turn.speaker, MAY_SEE_ROLES, "")
    if len(places) == 1:
        return await _list(turn, places[0])
    choices = [Choice("r-at", await _place(turn.unit, code), (code,)) for code in places]
    return [Reply(T("roles-where"), choices, title=T("menu-roles"), nav=(home.MENU,))]


@routes.choice("roles")
async def from_menu(turn: Turn, ids: tuple[str, ...]) -> Sequence[Reply]:
    """The list, from the menu."""
    forms.park(turn)
    return await listed(turn)


family.remember("roles", from_menu)


@routes.choice("r-at")
async def at(turn: Turn, ids: tuple[str, ...]) -> Sequence[Reply]:
    """The list of one place."""
    if asked := await family.who(turn, "r-at", ids):
        return asked
    return await _list(turn, ids[0] if ids else "")


family.remember("r-at", at)


async def _list(turn: Turn, code: str) -> Sequence[Reply]:
    office = await appointments.office(turn.unit, code)
    found = await appointments.holders(turn.unit, code)
    offers = await appointments.open_offers(turn.unit, code)
    choices = [Choice("r-new", T("roles-invite"), (code,))] if office.offers else []
    numbers = _numbers([one for one in found if one.resident != turn.speaker])
    choices += [Choice("r-card", _short(one, numbers), (short(one.id),)) for one in found]
    choices += [
        Choice("r-offer", T("roles-offer", role=_role(one.view)), (short(one.id),))
        for one in offers
    ]
    if office.looks_below:
        choices += await _below(turn, code)
    lines: list[Words] = [T("roles-at", place=await _place(turn.unit, code))]
    lines += [_line(one, _who(turn, one, numbers)) for one in found] or [T("roles-nobody")]
    lines += [_offer_line(one) for one in offers]
    nav = [*await _up(turn, code), home.MENU]
    again = Choice("r-at", T("menu-roles"), (code,))
    return [Reply(Joined(lines), choices, nav, title=T("menu-roles"), listing=again)]


async def _below(turn: Turn, code: str) -> list[Choice]:
    return [
        Choice(
            "r-at",
            Joined([territory.name_of(place).full, f"({held})"], " "),
            (place.code,),
        )
        for place, held in await appointments.below(turn.unit, code)
    ]


async def _up(turn: Turn, code: str) -> list[Choice]:
    """The way one place up, as far as the speaker's own roles reach."""
    if code in await appointments.offices(turn.unit, turn.speaker):
        return []
    above = await territory.ancestors(turn.unit.session, code)
    return [Choice("r-at", T("nav-back"), (above[0].code,))] if above else []


def _line(found: Holder, name: Words) -> Words:
    role, until = _role(found.view), found.view.until
    if until is None:
        return T("roles-line", role=role, name=name)
    return T("roles-line-until", role=role, name=name, until=f"{last_day(until):%d.%m.%Y}")


def _offer_line(offer: Offer) -> Words:
    until = f"{local(offer.expires_at):%d.%m.%Y %H:%M}"
    return T("roles-offer-line", role=_role(offer.view), until=until)


# One role


@routes.choice("r-card", durable=True)
async def card(turn: Turn, ids: tuple[str, ...]) -> Sequence[Reply]:
    """Who it is, since when, until when, what for; and what can be done."""
    if asked := await family.who(turn, "r-card", ids):
        return asked
    forms.park(turn)
    found = await appointments.holder(turn.unit, _id(turn, ids))
    return [await _card(turn, found)]


family.remember("r-card", card)


async def _card(turn: Turn, found: Holder) -> Reply:
    view, ids = found.view, (short(found.id),)
    lines: list[Words] = [
        _who(turn, found),
        T("role-card", role=_role(view), place=await _place(turn.unit, view.place_code)),
        T("role-since", since=local_date(found.since)),
        *_terms(view),
    ]
    choices = []
    if await appointments.may_change(turn.unit, found):
        if view.role is RoleName.CLERK:
            choices.append(Choice("r-powers", T("role-powers-change"), ids))
        choices.append(Choice("r-end", T("role-end"), ids))
    return Reply(Joined(lines), choices, (_back_to(view), home.MENU), title=T("menu-roles"))


def _terms(view: RoleView) -> list[Words]:
    """Until when it holds, and what a clerk may do."""
    lines: list[Words] = []
    if view.until is not None:
        lines.append(T("role-until", until=last_day(view.until)))
    if view.role is RoleName.CLERK:
        lines.append(T("role-powers", powers=_powers(view.powers)))
    return lines


@routes.choice("r-end")
async def ask_end(turn: Turn, ids: tuple[str, ...]) -> Sequence[Reply]:
    """Says what ends, and asks."""
    if asked := await family.who(turn, "r-end", ids):
        return asked
    found = await appointments.holder(turn.unit, _id(turn, ids))
    own = found.resident == turn.speaker
    key = "role-end-ask-own" if own else "role-end-ask"
    text = T(key, name=name_of(found), role=_role(found.view))
    choices = [
        Choice("r-end-yes", T("role-end-yes"), ids),
        Choice("r-card", T("role-end-no"), ids),
    ]
    return [Reply(text, choices)]


family.remember("r-end", ask_end)


@routes.choice("r-end-yes")
async def end(turn: Turn, ids: tuple[str, ...]) -> Sequence[Reply]:
    """Takes the role; whoever held it is told."""
    if asked := await family.who(turn, "r-end", ids):
        return asked
    found = await appointments.dismiss(turn.unit, _id(turn, ids))
    done = T("role-end-done", name=name_of(found), role=_role(found.view))
    if found.resident == turn.speaker:
        return await home.menu_saying(turn, done)
    await tell_ended(turn.unit, found)
    return await _list_saying(turn, found.view.place_code, done)


async def tell_ended(unit: Unit, found: Holder) -> None:
    """Tells whoever held it that the role was taken."""
    place = await _place(unit, found.view.place_code)
    said = T("role-taken", role=_role(found.view), place=place)
    await tell(unit, found.resident, Reply(said, (home.MENU,), screen=False))


async def _list_saying(turn: Turn, code: str, receipt: T) -> Sequence[Reply]:
    if not await appointments.offices(turn.unit, turn.speaker):
        return await home.menu_saying(turn, receipt)
    first, *rest = await _list(turn, code)
    return [first.saying(receipt), *rest]


# An invitation that waits


@routes.choice("r-offer")
async def offer(turn: Turn, ids: tuple[str, ...]) -> Sequence[Reply]:
    """What it would grant; it can be withdrawn."""
    if asked := await family.who(turn, "r-offer", ids):
        return asked
    invitation = _id(turn, ids)
    found = await appointments.offer_of(turn.unit, invitation)
    if found is None:
        return await _lost(turn)
    return [await _offer_card(turn, found)]


family.remember("r-offer", offer)


async def _offer_card(turn: Turn, found: Offer) -> Reply:
    view = found.view
    lines: list[Words] = [
        T("role-card", role=_role(view), place=await _place(turn.unit, view.place_code)),
        *_terms(view),
        T("invitation-open", until=found.expires_at),
    ]
    office = await appointments.office(turn.unit, view.place_code)
    withdraw = Choice("r-withdraw", T("invitation-withdraw"), (short(found.id),))
    choices = [withdraw] if view.role in office.offers else []
    return Reply(Joined(lines), choices, (_back_to(view), home.MENU), title=T("menu-roles"))


@routes.choice("r-withdraw")
async def withdraw(turn: Turn, ids: tuple[str, ...]) -> Sequence[Reply]:
    """The code is worth nothing any more."""
    if asked := await family.who(turn, "r-offer", ids):
        return asked
    place = await appointments.withdraw(turn.unit, _id(turn, ids))
    if place is None:
        return await _lost(turn)
    return await _list_saying(turn, place, T("invitation-withdrawn"))


async def _lost(turn: Turn) -> Sequence[Reply]:
    """The invitation was used or withdrawn while its button was on the screen."""
    first, *rest = await listed(turn)
    return [first.saying(T("invitation-gone")), *rest]


# Inviting


@routes.choice("r-new")
async def begin(turn: Turn, ids: tuple[str, ...]) -> Sequence[Reply]:
    """Starts an invitation to this place."""
    if asked := await family.who(turn, "r-new", ids):
        return asked
    office = await appointments.office(turn.unit, ids[0] if ids else "")
    if not office.offers:
        await _refuse(turn, office)
    answers: Answers = {
        "place": office.place_code,
        "roles": [role.value for role in office.offers],
        "powers": sorted(FIRST_TICKED),
    }
    if len(office.offers) == 1:
        answers["role"] = office.offers[0].value
    return await forms.begin(turn, INVITATION, answers)


family.remember("r-new", begin)


async def _refuse(turn: Turn, office: Office) -> None:
    turn.unit.audit("role-missing", turn.speaker, place=office.place_code)
    raise Refused("refused-role")


def _several_roles(answers: Answers) -> bool:
    return len(answers["roles"]) > 1


async def _ask_role(turn: Turn, answers: Answers) -> Reply:
    place = await _place(turn.unit, answers["place"])
    choices = [Choice("a-role", T(f"role-{role}"), (role,)) for role in answers["roles"]]
    return Reply(T("invite-role", place=place), choices)


async def _accept_role(turn: Turn, answers: Answers, given: Given) -> Accepted:
    if given.chosen and given.chosen.ids and given.chosen.ids[0] in answers["roles"]:
        return Done({"role": given.chosen.ids[0]})
    return unclear("roles-unclear", given)


def _of_a_clerk(answers: Answers) -> bool:
    return answers.get("role") == RoleName.CLERK


async def _ask_powers(turn: Turn, answers: Answers) -> Reply:
    ticked = answers["powers"]
    choices = [Choice("a-done", T("powers-done"))] if ticked else []
    for power in Power:
        name = T(f"power-{power}")
        label: Words = Joined(["✓", name], " ") if power in ticked else name
        choices.append(Choice("a-power", label, (power.value,)))
    chosen = _powers([Power(one) for one in ticked]) if ticked else T("powers-none")
    return Reply(T("powers-ask", chosen=chosen), choices)


async def _accept_powers(turn: Turn, answers: Answers, given: Given) -> Accepted:
    ticked = set(answers["powers"])
    match given.chosen and (given.chosen.code, *given.chosen.ids):
        case ("a-power", power) if power in list(Power):
            return Stay({"powers": sorted(ticked ^ {power})})
        case ("a-done",) if ticked:
            return Done({"powers_said": True})
        case ("a-done",):
            return Problem(T("powers-nothing"), repeats=True)
    return unclear("roles-unclear", given)


async def _ask_until(turn: Turn, answers: Answers) -> Reply:
    longest = await appointments.longest(turn.unit, answers["place"])
    key = "invite-until-own" if longest else "invite-until-open"
    return Reply(T("invite-until"), [Choice("a-open", T(key))])


async def _accept_until(turn: Turn, answers: Answers, given: Given) -> Accepted:
    if given.chosen is not None:
        return Done({"until": ""})
    typed, today = given.text.strip(), local_date(turn.unit.now)
    if not typed:
        return wordless("text-needed", given)
    example = f"01.09.{today.year + 1}"
    try:
        day = read_day(typed, today)
    except NoSuchDay:
        return Problem(T("until-no-such-day", typed=shown(typed), example=example))
    if day is None:
        return Problem(T("until-form", typed=shown(typed), example=example))
    if day <= today:
        return Problem(T("until-past", typed=shown(typed), example=example))
    longest = await appointments.longest(turn.unit, answers["place"])
    if longest is not None and end_of(day) > longest:
        own = f"{last_day(longest):%d.%m.%Y}"
        return Problem(T("until-own", typed=shown(typed), own=own))
    return Done({"until": day.isoformat()})


async def _finish(turn: Turn, answers: Answers) -> Sequence[Reply]:
    role, until = RoleName(answers["role"]), text_of(answers, "until")
    made = await appointments.offer(
        turn.unit,
        role,
        answers["place"],
        until=end_of(date.fromisoformat(until)) if until else None,
        powers=[Power(p) for p in answers["powers"]] if role is RoleName.CLERK else None,
    )
    return await _made(turn, made)


async def _made(turn: Turn, made: Made) -> Sequence[Reply]:
    """What was made; and a message of its own that can be passed on as it is."""
    place = await _place(turn.unit, made.view.place_code)
    lines: list[Words] = [
        T("role-card", role=_role(made.view), place=place),
        *_terms(made.view),
        T("invitation-made", until=made.expires_at),
    ]
    first = Reply(Joined(lines), nav=(_back_to(made.view), home.MENU), title=T("invitation-title"))
    return [first, _to_pass_on(turn, made, place)]


def _to_pass_on(turn: Turn, made: Made, place: Named) -> Reply:
    payload = f"i_{made.code}"
    said: list[Words] = [
        texts().say(one, T("invitation-words", role=_role(made.view), place=place))
        for one in Language
    ]
    links = turn.links.starts(payload)
    said += [T("invitation-link", messenger=T(f"messenger-{name}"), link=link)
             for name, link in links.items()]  # fmt: skip
    said += [texts().say(one, T("invitation-code", code=payload)) for one in Language]
    return Reply(Joined(said), screen=False)


INVITATION = known(
    Form(
        name="invitation",
        version=1,
        steps=(
            Step("role", _ask_role, _accept_role, applies=_several_roles, holds=("role",)),
            Step(
                "powers",
                _ask_powers,
                _accept_powers,
                applies=_of_a_clerk,
                holds=("powers_said",),
            ),
            Step("until", _ask_until, _accept_until, free_text=True, holds=("until",)),
        ),
        finish=_finish,
        cancelled=T("invitation-undo"),
        sure=family.sure,
    )
)
routes.form(INVITATION)


# What a clerk may do


@routes.choice("r-powers")
async def change_powers(turn: Turn, ids: tuple[str, ...]) -> Sequence[Reply]:
    """Starts with what the clerk may do today."""
    if asked := await family.who(turn, "r-power", ids):
        return asked
    found = await appointments.holder(turn.unit, _id(turn, ids))
    if not await appointments.may_change(turn.unit, found):
        await _refuse(turn, Office(found.view.place_code, (), False))
    answers: Answers = {"id": str(found.id), "powers": sorted(found.view.powers)}
    return await forms.begin(turn, DELEGATION, answers)


family.remember("r-power", change_powers)


async def _delegated(turn: Turn, answers: Answers) -> Sequence[Reply]:
    powers = [Power(power) for power in answers["powers"]]
    before = await appointments.holder(turn.unit, UUID(answers["id"]))
    found = await appointments.delegate(turn.unit, before.id, powers)
    if found.view.powers == before.view.powers:
        return [(await _card(turn, found)).saying(T("role-powers-same"))]
    place = await _place(turn.unit, found.view.place_code)
    said = T("role-powers-told", place=place, powers=_powers(powers))
    await tell(turn.unit, found.resident, Reply(said, (home.MENU,), screen=False))
    return [(await _card(turn, found)).saying(T("role-powers-changed"))]


DELEGATION = known(
    Form(
        name="delegation",
        version=1,
        steps=(Step("powers", _ask_powers, _accept_powers, holds=("powers_said",)),),
        finish=_delegated,
        cancelled=T("role-powers-unchanged"),
        sure=family.sure,
    )
)
routes.form(DELEGATION)


# A term that is over


async def told_over(unit: Unit, row: DueRow) -> None:
    """The role's term is over: whoever held it is told, once. A role that was prolonged or taken
    meanwhile is left alone."""
    found = await appointments.over(unit, row.object_id)
    if found is None:
        return
    place = await _place(unit, found.view.place_code)
    said = T("role-over", role=_role(found.view), place=place)
    await tell(unit, found.resident, Reply(said, (home.MENU,), screen=False))


DUE = {roles.ENDED_DUE: told_over}


# Words


def role_granted(view: RoleView, place: Named, *, renewed: bool) -> Words:
    """What the invited person is told: role, place, term, what for, what comes next."""
    lines: list[Words] = [T("role-granted", role=_role(view), place=place)]
    if renewed:
        lines[0] = T("role-renewed", role=_role(view), place=place)
    lines += _terms(view)
    lines.append(T(_next(view)))
    return Joined(lines)


def _next(view: RoleView) -> str:
    may_write = view.may(Power.SEND) or view.may(Power.URGENT)
    return "role-next-clerk-sees" if not may_write else f"role-next-{view.role}"


def _who(turn: Turn, found: Holder, numbers: Mapping[UUID, str] | None = None) -> Words:
    if found.resident == turn.speaker:
        return T("role-you")
    number = (numbers or {}).get(found.id)
    return Joined([number, name_of(found)], ", ") if number else name_of(found)


def name_of(found: Holder) -> Words:
    """The official's name; of who has not registered, the messenger, the number's end and since
    when: several are told apart."""
    if found.name:
        return found.name
    since = _got(found)
    if found.channel is None:
        return T("role-nameless", since=since)
    messenger = T(f"messenger-{found.channel}")
    if found.phone_end:
        return T("role-nameless-phone", messenger=messenger, end=found.phone_end, since=since)
    return T("role-nameless-chat", messenger=messenger, since=since)


def _numbers(found: Collection[Holder]) -> dict[UUID, str]:
    """Of several without a name each has a number, in the order in which they took their roles."""
    nameless = sorted((one for one in found if not one.name), key=lambda one: (one.since, one.id))
    if len(nameless) < 2:
        return {}
    return {one.id: f"№{number}" for number, one in enumerate(nameless, 1)}


def _short(found: Holder, numbers: Mapping[UUID, str]) -> Words:
    """Surname and first name; where there is no name the role, or which of several it is."""
    if found.name:
        return " ".join(found.name.split()[:2])
    number = numbers.get(found.id)
    return f"{number} · {_got(found)}" if number else _role(found.view)


def _got(found: Holder) -> str:
    return f"{local(found.since):%d.%m.%Y, %H:%M}"


def _role(view: RoleView) -> T:
    return T(f"role-{view.role}")


def _powers(powers: Collection[Power]) -> Words:
    ticked = set(powers)
    return Joined([T(f"power-{power}") for power in Power if power in ticked], ", ")


def _back_to(view: RoleView) -> Choice:
    return Choice("r-at", T("menu-roles"), (view.place_code,))


async def _place(unit: Unit, code: str) -> Named:
    return territory.name_of(await territory.get_place(unit.session, code)).full


def _id(turn: Turn, ids: tuple[str, ...]) -> UUID:
    """The row of a button; one that none of ours carries is noted, and refused below."""
    try:
        return from_short(ids[0])
    except (ValueError, IndexError):
        turn.unit.audit("tap-refused", turn.address)
        return UUID(int=0)
