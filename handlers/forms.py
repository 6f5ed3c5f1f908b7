"""The forms by name, so that what was stored finds its form again."""

from conversation.forms import Form

FORMS: dict[str, Form] = {}


def known(form: Form) -> Form:
    """Makes the form known. Raises ValueError for a name that is taken."""
    if FORMS.setdefault(form.name, form) is not form:
        raise ValueError(f"two forms called {form.name}")
    return form
