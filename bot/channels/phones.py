"""Phone numbers as the messengers write them, in one form: E.164 with the plus."""

import re

import phonenumbers

HOME = "KZ"
_NOT_DIGITS = re.compile(r"\D")


def e164(written: str) -> str:
    """The number with its plus. What is no number keeps its digits, so that it stays itself.

    "8 (705) 123-45-67", "77051234567" and "+7 705 1234567" are one number; a foreign number
    comes from Telegram in full, without the plus.
    """
    digits = _NOT_DIGITS.sub("", written)
    return _valid(written, HOME) or _valid(f"+{digits}", None) or f"+{digits}"


def is_number(written: str) -> bool:
    """Whether this is a phone number that can exist."""
    return _valid(written, None) is not None


def _valid(written: str, region: str | None) -> str | None:
    try:
        number = phonenumbers.parse(written, region)
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_valid_number(number):
        return None
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
