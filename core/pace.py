"""How fast the platforms let one account speak (PLATFORMS, limits), a little under their word."""

from datetime import timedelta

PER_SECOND = {"telegram": 29.8, "whatsapp": 75.0}  # of about 30, and 80
DAY = timedelta(hours=24)  # the moving day in which WhatsApp counts new conversations
WINDOW = timedelta(hours=24)  # WhatsApp: free text after the person's last message
