"""Replies put into words: pages that reach every choice, step turns and durable choices."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conversation.message import Ask, ChannelName, Choice, Content, Incoming, Kind, Reply
from conversation.payload import decode
from conversation.present import CAPACITY, compose, present, together
from conversation.router import PAGE
from conversation.state import State
from conversation.turn import Turn
from core.crypto import Keyring
from core.languages import Language
from core.texts import T, texts
from services.unit import Unit

NOW = datetime(2026, 11, 20, 5, 0, tzinfo=UTC)
NAV = (Choice("back", T("nav-back")), Choice("cancel", T("nav-cancel")))


def turn_of(
    state: State | None = None,
    page: int = 0,
    channel: ChannelName = ChannelName.TELEGRAM,
    tapped: str | None = None,
    language: Language | None = Language.RU,
) -> Turn:
    incoming = Incoming(UUID(int=1), channel, ("u:1",), (), NOW, Kind.CHOICE, tapped_message=tapped)
    unit: Any = Unit(None, Keyring({}, b""), NOW)  # type: ignore[arg-type]
    return Turn(incoming, unit, UUID(int=2), state or State(), language, None, page=page)


def shown(turn: Turn, *replies: Reply) -> list[Content]:
    return present(texts(), turn, replies)


def places(count: int) -> list[Choice]:
    return [Choice("pick", f"ауыл {n}", (str(n),)) for n in range(count)]


@given(st.integers(0, 120), st.integers(0, 2))
def test_every_choice_is_reached_by_turning_pages(count: int, ways: int) -> None:
    reached: list[str] = []
    page: int | None = 0
    for _ in range(200):
        [content] = shown(turn_of(page=page or 0), Reply("Қайсысы?", places(count), NAV[:ways]))
        assert len(content.choices) + len(content.nav) <= CAPACITY
        assert len(content.nav) == ways
        chosen = [decode(button.payload) for button in content.choices]
        reached += [one.ids[0] for one in chosen if one.code == "pick"]
        further = [int(one.ids[0]) for one in chosen if one.code == PAGE]
        page = next((to for to in further if to > (page or 0)), None)
        if page is None:
            break
    assert reached == [str(n) for n in range(count)]


@pytest.mark.parametrize("page", [1, 2, 7, 10**50])
def test_there_is_a_way_back_from_every_page(page: int) -> None:
    [content] = shown(turn_of(page=page), Reply("Қайсысы?", places(30), NAV))
    turned = [decode(b.payload) for b in content.choices if decode(b.payload).code == PAGE]
    assert min(int(one.ids[0]) for one in turned) == min(page, 4) - 1


def test_the_numbers_start_at_one_on_every_page_and_ways_out_have_none() -> None:
    turn = turn_of(page=1)
    [content] = shown(turn, Reply("Қайсысы?", places(30), NAV))
    numbered = [o for o in turn.state.offered if o.number is not None]
    assert [o.number for o in numbered] == list(range(1, len(content.choices) + 1))
    assert [o.payload for o in numbered] == [b.payload for b in content.choices]
    assert [o.label for o in turn.state.offered if o.number is None] == [
        b.label for b in content.nav
    ]


def test_a_screen_begins_a_new_turn_and_its_choices_belong_to_it() -> None:
    turn = turn_of(State(turn=41))
    durable = Choice("read", "Оқыдым", ("a",), durable=True)
    [content] = shown(turn, Reply("x", [*places(1), durable]))
    assert turn.state.turn == 42
    assert [decode(b.payload).turn for b in content.choices] == [42, None]


def test_what_is_no_screen_leaves_the_current_one_alone() -> None:
    turn = turn_of(State(turn=41))
    shown(turn, Reply("x", places(2)))
    before = list(turn.state.offered)
    durable = Choice("read", "Оқыдым", ("a",), durable=True)
    shown(turn, Reply("y", [durable], screen=False))
    assert (turn.state.turn, turn.state.offered) == (42, before)


def test_the_last_of_several_screens_is_the_current_one() -> None:
    turn = turn_of()
    first, second = shown(turn, Reply("x", places(1)), Reply("y", [Choice("other", "б")]))
    assert turn.state.turn == 1
    assert [o.payload for o in turn.state.offered] == [b.payload for b in second.choices]
    assert first.body == "x"


def test_both_languages_at_once_kazakh_first() -> None:
    turn = turn_of(language=None)
    [content] = shown(turn, Reply(T("first-contact"), both=True))
    kk, ru = (texts().say(one, T("first-contact")) for one in Language)
    assert content.body == f"{kk}\n\n{ru}"
    assert content.language is Language.KK


def test_the_line_before_comes_before() -> None:
    [content] = shown(turn_of(), Reply("Сұрақ?").saying(T("nav-menu")))
    assert content.body == f"{texts().say(Language.RU, T('nav-menu'))}\n\nСұрақ?"
    assert Reply("x").saying(None) == Reply("x")


def test_a_contact_keyboard_is_closed_by_the_next_screen() -> None:
    turn = turn_of()
    [asking] = shown(turn, Reply("Нөмір?", ask=Ask.CONTACT))
    assert asking.ask is Ask.CONTACT
    assert asking.ask_label
    assert turn.state.keyboard
    [receipt] = shown(turn, Reply("хабар", screen=False))
    assert not receipt.closes_keyboard
    [again] = shown(turn, Reply("Нөмір?", ask=Ask.CONTACT))
    assert not again.closes_keyboard
    [after] = shown(turn, Reply("Рақмет"))
    assert after.closes_keyboard
    assert not turn.state.keyboard
    [later] = shown(turn, Reply("x"))
    assert not later.closes_keyboard


@pytest.mark.parametrize(
    ("channel", "tapped", "edits"),
    [
        pytest.param(ChannelName.TELEGRAM, "77", True, id="telegram, tapped"),
        pytest.param(ChannelName.TELEGRAM, None, False, id="telegram, typed"),
        pytest.param(ChannelName.WHATSAPP, "77", False, id="whatsapp"),
    ],
)
def test_the_tapped_message_is_edited_where_it_can_be(
    channel: ChannelName, tapped: str | None, edits: bool
) -> None:
    done = Choice("read", "✓", ("a",), durable=True)
    reply = Reply("x", [done], replaces_tapped=True, buttons_only=True, screen=False)
    [content] = shown(turn_of(channel=channel, tapped=tapped), reply)
    assert content.replaces_platform_id == ("77" if edits else None)
    assert content.buttons_only == edits
    assert bool(content.choices) == edits


@pytest.mark.parametrize("language", Language)
def test_what_nobody_asked_for_carries_durable_choices(language: Language) -> None:
    read = Choice("read", T("notice-read"), ("a", "1"), durable=True)
    content = compose(
        texts(), language, Reply("Су болмайды", [read], template=("notice", "x"), opens=read)
    )
    assert decode(content.choices[0].payload).turn is None
    assert content.template_payload == content.choices[0].payload
    assert Content.from_json(content.to_json()) == content


def test_what_goes_before_is_sent_ahead_and_is_no_screen() -> None:
    turn = turn_of()
    letter = Reply("letter", screen=False)
    contents = shown(turn, Reply("Жіберейін бе?", places(2), before=(letter, letter)))
    assert [content.body for content in contents] == ["letter", "letter", "Жіберейін бе?"]
    assert turn.state.turn == 1
    assert [offered.number for offered in turn.state.offered] == [1, 2]


@pytest.mark.parametrize("channel", ChannelName)
def test_a_reply_that_edits_an_earlier_one(channel: ChannelName) -> None:
    """WhatsApp cannot: there it is a new message."""
    earlier = UUID(int=7)
    [content] = shown(turn_of(channel=channel), Reply("2 сурет", replaces=earlier))
    assert content.replaces == (earlier if channel is ChannelName.TELEGRAM else None)


def test_an_edited_message_stays_in_its_turn_with_its_new_choices() -> None:
    """A tap that crosses the edit is not out of date; a number means what is shown now."""
    turn = turn_of()
    [first] = shown(turn, Reply("1", places(1)))
    edit = Reply("2", places(2), replaces=UUID(int=7), screen=False, offers=True)
    [second] = shown(turn, edit)
    assert first.choices[0].payload == second.choices[0].payload
    assert [offered.label for offered in turn.state.offered] == ["ауыл 0", "ауыл 1"]


def test_an_edit_that_offers_nothing_leaves_numbers_to_what_was_said_beside_it() -> None:
    turn = turn_of()
    shown(turn, Reply("1", places(2)))
    shown(turn, Reply("2", places(1), replaces=UUID(int=7), screen=False))
    assert [offered.label for offered in turn.state.offered] == ["ауыл 0", "ауыл 1"]


def test_a_reply_that_others_will_edit_is_not_said_with_others() -> None:
    """Its message would not exist, and every change of it would be a new one."""
    menu, live = Content(Language.KK, "Мәзір"), UUID(int=3)
    [card] = shown(turn_of(), Reply("Жіберілуде: 0 / 3", places(2), delivery=live))
    card = Content.from_json(card.to_json())
    assert card.delivery == live
    assert together([menu, menu]) is not None
    assert together([card, menu]) is together([menu, card]) is None
