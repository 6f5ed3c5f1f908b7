"""How a message would arrive on a messenger, told before it is sent.

The limits of a messenger are known to its channel alone: a turn is given a function that asks
the very code that draws what is sent (docs/decisions/0027).
"""

from collections.abc import Callable
from dataclasses import dataclass

from conversation.message import ChannelName, Content


@dataclass(frozen=True, slots=True)
class Look:
    """In how many messages, and where that is told, in which pieces its text is cut; its buttons
    stand under the last one."""

    messages: int
    pieces: tuple[str, ...] = ()


Looks = Callable[[ChannelName, Content], Look]


def plain(channel: ChannelName, content: Content) -> Look:
    """Where no channel can be asked: one message."""
    return Look(1)
