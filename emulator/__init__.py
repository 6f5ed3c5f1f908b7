"""Telegram's and Twilio's servers on loopback, strict as the real ones, with a page to chat in."""
