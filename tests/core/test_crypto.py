"""Sealed values open only where, and with what, they were sealed."""

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.crypto import Keyring, SealBroken, new_key, unwrap, wrap, wrapping_key

ROW, OTHER_ROW = UUID(int=1), UUID(int=2)
PLACE = "resident.full_name"
RING = Keyring({2: new_key()}, new_key())
KEK = wrapping_key("test secret key of thirty-two characters")


@given(st.text())
def test_what_is_sealed_opens_again(text: str) -> None:
    sealed = RING.seal(PLACE, ROW, text)
    assert RING.open(PLACE, ROW, sealed) == text
    assert len(text.encode()) < 8 or text.encode() not in sealed


def test_the_same_value_never_looks_the_same() -> None:
    assert RING.seal(PLACE, ROW, "Серік") != RING.seal(PLACE, ROW, "Серік")


@pytest.mark.parametrize(
    ("place", "row"),
    [
        pytest.param("address.full_name", ROW, id="another table"),
        pytest.param("resident.street", ROW, id="another column"),
        pytest.param(PLACE, OTHER_ROW, id="another row"),
    ],
)
def test_a_value_copied_elsewhere_does_not_open(place: str, row: UUID) -> None:
    sealed = RING.seal(PLACE, ROW, "Серік")
    with pytest.raises(SealBroken):
        RING.open(place, row, sealed)


def test_another_key_of_the_same_number_does_not_open() -> None:
    sealed = RING.seal(PLACE, ROW, "Серік")
    with pytest.raises(SealBroken):
        Keyring({2: new_key()}, RING.index_key).open(PLACE, ROW, sealed)


def test_a_key_that_is_gone_does_not_open() -> None:
    sealed = RING.seal(PLACE, ROW, "Серік")
    with pytest.raises(SealBroken):
        Keyring({3: RING.data_keys[2]}, RING.index_key).open(PLACE, ROW, sealed)


@given(st.data())
def test_one_changed_bit_breaks_the_seal(data: st.DataObject) -> None:
    sealed = bytearray(RING.seal(PLACE, ROW, "Серік"))
    at = data.draw(st.integers(0, len(sealed) * 8 - 1))
    sealed[at // 8] ^= 1 << at % 8
    with pytest.raises(SealBroken):
        RING.open(PLACE, ROW, bytes(sealed))


@pytest.mark.parametrize("length", [0, 1, 2, 5, 13, 14, 20])
def test_a_truncated_value_is_a_broken_seal(length: int) -> None:
    """Before, under eight bytes of nonce came out as ValueError, which nobody expects."""
    sealed = RING.seal(PLACE, ROW, "Серік")[:length]
    with pytest.raises(SealBroken):
        RING.open(PLACE, ROW, sealed)


def test_rotation_writes_with_the_new_key_and_reads_both() -> None:
    before = RING.seal(PLACE, ROW, "бұрынғы")
    rotated = Keyring({**RING.data_keys, 3: new_key()}, RING.index_key)
    after = rotated.seal(PLACE, ROW, "жаңа")
    assert int.from_bytes(before[:2], "big") == 2
    assert int.from_bytes(after[:2], "big") == 3
    assert rotated.open(PLACE, ROW, before) == "бұрынғы"
    assert rotated.open(PLACE, ROW, after) == "жаңа"
    with pytest.raises(SealBroken):
        RING.open(PLACE, ROW, after)


def test_the_index_tells_purposes_values_and_installations_apart() -> None:
    key = RING.index("phone", "+77011234567")
    assert key == RING.index("phone", "+77011234567")
    assert len(key) == 16
    others = {
        RING.index("alias:phone", "+77011234567"),
        RING.index("phone", "+77011234568"),
        Keyring(RING.data_keys, new_key()).index("phone", "+77011234567"),
    }
    assert key not in others
    assert len(others) == 3


def test_keys_are_not_shown() -> None:
    shown = repr(RING)
    assert RING.index_key.hex() not in shown
    assert repr(RING.index_key) not in shown
    assert repr(RING.data_keys[2]) not in shown


def test_a_wrapped_key_opens_with_its_secret_and_number_only() -> None:
    key = new_key()
    wrapped = wrap(KEK, 2, key)
    assert unwrap(KEK, 2, wrapped) == key
    for kek, number, stored in (
        (wrapping_key("another secret key of thirty-two c"), 2, wrapped),
        (KEK, 3, wrapped),
        (KEK, 2, wrapped[:-1]),
        (KEK, 2, wrapped[:5]),
    ):
        with pytest.raises(SealBroken):
            unwrap(kek, number, stored)
