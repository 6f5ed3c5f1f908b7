"""What Twilio's error codes mean for us: the one table, for answers and for status callbacks.

Sources: twilio.com/docs/api/errors/<code>; names also in nyaruka/courier,
handlers/twiml/errors.json. Codes are added without notice: see `outcome_of` for the others.
"""

from typing import Final

from core.outcomes import Outcome

OPTED_OUT: Final = 21610
RESOURCE_GONE: Final = frozenset({20404, 21655})  # the Content resource does not exist

_TABLE: Final[dict[int, Outcome]] = {
    # Twilio's API: the account. Nothing went out, the operator has to act.
    20003: Outcome.TRANSIENT,  # authentication
    20005: Outcome.TRANSIENT,  # account not active
    30002: Outcome.TRANSIENT,  # account suspended
    63001: Outcome.TRANSIENT,  # the channel does not accept our credentials
    63112: Outcome.TRANSIENT,  # Meta disabled the WhatsApp account
    # Twilio's API: the recipient.
    21211: Outcome.BAD_RECIPIENT,  # not a valid number
    21214: Outcome.BAD_RECIPIENT,
    21608: Outcome.BAD_RECIPIENT,  # a trial account may not write to this number
    21610: Outcome.BLOCKED,  # has written STOP
    21614: Outcome.BAD_RECIPIENT,  # not a mobile number
    # Too fast.
    14107: Outcome.THROTTLED,
    20429: Outcome.THROTTLED,
    21611: Outcome.THROTTLED,  # too many queued messages of this sender
    30001: Outcome.THROTTLED,  # queue overflow
    63018: Outcome.THROTTLED,  # rate limit of the channel
    63038: Outcome.DAILY_LIMIT,
    # Twilio itself.
    20500: Outcome.TRANSIENT,
    20503: Outcome.TRANSIENT,
    # The person's phone.
    30003: Outcome.UNREACHABLE,
    30004: Outcome.BLOCKED,
    30005: Outcome.BAD_RECIPIENT,  # unknown handset
    30006: Outcome.BAD_RECIPIENT,  # landline
    30007: Outcome.REFUSED,  # filtered
    30008: Outcome.UNREACHABLE,  # unknown error
    # WhatsApp through Twilio.
    63002: Outcome.REFUSED,  # no such sender
    63003: Outcome.BAD_RECIPIENT,  # no such recipient
    63005: Outcome.REFUSED,  # content not accepted
    63006: Outcome.REFUSED,
    63007: Outcome.REFUSED,  # the sender is not set up
    63008: Outcome.REFUSED,  # the channel is misconfigured
    63009: Outcome.TRANSIENT,  # WhatsApp answered with an error
    63010: Outcome.TRANSIENT,
    63011: Outcome.UNKNOWN,  # WhatsApp did not answer in time
    63012: Outcome.TRANSIENT,  # WhatsApp's own error
    63013: Outcome.REFUSED,  # against the channel's policy
    63014: Outcome.BLOCKED,  # by the user
    63015: Outcome.NEVER_STARTED,  # the sandbox: has not joined
    63016: Outcome.WINDOW_CLOSED,
    63019: Outcome.TRANSIENT,  # could not fetch our file: our server may have been away
    63021: Outcome.REFUSED,
    63024: Outcome.BAD_RECIPIENT,
    63027: Outcome.TEMPLATE_UNAVAILABLE,  # not in this language
    63028: Outcome.REFUSED,  # number of template variables
    63030: Outcome.REFUSED,
    63031: Outcome.BAD_RECIPIENT,  # sender and recipient are the same
    63032: Outcome.UNREACHABLE,  # WhatsApp does not let us write to this person
    63033: Outcome.BLOCKED,  # the recipient blocked the sender
    63034: Outcome.REFUSED,  # file too large
    63036: Outcome.UNREACHABLE,
    63040: Outcome.TEMPLATE_UNAVAILABLE,  # rejected
    63041: Outcome.TEMPLATE_UNAVAILABLE,  # paused
    63042: Outcome.TEMPLATE_UNAVAILABLE,  # disabled
    63049: Outcome.UNREACHABLE,  # Meta chose not to deliver
    # Media.
    11200: Outcome.TRANSIENT,  # our server did not answer Twilio
    11205: Outcome.TRANSIENT,
    12300: Outcome.REFUSED,  # media type
}


def outcome_of(code: int, status: int = 400) -> Outcome:
    """What a code means, with the HTTP status it came by (400 for a status callback).

    Unknown codes: 429 is throttling; 5xx and 401 are not the message's fault and may pass;
    30xxx and 63xxx are the way to this person failing; the rest is a wrong request.
    """
    if code in _TABLE:
        return _TABLE[code]
    if status == 429:
        return Outcome.THROTTLED
    if status >= 500 or status in (401, 403):
        return Outcome.TRANSIENT
    return Outcome.UNREACHABLE if code // 1000 in (30, 63) else Outcome.REFUSED
