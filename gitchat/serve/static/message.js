// One record as people read it: who, to whom, when, what, and where it has got to.
import { api, roomPath } from "./api.js";
import { h } from "./dom.js";
import { code, escape, markup, nameOf, oneLine, textOf } from "./text.js";

const FOLD_CHARACTERS = 1200, FOLD_LINES = 16;

const day = new Intl.DateTimeFormat("en-GB", { weekday: "long", day: "numeric", month: "long" });
const dayAndYear = new Intl.DateTimeFormat("en-GB", { weekday: "long", day: "numeric", month: "long", year: "numeric" });
const clock = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit" });
const whole = new Intl.DateTimeFormat("en-GB", { dateStyle: "full", timeStyle: "medium" });

/** The day of a date, as a heading says it. */
export function dayOf(stamp) {
  const date = new Date(stamp);
  return (date.getFullYear() === new Date().getFullYear() ? day : dayAndYear).format(date);
}

export const timeOf = (stamp) => h("time", { datetime: stamp, title: whole.format(new Date(stamp)) }, clock.format(new Date(stamp)));

export const placeOf = (entry) => entry.id ?? entry.handle;
export const labelOf = (entry) => (entry.id ? `#${entry.id}` : entry.handle);

/** Whether a record names me, or a role of mine, as its recipient; what is for everybody does not. */
export const isTo = (entry, me, role) => entry.to.split(",").some((one) => one === me || (role && one === `role:${role}`));

const people = new Set();

/** A sign for who it is: round for people, square for agents, always of the same hue. */
export function face(name, origin) {
  if (origin === "human") people.add(name);
  const node = h(people.has(name) ? "span.face.human" : "span.face", { "aria-hidden": "true" }, escape([...name].slice(0, 2).join("")));
  let hash = 0;
  for (const one of name) hash = (Math.imul(hash, 31) + one.codePointAt()) >>> 0;
  node.style.setProperty("--hue", hash % 360);
  return node;
}

/** The article of a record. `acts` has `reply(entry)`, `thread(entry)`, and who reads: `me`, `role`, `writable`. */
export function article(entry, acts) {
  const label = labelOf(entry), mine = entry.from === acts.me;
  const node = h("article", { id: "m" + placeOf(entry), tabindex: -1, "data-place": placeOf(entry) });
  node.entry = entry;
  if (entry.priority === "urgent") node.classList.add("urgent");
  if (acts.me && !mine && isTo(entry, acts.me, acts.role)) node.classList.add("to-me");
  const to = entry.to.split(",").filter((one) => one && one !== "all");
  const heading = h("header", {},
    h("b", {}, nameOf(entry.from, entry.looks_like)),
    to.length > 0 && h("span.to", {}, h("span", { "aria-label": "to" }, "→ "), to.map((one) => (one === acts.me ? "you" : nameOf(one))).join(", ")),
    entry.type && h("span.type", {}, oneLine(entry.type, 40)),
    entry.priority === "urgent" && h("span.type.alarm", {}, "urgent"),
    h("a.place", { href: roomPath(entry.room, placeOf(entry)), "data-number": placeOf(entry) }, timeOf(entry.ts), " ", label));
  const buttons = h("span.acts", {},
    acts.writable && h("button", { type: "button", click: () => acts.reply(entry) }, "Reply", h("span.unseen", {}, ` to ${label}`)),
    acts.thread && h("button", { type: "button", click: () => acts.thread(entry) }, "Thread", h("span.unseen", {}, ` of ${label}`)));
  node.append(...[face(entry.from, entry.origin), heading, buttons, answered(entry), h("div.body", {}, ...body(entry)), ...places(entry), choices(entry, acts), files(entry), work(entry), h("p.fate")].filter(Boolean));
  showFate(node, entry);
  return node;
}

/** What can be answered: buttons for who is asked, and words for everybody else. */
function choices(entry, acts) {
  if (!entry.choices) return null;
  const isAsked = acts.writable && acts.answer && entry.from !== acts.me && (entry.to === "all" || isTo(entry, acts.me, acts.role));
  if (!isAsked) return h("p.choices", {}, entry.choices.map((one) => h("span", {}, oneLine(one, 100))));
  return h("p.choices", { role: "group", "aria-label": `Answer ${labelOf(entry)}` }, entry.choices.map((one, place) =>
    h("button", { type: "button", "data-key": place + 1, click: () => acts.answer(entry, one) }, oneLine(one, 100))));
}

/** Say below a question with choices what was answered; the first answer counts. */
export function showAnswer(node, answer) {
  const row = node.querySelector(".choices");
  if (!row || row.querySelector(".given") || !node.entry.choices.includes(answer.content)) return;
  row.removeAttribute("role");
  row.replaceChildren(h("span.given", {}, oneLine(answer.content, 100)), ` ${nameOf(answer.from)}, ${labelOf(answer)}`);
}

