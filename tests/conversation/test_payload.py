"""What a button carries: 64 bytes at most, read back exactly, anything else refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conversation.message import Choice
from conversation.payload import MAX_BYTES, Chosen, PayloadRefused, decode, encode
from core.ids import short

PIECES = st.from_regex(r"[A-Za-z0-9_-]{1,12}", fullmatch=True)


@given(PIECES, st.lists(PIECES, max_size=3), st.integers(0, 10**9), st.booleans())
def test_there_and_back(code: str, ids: list[str], turn: int, durable: bool) -> None:
    payload = encode(Choice(code, "x", tuple(ids), durable=durable), turn)
    assert len(payload.encode()) <= MAX_BYTES
    assert decode(payload) == Chosen(code, tuple(ids), None if durable else turn)


@given(st.uuids(), st.uuids())
def test_two_identifiers_and_a_revision_fit(one: object, other: object) -> None:
    ids = (short(one), short(other), "999")  # type: ignore[arg-type]
    assert decode(encode(Choice("read", "x", ids, durable=True), 0)).ids == ids


@pytest.mark.parametrize(
    ("code", "ids"),
    [
        pytest.param("c", ("a" * 62,), id="too long"),
        pytest.param("c", ("а",), id="cyrillic"),
        pytest.param("c", ("a.b",), id="a dot"),
        pytest.param("c", ("",), id="an empty piece"),
        pytest.param("", (), id="no code"),
        pytest.param("c d", (), id="a space"),
    ],
)
def test_what_does_not_fit_is_not_written(code: str, ids: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match="does not fit"):
        encode(Choice(code, "x", ids), 1)


def test_64_bytes_fit_and_65_do_not() -> None:
    assert len(encode(Choice("c", "x", ("a" * 60,), durable=True), 0)) == MAX_BYTES
    with pytest.raises(ValueError, match="65 bytes"):
        encode(Choice("c", "x", ("a" * 61,), durable=True), 0)


@pytest.mark.parametrize(
    "payload",
    [
        "",
        ".",
        "s",
        "d",
        "x.1.c",
        "s.1",
        "s..c",
        "s.1.c.",
        "d..a",
        "s.-1.c",
        "s.-a.c",
        "s.a-b.c",
        "s.a_b.c",
        "s.A.c",
        "s.1.c.ә",
        "s.1.c d",
        "s.1.c\n",
        "d.read." + "a" * 60,
        "menu",
        "/start",
    ],
)
def test_forged_ones_are_refused(payload: str) -> None:
    """`s.a-b.c` used to come out as a bare ValueError: a dead letter instead of a menu."""
    with pytest.raises(PayloadRefused):
        decode(payload)


@given(st.text(max_size=80))
def test_no_text_breaks_it(payload: str) -> None:
    try:
        chosen = decode(payload)
    except PayloadRefused:
        return
    assert chosen.code
    assert len(payload) <= MAX_BYTES
