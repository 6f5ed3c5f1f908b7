// One phone: its header, chat, keyboard, composer, menus and sheets.
import { act, base64 } from "./api.js";
import { bubble } from "./bubble.js";
import { el, icon, initials } from "./text.js";
import { date, dayNumber, word } from "./words.js";

export class Phone {
  constructor(person, world) {
    this.person = person;
    this.world = world;
    this.messages = new Map();
    this.rows = new Map();
    this.chat = {};
    this.openLink = this.openLink.bind(this);
    this.say = this.say.bind(this);
    this.build();
  }

  get lang() { return this.person.language === "ru" ? "ru" : "kk"; }
  get id() { return this.person.id; }
  get telegram() { return this.person.channel === "telegram"; }
  text(key) { return word(this.lang, key); }

  // building ---------------------------------------------------------------------------------
  build() {
    this.log = el("div", { class: "log", role: "log", "aria-live": "polite", tabIndex: 0, test: `chat-${this.id}`, ariaLabel: this.person.name });
    this.bottom = el("div", { class: "bottom" });
    this.layer = el("div", { class: "layer" });
    this.toastBox = el("div", { class: "toast", role: "status", test: `toast-${this.id}` });
    this.screen = el("div", { class: `screen ${this.person.channel}` }, this.header(), this.log, this.bottom, this.toastBox, this.layer);
    this.node = el("section", { class: "phone", test: `phone-${this.id}`, ariaLabel: this.person.name }, this.caption(), el("div", { class: "body" }, this.screen));
    this.screen.addEventListener("keydown", (event) => { if (event.key === "Escape") this.close(); });
    this.buildBottom();
    this.drawIntro();
    this.log.addEventListener("scroll", () => { this.away = this.log.scrollHeight - this.log.scrollTop - this.log.clientHeight > 160; });
    new ResizeObserver(() => { if (!this.away) this.scrollDown(); }).observe(this.log);
  }

  caption() {
    const avatar = el("span", { class: "avatar" }, initials(this.person.name));
    avatar.style.background = this.person.colour;
    const channel = this.telegram ? "Telegram" : "WhatsApp";
    const role = [this.person.role, this.person.language === "ru" ? "рус" : "қаз"].filter(Boolean).join(" · ");
    this.role = el("small", {}, role);
    return el("div", { class: "caption", test: `caption-${this.id}` }, avatar,
      el("span", { class: "who" }, el("b", {}, this.person.name), this.role),
      el("span", { class: `badge ${this.person.channel}` }, channel));
  }

  header() {
    this.title = el("b", {});
    this.subtitle = el("small", {});
    this.face = el("span", { class: "face" }, el("img", { src: "/static/icon.svg", alt: "" }));
    const more = el("button", { type: "button", class: "round", test: `menu-${this.id}`, ariaLabel: this.text("menu"), onclick: () => this.openMenu() }, icon("more"));
    this.drawTitle();
    return el("header", { class: "head" }, icon("back"), this.face, el("span", { class: "head-text" }, this.title, this.subtitle), more);
  }

  drawTitle() {
    this.title.textContent = this.world.productName(this.person);
    this.subtitle.textContent = this.busy ? this.text("typing") : this.text(this.telegram ? "bot" : "online");
    this.subtitle.classList.toggle("typing", Boolean(this.busy));
  }

  buildBottom() {
    this.input = el("textarea", { rows: 1, placeholder: this.text("write"), test: `composer-${this.id}`, ariaLabel: this.text("write"), oninput: () => this.grow(), onkeydown: (event) => this.enter(event) });
    this.sendButton = el("button", { type: "button", class: "send", test: `send-${this.id}`, ariaLabel: this.text("send"), onclick: () => this.submit() }, icon("send"));
    const clip = el("button", { type: "button", class: "round", test: `attach-${this.id}`, ariaLabel: this.text("attach"), onclick: () => this.openAttach() }, icon("clip"));
    this.toggle = el("button", { type: "button", class: "round keys-toggle", ariaLabel: this.text("keyboard"), onclick: () => this.toggleKeys() }, icon("keys"));
    this.field = el("div", { class: "field" }, icon("smile"), this.input, this.toggle, clip);
    this.commands = el("button", { type: "button", class: "commands", test: `commands-${this.id}`, onclick: () => this.openCommands() }, this.text("menu"));
    this.composer = el("div", { class: "composer" }, this.commands, this.field, this.sendButton);
    this.keyboard = el("div", { class: "keyboard", test: `keyboard-${this.id}` });
    this.bar = el("button", { type: "button", class: "big", test: `start-${this.id}`, onclick: () => this.pressBar() });
    this.bottom.append(this.composer, this.keyboard, this.bar);
  }