/** What of a record's way is worth a line: that it is still to come, or who of its recipients has read it. */
export function showFate(node, entry) {
  const names = (list) => list.map((one) => nameOf(one)).join(", ");
  const read = entry.read_by ?? [], fetched = (entry.fetched_by ?? []).filter((one) => !read.includes(one));
  const said = entry.aside ? `set aside: ${oneLine(entry.aside.why ?? "the remote does not take it")}`
    : entry.id == null ? `on its way${entry.remote ? ` to ${oneLine(entry.remote)}` : ""}`
    : [read.length ? `read by ${names(read)}` : "", fetched.length ? `delivered to ${names(fetched)}` : ""].filter(Boolean).join(" · ");
  const line = node.querySelector(".fate");
  line.textContent = said;
  node.classList.toggle("pending", entry.id == null);
}

function answered(entry) {
  if (entry.reply_to == null) return null;
  const place = entry.reply_to, first = entry.replied;
  const said = first ? `${nameOf(first.from)}: ${oneLine(textOf(first.content))}` : "";
  return h("a.answered", { href: roomPath(entry.room, place), "data-number": place },
    h("span.unseen", {}, "In reply to "), typeof place === "number" ? `#${place}` : place, said && h("span", {}, " ", said));
}

/** The code that a record is about: each place, and how its lines read then once somebody opens it. */
function places(entry) {
  return (entry.at ?? []).map((one, number) => {
    const lines = one.lines ? `:${[...new Set(one.lines)].join("-")}` : "";
    const title = `at ${oneLine(one.path, 300)}${lines}`;
    if (!one.lines) return h("p.at", {}, title);
    const node = h("details.at", { toggle: show }, h("summary", {}, title));
    return node;

    async function show() {
      if (node.children.length > 1) return;
      const shown = h("p", {}, "how it read was not kept");
      node.append(shown);
      const kept = (await api.message(entry.room, placeOf(entry))).at?.[number]?.excerpt;
      if (kept) shown.replaceWith(code(escape(numbered(kept, one.lines))));
    }
  });
}

function numbered(kept, [first, last]) {
  const lines = kept.text.replace(/\n$/, "").split("\n"), width = String(kept.first + lines.length - 1).length;
  return lines.map((line, place) => {
    const number = kept.first + place;
    return `${number >= first && number <= last ? ">" : " "} ${String(number).padStart(width)}  ${line}`;
  }).join("\n");
}

function files(entry) {
  if (!entry.attachments) return null;
  const size = (bytes) => bytes == null ? "not here" : bytes < 1024 ? `${bytes} B` : bytes < 1 << 20 ? `${(bytes / 1024).toFixed(1)} KiB` : `${(bytes / (1 << 20)).toFixed(1)} MiB`;
  return h("ul.files", {}, entry.attachments.map((one) =>
    h("li", {}, one.bytes == null ? escape(one.name) : h("a", { href: api.attachment(entry.room, placeOf(entry), one.name), download: one.name }, escape(one.name)), " ", h("small", {}, size(one.bytes)))));
}

function work(entry) {
  if (!entry.work) return null;
  const what = `${entry.work.toLocaleString("en")} file${entry.work === 1 ? "" : "s"}${entry.branch ? ` of ${oneLine(entry.branch)}` : ""}`;
  return h("p.work", {}, "Hands over ", what, ": ", h("code", {}, `git chat take ${placeOf(entry)} --room ${entry.room}`));
}

function body(entry) {
  const isJson = entry.media === "json" && !entry.more_characters;
  const text = isJson ? JSON.stringify(entry.content, null, 2) : textOf(entry.content);
  const draw = (part) => entry.media === "json" ? [code(escape(part))] : markup(part, (number) => roomPath(entry.room, number));
  const short = text.split("\n", FOLD_LINES).join("\n").slice(0, FOLD_CHARACTERS).replace(/[\ud800-\udbff]$/, "");
  const missing = text.length - short.length + (entry.more_characters ?? 0);
  if (missing < 200 && !entry.more_characters && text.split("\n").length < FOLD_LINES + 3) return draw(text);
  const shown = h("div", {}, ...draw(short));
  const button = h("button.more", { type: "button", "aria-expanded": "false", click: turn }, `Show all, ${missing.toLocaleString("en")} characters more`);
  return [shown, button];

  async function turn() {
    const open = button.getAttribute("aria-expanded") === "false";
    const all = open && entry.more_characters ? { ...(await api.message(entry.room, placeOf(entry))), more_characters: 0 } : { ...entry, content: text };
    const full = all.media === "json" && typeof all.content !== "string" ? JSON.stringify(all.content, null, 2) : textOf(all.content);
    shown.replaceChildren(...draw(open ? full : short));
    button.setAttribute("aria-expanded", open);
    button.textContent = open ? "Show less" : `Show all, ${missing.toLocaleString("en")} characters more`;
  }
}

/** Statuses that follow each other, as one line that opens. */
export function happenings(entries) {
  const names = [...new Set(entries.map((one) => nameOf(one.from)))];
  const said = names.slice(0, 3).join(", ") + (names.length > 3 ? ` and ${names.length - 3} more` : "");
  const lines = entries.map((one) => h("li", { "data-place": placeOf(one) }, timeOf(one.ts), " ", h("b", {}, nameOf(one.from)), " ", oneLine(textOf(one.content), 400)));
  const node = h("details.happened", {}, h("summary", {}, entries.length === 1 ? "1 thing happened" : `${entries.length} things happened`, h("span", {}, ` (${said})`)), h("ul", {}, lines));
  node.entries = entries;
  return node;
}
