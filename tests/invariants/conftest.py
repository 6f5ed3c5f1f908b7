"""The messengers and one running process."""

from support.messengers import emulator, world

__all__ = ["emulator", "world"]
