"""What a full name may look like."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.names import LONGEST_NAME, NameFault, check_name, given_name, same_name


@pytest.mark.parametrize(
    "typed",
    [
        pytest.param("Ахметов Серік Болатұлы", id="kazakh letters"),
        pytest.param("Әлиұлы Өмірзақ Ғанидің Үкіқызы Ңһі", id="every kazakh letter"),
        pytest.param("Иванов Пётр", id="ё"),
        pytest.param("О'Нил Джон", id="apostrophe"),
        pytest.param("О’Нил Джон", id="curly apostrophe of a phone"),
        pytest.param("O‘Neill Ann", id="the other curly apostrophe"),
        pytest.param("Oʻgʻli Alisher", id="uzbek latin"),
        pytest.param("Мамин-Сибиряк Дмитрий Наркисович", id="hyphen"),
        pytest.param("Ахметов С.Б.", id="initials"),
        pytest.param("Ахметов С. Б.", id="initials apart"),
        pytest.param("Kim Jong-un", id="latin"),
        pytest.param("ахметов серік", id="small letters"),
        pytest.param("김 철수", id="korean"),
        pytest.param("محمد علي", id="arabic"),
    ],
)
def test_names(typed: str) -> None:
    assert check_name(typed) == typed


def test_spaces_are_tidied() -> None:
    assert check_name("  Ахметов \n Серік\t ") == "Ахметов Серік"


def test_letters_that_come_in_two_pieces() -> None:
    """A telephone may send й as и and a breve: before, that was "not a name"."""
    assert check_name("Андреи\u0306 Е\u0308лкин") == "Андрей Ёлкин"


@pytest.mark.parametrize(
    ("typed", "fault"),
    [
        pytest.param("", NameFault.LETTERS, id="nothing"),
        pytest.param("   ", NameFault.LETTERS, id="spaces"),
        pytest.param("Серік", NameFault.ONE_WORD, id="one word"),
        pytest.param("Мамин-Сибиряк", NameFault.ONE_WORD, id="one word with a hyphen"),
        pytest.param("Айгүл 😀", NameFault.LETTERS, id="emoji"),
        pytest.param("😀 😀", NameFault.LETTERS, id="only emoji"),
        pytest.param("Айгүл❤Серікова Н", NameFault.LETTERS, id="emoji inside"),
        pytest.param("Ахметов Серік 2", NameFault.LETTERS, id="a digit"),
        pytest.param("87011234567", NameFault.LETTERS, id="a phone number"),
        pytest.param("Ахметов, Серік", NameFault.LETTERS, id="comma"),
        pytest.param("- -", NameFault.LETTERS, id="hyphens"),
        pytest.param("' Серік", NameFault.LETTERS, id="an apostrophe alone"),
        pytest.param("Ахметов_Серік Б", NameFault.LETTERS, id="underscore"),
        pytest.param("/start menu", NameFault.LETTERS, id="a command"),
        pytest.param("<b>Серік</b> Б", NameFault.LETTERS, id="markup"),
        pytest.param("а " * 50 + "б", NameFault.LONG, id="101 characters"),
        pytest.param("а" * 5000, NameFault.LONG, id="5000 characters"),
        pytest.param("A ¹", NameFault.LETTERS, id="a raised figure"),
        pytest.param("Ⅳ Генрих", NameFault.LETTERS, id="a Roman figure"),
    ],
)
def test_no_names(typed: str, fault: NameFault) -> None:
    assert check_name(typed) is fault


def test_a_hundred_characters_are_a_name() -> None:
    name = "а" * 50 + " " + "б" * 49
    assert len(name) == LONGEST_NAME
    assert check_name(name) == name
    assert check_name(name + "б") is NameFault.LONG
    assert check_name(f"  {name}  ") == name


@given(st.text(max_size=150))
def test_whatever_is_typed(typed: str) -> None:
    name = check_name(typed)
    if isinstance(name, str):
        assert len(name) <= LONGEST_NAME
        assert " " in name
        assert check_name(name) == name
        assert not any(letter.isdigit() for letter in name)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        pytest.param("Ахметов Серік", "АХМЕТОВ серік", True, id="case"),
        pytest.param("Ахметов Серік", "Серік Ахметов", True, id="order"),
        pytest.param("Өмірзақ Ғани", "Омирзак Гани", True, id="russian letters"),
        pytest.param("Ахметов Серік", "\u0410хметов Cерік", True, id="a latin C among them"),
        pytest.param("О'Нил Джон", "О’Нил Джон", True, id="apostrophes"),
        pytest.param("Ахметов Серік", "Ахметов Берік", False, id="twins"),
        pytest.param("Ахметов Серік", "Ахметов Серік Болатұлы", False, id="with the father's"),
    ],
)
def test_the_same_name(one: str, other: str, same: bool) -> None:
    assert same_name(one, other) is same_name(other, one) is same


@given(st.text())
def test_a_name_is_the_same_as_itself(name: str) -> None:
    assert same_name(name, name)


@pytest.mark.parametrize(
    ("full", "given"),
    [
        ("Ахметов Серік Болатұлы", "серик"),
        ("Серик Ахметов", "серик"),
        ("Серік Болатұлы", "серик"),
        ("Серик Болатович Ахметов", "серик"),
        ("Akhmetov Serik", "серик"),
        ("Ахметова Айгуль", "айгуль"),
        ("Ким Марина", "марина"),
        ("Цой Лев", "лев"),
        ("Цой Яков", "яков"),
        ("Болат Серік", "серик"),
        ("Серік", "серик"),
        ("", ""),
    ],
)
def test_the_given_name(full: str, given: str) -> None:
    assert given_name(full) == given
