"""A stored conversation is read as it was written."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conversation.state import FormState, Offered, State

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=6,
)
FORMS = st.builds(
    FormState,
    st.sampled_from(["registration", "notice"]),
    st.integers(1, 9),
    st.text(max_size=10),
    st.dictionaries(st.text(max_size=10), JSON, max_size=4),
)
OFFERED = st.builds(Offered, st.text(max_size=64), st.text(max_size=40), st.none() | st.integers())
STATES = st.builds(
    State,
    turn=st.integers(0, 10**6),
    form=st.none() | FORMS,
    parked=st.none() | FORMS,
    offered=st.lists(OFFERED, max_size=5),
    keyboard=st.booleans(),
    start=st.none() | st.text(max_size=20),
)


@given(STATES)
def test_there_and_back(state: State) -> None:
    assert State.load(state.dump(), state.turn) == state


@pytest.mark.parametrize(
    "stored",
    [
        pytest.param(None, id="a first message"),
        pytest.param("", id="nothing"),
        pytest.param(json.dumps({"v": 2, "form": "?"}), id="of a newer version"),
    ],
)
def test_what_is_not_known_starts_at_the_menu(stored: str | None) -> None:
    assert State.load(stored, 7) == State(turn=7)