  drawIntro() {
    this.intro?.remove();
    if (this.telegram) {
      const text = this.world.description(this.lang);
      this.intro = text ? el("div", { class: "about" }, el("b", {}, this.text("what")), el("p", {}, text)) : null;
    } else this.intro = el("div", { class: "chip secure" }, this.text("encrypted"));
    if (this.intro) this.log.prepend(this.intro);
  }

  // what is new --------------------------------------------------------------------------------
  setChat(chat) {
    const draft = chat.draft && chat.draft !== this.chat.draft;
    const before = JSON.stringify(this.chat.keyboard);
    this.chat = chat;
    if (draft) { this.input.value = chat.draft; this.grow(); this.input.focus(); }
    if (JSON.stringify(chat.keyboard) !== before) this.keysHidden = false;
    this.drawBottom();
  }

  setPerson(person) {
    this.person = person;
    this.role.textContent = [person.role, person.language === "ru" ? "рус" : "қаз"].filter(Boolean).join(" · ");
  }

  put(message) {
    const fresh = !this.messages.has(message.seq);
    this.messages.set(message.seq, message);
    if (message.deleted) this.removeRow(message.seq);
    else this.draw(message);
    if (!message.mine && fresh) { this.busy = false; this.drawTitle(); this.retick(); }
    if (!this.away || (fresh && message.mine)) this.scrollDown();
    if (fresh) this.drawBottom();
  }

  draw(message) {
    const row = bubble(message, this);
    const old = this.rows.get(message.seq);
    if (old) { row.style.animation = "none"; old.replaceWith(row); } // an edit does not arrive anew
    else { this.day(message); this.log.append(row); }
    this.rows.set(message.seq, row);
  }

  day(message) {
    const number = dayNumber(message.at);
    if (number === this.lastDay) return;
    this.lastDay = number;
    const ago = dayNumber(this.world.now()) - number;
    const label = ago === 0 ? this.text("today") : ago === 1 ? this.text("yesterday") : date(message.at, this.lang);
    this.log.append(el("div", { class: "chip day", data: { at: message.at } }, label));
  }

  redate() {
    for (const chip of this.log.querySelectorAll(".day")) {
      const at = Number(chip.dataset.at), ago = dayNumber(this.world.now()) - dayNumber(at);
      chip.textContent = ago === 0 ? this.text("today") : ago === 1 ? this.text("yesterday") : date(at, this.lang);
    }
  }

  removeRow(seq) {
    this.rows.get(seq)?.remove();
    this.rows.delete(seq);
  }

  answered(message) {
    return [...this.messages.values()].some((other) => !other.mine && other.seq > message.seq);
  }

  retick() {
    if (this.telegram) return;
    for (const [seq, message] of this.messages) {
      const row = this.rows.get(seq);
      if (message.mine && row && !row.querySelector(".ticks.read")) this.draw(message);
    }
  }

  scrollDown() { this.log.scrollTop = this.log.scrollHeight; }

  toast(text, alert) {
    if (!text) return;
    if (alert) { this.sheet(el("p", { class: "ask" }, text), this.choices([["close", () => this.close()]])); return; }
    this.toastBox.textContent = text;
    this.toastBox.classList.add("on");
    clearTimeout(this.toastTimer);
    this.toastTimer = setTimeout(() => this.toastBox.classList.remove("on"), 3500);
  }

  typing() {
    this.busy = true;
    this.drawTitle();
    clearTimeout(this.typingTimer);
    this.typingTimer = setTimeout(() => { this.busy = false; this.drawTitle(); }, 5000);
  }

  // bottom -------------------------------------------------------------------------------------
  drawBottom() {
    const label = this.barLabel();
    this.bar.hidden = !label;
    this.bar.textContent = label || "";
    this.composer.hidden = Boolean(label);
    const keyboard = label ? null : this.chat.keyboard;
    this.commands.hidden = !this.telegram || Boolean(keyboard) || !this.world.commands(this.lang).length;
    this.toggle.hidden = !keyboard;
    this.keyboard.hidden = !keyboard || this.keysHidden;
    this.keyboard.replaceChildren(...(keyboard ? keyboard.rows.map((row) => this.keyRow(row)) : []));
    this.input.placeholder = keyboard?.placeholder || this.text("write");
    if (!this.keyboard.hidden) this.scrollDown();
  }

