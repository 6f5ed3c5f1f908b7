"""Which of the four pairs of messenger and language a test runs in.

A test for both languages on both messengers runs in two of the four pairs: each language and each
messenger once, which with which by the test's name and its other parameters, so that every pair
is met about as often. All four: `--every-pair`.
"""

from collections import defaultdict
from collections.abc import Iterable
from zlib import crc32

import pytest

from conversation.message import ChannelName
from core.languages import Language

WORDS = {*ChannelName, *Language}
PAIRS = {(channel, language) for channel in ChannelName for language in Language}


def left_out(items: Iterable[pytest.Item]) -> list[pytest.Item]:
    """Of each test that runs in all four pairs, the two that the other two stand for."""
    alike: dict[str, dict[tuple[ChannelName, Language], list[pytest.Item]]]
    alike = defaultdict(lambda: defaultdict(list))
    for item in items:
        if (found := _pair(item)) is not None:
            pair, rest = found
            alike[rest][pair].append(item)
    return [
        item
        for rest, by_pair in alike.items()
        if by_pair.keys() == PAIRS
        for pair, items in by_pair.items()
        if _stands_back(pair, rest)
        for item in items
    ]


def _pair(item: pytest.Item) -> tuple[tuple[ChannelName, Language], str] | None:
    """The messenger and the language of this test, and what tells it from others else."""
    call = getattr(item, "callspec", None)
    if call is None:
        return None
    channels = [one for one in call.params.values() if isinstance(one, ChannelName)]
    languages = [one for one in call.params.values() if isinstance(one, Language)]
    if len(channels) != 1 or len(languages) != 1:
        return None
    parts = item.nodeid.removesuffix("]").replace("[", "-", 1).split("-")
    return (channels[0], languages[0]), "-".join(one for one in parts if one not in WORDS)


def _stands_back(pair: tuple[ChannelName, Language], rest: str) -> bool:
    channel, language = pair
    same = (channel is ChannelName.TELEGRAM) == (language is Language.KK)
    return same == bool(crc32(rest.encode()) % 2)
