"""How a message would arrive: asked of the renderers that draw what is sent."""

from bot.channels import telegram_render, whatsapp_render
from bot.channels.whatsapp_render import InteractivePart, TextPart
from conversation.looks import Look
from conversation.message import ChannelName, Content


def look(channel: ChannelName, content: Content) -> Look:
    """As it goes to somebody who may be written to freely."""
    if channel is ChannelName.TELEGRAM:
        calls = telegram_render.render(content)
        return Look(len(calls))
    parts = whatsapp_render.render(content)
    words = [part for part in parts if isinstance(part, TextPart | InteractivePart)]
    return Look(len(parts), tuple(part.body for part in words))
