"""The forms by name, so that what was stored finds its form again; words that they share."""

from conversation.forms import Form, Given, Problem
from conversation.message import not_words
from core.texts import T

FORMS: dict[str, Form] = {}
SHOWN_TYPED = 60  # characters of what was typed that an error repeats


def known(form: Form) -> Form:
    """Makes the form known. Raises ValueError for a name that is taken."""
    if FORMS.setdefault(form.name, form) is not form:
        raise ValueError(f"two forms called {form.name}")
    return form


def shown(typed: str) -> str:
    """What was typed, short enough to be repeated."""
    words = " ".join(typed.split())
    return words if len(words) <= SHOWN_TYPED else words[: SHOWN_TYPED - 1] + "…"


def unclear(key: str, given: Given) -> Problem:
    """None of the choices was meant; a photo or a contact has no words to be repeated, and what
    was tapped was a choice when it was offered."""
    if given.chosen is not None:
        return Problem(T("stale-choice"), repeats=True)
    typed = shown(given.text)
    return Problem(T(key, typed=typed)) if typed else wordless("not-asked", given)


def wordless(key: str, given: Given) -> Problem:
    """Words are asked for, and none were given: `key` says so, after what it was."""
    return Problem(not_words(T(key), given.files), repeats=True)
