// The messages of a room: a window on them that moves, however many there are. An event only says "look".
import { api } from "./api.js";
import { $, h, oneAtATime, settle } from "./dom.js";
import { article, dayOf, happenings, placeOf, showAnswer, showFate } from "./message.js";

const KEPT = 240, NEAR = 700, TOGETHER_MS = 300_000;
const box = $("timeline"), jump = $("jump");

let room = null, acts = null, shown = [], latest = 0, fresh = null, lastRead = 0, more = { before: false, after: false };
let nodes = new Map(), isLoading = false, arrived = 0, turn = 0;

const numbered = () => shown.filter((entry) => entry.id != null);
const isAtEnd = () => box.scrollHeight - box.scrollTop - box.clientHeight < 60;
let wasAtEnd = true;

/** Open `name` where one left off, or around the message `place`. `given` says who reads and what the buttons do. */
export async function open(name, place, given) {
  const mine = ++turn;
  const answer = await api.messages(name, place ? { at: place } : {}).catch((error) => {
    if (place && error.status === 404) return api.messages(name);
    throw error;
  });
  if (mine !== turn) return;
  [room, acts, nodes, arrived] = [name, given, new Map(), 0];
  [shown, latest, fresh] = [answer.messages, answer.latest_id ?? 0, place ? null : answer.first_unread_id];
  [more, lastRead] = [{ before: answer.more_before, after: answer.more_after }, answer.last_read_id ?? 0];
  draw();
  const line = box.querySelector(".new");
  if (place) show(place, true);
  else if (line) box.scrollTop = line.offsetTop - box.clientHeight / 4;
  else box.scrollTop = box.scrollHeight;
  box.dispatchEvent(new Event("scroll"));
}

/** Something happened in this room: take what came. Returns the new records of others. */
export const look = oneAtATime(async () => {
  if (!room || isLoading) return;
  const mine = turn, last = numbered().at(-1)?.id ?? 0;
  const answer = await api.messages(room, { after: more.after ? Math.max(latest, last) : last });
  if (mine !== turn) return;
  const news = answer.messages.filter((entry) => entry.id != null && entry.id > Math.max(latest, last) && entry.from !== acts.me);
  latest = Math.max(latest, answer.latest_id ?? 0);
  const follow = isAtEnd() && !more.after;
  if (!more.after) {
    if (news.length && fresh == null && (document.hidden || !follow)) fresh = news[0].id;
    shown = [...numbered(), ...answer.messages.filter((entry) => entry.id == null || entry.id > last)];
    more.after = answer.more_after;
    trim("start", follow);
    draw(follow && !document.hidden);
  }
  if (news.length && !(follow && !document.hidden)) arrived += news.length;
  news.length && acts.came(news);
  showJump();
});

async function extend(direction) {
  const ends = numbered();
  if (isLoading || !more[direction] || !ends.length) return;
  isLoading = true;
  const mine = turn;
  try {
    const answer = await api.messages(room, { [direction]: direction === "before" ? ends[0].id : ends.at(-1).id });
    if (mine !== turn) return;
    const found = answer.messages.filter((entry) => entry.id == null || direction === "before" || entry.id > ends.at(-1).id);
    shown = direction === "before" ? [...found, ...shown] : [...shown, ...found];
    more[direction] = answer[`more_${direction}`] && found.length > 0;
    trim(direction === "before" ? "end" : "start", true);
    draw();
  } finally {
    isLoading = false;
  }
  requestAnimationFrame(edges);
}

/** Get more where the window ends near what is on the screen. */
function edges() {
  if (box.scrollTop < NEAR) reach("before");
  if (box.scrollHeight - box.scrollTop - box.clientHeight < NEAR) reach("after");
}

// What cannot be had now is asked for by the next turn of the wheel.
const reach = (direction) => extend(direction).catch(() => {});

/** Let go of what is far from where one reads. */
function trim(side, mayTrim) {
  const extra = shown.length - KEPT;
  if (extra <= 0 || !mayTrim) return;
  shown = side === "start" ? shown.slice(extra) : shown.slice(0, KEPT);
  more[side === "start" ? "before" : "after"] = true;
}

function draw(toEnd = false) {
  const anchor = toEnd ? null : [...box.children].find((one) => one.id && one.offsetTop + one.offsetHeight > box.scrollTop);
  const before = anchor?.offsetTop;
  settle(box, laidOut());
  if (toEnd) box.scrollTop = box.scrollHeight;
  else if (anchor?.isConnected) box.scrollTop += anchor.offsetTop - before;
  for (const key of nodes.keys()) if (!nodes.get(key).isConnected) nodes.delete(key);
  if (box.querySelectorAll("article[tabindex='0']").length !== 1) rove([...box.querySelectorAll("article")].at(-1));
  showJump();
}

