"""What the tests share: an empty database, the whole program against the emulator."""
