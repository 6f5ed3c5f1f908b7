"""The rules of a place in plain words, each with the act that decided it, for everybody to read."""

from collections.abc import Sequence

from conversation import forms
from conversation.message import Reply
from conversation.router import Routes
from conversation.turn import Turn
from core.texts import Joined, Named, T, Words
from handlers import home
from rules.rulebook import Rulebook
from services import residents, roles, rulebook, territory

routes = Routes()

_FOR_OFFICIALS = ("invitation-term", "same-notice-within", "notice-waits")
_FOR_ALL = ("youngest-age", "adult-age", "people-on-a-phone", "move-cooling-off",
            "correction-window", "merge-undo", "quiet-from", "other-messenger-after")  # fmt: skip
_TOLD_TOGETHER = {"quiet-until": "quiet-from", "urgent-kinds": "quiet-from"}


@routes.command("rules", "ережелер", "ереже", "правила")
async def read(turn: Turn) -> Sequence[Reply]:
    """What holds at the speaker's place: of the home, else of the first role, else everywhere."""
    standing = await roles.standing(turn.unit, turn.speaker)
    profile = await residents.profile(turn.unit, turn.speaker)
    code = profile.place_code if profile else standing[0].place_code if standing else None
    names = (*_FOR_ALL, *(_FOR_OFFICIALS if standing else ()))
    values = await rulebook.of(turn.unit.session, code)
    acts = await _acts(turn, code)
    lines: list[Words] = [T("rules-at", place=await _place(turn, code)) if code else T("rules-all")]
    for name in names:
        lines.append(_line(name, values))
        lines += [T("rules-act", act=act, place=place) for act, place in acts.get(name, ())]
    if not any(acts.get(name) for name in names):
        lines.append(T("rules-default"))
    return [Reply(Joined(lines), title=T("menu-rules"), nav=(home.MENU,))]


@routes.choice("rules")
async def from_help(turn: Turn, ids: tuple[str, ...]) -> Sequence[Reply]:
    """The rules, from help."""
    forms.park(turn)
    return await read(turn)


async def _acts(turn: Turn, code: str | None) -> dict[str, list[tuple[str, Words]]]:
    """The acts that decided a line, each once, with the place they hold for."""
    found: dict[str, list[tuple[str, Words]]] = {}
    for view in await rulebook.show(turn.unit.session, code):
        if view.act is None:
            continue
        decided = view.place_code
        place: Words = await _place(turn, decided) if decided else T("rules-everywhere")
        said = found.setdefault(_TOLD_TOGETHER.get(view.name, view.name), [])
        if (view.act, place) not in said:
            said.append((view.act, place))
    return found


def _line(name: str, values: Rulebook) -> T:
    match name:
        case "quiet-from" if values.quiet_from == values.quiet_until:
            return T("rule-no-quiet")
        case "quiet-from":
            kinds = [T(f"notice-kind-{kind}") for kind in sorted(values.urgent_kinds)]
            hours = {"begins": f"{values.quiet_from:%H:%M}", "ends": f"{values.quiet_until:%H:%M}"}
            if not kinds:
                return T("rule-quiet-all", **hours)
            return T("rule-quiet", kinds=Joined(kinds, ", "), **hours)
        case "move-cooling-off" if not values.move_cooling_off:
            return T("rule-move-at-once")
    return T(f"rule-{name}", value=getattr(values, name.replace("-", "_")))


async def _place(turn: Turn, code: str) -> Named:
    return territory.name_of(await territory.get_place(turn.unit.session, code)).full