function laidOut() {
  const out = [];
  let today, previous, group = [];
  const put = (key, make) => {
    if (!nodes.has(key)) nodes.set(key, make());
    out.push(nodes.get(key));
  };
  const flush = () => {
    const them = group;
    if (them.length) put(`s${placeOf(them[0])}-${placeOf(them.at(-1))}`, () => happenings(them));
    group = [];
  };
  if (more.before) put("earlier", () => h("button.earlier", { type: "button", click: () => reach("before") }, "Earlier messages"));
  else if (shown.length) put("first", () => h("p.first", {}, "This is where the room begins."));
  for (const entry of shown) {
    const day = dayOf(entry.ts), isNew = fresh != null && placeOf(entry) === fresh;
    if (day !== today || isNew) flush();
    if (day !== today) put(`d${day}${entry.ts.slice(0, 4)}`, () => h("h2.day", {}, h("span", {}, day)));
    if (isNew) put("new", () => h("h2.day.new", {}, h("span", {}, "New")));
    if (entry.kind && entry.kind !== "message") group.push(entry);
    else {
      flush();
      put(`m${entry.uid}${entry.id ?? ""}`, () => article(entry, acts));
      out.at(-1).classList.toggle("follows", previous === out.at(-2)?.entry && day === today && !isNew && isOneTurn(previous, entry));
    }
    [today, previous] = [day, entry];
  }
  flush();
  for (const answer of shown) {
    const asked = answer.type === "answer" && answer.reply_to != null && shown.find((one) => one.choices && placeOf(one) === answer.reply_to);
    if (asked) showAnswer(nodes.get(`m${asked.uid}${asked.id ?? ""}`), answer);
  }
  if (!shown.length) put("empty", () => h("p.empty", {}, h("b", {}, "Nothing has been said here yet."), acts.writable ? "Write the first message below." : ""));
  return out;
}

const isOneTurn = (one, next) =>
  one && !next.type && next.reply_to == null && next.priority !== "urgent" && one.from === next.from && one.to === next.to && one.origin === next.origin && new Date(next.ts) - new Date(one.ts) < TOGETHER_MS;

/** Go to a message, from wherever it is; `isFlashed` shows which it is. */
export async function show(place, isFlashed = true) {
  const node = $("m" + place) ?? box.querySelector(`[data-place="${CSS.escape(place)}"]`);
  if (!node) return open(room, place, acts);
  const happened = node.closest("details");
  if (happened) happened.open = true;
  node.scrollIntoView({ block: node.offsetHeight > box.clientHeight ? "start" : "center" });
  rove(node.closest("article") ?? box.querySelector("article"), !happened);
  if (isFlashed) {
    node.classList.remove("flash");
    requestAnimationFrame(() => node.classList.add("flash"));
  }
}

export async function toEnd() {
  arrived = 0;
  if (more.after) {
    const mine = ++turn;
    const answer = await api.messages(room, { before: latest + 1 });
    if (mine !== turn) return;
    [shown, more] = [answer.messages, { before: answer.more_before, after: answer.more_after }];
    draw(true);
    await look();
  }
  box.scrollTop = box.scrollHeight;
}

/** One article is in the order of the tab key: where one stands. */
export function rove(node, isFocused = false) {
  if (!node) return;
  for (const one of box.querySelectorAll("article[tabindex='0']")) one.tabIndex = -1;
  node.tabIndex = 0;
  if (isFocused) node.focus({ preventScroll: true });
}

export const current = () => document.activeElement?.closest?.("#timeline article") ?? box.querySelector("article[tabindex='0']");

/** To the next or the previous message, from where one stands or reads. */
export function step(by) {
  const all = [...box.querySelectorAll("article")];
  const at = document.activeElement?.closest?.("#timeline article");
  const onScreen = all.filter((one) => one.offsetTop + one.offsetHeight > box.scrollTop && one.offsetTop < box.scrollTop + box.clientHeight);
  const to = at ? all[all.indexOf(at) + by] : by > 0 ? onScreen[0] : onScreen.at(-1);
  if (!to) return;
  rove(to, true);
  to.scrollIntoView({ block: "nearest" });
}

/** To the first unread message, and back to the newest where there is none. */
export const toNew = () => (box.querySelector(".new") ? show(fresh) : toEnd());

/** The records that stand on the screen now: seen to their end, or filling half of it. */
export function onScreen() {
  const top = box.scrollTop, bottom = top + box.clientHeight, found = [];
  for (const node of box.children) {
    const from = node.offsetTop, to = from + node.offsetHeight;
    if (from > bottom) break;
    if (to > top && (to <= bottom + 4 || Math.min(to, bottom) - Math.max(from, top) > box.clientHeight / 2)) found.push(...(node.entries ?? (node.entry ? [node.entry] : [])));
  }
  return found;
}

/** Tell on its article what became of a record. */
export async function follow(entry) {
  const mine = turn, now = await api.message(room, placeOf(entry));
  const node = nodes.get(`m${entry.uid}${entry.id ?? ""}`);
  if (mine === turn && node) showFate(node, now);
}

export const lastOf = (name) => shown.findLast((entry) => entry.from === name && (entry.kind ?? "message") === "message");
export const speakers = () => [...new Set(shown.map((entry) => entry.from))];
/** All up to this number was read when the room was opened. */
export const readUpto = () => lastRead;

function showJump() {
  const isFar = more.after || box.scrollHeight - box.scrollTop - box.clientHeight > 300;
  if (!isFar) arrived = 0;
  jump.hidden = !isFar;
  jump.querySelector("span").textContent = arrived ? `${arrived} new` : "Newest";
  jump.classList.toggle("news", arrived > 0);
}

box.addEventListener("scroll", () => {
  wasAtEnd = isAtEnd();
  showJump();
  edges();
}, { passive: true });
box.addEventListener("focusin", (event) => {
  const node = event.target.closest("article");
  if (!node) return;
  rove(node);
  if (node.entry.from === acts.me) follow(node.entry).catch(() => {});
});
// Whoever reads the newest goes on doing so when the room for it shrinks: a summary, a longer draft, a keyboard.
new ResizeObserver(() => wasAtEnd && (box.scrollTop = box.scrollHeight)).observe(box);
jump.addEventListener("click", toEnd);
