"""Kinds of notices, and the hours in which people are left in peace."""

from datetime import datetime, time, timedelta
from enum import StrEnum


class NoticeKind(StrEnum):
    """What a notice is about; residents may mute kinds that the rulebook does not call urgent."""

    ANNOUNCEMENT = "announcement"
    UTILITIES = "utilities"  # water, power, heating, roads
    EVENT = "event"
    URGENT = "urgent"


def quiet_until(local_moment: datetime, begins: time, ends: time) -> datetime | None:
    """The end of the quiet hours that this local moment lies in; None outside them.

    From `begins` (inclusive) to `ends` (exclusive), over midnight where `begins` is later than
    `ends`; equal hours mean no quiet at all (DESIGN part 7).
    """
    hour = local_moment.timetz().replace(tzinfo=None)
    if begins == ends:
        return None
    over_midnight = begins > ends
    evening, morning = hour >= begins, hour < ends
    quiet = evening or morning if over_midnight else evening and morning
    if not quiet:
        return None
    day = local_moment.date()
    if over_midnight and evening:
        day += timedelta(days=1)
    return datetime.combine(day, ends, tzinfo=local_moment.tzinfo)
