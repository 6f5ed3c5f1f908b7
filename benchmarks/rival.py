"""The rival: the usual aiogram bot with SQLAlchemy's ORM behind a webhook.

As tutorials build it (aiogram's SimpleRequestHandler, a session per update by a middleware, get
the user, look for the answer, add, commit), except that it acknowledges after its handler, as an
honest bot has to (`handle_in_background=False`). It keeps no replies, no state, no audit trail,
recognises no duplicates, encrypts nothing. `--quiet`: its answers go to a stub inside the process.
"""

import argparse
import asyncio
import logging
import os
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

from aiogram import Bot, Dispatcher, F, Router
from aiogram.client.session.aiohttp import AiohttpSession
from aiogram.client.session.base import BaseSession
from aiogram.client.telegram import TelegramAPIServer
from aiogram.types import CallbackQuery, InlineKeyboardButton, InlineKeyboardMarkup
from aiogram.webhook.aiohttp_server import SimpleRequestHandler
from aiohttp import web
from sqlalchemy import BigInteger, ForeignKey, UniqueConstraint, select
from sqlalchemy.ext.asyncio import (
    AsyncEngine,
    AsyncSession,
    async_sessionmaker,
    create_async_engine,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from benchmarks.names import FIRST_CHAT, TOKEN, WEBHOOK_SECRET
from bot.serve import stop_signal

router = Router()


def _now() -> datetime:
    return datetime.now(UTC).replace(tzinfo=None)


class Base(DeclarativeBase):
    """The rival's tables."""


class User(Base):
    """Somebody who writes to the bot."""

    __tablename__ = "users"

    id: Mapped[int] = mapped_column(primary_key=True)
    telegram_id: Mapped[int] = mapped_column(BigInteger, unique=True)
    full_name: Mapped[str]
    language: Mapped[str]


class Acknowledgement(Base):
    """Who has read what."""

    __tablename__ = "acknowledgements"

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    notice_id: Mapped[int]
    created_at: Mapped[datetime] = mapped_column(
        default=lambda: datetime.now(UTC).replace(tzinfo=None)
    )

    __table_args__ = (UniqueConstraint("user_id", "notice_id"),)


def engine(url: str) -> AsyncEngine:
    """With as many connections as ours has for turns."""
    return create_async_engine(url, pool_size=12, max_overflow=12)


async def prepare(url: str, people: int) -> None:
    """Its tables and users."""
    made = engine(url)
    async with made.begin() as connection:
        await connection.run_sync(Base.metadata.create_all)
        rows = [
            {"telegram_id": FIRST_CHAT + n, "full_name": f"Тұрғын {n}", "language": "kk"}
            for n in range(people)
        ]
        await connection.execute(User.__table__.insert(), rows)
        await connection.exec_driver_sql("ANALYZE")
    await made.dispose()


@router.callback_query(F.data.startswith("read:"))
async def read(query: CallbackQuery, session: AsyncSession) -> None:
    """ "I have read it": once."""
    notice = int((query.data or "").split(":")[1])
    user = await session.scalar(select(User).where(User.telegram_id == query.from_user.id))
    if user is None:
        await query.answer("Алдымен тіркеліңіз: /start")
        return
    known = await session.scalar(
        select(Acknowledgement).where(
            Acknowledgement.user_id == user.id, Acknowledgement.notice_id == notice
        )
    )
    if known is not None:
        await query.answer("Сіз бұрын оқыдыңыз.")
        return
    session.add(Acknowledgement(user_id=user.id, notice_id=notice))
    await session.commit()
    await query.answer("Рақмет, белгіленді.")
    done = InlineKeyboardButton(text="✓ Оқылды", callback_data=query.data)
    if query.message is not None:
        await query.message.edit_reply_markup(
            reply_markup=InlineKeyboardMarkup(inline_keyboard=[[done]])
        )


class Silent(BaseSession):
    """Telegram inside the process: says yes at once."""

    async def make_request(self, bot: Bot, method: Any, timeout: int | None = None) -> Any:  # noqa: ASYNC109
        """Whatever it is."""
        return True

    async def stream_content(self, *_: Any, **__: Any) -> Any:
        """Nothing is downloaded."""
        yield b""

    async def close(self) -> None:
        """Nothing is open."""


async def _serve(given: argparse.Namespace) -> None:
    made = engine(given.database)
    sessions = async_sessionmaker(made, expire_on_commit=False)
    dispatcher = Dispatcher()
    dispatcher.include_router(router)

    @dispatcher.update.middleware()
    async def with_session(
        handler: Callable[..., Awaitable[Any]], event: Any, data: dict[str, Any]
    ) -> Any:
        async with sessions() as session:
            return await handler(event, {**data, "session": session})

    api = TelegramAPIServer.from_base(given.platforms)
    bot = Bot(TOKEN, session=Silent() if given.quiet else AiohttpSession(api=api))
    server = web.Application()
    handler = SimpleRequestHandler(
        dispatcher, bot, handle_in_background=False, secret_token=WEBHOOK_SECRET
    )
    handler.register(server, path="/telegram")

    async def ready(request: web.Request) -> web.Response:
        async with made.connect() as connection:
            await connection.exec_driver_sql("SELECT 1")
        return web.Response()

    server.router.add_get("/ready", ready)
    runner = web.AppRunner(server, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", given.port, reuse_port=True).start()
    print("started", os.getpid(), flush=True)
    await stop_signal().wait()
    await runner.cleanup()
    await made.dispose()


def main() -> None:
    """The process."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--database", required=True)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--platforms", required=True)
    parser.add_argument("--quiet", action="store_true")
    logging.basicConfig(level=logging.WARNING)
    asyncio.run(_serve(parser.parse_args()))


if __name__ == "__main__":
    main()
