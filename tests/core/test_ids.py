"""Identifiers: sorted by time, written short, read back or refused."""

from contextlib import suppress
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.ids import SHORT_LENGTH, from_short, new_id, short

MOMENTS = st.floats(1_600_000_000, 4_000_000_000).map(lambda at: datetime.fromtimestamp(at, UTC))


@given(MOMENTS)
def test_version_seven(moment: datetime) -> None:
    made = new_id(moment)
    assert made.version == 7
    assert made.variant == "specified in RFC 4122"
    assert made.int >> 80 == int(moment.timestamp() * 1000)


@given(MOMENTS, st.integers(min_value=1, max_value=10**12))
def test_later_ones_sort_behind(moment: datetime, milliseconds: int) -> None:
    later = moment + timedelta(milliseconds=milliseconds + 1)
    assert new_id(moment) < new_id(later)


def test_a_moment_has_many() -> None:
    moment = datetime(2026, 11, 20, tzinfo=UTC)
    assert len({new_id(moment) for _ in range(10_000)}) == 10_000


@given(st.uuids())
def test_short_and_back(identifier: UUID) -> None:
    written = short(identifier)
    assert len(written) == SHORT_LENGTH
    assert set(written) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")
    assert from_short(written) == identifier


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="nothing"),
        pytest.param("A" * 21, id="too short"),
        pytest.param("A" * 23, id="too long"),
        pytest.param("A" * 21 + "B", id="bits that no identifier has"),
        pytest.param("A" * 21 + "!", id="a sign"),
        pytest.param("Ә" * 22, id="kazakh letters"),
        pytest.param("+" * 22, id="the other base64"),
        pytest.param("A" * 20 + "==", id="padding"),
    ],
)
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 binascii has a kind of its own
        from_short(text)


@given(st.text(max_size=30))
def test_no_text_breaks_it(text: str) -> None:
    with suppress(ValueError):
        assert short(from_short(text)) == text
