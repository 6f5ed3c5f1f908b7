"""A stored conversation is read as it was written."""

import json
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conversation.state import FormState, Offered, State
from core.ids import short

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
    owner=st.none() | st.uuids(),
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


MINE, YOURS = UUID(int=1), UUID(int=2)


def a_form(name: str, owner: UUID | None, before: FormState | None = None) -> FormState:
    return FormState(name, 1, "step", {}, before, owner)


def test_what_was_stored_before_forms_had_owners_is_the_speakers() -> None:
    stored = json.loads(State(parked=a_form("notice", None, a_form("moving", None))).dump())
    stored["parked"] = ["notice", 1, "step", {}, ["moving", 1, "step", {}, None]]
    loaded = State.load(json.dumps(stored), 0, MINE)
    assert [form.owner for form in loaded.forms()] == [MINE, MINE]
    assert [form.owner for form in State.load(json.dumps(stored), 0).forms()] == [None, None]


@pytest.mark.parametrize("under_way", [True, False])
@pytest.mark.parametrize(
    ("owners", "left"),
    [
        ([MINE], []),
        ([YOURS], [YOURS]),
        ([None], [None]),
        ([MINE, YOURS, None], [YOURS, None]),
        ([YOURS, MINE, MINE, YOURS], [YOURS, YOURS]),
    ],
)
def test_only_the_forms_of_the_forgotten_go(
    under_way: bool, owners: list[UUID | None], left: list[UUID | None]
) -> None:
    chain = None
    for owner in reversed(owners):
        chain = a_form("notice", owner, chain)
    state = State(form=chain) if under_way else State(parked=chain)
    gone = state.forget([MINE])
    assert [form.owner for form in state.forms()] == left
    assert len(gone) == owners.count(MINE)
    assert (state.form is not None) is (under_way and owners[0] != MINE)


def test_nothing_names_the_forgotten() -> None:
    """A tap stays what it was; who is named by a choice cannot be chosen any more."""
    mine, yours = (Offered(f"s.1.who.{short(one)}.menu", "Айгүл А.", 1) for one in (MINE, YOURS))
    state = State(offered=[mine, yours], spoke=(str(MINE), "2026-11-20T05:00:00+00:00"))
    state.forget([MINE])
    assert (state.offered, state.spoke) == ([yours], None)


def test_what_one_was_typing_is_handed_over() -> None:
    state = State(form=a_form("notice", MINE, a_form("moving", YOURS, a_form("x", None))))
    state.hand_over(MINE, YOURS)
    assert [form.owner for form in state.forms()] == [YOURS, YOURS, None]
