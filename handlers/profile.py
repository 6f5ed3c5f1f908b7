"""My data: what is kept, correcting it, moving, muting, deleting it."""

from collections.abc import Sequence
from datetime import date
from uuid import UUID

from conversation.message import Choice, Reply
from conversation.router import Routes
from conversation.turn import Turn
from core.texts import Joined, T, Words
from handlers import conversations, family, guest, home, joining, moving, muting, registration
from handlers.forms import shown
from handlers.telling import tell_at
from handlers.village import VILLAGE
from services import installation, leaving, moves, people, residents, roles, wishes
from services.people import Known
from services.residents import Profile

routes = Routes()

EDIT = Choice("profile-edit", T("profile-edit"))
DELETE = Choice("delete", T("profile-delete"))


@routes.command("data", "деректерім", "менің деректерім", "мои данные", "данные", "профиль")
async def show(turn: Turn) -> Sequence[Reply]:
    """All that is kept of the speaker, in plain words."""
    if asked := await family.who(turn, "profile"):
        return asked
    profile = await residents.profile(turn.unit, turn.speaker)
    if profile is None:
        return await guest.kept(turn)
    more = [*await joining.profile_choices(turn), *await family.profile_choices(turn)]
    again = [home.SUBSCRIBE] if turn.stopped else []
    choices = [*again, EDIT, moving.MOVE, muting.MUTE, *more, DELETE]
    text = await _kept(turn, profile)
    return [Reply(text, choices, title=T("menu-profile"), nav=(home.MENU,))]


async def _kept(turn: Turn, profile: Profile) -> Words:
    """What is kept and what it means, at most ten lines, and one of an official's role."""
    answers = {
        "name": profile.full_name,
        VILLAGE: profile.place_code,
        "street": profile.street or "",
        "birth": profile.birth_date.isoformat(),
        "phone": profile.phone or "",
    }
    lines: list[Words] = [
        T("profile-text", **await registration.described(turn, answers)),
        T(f"profile-level-{profile.level}"),
    ]
    standing = await moves.standing(turn.unit, profile.id)
    votes = max(standing.counts_from or date.min, standing.adult_on or date.min)
    if not standing.adult:
        lines.append(T("profile-minor", day=f"{votes:%d.%m.%Y}"))
    elif standing.counts_from is not None:
        lines.append(T("profile-counts", day=f"{standing.counts_from:%d.%m.%Y}"))
    wished = await wishes.wishes(turn.unit, profile.id)
    off = [T(f"notice-kind-{kind}") for kind in wished.may_mute if kind in wished.muted]
    if off:
        lines.append(T("profile-muted", kinds=Joined(off, ", ")))
    lines += await _messengers(turn, profile.id, wished.first)
    if turn.stopped:
        lines.append(T("stopped-line"))
    if held := await roles.standing(turn.unit, profile.id):
        lines.append(T("profile-roles", roles=await guest.roles_held(turn, held)))
    return Joined(lines)


async def _messengers(turn: Turn, who: UUID, first: str | None) -> list[Words]:
    """Who has two messengers is one person in both; and which of them comes first."""
    mine = sorted(await people.channels(turn.unit, who))
    if len(mine) < 2:
        return []
    both = Joined([T(f"messenger-{one}") for one in mine], ", ")
    if first is None:
        return [T("profile-messengers", all=both)]
    return [T("profile-messengers-first", all=both, first=T(f"messenger-{first}"))]


@routes.choice("profile")
async def from_menu(turn: Turn, ids: tuple[str, ...]) -> Sequence[Reply]:
    """My data, from the menu."""
    return await show(turn)


family.remember("profile", from_menu)


@routes.choice("profile-edit")
async def edit(turn: Turn, ids: tuple[str, ...]) -> Sequence[Reply]:
    """Corrects what is kept."""
    if asked := await family.who(turn, "profile-edit"):
        return asked
    profile = await residents.profile(turn.unit, turn.speaker)
    if profile is None:
        return await guest.kept(turn)
    return await registration.correct(turn, profile)


