// The page: phones side by side, the guide, the clock, and news as it happens.
import { call } from "./api.js";
import { Phone } from "./phone.js";
import { el, icon } from "./text.js";
import { date, time, word } from "./words.js";

const $ = (id) => document.getElementById(id);
const phones = new Map();
const world = {
  offset: 0, bots: [], senders: [], steps: [],
  now: () => Date.now() / 1000 + world.offset,
  others: (id) => [...phones.values()].map((phone) => phone.person).filter((person) => person.id !== id),
  productName: (person) => (person.channel === "telegram" ? world.bots[0]?.profile.name : world.senders[0]?.name) || "Жиын",
  account: (person) => (person.channel === "telegram" ? world.bots[0]?.account : world.senders[0]?.address),
  description: (lang) => {
    const known = world.bots[0]?.profile.descriptions || {};
    return known[`description:${lang}`] || known["description:"] || "";
  },
};
world.commands = (language) => {
  const known = world.bots[0]?.profile.commands || {};
  const scopes = ['{"type": "all_private_chats"}', '{"type": "default"}'];
  const keys = [language, ""].flatMap((code) => scopes.map((scope) => scope + code));
  return known[keys.find((key) => known[key]?.length)] || [];
};
let lang = localStorage.getItem("lang") || "kk";
const reached = new Set(); // steps that were done once: a message that changes afterwards undoes none
let guideAt = null, guideSeen = null, guideOpen = false, guideHidden = false, loaded = false, early = [];

// people --------------------------------------------------------------------------------------
function phoneOf(person) {
  if (!phones.has(person.id)) {
    const phone = new Phone(person, world);
    phones.set(person.id, phone);
    $("phones").querySelector(".empty")?.remove();
    $("phones").append(phone.node);
    $("phones").style.setProperty("--count", Math.min(5, Math.max(3, phones.size)));
    phone.drawBottom();
    drawMore();
  } else phones.get(person.id).setPerson(person);
  return phones.get(person.id);
}

function setProfile({ account, profile }) {
  const bot = world.bots.find((one) => one.account === account);
  if (!bot) return;
  bot.profile = profile;
  phones.forEach((phone) => { phone.drawTitle(); phone.drawIntro(); phone.drawBottom(); });
}

async function meet(person) {
  const fresh = !phones.has(person.id);
  const phone = phoneOf(person);
  if (!fresh) return;
  const { state, messages } = await call("GET", `people/${encodeURIComponent(person.id)}/chat`);
  messages.forEach((message) => phone.put(message));
  setChat(state);
}

function setChat(chat) {
  const phone = phones.get(chat.person);
  if (phone && chat.account === world.account(phone.person)) phone.setChat(chat);
}

function apply(news) {
  const phone = phones.get(news.person?.id || news.person);
  if (news.type === "person" && news.person.on_page) meet(news.person);
  else if (news.type === "chat") setChat(news.chat);
  else if (news.type === "message") { phone?.put(news.message); drawGuide(); }
  else if (news.type === "toast") phone?.toast(news.text, news.alert);
  else if (news.type === "typing") phone?.typing();
  else if (news.type === "clock") { world.offset = news.offset; drawClock(); phones.forEach((one) => one.redate()); }
  else if (news.type === "guide") { setSteps(news.steps); guideAt = null; drawGuide(); }
  else if (news.type === "profile") setProfile(news);
  else if (news.type === "reset") { reached.clear(); load(); }
}

async function load() {
  const state = await call("GET", "state");
  Object.assign(world, { offset: state.offset, bots: state.bots, senders: state.senders });
  setSteps(state.guide);
  const ids = state.people.map((person) => person.id).join("|");
  $("phones").replaceChildren();
  phones.clear();
  state.people.forEach(phoneOf);
  state.messages.forEach((message) => phones.get(message.person)?.put(message));
  state.chats.forEach(setChat);
  if (!ids) $("phones").append(el("p", { class: "empty" }, word(lang, "empty")));
  drawClock();
  drawGuide();
  phones.forEach((phone) => phone.scrollDown());
  drawMore();
}

// news ----------------------------------------------------------------------------------------
function listen() {
  const events = new EventSource("/emulator/events");
  events.onopen = async () => {
    loaded = false;
    early = [];
    await load();
    loaded = true;
    early.splice(0).forEach(apply);
    $("lost").hidden = true;
    document.body.dataset.ready = "yes";
  };
  events.onmessage = (event) => (loaded ? apply(JSON.parse(event.data)) : early.push(JSON.parse(event.data)));
  events.onerror = () => { $("lost").hidden = false; $("lost").textContent = word(lang, "lost"); };
}

// guide ---------------------------------------------------------------------------------------
function fits(rule) {
  if (!rule) return false;
  return [...phones.values()].filter((phone) => !rule.person || phone.id === rule.person)
    .some((phone) => [...phone.messages.values()].some((message) => [].concat(rule.contains).some((words) => message.text.includes(words))
      && (rule.mine === undefined || rule.mine === message.mine)));
}

function setSteps(steps) {
  if (JSON.stringify(steps) !== JSON.stringify(world.steps)) reached.clear();
  world.steps = steps;
}

// Which steps are done, and the first that is not, whatever was done before its turn.
function progress(steps) {
  const before = reached.size;
  steps.forEach((step, index) => { if (fits(step.done_when)) reached.add(index); });
  if (reached.size > before) guideAt = null;
  const done = steps.map((step, index) => reached.has(index));
  const open = done.indexOf(false);
  return { done, next: open < 0 ? steps.length - 1 : open };
}

