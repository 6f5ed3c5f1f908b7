"""Every command counts days where TIMEZONE says, as `zhiyn serve` does."""

import json
from datetime import UTC, datetime, timedelta

from support.command import zhiyn
from support.database import TestDatabase
from support.people import one
from support.world import OKRUG

ELSEWHERE = "Europe/Moscow"  # UTC+3


async def test_the_last_day_of_a_role_ends_in_the_zone_of_the_settings(
    village: TestDatabase,
) -> None:
    """Before, the command line's days were Almaty's whatever was set."""
    words = ("invite", "--role", "akim", "--place", OKRUG, "--until", "2029-09-01", "--json")
    ran = await zhiyn(village, *words, TIMEZONE=ELSEWHERE)
    assert ran.code == 0, ran.err
    valid = datetime.fromisoformat(json.loads(ran.out)["valid_until"])
    assert valid.utcoffset() == timedelta(hours=3)
    stored = await one(village, "SELECT role_until FROM invitation")
    assert stored == datetime(2029, 9, 1, 21, tzinfo=UTC)


async def test_doctor_looks_at_the_zone_of_the_settings(db: TestDatabase) -> None:
    """Before, it looked at Almaty's and found all well."""
    for zone, state in ((ELSEWHERE, "fault"), ("Asia/Almaty", "ok"), ("", "ok")):
        ran = await zhiyn(db, "doctor", "--json", TIMEZONE=zone)
        (told,) = [each for each in json.loads(ran.out)["checks"] if each["name"] == "time zone"]
        assert told["state"] == state, told
