"""Measuring, cutting and splitting: limits are kept and no character is lost."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.channels.wording import fits, one_line, shorten, split, units

ANY = st.text(max_size=300) | st.lists(
    st.sampled_from(["су", "құбыры", "\n", "\n\n", " ", "👨‍👩‍👧", "😀", "-", "ұзақ-сөз"]),
    max_size=80,
).map("".join)


def visible(text: str) -> str:
    return re.sub(r"\s", "", text)


@given(text=ANY, limit=st.integers(2, 60))
def test_split_loses_nothing_and_keeps_the_limit(text: str, limit: int) -> None:
    pieces = split(text, limit)
    assert all(fits(piece, limit) for piece in pieces)
    assert all(piece.strip() for piece in pieces)
    assert visible("".join(pieces)) == visible(text)


@given(text=ANY, limit=st.integers(3, 60))
def test_shortened_text_fits(text: str, limit: int) -> None:
    cut = shorten(text, limit)
    assert fits(cut, limit)
    assert cut == text if fits(text, limit) else cut.endswith("…")


@pytest.mark.parametrize(
    ("text", "limit", "pieces"),
    [
        ("", 10, []),
        (" \n ", 10, []),
        ("бір екі", 10, ["бір екі"]),
        ("бірінші\n\nекінші үшінші", 16, ["бірінші", "екінші үшінші"]),
        ("бір\n\nекі үш төрт бес", 12, ["бір\n\nекі үш", "төрт бес"]),  # not a piece of three
        ("бір екі\nүш төрт бес", 12, ["бір екі", "үш төрт бес"]),
        ("сөзсіз", 3, ["сөз", "сіз"]),
        ("😀😀😀", 4, ["😀😀", "😀"]),  # each counts twice
        ("он екі", 2, ["он", "ек", "і"]),
    ],
)
def test_split(text: str, limit: int, pieces: list[str]) -> None:
    assert split(text, limit) == pieces


def test_units() -> None:
    assert units("Қазақстан") == 9
    assert units("📢 Бугровое") == 11
    assert units("👨‍👩‍👧") == 8


def test_one_line() -> None:
    assert one_line(" су\n\t жоқ      бүгін ") == "су жоқ бүгін"