function drawGuide() {
  const box = $("guide"), steps = world.steps;
  box.hidden = !steps.length || guideHidden;
  if (box.hidden) return;
  const { done, next } = progress(steps);
  const at = Math.min(guideAt ?? next, steps.length - 1);
  if (at !== guideSeen) phones.get(steps[at].done_when?.person)?.node.scrollIntoView({ behavior: "smooth", block: "nearest", inline: "nearest" });
  guideSeen = at;
  box.replaceChildren(guideLine(steps, done, at), guideOpen ? guideList(steps, done, at) : "");
}

function guideLine(steps, done, at) {
  const move = (to) => { guideAt = Math.max(0, Math.min(steps.length - 1, to)); drawGuide(); };
  const button = (name, label, work, off) => el("button", { type: "button", class: "mini", ariaLabel: label, title: label, disabled: off, onclick: work }, icon(name));
  return el("div", { class: `guide-line ${done[at] ? "done" : ""}`, test: "guide-step", data: { step: at + 1 } },
    el("span", { class: "step" }, done[at] ? icon("check") : `${at + 1}`),
    el("p", {}, steps[at][lang] || steps[at].kk),
    el("span", { class: "guide-tools" }, button("back", word(lang, "back"), () => move(at - 1), at === 0),
      el("span", { class: "of" }, `${at + 1} / ${steps.length}`), flip(button("back", word(lang, "forward"), () => move(at + 1), at === steps.length - 1)),
      button("list", word(lang, "allSteps"), () => { guideOpen = !guideOpen; drawGuide(); }),
      button("close", word(lang, "hide"), () => { guideHidden = true; drawGuide(); })));
}

const flip = (node) => { node.classList.add("flip"); return node; };

function guideList(steps, done, at) {
  return el("ol", { class: "guide-list" }, ...steps.map((step, index) => el("li", { class: `${done[index] ? "done" : ""} ${index === at ? "now" : ""}` },
    el("button", { type: "button", onclick: () => { guideAt = index; guideOpen = false; drawGuide(); } }, step[lang] || step.kk))));
}

// phones beside the window --------------------------------------------------------------------
function drawMore() {
  const box = $("phones").getBoundingClientRect();
  const beside = { left: 0, right: 0 };
  phones.forEach(({ node }) => {
    const { left, right } = node.getBoundingClientRect();
    if (left < box.left - 40) beside.left += 1;
    if (right > box.right + 40) beside.right += 1;
  });
  for (const side of ["left", "right"]) {
    const button = $(`more-${side}`);
    button.hidden = !beside[side];
    button.title = button.ariaLabel = word(lang, "morePhones");
    button.replaceChildren(side === "left" ? icon("back") : flip(el("span", {}, icon("back"))), el("b", {}, `${beside[side]}`));
  }
}

for (const [side, by] of [["left", -0.8], ["right", 0.8]]) {
  $(`more-${side}`).addEventListener("click", () => $("phones").scrollBy({ left: by * $("phones").clientWidth, behavior: "smooth" }));
}
$("phones").addEventListener("scroll", drawMore, { passive: true });
addEventListener("resize", drawMore);

// top bar -------------------------------------------------------------------------------------
function drawClock() {
  $("clock-time").textContent = time(world.now());
  $("clock-date").textContent = date(world.now(), lang, true);
}

function drawWords() {
  document.documentElement.lang = lang;
  $("tagline").textContent = word(lang, "tagline");
  $("next-hour").textContent = word(lang, "nextHour");
  $("next-day").textContent = word(lang, "nextDay");
  $("add").replaceChildren(icon("plus"), el("span", {}, word(lang, "addPhone")));
  for (const button of document.querySelectorAll("[data-lang]")) button.setAttribute("aria-pressed", String(button.dataset.lang === lang));
  drawClock();
  drawGuide();
  drawMore();
}

function openAdd() {
  const dialog = $("add-dialog");
  const name = el("input", { type: "text", required: true, placeholder: word(lang, "nameHint"), test: "add-name" });
  const radio = (value, label) => el("label", { class: `pick ${value}` }, el("input", { type: "radio", name: "channel", value, checked: value === "telegram", test: `add-${value}` }), label);
  const hidden = el("input", { type: "checkbox" });
  const form = el("form", { method: "dialog" }, el("h2", { id: "add-title" }, word(lang, "addPhone")),
    el("label", {}, word(lang, "name"), name),
    el("fieldset", {}, el("legend", {}, word(lang, "messenger")), radio("telegram", "Telegram"), radio("whatsapp", "WhatsApp")),
    el("label", { class: "line" }, hidden, word(lang, "hidden")),
    el("div", { class: "choices" }, el("button", { type: "button", onclick: () => dialog.close() }, word(lang, "cancel")), el("button", { class: "main", test: "add-save" }, word(lang, "add"))));
  form.addEventListener("submit", (event) => { event.preventDefault(); addPhone(form, name.value.trim(), hidden.checked); });
  dialog.replaceChildren(form);
  dialog.showModal();
}

async function addPhone(form, name, hidden) {
  const channel = new FormData(form).get("channel");
  const id = `p${Date.now().toString(36)}`;
  $("add-dialog").close();
  await call("POST", "people", { id, name, channel, language: lang, on_page: true, hidden: hidden && channel === "whatsapp" });
  phones.get(id)?.node.scrollIntoView({ behavior: "smooth", inline: "center" });
}

$("next-hour").addEventListener("click", () => call("POST", "clock", { hours: 1 }));
$("next-day").addEventListener("click", () => call("POST", "clock", { days: 1 }));
$("add").addEventListener("click", openAdd);
for (const button of document.querySelectorAll("[data-lang]")) {
  button.addEventListener("click", () => { lang = button.dataset.lang; localStorage.setItem("lang", lang); drawWords(); });
}
setInterval(drawClock, 5000);
drawWords();
listen();
