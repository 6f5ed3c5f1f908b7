// One message as its messenger draws it.
import { el, icon, initials, size, telegram, whatsapp } from "./text.js";
import { time, word } from "./words.js";

const fileUrl = (media) => `/emulator/files/${encodeURIComponent(media.file)}`;

export function bubble(message, phone) {
  const own = message.mine ? "mine" : "theirs";
  const body = el("div", { class: "bubble" });
  if (message.media) body.append(mediaOf(message, phone));
  if (message.text) body.append(words(message, phone));
  body.append(stamp(message, phone));
  const row = el("div", {
    class: `row ${own}${message.media && !message.text ? " bare" : ""}`, test: "message",
    data: { seq: message.seq, mine: message.mine },
  }, body);
  const below = phone.person.channel === "telegram" ? inlineKeyboard(message, phone) : replies(message, phone, body);
  if (below) { row.append(below); row.classList.add("has-keys"); }
  return row;
}

function words(message, phone) {
  const parts = phone.person.channel === "telegram"
    ? telegram(message.text, message.entities, phone.openLink, phone.say)
    : whatsapp(message.text, phone.openLink);
  return el("div", { class: "words" }, ...parts);
}

function stamp(message, phone) {
  const line = el("span", { class: "stamp" });
  if (message.edits) line.append(el("i", {}, `${word(phone.lang, "edited")} `));
  line.append(time(message.at));
  if (message.mine) line.append(tick(message, phone));
  return line;
}

function tick(message, phone) {
  const status = message.status || "sent";
  const read = status === "read" || (phone.person.channel === "whatsapp" && phone.answered(message));
  const holder = el("span", { class: `ticks ${read ? "read" : ""}`, title: status });
  holder.append(icon(status === "sent" && !read ? "one" : "two"));
  return holder;
}

function mediaOf(message, phone) {
  const media = message.media;
  if (media.kind === "photo" || media.kind === "sticker") return picture(media, phone);
  if (media.kind === "voice") return voice();
  if (media.kind === "contact") return contact(media);
  if (media.kind === "location") return place(media, phone);
  return documentCard(media);
}

function picture(media, phone) {
  const image = el("img", { class: media.kind, src: fileUrl(media), alt: media.name || "" });
  if (media.width > 40) { image.width = media.width; image.height = media.height; }
  image.addEventListener("load", () => { if (!phone.away) phone.scrollDown(); });
  return el("a", { class: "picture", href: fileUrl(media), target: "_blank", rel: "noopener" }, image);
}

function documentCard(media) {
  const kind = (media.name.split(".").pop() || "").slice(0, 4).toUpperCase();
  return el("a", { class: "doc", href: fileUrl(media), download: media.name, test: "document" },
    el("span", { class: "doc-icon" }, icon("doc")),
    el("span", { class: "doc-text" }, el("b", {}, media.name), el("small", {}, `${size(media.size)} · ${kind}`)));
}

function voice() {
  const bars = el("span", { class: "wave" });
  for (let n = 0; n < 26; n += 1) {
    const bar = el("i");
    bar.style.height = `${4 + Math.round(Math.abs(Math.sin(n * 1.7) + Math.sin(n * 0.6)) * 8)}px`;
    bars.append(bar);
  }
  return el("div", { class: "voice" }, el("span", { class: "play" }, icon("play")), bars, el("small", {}, "0:03"));
}

function contact(media) {
  return el("div", { class: "contact" }, el("span", { class: "avatar small" }, initials(media.name)),
    el("span", { class: "doc-text" }, el("b", {}, media.name), el("small", {}, media.phone)));
}

function place(media, phone) {
  return el("div", { class: "place" }, icon("pin"),
    el("small", {}, `${word(phone.lang, "mapText")}: ${media.latitude.toFixed(3)}, ${media.longitude.toFixed(3)}`));
}

// Telegram ----------------------------------------------------------------------------------
function inlineKeyboard(message, phone) {
  if (!message.buttons.length) return null;
  return el("div", { class: "inline" }, ...message.buttons.map((row) => el("div", { class: "keys" },
    ...row.map((button) => inlineButton(button, message, phone)))));
}

function inlineButton(button, message, phone) {
  const options = { type: "button", class: "key", test: "button", data: { label: button.text } };
  if (button.url) return el("button", { ...options, class: "key url", onclick: () => phone.openUrl(button.url) }, button.text);
  return el("button", { ...options, onclick: (event) => phone.tap(message, button.data, event.currentTarget) }, button.text);
}

// WhatsApp ----------------------------------------------------------------------------------
function replies(message, phone, body) {
  if (message.listing) {
    body.append(el("button", {
      type: "button", class: "in-bubble", test: "list-open", onclick: () => phone.openList(message),
    }, icon("list"), message.listing.button));
    return null;
  }
  if (!message.buttons.length) return null;
  const buttons = message.buttons.flat().map((button) => el("button", {
    type: "button", class: message.template ? "in-bubble" : "reply", test: "button",
    data: { label: button.text }, onclick: (event) => phone.tap(message, button.id || button.text, event.currentTarget),
  }, icon("reply"), el("span", {}, button.text)));
  if (message.template) { body.append(...buttons); return null; }
  return el("div", { class: "replies" }, ...buttons);
}