family.remember("profile-edit", edit)


@routes.choice(
    "delete",
    words=("удалить мои данные", "удалить данные", "деректерімді өшіру", "деректерді өшіру"),
)
async def ask_delete(turn: Turn, ids: tuple[str, ...]) -> Sequence[Reply]:
    """Says what will be gone, what that means for others, and asks."""
    if asked := await family.who(turn, "delete"):
        return asked
    profile = await residents.profile(turn.unit, turn.speaker)
    if profile is None:
        return await guest.kept(turn)
    means = await leaving.leaving(turn.unit, profile.id, profile.place_code, turn.address)
    lines: list[Words] = [T("delete-ask")]
    if means.elsewhere:
        also = Joined([T(f"messenger-{one}") for one in means.elsewhere], ", ")
        lines.append(T("delete-elsewhere", messenger=also))
    if means.roles:
        lines.append(T("delete-roles", roles=await guest.roles_held(turn, means.roles)))
    if means.under_way:
        lines.append(T("delete-under-way"))
    if means.scheduled:
        lines.append(T("delete-scheduled"))
    if means.family:
        names = ", ".join(one.shown for one in means.family)
        lines.append(T("delete-family", names=names))
    if means.mark_until:
        lines.append(T("delete-mark", until=f"{means.mark_until:%d.%m.%Y}"))
    choices = [Choice("delete-yes", T("delete-yes")), Choice("delete-no", T("delete-no"))]
    return [Reply(Joined([Joined(lines), T("delete-sure")], "\n\n"), choices)]


family.remember("delete", ask_delete)


@routes.question("delete-yes")
async def still_asked(turn: Turn, typed: str) -> Sequence[Reply]:
    """Other words delete nothing, and the question stays."""
    first, *rest = await ask_delete(turn, ())
    return [first.saying(T("not-understood", typed=shown(typed)) if typed else None), *rest]


@routes.choice("delete-yes")
async def delete(turn: Turn, ids: tuple[str, ...]) -> Sequence[Reply]:
    """Deletes at once; the chat goes on with nobody in it, or with the others of the family."""
    if asked := await family.who(turn, "delete"):
        return asked
    done: Words = T("delete-done")
    if turn.speaker is not None:
        here = await people.members(turn.unit, turn.address)
        records = await residents.records(turn.unit, turn.speaker)
        await conversations.forget(turn, records)
        elsewhere = [
            (chat, _gone_elsewhere(turn, await people.members(turn.unit, chat.id)))
            for chat in await installation.addresses_of(turn.unit, turn.speaker, but=turn.address)
        ]
        await residents.forget(turn.unit, turn.speaker)
        for chat, said in elsewhere:
            await tell_at(turn.unit, chat, Reply(said, nav=(home.MENU,), screen=False))
        left = [one for one in here if one.id != turn.speaker]
        done = _gone(turn.speaker, here)
        turn.speak_as(left[0].id if len(left) == 1 else None)
    return await home.menu_saying(turn, done)


def _gone(who: UUID, here: Sequence[Known]) -> Words:
    """What is said to whoever reads it: of a family also who is gone, who stays, who writes."""
    left = [one.shown for one in here if one.id != who]
    name = next((one.shown for one in here if one.id == who), None)
    if name is None or not left:
        return T("delete-done")
    done = T("delete-done-family", name=name, names=", ".join(left))
    return Joined([done, T("family-speaking", name=left[0])]) if len(left) == 1 else done


def _gone_elsewhere(turn: Turn, there: Sequence[Known]) -> T:
    """What is said in the person's other chat, which others may read too."""
    here = T(f"messenger-{turn.incoming.channel}")
    name = next((one.shown for one in there if one.id == turn.speaker), None)
    if name is None or len(there) == 1:
        return T("deleted-elsewhere", messenger=here)
    return T("deleted-elsewhere-family", name=name, messenger=here)


@routes.choice("delete-no")
async def keep(turn: Turn, ids: tuple[str, ...]) -> Sequence[Reply]:
    """Nothing was deleted."""
    return await show(turn)
