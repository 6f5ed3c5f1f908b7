"""Telling somebody what they did not ask for: composed in their language, put into the outbox."""

from uuid import UUID

from conversation.message import Reply
from conversation.present import compose
from core.texts import texts
from services import installation, outbox
from services.installation import AddressView
from services.unit import Unit


async def tell(unit: Unit, resident: UUID, reply: Reply) -> bool:
    """Writes to this person where they are written to; False when there is no such chat.

    Only durable choices have a place in it. On WhatsApp, over 24 hours after the person's last
    message, it waits for their next one.
    """
    target = await installation.address_of(unit, resident)
    if target is None:
        return False
    await tell_at(unit, target, reply)
    return True


async def tell_at(unit: Unit, target: AddressView, reply: Reply) -> None:
    """Writes to this chat, as `tell` does."""
    content = compose(texts(), target.language, reply)
    await outbox.enqueue(
        unit, target.id, target.account, target.language, content.to_json(), outbox.REPLY
    )
