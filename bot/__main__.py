"""`python -m bot` is `zhiyn`."""

from bot.cli import main

if __name__ == "__main__":
    main()
