"""The command line's work on a real database; the messengers of `tests/support`."""

from support.messengers import emulator, world

__all__ = ["emulator", "world"]
