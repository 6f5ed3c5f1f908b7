"""What people do on WhatsApp: each message is posted, signed, to the sender's webhook."""

import asyncio
import uuid
from collections import defaultdict
from dataclasses import dataclass, field
from typing import Final

from emulator.config import Config, Switches, WhatsAppSender
from emulator.files import Files
from emulator.store import Json
from emulator.tasks import Tasks
from emulator.twilio_out import Sent, TwilioOut
from emulator.twilio_post import Poster
from emulator.wire import Answer
from emulator.world import Message, Person, World

# Twilio's default keywords, "Advanced opt-out": English only unless configured.
STOP: Final = ("stop", "stopall", "unsubscribe", "cancel", "end", "quit")
START: Final = ("start", "unstop", "yes")


@dataclass
class Inbound:
    """One message to the product and how its delivery went."""

    sid: str
    sender: str
    form: dict[str, str]
    answers: list[int] = field(default_factory=list)  # HTTP statuses, 0 for no connection
    message: Message | None = None
    replies: list[str] = field(default_factory=list)  # TwiML bodies that were not empty
    done: bool = False


class WhatsAppPeople:
    """Acts of people towards a sender; each returns the MessageSid."""

    def __init__(
        self, world: World, files: Files, config: Config, switches: Switches, poster: Poster,
        out: TwilioOut,
    ) -> None:  # fmt: skip
        self.inbound: dict[str, Inbound] = {}
        self.held: list[Inbound] | None = None
        self.copies = 0
        self.base = ""
        self._world = world
        self._files = files
        self._config = config
        self._switches = switches
        self._poster = poster
        self._out = out
        self._locks: dict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self.tasks = Tasks(world.counters)

    # acts -----------------------------------------------------------------------------------
    def say(self, sender: WhatsAppSender, person: Person, text: str) -> str:
        """Types a text; STOP opts out where the switch says so."""
        chat = self._world.chat(person.id, sender.address)
        word, extra = text.strip().lower(), {}
        if self._switches.stop_opts_out and word in STOP + START:
            chat.opted_out = word in STOP
            extra["OptOutType"] = "STOP" if chat.opted_out else "START"
        chat.draft = ""
        return self._send(sender, person, {"Body": text} | extra, Message(
            self._world.next_seq(), person.id, sender.address, True, text,
            self._world.clock.now()))  # fmt: skip

    def tap(self, sender: WhatsAppSender, person: Person, message: Message, button: Json) -> str:
        """Taps a quick reply, also of a message long gone by."""
        fields = {"Body": button["text"], "ButtonText": button["text"]}
        if button.get("id"):
            fields["ButtonPayload"] = button["id"]
        fields["MessageType"] = "button" if message.template else "interactive"
        return self._answer(sender, person, message, fields, button["text"])

    def choose(self, sender: WhatsAppSender, person: Person, message: Message, row: Json) -> str:
        """Chooses a row of a list and sends it."""
        fields = {"Body": row["title"], "ListId": row["id"], "ListTitle": row["title"]}
        if row["description"]:
            fields["ListDescription"] = row["description"]
        fields["MessageType"] = "interactive"
        return self._answer(sender, person, message, fields, row["title"])

    def _answer(self, sender: WhatsAppSender, person: Person, message: Message,
                fields: dict[str, str], text: str) -> str:  # fmt: skip
        fields["OriginalRepliedMessageSid"] = message.sid
        fields["OriginalRepliedMessageSender"] = sender.address
        return self._send(sender, person, fields, Message(
            self._world.next_seq(), person.id, sender.address, True, text,
            self._world.clock.now()))  # fmt: skip

    def send_file(self, sender: WhatsAppSender, person: Person, kind: str, content: bytes,
                  name: str, mime: str, caption: str) -> str:  # fmt: skip
        """Sends a picture, voice message or document; Twilio keeps it behind a MediaUrl."""
        meta = self._files.add(content, name, mime, "ME")
        fields = {"Body": caption, "NumMedia": "1", "MediaContentType0": meta["mime"]}
        fields["MessageType"] = {"photo": "image", "voice": "audio"}.get(kind, kind)
        message = Message(
            self._world.next_seq(), person.id, sender.address, True, caption,
            self._world.clock.now(), media=meta | {"kind": kind},
        )  # fmt: skip
        return self._send(sender, person, fields, message)

    def share_contact(self, sender: WhatsAppSender, person: Person, whose: Json) -> str:
        """Shares a contact: Twilio passes it on as a vCard medium."""
        card = f"BEGIN:VCARD\nVERSION:3.0\nFN:{whose['name']}\nTEL:{whose['phone']}\nEND:VCARD\n"
        meta = self._files.add(card.encode(), f"{whose['name']}.vcf", "text/vcard", "ME")
        fields = {"NumMedia": "1", "MediaContentType0": "text/vcard", "MessageType": "contacts"}
        media = meta | {"kind": "contact", "name": whose["name"], "phone": whose["phone"]}
        message = Message(
            self._world.next_seq(), person.id, sender.address, True, "",
            self._world.clock.now(), media=media,
        )  # fmt: skip
        return self._send(sender, person, fields, message)

    def share_location(self, sender: WhatsAppSender, person: Person, latitude: float,
                       longitude: float) -> str:  # fmt: skip
        """Sends a place."""
        fields = {"Body": "", "Latitude": str(latitude), "Longitude": str(longitude)}
        media = {"kind": "location", "latitude": latitude, "longitude": longitude}
        return self._send(sender, person, fields | {"MessageType": "location"}, Message(
            self._world.next_seq(), person.id, sender.address, True, "",
            self._world.clock.now(), media=media))  # fmt: skip

    # sending --------------------------------------------------------------------------------
    def _send(
        self, sender: WhatsAppSender, person: Person, fields: dict[str, str], message: Message
    ) -> str:
        media = message.media if fields.get("NumMedia") == "1" else None
        sid = ("MM" if media else "SM") + uuid.uuid4().hex
        if media:
            fields["MediaUrl0"] = f"{self._media_root}/Messages/{sid}/Media/{media['file']}"
        message.sid, message.status = sid, "sent"
        self._world.show(message)
        chat = self._world.chat(person.id, sender.address)
        chat.last_inbound, chat.started = self._world.clock.now(), True
        self._world.save_chat(chat)
        form = self._form(sender, person, sid, fields)
        inbound = Inbound(sid, sender.address, form, message=message)
        self._remember(inbound, person)
        self._start(inbound, person.id)
        return sid

    @property
    def _media_root(self) -> str:
        account = self._config.account.sid if self._config.account else ""
        return f"{self.base}/2010-04-01/Accounts/{account}"

    def _form(
        self, sender: WhatsAppSender, person: Person, sid: str, fields: dict[str, str]
    ) -> dict[str, str]:
        """The field set of "Our request to your webhook URL" for WhatsApp."""
        form = {
            "SmsMessageSid": sid, "NumMedia": "0", "ProfileName": person.name,
            "MessageType": "text", "SmsSid": sid, "SmsStatus": "received", "Body": "",
            "To": sender.address, "NumSegments": "1", "ReferralNumMedia": "0",
            "MessageSid": sid, "From": person.address, "ApiVersion": "2010-04-01",
            "AccountSid": self._config.account.sid if self._config.account else "",
        }  # fmt: skip
        if not person.hidden:
            form["WaId"] = person.phone.lstrip("+")
        if person.external_id:
            form["ExternalUserId"] = f"whatsapp:{person.external_id}"
        return form | fields

    def _remember(self, inbound: Inbound, person: Person) -> None:
        self.inbound[inbound.sid] = inbound
        form = inbound.form
        sent = Sent(
            inbound.sid, form["From"], form["To"], form["Body"], self._world.clock.now(),
            person=person.id, status="received", media=int(form["NumMedia"]), inbound=True,
        )  # fmt: skip
        self._out.sent[sent.sid] = sent
        self._out.save(sent)

    def _start(self, inbound: Inbound, person: str) -> None:
        if self.held is not None:
            self.held.append(inbound)
            return
        copies, self.copies = self.copies, 0
        self.tasks.start(self._in_turn(inbound, person))
        for _ in range(copies):
            self.repeat(inbound)

    async def _in_turn(self, inbound: Inbound, person: str) -> None:
        async with self._locks[person]:
            await self._deliver(inbound)

    async def _deliver(self, inbound: Inbound) -> None:
        sender = next(s for s in self._config.senders if s.address == inbound.sender)
        if sender.webhook:

            def seen(answer: Answer) -> None:
                inbound.answers.append(answer.status)
                self._note_reply(inbound, answer.body.decode(errors="replace"))
                self._world.wake()

            await self._poster.post(
                sender.webhook, inbound.form, self._switches.inbound_timeout, seen
            )
        inbound.done = True
        self._tick(inbound)
        self._world.wake()

    def _tick(self, inbound: Inbound) -> None:
        """Two grey ticks once the product has taken the message."""
        taken = any(200 <= status < 300 for status in inbound.answers)
        if taken and inbound.message and inbound.message.status == "sent":
            inbound.message.status = "delivered"
            self._world.changed(inbound.message)

    def _note_reply(self, inbound: Inbound, body: str) -> None:
        """Only an empty <Response/> is honoured: a TwiML message is noted, not sent."""
        bare = body.replace(" ", "").replace("\n", "")
        if "<Message" in body or (bare and "<Response" not in body and bare[0] == "<"):
            inbound.replies.append(body)
            self._world.counters.refuse("inbound", "TwiML with content")

    # scripting ------------------------------------------------------------------------------
    def repeat(self, inbound: Inbound) -> None:
        """Posts it once more beside everything else."""
        inbound.done = False
        self.tasks.start(self._deliver(inbound))

    def release(self, order: list[int] | None = None) -> None:
        """Lets held messages go, as they came or in the order of `order`, one after another."""
        held, self.held = self.held or [], None
        places = order if order is not None else list(range(len(held)))
        self.tasks.start(self._release([held[place] for place in places]))

    async def _release(self, held: list[Inbound]) -> None:
        for inbound in held:
            await self._deliver(inbound)
