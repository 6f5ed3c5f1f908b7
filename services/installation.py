"""What all processes share: the clock's offset, and the accounts on the messengers."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import quote
from uuid import UUID

from sqlalchemy import Row, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from core.crypto import Keyring
from core.languages import Language
from models.people import Address, Resident, ResidentAddress
from models.system import Account, Installation
from services import due, retired
from services.unit import Unit

SECRETS = "account.secrets"


@dataclass(frozen=True, slots=True)
class AccountView:
    """An account with its secrets open: they stay in memory."""

    id: UUID
    channel: str
    sender: str
    username: str | None
    secrets: dict[str, str]

    def __repr__(self) -> str:
        return f"AccountView({self.channel} {self.id})"


@dataclass(frozen=True, slots=True)
class Links:
    """How people are led to this installation's accounts (invitations, posters)."""

    telegram: str | None = None  # bot's username
    whatsapp: str | None = None  # number in E.164 with the plus

    def telegram_start(self, payload: str) -> str | None:
        """https://t.me/… that opens the bot with this start parameter."""
        return self.telegram and f"https://t.me/{self.telegram}?start={payload}"

    def starts(self, payload: str) -> dict[str, str]:
        """The links that open the chat with this payload, by messenger."""
        links = {
            "telegram": self.telegram_start(payload),
            "whatsapp": self.whatsapp_start(payload),
        }
        return {name: link for name, link in links.items() if link}

    def whatsapp_start(self, payload: str) -> str | None:
        """https://wa.me/… that opens the chat with these words typed in, ready to be sent."""
        number = (self.whatsapp or "").removeprefix("+")
        return f"https://wa.me/{number}?text={quote(f'Жиын {payload}')}" if number else None


async def clock_offset(session: AsyncSession) -> timedelta:
    """How far the installation's clock is ahead of the real one; zero in production."""
    return await session.scalar(select(Installation.clock_offset)) or timedelta()


async def set_clock(session: AsyncSession, offset: timedelta) -> None:
    """Sets how far the installation's clock is ahead: only the demo does."""
    await session.execute(update(Installation).values(clock_offset=offset))


@dataclass(frozen=True, slots=True)
class AddressView:
    """Where somebody is written to unasked."""

    id: UUID
    account: UUID
    channel: str
    language: Language


async def address_view(unit: Unit, address: UUID) -> AddressView | None:
    """The address; Kazakh, the state language, where none was chosen. None: there is no such."""
    row = (
        await unit.session.execute(
            select(Address.id, Address.account_id, Account.channel, Address.language)
            .join(Account, Account.id == Address.account_id)
            .where(Address.id == address)
        )
    ).one_or_none()
    return None if row is None else _address(row)


async def address_of(unit: Unit, resident: UUID) -> AddressView | None:
    """Where this person is written to unasked: the messenger they prefer, else where they wrote
    last. None: nowhere."""
    return next(iter(await addresses_of(unit, resident)), None)


async def addresses_of(unit: Unit, resident: UUID, *, but: UUID | None = None) -> list[AddressView]:
    """Where this person can be written to unasked, `but` for this chat: the messenger they
    prefer, then where they wrote last. Not where they have stopped."""
    found = await unit.session.execute(
        select(Address.id, Address.account_id, Account.channel, Address.language)
        .join(ResidentAddress, ResidentAddress.address_id == Address.id)
        .join(Resident, Resident.id == ResidentAddress.resident_id)
        .join(Account, Account.id == Address.account_id)
        .where(Resident.id == resident, Address.stopped_at.is_(None), Account.active)
        .order_by(
            (Account.channel == Resident.preferred_channel).desc().nulls_last(),
            Address.last_inbound_at.desc().nulls_last(),
            Address.id,
        )
    )
    return [_address(row) for row in found if row.id != but]


def _address(row: Row[UUID, UUID, str, str | None]) -> AddressView:
    address, account, channel, language = row
    return AddressView(address, account, channel, Language(language or "kk"))


async def ensure_account(
    unit: Unit, channel: str, sender: str, username: str | None, secrets: dict[str, str]
) -> AccountView:
    """The account that the environment names: made, or brought up to date."""
    found = await unit.session.scalar(
        select(Account).where(Account.channel == channel, Account.sender == sender)
    )
    if found is None:
        found = Account(
            id=unit.new_id(), channel=channel, sender=sender, created_at=unit.now, secrets=b""
        )
        unit.session.add(found)
        unit.audit("account-added", found.id, channel=channel)
    found.username, found.active = username or found.username, True
    found.secrets = unit.keyring.seal(SECRETS, found.id, json.dumps(secrets))
    await unit.session.flush()
    return _view(unit.keyring, found)


async def retire_others(unit: Unit, standing: Sequence[UUID]) -> list[UUID]:
    """Accounts that the environment does not name any more neither send nor receive; which. What
    they have not sent ends."""
    found = await unit.session.scalars(
        update(Account)
        .where(Account.active, Account.id.not_in(standing))
        .values(active=False)
        .returning(Account.id)
    )
    gone = list(found)
    for account in gone:
        unit.audit("account-retired", account)
        await due.plan(unit, unit.now, retired.END_DUE, account)
    return gone


async def accounts(session: AsyncSession, keyring: Keyring) -> list[AccountView]:
    """All active accounts."""
    found = await session.scalars(
        select(Account).where(Account.active).order_by(Account.created_at)
    )
    return [_view(keyring, account) for account in found]


def _view(keyring: Keyring, account: Account) -> AccountView:
    secrets = json.loads(keyring.open(SECRETS, account.id, account.secrets))
    return AccountView(account.id, account.channel, account.sender, account.username, secrets)


def links_of(accounts: Sequence[AccountView]) -> Links:
    """How people are led to these accounts."""
    telegram = next((a.username for a in accounts if a.channel == "telegram"), None)
    sender = next((a.sender for a in accounts if a.channel == "whatsapp"), None)
    return Links(telegram, sender.removeprefix("whatsapp:") if sender else None)