  barLabel() {
    if (this.chat.blocked) return this.text(this.telegram ? "unblock" : "waBlocked");
    if (this.telegram && (!this.chat.started || this.chat.start_payload)) return this.text("start");
    return "";
  }

  keyRow(row) {
    return el("div", { class: "keys" }, ...row.map((key) => el("button", {
      type: "button", class: "key", test: "keyboard-button", data: { label: key.text }, onclick: () => this.pressKey(key),
    }, key.contact ? icon("person") : null, key.location ? icon("pin") : null, key.text)));
  }

  toggleKeys() { this.keysHidden = !this.keysHidden; this.drawBottom(); }

  grow() {
    this.input.style.height = "auto";
    this.input.style.height = `${Math.min(this.input.scrollHeight, 110)}px`;
    this.sendButton.classList.toggle("ready", Boolean(this.input.value.trim()));
  }

  // acts ---------------------------------------------------------------------------------------
  async do(what, body) {
    try { return await act(this.id, what, body); }
    catch (error) { this.toast(`${this.text("error")}: ${error.message}`); return null; }
  }

  enter(event) {
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing) { event.preventDefault(); this.submit(); }
  }

  submit() {
    const text = this.takeText();
    if (text) this.say(text);
  }

  takeText() {
    const text = this.input.value.trim();
    this.input.value = "";
    this.grow();
    return text;
  }

  say(text) { return this.do("say", { text }); }
  pressBar() { return this.do(this.chat.blocked && !this.telegram ? "unblock" : "start"); }

  async tap(message, button, node) {
    node.classList.add("waiting");
    await this.do("tap", { button, message: message.seq });
    setTimeout(() => node.classList.remove("waiting"), 700);
  }

  pressKey(key) {
    if (!key.contact) return this.do("tap", { button: key.text });
    return this.sheet(el("p", { class: "ask" }, el("b", {}, this.text("shareOwn")), el("span", {}, `${this.text("shareText")} ${this.person.phone}`)),
      this.choices([["cancel", () => this.close()], ["share", () => { this.close(); this.do("tap", { button: key.text }); }]]));
  }

  openLink(url) { this.close(); return this.do("open_link", { url }); }
  openUrl(url) {
    if (/^https?:\/\/(t|wa)\.me\//.test(url)) return this.openLink(url);
    return window.open(url, "_blank", "noopener");
  }

  // sheets -------------------------------------------------------------------------------------
  sheet(...children) {
    const box = el("div", { class: "panel", role: "dialog", ariaModal: "true" }, ...children);
    this.layer.replaceChildren(el("button", { type: "button", class: "veil", ariaLabel: this.text("close"), onclick: () => this.close() }), box);
    this.layer.classList.add("on");
    (box.querySelector("input, button.main, .option, button") || box).focus();
    return box;
  }

  close() { this.layer.classList.remove("on"); this.layer.replaceChildren(); }

  choices(list) {
    return el("div", { class: "choices" }, ...list.map(([key, work], index) => el("button", {
      type: "button", class: index === list.length - 1 ? "main" : "", test: `sheet-${key}`, onclick: work,
    }, this.text(key))));
  }

  options(list) {
    return el("div", { class: "options" }, ...list.filter(Boolean).map(([name, label, work, test]) => el("button", {
      type: "button", class: "option", test, onclick: () => { this.close(); work(); },
    }, el("span", { class: `dot dot-${name}` }, icon(name)), label)));
  }

  openMenu() {
    const blocked = this.chat.blocked;
    this.sheet(this.options([
      ["link", this.text("openLink"), () => this.askLink(), "menu-link"],
      this.telegram && ["flag", this.text("pressStart"), () => this.do("start"), "menu-start"],
      ["block", this.text(blocked ? "unblockMenu" : "block"), () => this.do(blocked ? "unblock" : "block"), "menu-block"],
    ]));
  }

  openCommands() {
    const list = this.world.commands(this.lang).map(({ command, description }) => el("button", {
      type: "button", class: "option", test: "command", data: { label: `/${command}` }, onclick: () => { this.close(); this.say(`/${command}`); },
    }, el("span", { class: "described" }, description, el("small", {}, `/${command}`))));
    this.sheet(el("div", { class: "options" }, ...list));
  }

  askLink() {
    const input = el("input", { type: "text", placeholder: this.text("linkHint"), ariaLabel: this.text("linkHint"), test: "link-input" });
    const go = () => { if (input.value.trim()) this.openLink(input.value.trim()); };
    input.addEventListener("keydown", (event) => { if (event.key === "Enter") go(); });
    this.sheet(el("p", { class: "ask" }, el("b", {}, this.text("openLink"))), input, this.choices([["cancel", () => this.close()], ["open", go]]));
  }

  openAttach() {
    const contacts = ["person", this.text("contact"), () => this.openContacts(), "attach-contact"];
    this.sheet(el("div", { class: "grid" }, this.options([
      ["photo", this.text("photo"), () => this.pick("photo", "image/png,image/jpeg"), "attach-photo"],
      ["picture", this.text("sample"), () => this.sampleShot(), "attach-sample"],
      ["doc", this.text("document"), () => this.pick("document", ""), "attach-document"],
      ["mic", this.text("voice"), () => this.do("file", { kind: "voice" }), "attach-voice"],
      ["pin", this.text("location"), () => this.do("location"), "attach-location"],
      contacts,
    ])));
  }

  openContacts() {
    const others = this.world.others(this.id).map((other) => ["person", `${other.name} · ${other.phone}`, () => this.do("contact", { of: other.id })]);
    this.sheet(el("p", { class: "ask" }, el("b", {}, this.text("chooseContact"))), this.options(others));
  }

  pick(kind, accept) {
    const input = el("input", { type: "file", accept, multiple: true });
    input.addEventListener("change", () => this.sendFiles(kind, [...input.files]));
    input.click();
  }

  // Several at once are an album on Telegram; what stands in the composer is the caption.
  async sendFiles(kind, files) {
    const album = this.telegram && files.length > 1 ? `album${Date.now()}` : "";
    let caption = this.takeText();
    for (const file of files) {
      await this.do("file", { kind, name: file.name, mime: file.type, content: await base64(file), caption, album });
      caption = "";
    }
  }

  sampleShot() {
    const canvas = el("canvas", { width: 640, height: 420 });
    drawRoad(canvas.getContext("2d"));
    canvas.toBlob((blob) => this.sendFiles("photo", [new File([blob], "road.jpg", { type: "image/jpeg" })]), "image/jpeg", 0.85);
  }

  openList(message) {
    let chosen = null;
    const send = el("button", { type: "button", class: "main", disabled: true, test: "list-send", onclick: () => { this.close(); this.do("choose", { row: chosen.id, message: message.seq }); } }, this.text("send"));
    const rows = message.listing.items.map((item) => {
      const radio = el("input", { type: "radio", name: `list-${this.id}`, test: "list-row", data: { label: item.title }, onchange: () => { chosen = item; send.disabled = false; } });
      return el("label", { class: "list-row" }, el("span", {}, el("b", {}, item.title), item.description ? el("small", {}, item.description) : null), radio);
    });
    this.sheet(el("p", { class: "ask center" }, el("b", {}, message.listing.button)), el("div", { class: "list-rows" }, ...rows), el("div", { class: "choices" }, send)).classList.add("tall");
  }
}

function drawRoad(pen) {
  const sky = pen.createLinearGradient(0, 0, 0, 200);
  sky.addColorStop(0, "#8ec5f0"); sky.addColorStop(1, "#e8f3fb");
  pen.fillStyle = sky; pen.fillRect(0, 0, 640, 420);
  pen.fillStyle = "#c9b458"; pen.fillRect(0, 190, 640, 230);
  pen.fillStyle = "#77736d"; pen.beginPath(); pen.moveTo(285, 190); pen.lineTo(345, 190); pen.lineTo(600, 420); pen.lineTo(60, 420); pen.fill();
  pen.fillStyle = "#46423d"; pen.beginPath(); pen.ellipse(320, 330, 120, 38, 0, 0, 7); pen.fill();
  pen.fillStyle = "#6d8fa8"; pen.beginPath(); pen.ellipse(325, 336, 92, 24, 0, 0, 7); pen.fill();
  pen.fillStyle = "#7a5a3c"; pen.fillRect(470, 120, 90, 75); pen.fillStyle = "#9c3b2e";
  pen.beginPath(); pen.moveTo(455, 122); pen.lineTo(515, 80); pen.lineTo(575, 122); pen.fill();
}
