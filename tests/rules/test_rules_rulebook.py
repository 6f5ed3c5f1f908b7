"""The rulebook's values: what is taken, what is refused and why, what goes together."""

from datetime import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules import rulebook
from rules.notices import NoticeKind
from rules.rulebook import DEFAULTS, NAMES, Rulebook, RuleWrong, Unit


@pytest.mark.parametrize("name", NAMES)
def test_every_rule_is_described_and_its_default_can_be_set(name: str) -> None:
    about = rulebook.described(name).metadata
    assert about["source"]
    assert rulebook.unit_words(name)
    default = rulebook.default(name)
    stored = rulebook.read(name, rulebook.written(name, default))
    assert rulebook.typed_value(name, stored) == default
    if about["unit"] not in (Unit.CLOCK, Unit.KINDS):
        assert about["least"] <= default <= about["most"]


@pytest.mark.parametrize(
    ("name", "typed", "stored"),
    [
        ("adult-age", " 21 ", 21),
        ("move-cooling-off", "0", 0),
        ("quiet-from", "9:05", "09:05"),
        ("quiet-until", "23:59", "23:59"),
        ("urgent-kinds", "utilities, urgent,urgent", ["urgent", "utilities"]),
        ("urgent-kinds", "", []),
    ],
)
def test_what_is_taken(name: str, typed: str, stored: object) -> None:
    assert rulebook.read(name, typed) == stored


@pytest.mark.parametrize(
    ("name", "typed"),
    [
        ("adult-age", "15"),
        ("adult-age", "22"),
        ("adult-age", "-18"),
        ("adult-age", "18.5"),
        ("adult-age", "восемнадцать"),
        ("adult-age", ""),
        ("adult-age", "²"),
        ("whatsapp-people-a-day", "9" * 5000),
        ("quiet-from", "24:00"),
        ("quiet-from", "21"),
        ("quiet-from", "21:00:30"),
        ("quiet-from", "2100"),
        ("urgent-kinds", "urgent,weather"),
    ],
)
def test_what_is_refused_says_what_is_allowed(name: str, typed: str) -> None:
    with pytest.raises(RuleWrong, match=name):
        rulebook.read(name, typed)


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("adult_age", "adult-age"),
        ("adultage", "adult-age"),
        ("Invitation-Term", "invitation-term"),
        ("quiet-frm", "quiet-from"),
    ],
)
def test_an_unknown_name_suggests_the_nearest(typed: str, meant: str) -> None:
    with pytest.raises(RuleWrong, match=f"did you mean {meant}"):
        rulebook.described(typed)


def test_a_name_like_none_gets_the_list() -> None:
    with pytest.raises(RuleWrong, match="there are: adult-age"):
        rulebook.described("взносы")


@given(st.integers(0, 18), st.integers(16, 21), st.integers(100, 150))
def test_ages_go_up(youngest: int, adult: int, oldest: int) -> None:
    book = Rulebook(youngest_age=youngest, adult_age=adult, oldest_age=oldest)
    if youngest <= adult <= oldest:
        rulebook.check_together(book)
    else:
        with pytest.raises(RuleWrong):
            rulebook.check_together(book)


def test_the_defaults_go_together() -> None:
    rulebook.check_together(DEFAULTS)


def test_stored_values_take_the_place_of_the_defaults() -> None:
    book = rulebook.rulebook({"quiet-from": "22:30", "urgent-kinds": ["event"]})
    assert (book.quiet_from, book.quiet_until) == (time(22, 30), time(8))
    assert book.urgent_kinds == {NoticeKind.EVENT}
