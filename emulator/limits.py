"""The table of limits: every number the platforms refuse by, with the place it was read in."""

from typing import Final

# --- Telegram ------------------------------------------------------------------------------
# Bots FAQ "My bot is hitting limits": about 30 messages/s over all chats, about 1/s in one
# chat (short bursts pass), 20 per minute in a group.
TG_PER_SECOND: Final = 30
TG_GROUP_PER_MINUTE: Final = 20
# Bot API, sendMessage.text: 1-4096 characters after entities parsing (UTF-16 code units here).
TG_TEXT: Final = 4096
# Bot API, sendPhoto.caption: 0-1024 characters after entities parsing.
TG_CAPTION: Final = 1024
# Bot API, InlineKeyboardButton.callback_data: 1-64 bytes.
TG_CALLBACK_BYTES: Final = 64
# Bot API, answerCallbackQuery.text: 0-200 characters.
TG_TOAST: Final = 200
# limits.tginfo.me "Buttons": 100 in one inline keyboard, 300 in a reply keyboard.
TG_INLINE_BUTTONS: Final = 100
TG_REPLY_BUTTONS: Final = 300
# Bot API, getUpdates.limit 1-100; updates are kept no longer than 24 hours.
TG_UPDATES: Final = 100
TG_UPDATE_SECONDS: Final = 86_400.0
# Bot API, setWebhook: secret_token 1-256 of [A-Za-z0-9_-], max_connections 1-100 (40).
TG_SECRET: Final = 256
TG_CONNECTIONS: Final = 100
# Bot API "Sending files": 10 MB photos, 50 MB other files; getFile gives up to 20 MB.
TG_PHOTO_BYTES: Final = 10 * 2**20
TG_FILE_BYTES: Final = 50 * 2**20
TG_DOWNLOAD_BYTES: Final = 20 * 2**20
# Bot API, sendMediaGroup: 2-10 items.
TG_ALBUM: Final = (2, 10)
# Bot API, setMyCommands: at most 100; command 1-32 of [a-z0-9_]; description 1-256.
TG_COMMANDS: Final = 100
TG_COMMAND: Final = 32
TG_COMMAND_TEXT: Final = 256
# Bot API, setMyDescription 512, setMyShortDescription 120, setMyName 64.
TG_DESCRIPTION: Final = 512
TG_SHORT_DESCRIPTION: Final = 120
TG_NAME: Final = 64
# Bot API, deleteMessage: only messages younger than 48 hours.
TG_DELETE_SECONDS: Final = 48 * 3600.0
# Deep links ("Deep Linking" in Bot features): up to 64 of [A-Za-z0-9_-].
TG_START: Final = 64

# --- Twilio and WhatsApp --------------------------------------------------------------------
# twilio.com/docs/api/errors/21617: the concatenated body exceeds 1600 characters.
WA_BODY: Final = 1600
# twilio.com/docs/api/errors/21658: a content variable is longer than 1600 characters.
WA_VARIABLE: Final = 1600
# Content docs, "Using variables": at most 100 variables.
WA_VARIABLES: Final = 100
# Content docs, twilio/quick-reply: body 1024; 3 buttons in session, 10 in an approved
# template; title 20, id 256.
WA_QUICK_BODY: Final = 1024
WA_QUICK_SESSION: Final = 3
WA_QUICK_TEMPLATE: Final = 10
WA_QUICK_TITLE: Final = 20
WA_QUICK_ID: Final = 256
# Content docs, twilio/list-picker: body 1024, button 20, 1-10 items, item 24, description 72,
# id 200.
WA_LIST_BODY: Final = 1024
WA_LIST_BUTTON: Final = 20
WA_LIST_ITEMS: Final = 10
WA_LIST_TITLE: Final = 24
WA_LIST_TEXT: Final = 72
WA_LIST_ID: Final = 200
# Content docs, twilio/text and twilio/media body.
WA_CONTENT_BODY: Final = 1600
# twilio.com/docs/whatsapp/api "Conversational messaging": 24-hour window.
WA_WINDOW: Final = 24 * 3600.0
# Meta "Messaging limits": 250 unique people per moving 24 h for a new sender.
WA_QUOTA: Final = 250
# Twilio "WhatsApp best practices": 80 messages a second per sender.
WA_PER_SECOND: Final = 80
# twilio.com/docs/whatsapp/guidance-whatsapp-media-messages: 16 MB, pictures 5 MB.
WA_MEDIA_BYTES: Final = 16 * 2**20
WA_PICTURE_BYTES: Final = 5 * 2**20
# twilio.com/docs/messaging/guides/webhook-request: 15 seconds for an answer (error 11205).
WA_WEBHOOK_SECONDS: Final = 15.0
WA_MEDIA_TYPES: Final = (
    "image/jpeg", "image/png", "image/webp", "audio/", "video/mp4", "video/3gpp", "text/",
    "application/pdf", "application/msword", "application/vnd.",
)  # fmt: skip

# Twilio's error texts: twilio.com/docs/api/errors/<code>
TWILIO_ERRORS: Final[dict[int, str]] = {
    11200: "HTTP retrieval failure",
    12300: "Invalid Content-Type",
    20001: "Invalid parameter",
    20003: "Authenticate",
    20404: "The requested resource {what} was not found",
    20429: "Too Many Requests",
    21211: "The 'To' number {what} is not a valid phone number.",
    21602: "Message body is required.",
    21604: "A 'To' phone number is required.",
    21603: "A 'From' phone number is required.",
    21609: "The StatusCallback URL {what} is not a valid URL.",
    21623: "Number of media files exceeds allowed limit",
    21606: "The 'From' phone number provided ({what}) is not a valid message-capable Twilio"
    " phone number for this destination.",
    21610: "Attempt to send to unsubscribed recipient",
    21617: "The concatenated message body exceeds the 1600 character limit.",
    21619: "A text message body or media urls must be specified.",
    21620: "Invalid media URL(s)",
    21655: "The ContentSid {what} is Invalid",
    21656: "The Content Variables parameter is invalid",
    21658: "Parameter character limit exceeded.",
    63005: "Channel did not accept given content. Please visit Channel specific error code",
    63014: "Message failed because it was blocked by user action",
    63016: "Failed to send freeform message because you are outside the allowed window. If you"
    " are using WhatsApp, please use a Message Template.",
    63018: "Rate limit exceeded for Channel",
    63019: "Media failed to download",
    63024: "Invalid message recipient",
    63038: "Account exceeded the daily messages limit",
    63041: "Template paused due to low quality",
}
