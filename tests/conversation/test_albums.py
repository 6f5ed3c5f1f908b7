"""Files sent in one go: which belong together, which answer is edited, what is said once."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from conversation import albums
from conversation.message import ChannelName, Incoming, IncomingFile, Kind, Medium, Reply
from conversation.state import Answers, State
from conversation.turn import Turn
from core.crypto import Keyring
from core.languages import Language
from services.unit import Unit

NOW = datetime(2026, 11, 20, 18, 59, 55, tzinfo=UTC)  # five seconds to midnight in Almaty
TELEGRAM, WHATSAPP = ChannelName


def turn_with(
    seconds: float, album: str | None = None, channel: ChannelName = TELEGRAM, *, files: bool = True
) -> Turn:
    moment = NOW + timedelta(seconds=seconds)
    given = (IncomingFile(Medium.PHOTO, "x"),) if files else ()
    incoming = Incoming(
        UUID(int=1), channel, ("u:1",), (), moment, Kind.ATTACHMENT, files=given, album=album
    )
    unit = Unit(None, Keyring({}, b""), moment)  # type: ignore[arg-type]
    return Turn(incoming, unit, UUID(int=2), State(), Language.RU, None)


@pytest.mark.parametrize(
    ("arrivals", "together"),
    [
        ([(0, None), (9, None), (18, None)], [False, True, True]),
        ([(0, None), (11, None), (12, None)], [False, False, True]),
        ([(0, "a"), (60, "a"), (61, None)], [False, True, True]),
        ([(0, "a"), (60, "b")], [False, False]),
    ],
)
def test_what_belongs_together(
    arrivals: list[tuple[float, str | None]], together: list[bool]
) -> None:
    answers: Answers = {}
    found = [albums.arrives(turn_with(at, album), answers) for at, album in arrivals]
    assert found == together


def test_the_answer_is_edited_while_they_belong_together() -> None:
    answers: Answers = {}
    shown = []
    for at in (0, 1, 2, 60):
        turn = turn_with(at)
        albums.arrives(turn, answers)
        shown.append(albums.counting(turn, answers, Reply("count")))
    first, second, third, later = shown
    assert first.delivery is not None
    assert [second.replaces, third.replaces] == [first.delivery] * 2
    assert not second.screen, "a tap on what it showed before still counts"
    assert later.replaces is None
    assert later.delivery not in (None, first.delivery)


def test_the_question_asked_again_for_another_reason_is_a_message_of_its_own() -> None:
    answers: Answers = {}
    albums.arrives(turn_with(0), answers)
    albums.counting(turn_with(0), answers, Reply("count"))
    again = albums.counting(turn_with(1, files=False), answers, Reply("count"))
    assert (again.replaces, again.delivery) == (None, None)


def test_a_refusal_is_said_once_and_not_in_an_edited_message() -> None:
    answers: Answers = {}
    albums.arrives(turn_with(0), answers)
    albums.counting(turn_with(0), answers, Reply("count"))
    albums.arrives(turn_with(1), answers)
    assert albums.to_be_told(answers, "attach-kind")
    assert albums.counting(turn_with(1), answers, Reply("count")).replaces is None
    albums.arrives(turn_with(2), answers)
    assert not albums.to_be_told(answers, "attach-kind")
    albums.over(answers)
    assert not albums.arrives(turn_with(3), answers)
    assert albums.to_be_told(answers, "attach-kind")


@pytest.mark.parametrize("channel", ChannelName)
def test_whatsapp_which_cannot_edit_takes_the_rest_without_a_word(channel: ChannelName) -> None:
    assert albums.quiet(turn_with(0, channel=channel), True) is (channel is WHATSAPP)
    assert not albums.quiet(turn_with(0, channel=channel), False)
