"""Structured logs: one JSON line an event, codes and ids, never a name, number or text."""

import logging
import sys

import structlog


def set_up(level: str, *, plain: bool = False) -> None:
    """Once at start. `plain` is for people at a terminal (the demo)."""
    number = logging.getLevelNamesMapping()[level]
    renderer = structlog.dev.ConsoleRenderer() if plain else structlog.processors.JSONRenderer()
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=False,
    )
    # Libraries write addresses, tokens and SQL parameters into theirs.
    logging.basicConfig(level=logging.WARNING, format="%(name)s: %(levelname)s", force=True)
    for name in ("aiogram", "aiohttp.access", "apscheduler", "sqlalchemy", "twilio"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
