"""The tokens, numbers and names of the benchmarks' installation."""

SECRET = "benchmark secret key of thirty-two characters"
TOKEN = "4242:AAbenchmark-token-for-the-stub"
WEBHOOK_SECRET = "webhook-secret"
SID = "AC" + "1" * 32
AUTH = "twilio-auth-token"
SENDER = "whatsapp:+77001112233"
OKRUG, VILLAGE = "595041000", "595041100"
TELEGRAM, WHATSAPP = "telegram", "whatsapp"
FIRST_CHAT, FIRST_PHONE = 1_000_000, 77_010_000_000
