// Text as each messenger shows it: Telegram's entities, WhatsApp's *marks*, links in both.
export function el(tag, options = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(options)) {
    if (value === undefined || value === null || value === false) continue;
    if (name === "class") node.className = value;
    else if (name === "test") node.dataset.testid = value;
    else if (name === "data") Object.assign(node.dataset, value);
    else if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (name in node && name !== "list") node[name] = value;
    else node.setAttribute(name, value);
  }
  node.append(...children.filter((child) => child !== null && child !== undefined && child !== false));
  return node;
}

export function icon(name) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("class", `i i-${name}`);
  svg.setAttribute("aria-hidden", "true");
  const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
  path.setAttribute("d", PATHS[name]);
  svg.append(path);
  return svg;
}
const PATHS = {
  back: "M15 5l-7 7 7 7", more: "M12 5.5v.01M12 12v.01M12 18.5v.01",
  clip: "M20 11.5l-8.200 8.200a5.200 5.200 0 0 1-7.400-7.400l8.600-8.600a3.5 3.5 0 0 1 5 5L9.5 17a1.800 1.800 0 0 1-2.5-2.5l7.600-7.600",
  send: "M3.5 20.5l18-8.5-18-8.5 2.600 8.5zM6 12h8", smile: "M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18zM8.5 14.5a4.200 4.200 0 0 0 7 0M9 9.5v.01M15 9.5v.01",
  list: "M8.5 6.5h11M8.5 12h11M8.5 17.5h11M4.5 6.5v.01M4.5 12v.01M4.5 17.5v.01", reply: "M10 8V4l-7 7 7 7v-4c5 0 8.5 1.600 11 5-1-5-4-10-11-11z",
  photo: "M4 6h4l1.5-2h5L16 6h4v13H4zM12 16a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7z", doc: "M6 3h8l4.5 4.5V21H6zM14 3v5h4.5",
  mic: "M12 15a3.200 3.200 0 0 0 3.200-3.200V6.200a3.200 3.200 0 0 0-6.400 0v5.600A3.200 3.200 0 0 0 12 15zM5.5 11.5a6.5 6.5 0 0 0 13 0M12 18v3",
  person: "M12 12a4 4 0 1 0 0-8 4 4 0 0 0 0 8zM4.5 20.5c.8-4 3.700-6 7.5-6s6.700 2 7.5 6", pin: "M12 21.5c4.5-4.800 7-8.400 7-11.5a7 7 0 0 0-14 0c0 3.100 2.5 6.700 7 11.5zM12 12.5a2.5 2.5 0 1 0 0-5 2.5 2.5 0 0 0 0 5z",
  play: "M8 5.5v13l10.5-6.5z", link: "M10 14a4.5 4.5 0 0 0 6.400 0l3-3a4.5 4.5 0 0 0-6.400-6.400l-1.200 1.200M14 10a4.5 4.5 0 0 0-6.400 0l-3 3a4.5 4.5 0 0 0 6.400 6.400l1.200-1.200",
  block: "M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18zM5.600 5.600l12.800 12.800", one: "M5 12.5l4.5 4.5L19 7.5", two: "M2.5 12.5l4.5 4.5 9-9.5M11 16l1 1 9.5-9.5", picture: "M4 5h16v14H4zM4 16l5-5 4 4 3-3 4 4M15.5 9v.01",
  keys: "M3.5 7h17v10h-17zM7 10.5v.01M10.300 10.5v.01M13.600 10.5v.01M17 10.5v.01M8 14h8", flag: "M6 21V4h12l-2.5 4L18 12H6", plus: "M12 5v14M5 12h14", check: "M5 12.5l4.5 4.5L19 7.5", close: "M6 6l12 12M18 6L6 18",
};

const URL_PATTERN = /((?:https?:\/\/|(?:t|wa)\.me\/)[^\s<>()]+[^\s<>().,;:!?»"])/g;

function linked(text, open) {
  return text.split(URL_PATTERN).map((part, index) => (index % 2 ? anchor(part, part, open) : part));
}

function anchor(url, label, open) {
  const href = /^https?:/.test(url) ? url : `https://${url}`;
  const ours = /^https?:\/\/(t|wa)\.me\//.test(href);
  return el("a", {
    href, target: "_blank", rel: "noopener noreferrer",
    onclick: (event) => { if (ours && open) { event.preventDefault(); open(href); } },
  }, label);
}

const TAGS = { bold: "strong", italic: "em", underline: "u", strikethrough: "s", code: "code", pre: "pre", blockquote: "blockquote", spoiler: "span" };

export function telegram(text, entities, open, command) {
  const walk = (from, to, list) => {
    const out = [];
    let at = from;
    while (list.length) {
      const [first, ...rest] = list;
      const end = Math.min(first.offset + first.length, to);
      const inner = rest.filter((entity) => entity.offset < end);
      list = rest.filter((entity) => entity.offset >= end);
      out.push(...linked(text.slice(at, first.offset), open));
      out.push(wrap(first, text.slice(first.offset, end), walk(first.offset, end, inner), open, command));
      at = end;
    }
    out.push(...linked(text.slice(at, to), open));
    return out;
  };
  return walk(0, text.length, [...entities].sort((a, b) => a.offset - b.offset || b.length - a.length));
}

function wrap(entity, text, inner, open, command) {
  if (entity.type === "text_link") return anchor(entity.url, text, open);
  if (entity.type === "bot_command") return el("button", { class: "command", type: "button", onclick: () => command(text) }, text);
  return el(TAGS[entity.type] || "span", { class: entity.type === "spoiler" ? "spoiler" : null }, ...inner);
}

const MARKS = [[/```([\s\S]+?)```/, "code"], [/(?<![\p{L}\d])\*(?=\S)([^*\n]+?)(?<=\S)\*(?![\p{L}\d])/u, "strong"], [/(?<![\p{L}\d])_(?=\S)([^_\n]+?)(?<=\S)_(?![\p{L}\d])/u, "em"], [/(?<![\p{L}\d])~(?=\S)([^~\n]+?)(?<=\S)~(?![\p{L}\d])/u, "s"]];

export function whatsapp(text, open) {
  let best = null;
  for (const [pattern, tag] of MARKS) {
    const found = pattern.exec(text);
    if (found && (!best || found.index < best.found.index)) best = { found, tag };
  }
  if (!best) return linked(text, open);
  const { found, tag } = best;
  const inner = tag === "code" ? [found[1]] : whatsapp(found[1], open);
  return [...linked(text.slice(0, found.index), open), el(tag, {}, ...inner), ...whatsapp(text.slice(found.index + found[0].length), open)];
}

export const initials = (name) => name.split(/\s+/).slice(0, 2).map((part) => part[0] || "").join("").toUpperCase();
export const size = (bytes) => (bytes > 1e6 ? `${(bytes / 1048576).toFixed(1)} МБ` : `${Math.max(1, Math.round(bytes / 1024))} КБ`);
