"""Pictures and documents of a notice: gathered until "Done", at any of its questions."""

from collections.abc import Sequence
from uuid import UUID

from conversation import albums
from conversation.forms import Accepted, Done, Given, Problem, Quiet, Stay
from conversation.message import ChannelName, Choice, IncomingFile, Medium, Reply
from conversation.state import Answers
from conversation.turn import Turn
from core.ids import from_short, short
from core.names import fold
from core.texts import Joined, T, Words
from handlers import home
from handlers.forms import unclear
from rules.attachments import (
    DOCUMENT_BYTES,
    ENDINGS,
    MOST_FILES,
    PICTURE_BYTES,
    FileFault,
    declared_type,
    looks_like_a_name,
    size_fault,
)
from services import files
from services.files import FileCard, Wanted

LONGEST_NAME = 80  # characters
SHOWN_NAME = 24
MEGABYTE = 1024 * 1024
_NO = {"жок", "нет", "керек емес", "не надо", "не нужно", "no"}


async def ask(turn: Turn, answers: Answers) -> Reply:
    """Which pictures and documents?"""
    cards = await standing(turn, answers)
    if not cards:
        skip = Choice("n-done", T("attach-skip"))
        return albums.counting(turn, answers, Reply(T("attach-ask", most=MOST_FILES), [skip]))
    names = names_of(cards)
    key = "attach-full" if len(cards) >= MOST_FILES else "attach-more"
    choices = [Choice("n-done", T("audience-done"))]
    for card, name in zip(cards, names, strict=True):
        choices.append(Choice("n-drop", T("attach-remove", name=name), (short(card.id),)))
    return albums.counting(turn, answers, Reply(T(key, names=Joined(names, ", ")), choices))


async def accept(turn: Turn, answers: Answers, given: Given) -> Accepted:
    """One more, one less, or that is all."""
    if given.files:
        return await _one_more(turn, answers, given)
    albums.over(answers)
    match given.chosen and (given.chosen.code, *given.chosen.ids):
        case ("n-done",):
            return Done({"attached": True})
        case ("n-drop", file):
            return await _one_less(turn, answers, file)
    if fold(given.text) in _NO and not answers.get("files"):
        return Done({"attached": True})
    return unclear("attach-unclear", given)


async def _one_more(turn: Turn, answers: Answers, given: Given) -> Accepted:
    together, refused = await take(turn, answers, given)
    if refused is not None:
        return said_against(answers, refused)
    return Quiet() if albums.quiet(turn, together) else Stay()


def said_against(answers: Answers, refused: T) -> Accepted:
    """Why a file cannot be taken: once for those of one go with the same fault."""
    first = albums.to_be_told(answers, refused.key)
    return Problem(refused, repeats=True) if first else Quiet()


async def _one_less(turn: Turn, answers: Answers, file: str) -> Accepted:
    cards = await standing(turn, answers)
    try:
        dropped = from_short(file)
    except ValueError:
        dropped = UUID(int=0)
    shown = dict(zip((card.id for card in cards), names_of(cards), strict=True))
    if dropped not in shown:
        return Stay()
    await files.forget_unsent(turn.unit, [dropped])
    left = [str(card.id) for card in cards if card.id != dropped]
    return Stay({"files": left}, T("attach-removed", name=shown[dropped]))


async def take(turn: Turn, answers: Answers, given: Given) -> tuple[bool, T | None]:
    """Adds what came in to the notice: (in one go with the one before?, why not)."""
    together = albums.arrives(turn, answers)
    refused: T | None = None
    for file in given.files:
        mime = _sendable(file, given)
        kept: list[str] = answers.setdefault("files", [])
        if isinstance(mime, T):
            refused = mime
        elif len(kept) >= MOST_FILES:
            refused = T("attach-too-many", most=MOST_FILES)
        else:
            kept.append(str(await _wanted(turn, file, given, mime, len(kept) + 1)))
    return together, refused


def words_of(given: Given) -> str:
    """What was written beside the file. WhatsApp may put a document's name there [?]."""
    named = any(file.medium is Medium.DOCUMENT and not file.name for file in given.files)
    return "" if named and looks_like_a_name(given.text) else given.text.strip()


async def standing(turn: Turn, answers: Answers) -> list[FileCard]:
    """The notice's files; those that could not be fetched, which its author was told of, fall
    out."""
    wanted = [UUID(file) for file in answers.get("files", [])]
    cards = [card for card in await files.described(turn.unit, wanted) if card.failure is None]
    answers["files"] = [str(card.id) for card in cards]
    return cards


def names_of(cards: Sequence[FileCard]) -> list[Words]:
    """What they are called: "2-сурет", "смета.pdf"."""
    named: list[Words] = []
    for number, card in enumerate(cards, start=1):
        photo = card.medium == Medium.PHOTO
        named.append(T("file-photo", number=number) if photo else _short(card.name))
    return named


async def _wanted(turn: Turn, file: IncomingFile, given: Given, mime: str, number: int) -> UUID:
    own = file.name or (given.text if looks_like_a_name(given.text) else "")
    name = " ".join(own.replace("/", " ").replace("\\", " ").split())[-LONGEST_NAME:]
    return await files.wanted(
        turn.unit,
        turn.incoming.account,
        turn.address,
        file.medium.value,
        mime,
        name or f"{number}.{ENDINGS[mime]}",
        file.reference,
        file.size or 0,
    )


def _sendable(file: IncomingFile, given: Given) -> str | T:
    """Its type, or why it cannot be sent, as far as the messenger tells."""
    if file.medium not in (Medium.PHOTO, Medium.DOCUMENT):
        known = file.medium in (Medium.VOICE, Medium.VIDEO, Medium.STICKER)
        return T(f"attach-no-{file.medium}") if known else T("attach-kind")
    mime = declared_type(file.mime, file.name or given.text)
    if mime is None:
        return T("attach-kind")
    fault = size_fault(mime, file.size or 0)
    return mime if fault is None else _too_large(fault, file.size or 0)


def _too_large(fault: FileFault, size: int) -> T:
    """`size` in bytes; said in whole megabytes, rounded up."""
    most = PICTURE_BYTES if fault is FileFault.PICTURE_TOO_LARGE else DOCUMENT_BYTES
    return T(f"attach-{fault}", size=-(-size // MEGABYTE), most=most // MEGABYTE)


def not_fetched(wanted: Wanted, fault: FileFault) -> Reply:
    """To its sender, in a message of its own: a file that could not be fetched, and what to do."""
    name = T("file-picture") if wanted.medium == Medium.PHOTO else _short(wanted.name)
    return Reply(T(f"file-failed-{fault}", name=name), nav=(home.MENU,), screen=False)


def _short(name: str) -> str:
    return name if len(name) <= SHOWN_NAME else f"{name[: SHOWN_NAME - 7]}…{name[-6:]}"


def is_whatsapp(turn: Turn) -> bool:
    """Does the author write from WhatsApp?"""
    return turn.incoming.channel is ChannelName.WHATSAPP
