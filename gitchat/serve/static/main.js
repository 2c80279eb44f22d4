// The page: which room is open, and who does what when something happens.
import { api, base, Refusal, roomPath } from "./api.js";
import * as composer from "./composer.js";
import { $, h, oneAtATime } from "./dom.js";
import { bindKeys } from "./keys.js";
import { listen } from "./live.js";
import { labelOf, placeOf } from "./message.js";
import { notifyOf, offerNotifications } from "./notify.js";
import * as panel from "./panel.js";
import { readIn } from "./reading.js";
import { drawPeople, drawRooms } from "./rooms.js";
import { markup, nameOf, oneLine, textOf } from "./text.js";
import * as timeline from "./timeline.js";

const here = { room: null, me: null, role: null, writable: false, rooms: [] };

const acts = () => ({
  me: here.me, role: here.role, writable: here.writable,
  reply,
  answer: (entry, choice) => attempt(answer(entry, choice)),
  thread: (entry) => attempt(panel.openThread(here.room, entry, acts())),
  came: (entries) => say(entries.length === 1 ? "1 new message" : `${entries.length} new messages`),
});

function reply(entry) {
  // Where the thread covers the field, one could not see what one writes.
  if (innerWidth < 1000) panel.close();
  composer.answer(entry);
}

/** Give one of the choices of a question as its answer. */
async function answer(entry, choice) {
  const to = entry.to === "all" ? "all" : entry.from;
  await written(await api.send(here.room, { content: choice, type: "answer", reply_to: placeOf(entry), to }));
  await lookAtRoom();
}

// --- where one is ---------------------------------------------------------------

/** The room and the place that the address names. */
function place() {
  const [, room, at] = /^\/r\/([^/]+)(?:\/([^/]+))?$/.exec(location.pathname.slice(base.length)) ?? [];
  return { room: room && decodeURIComponent(room), at: at && decodeURIComponent(at) };
}

/** Go to a room, or to a message in it, as the address would. */
function go(room, at, isNew = true) {
  if (isNew) history.pushState(null, "", roomPath(room, at));
  closeSide();
  if (room === here.room && at) return attempt(timeline.show(at));
  return attempt(enter(room, at));
}

async function enter(room, at) {
  here.room = room;
  panel.close();
  readIn(null);
  $("room").textContent = room;
  $("topic").textContent = "";
  $("summary").hidden = $("asked").hidden = true;
  drawRooms(here.rooms, room);
  await Promise.all([timeline.open(room, at, acts()), lookAtRoom()]);
  if (room !== here.room) return;
  if (here.writable) {
    composer.writeIn(room, here.me, written);
    readIn(room, here.me, (answer) => showRooms(here.rooms.map((one) => (one.room === room ? { ...one, unread: answer.unread } : one))));
  }
  lookAtFate();
}

async function written(entry) {
  await timeline.look();
  timeline.toEnd();
  panel.refresh();
  lookAtFate();
}

// --- looking --------------------------------------------------------------------

const lookAtRooms = oneAtATime(async () => {
  const answer = await api.rooms();
  Object.assign(here, { me: answer.name, writable: answer.writable });
  showRooms(answer.rooms);
});

function showRooms(rooms) {
  here.rooms = rooms;
  drawRooms(rooms, here.room);
  const unread = here.rooms.reduce((sum, one) => sum + (one.unread ?? 0), 0);
  document.title = `${unread ? `(${unread}) ` : ""}${here.room ?? "gitchat"}${here.room ? " - gitchat" : ""}`;
  $("menu").classList.toggle("news", here.rooms.some((one) => one.unread && one.room !== here.room));
}

const lookAtRoom = oneAtATime(async () => {
  const room = here.room, answer = await api.room(room);
  if (room !== here.room) return;
  $("topic").textContent = answer.title ? oneLine(answer.title, 200) : "";
  here.role = answer.people.find((one) => one.name === here.me)?.role ?? null;
  drawPeople(answer.people, here.me);
  const roles = [...new Set(answer.people.map((one) => one.role).filter((role) => role && role !== "general"))];
  const names = [...new Set([...answer.people.map((one) => one.name), ...timeline.speakers()])];
  composer.offer([...names.filter((name) => name !== here.me && nameOf(name) === name).sort(), ...roles.map((role) => `role:${role}`)]);
  showSummary(room, answer.summary);
  showQuestions(room, answer.questions ?? []);
});

/** Say which questions wait for who reads, the newest last, above all messages. */
function showQuestions(room, questions) {
  $("asked").hidden = !questions.length;
  $("asked").replaceChildren(h("b", {}, questions.length === 1 ? "A question waits for you: " : "Questions wait for you: "),
    ...questions.flatMap((one, place) => [place ? " · " : "", h("a", { href: roomPath(room, placeOf(one)) }, `${nameOf(one.from, one.looks_like)} ${labelOf(one)}: ${oneLine(textOf(one.content), 60)}`)]));
}

function showSummary(room, one) {
  $("summary").hidden = !one;
  if (!one) return;
  $("summary-title").textContent = panel.summaryTitle(one);
  $("summary-body").replaceChildren(...markup(textOf(one.content), (number) => roomPath(room, number)));
}

const lookAtFate = oneAtATime(async () => {
  const mine = here.me && timeline.lastOf(here.me);
  if (mine) await timeline.follow(mine);
});

/** All that can have changed: after a break, and when one comes back to the page. */
async function lookAtAll() {
  await Promise.all([lookAtRooms(), here.room && lookAtRoom(), timeline.look()]);
  await lookAtFate();
}

const soon = (act, milliseconds) => {
  let waiting;
  return () => (waiting ??= setTimeout(() => ((waiting = null), attempt(act())), milliseconds));
};
const soonRooms = soon(lookAtRooms, 400), laterRooms = soon(lookAtRooms, 3000);
const soonRoom = soon(lookAtRoom, 700), soonFate = soon(lookAtFate, 700);

function heard(kind, data) {
  if (kind === "message" && data.from !== here.me) {
    const entry = { ...data, content: data.message, to: [data.to ?? "all"].flat().join(",") };
    notifyOf([entry], here.me, here.role, (one) => go(one.room, one.id ?? one.handle));
  }
  const isHere = data.room === here.room;
  if (isHere && kind !== "presence" && kind !== "cursor") attempt(timeline.look().then(panel.refresh));
  if (isHere && (kind === "presence" || kind === "room" || data.type === "question" || data.reply_to != null)) soonRoom();
  if (isHere && kind !== "cursor") soonFate();
  // My own marks come back as cursors: there is no hurry.
  if (kind === "cursor") laterRooms();
  else if (kind !== "presence") soonRooms();
}

// --- what is said ---------------------------------------------------------------

const attempt = (promise) => Promise.resolve(promise).catch(complain);

function complain(error) {
  if (!(error instanceof Refusal)) throw error;
  if (error.code === "offline") return;
  if (error.status === 401) return shut(error);
  $("notice").replaceChildren(h("b", {}, `${error.message}.`), error.hint ? ` ${error.hint}` : "");
  $("notice").hidden = false;
}

/** Nobody knows who this is: say how one gets in. */
function shut(error) {
  document.body.classList.add("shut");
  $("door").hidden = false;
  $("door-why").textContent = `${error.message}.`;
}

$("token").addEventListener("submit", (event) => {
  event.preventDefault();
  api.session({ token: $("token-text").value.trim() }).then(() => location.reload(), shut);
});

let unsaid = 0;
function say(text) {
  clearTimeout(unsaid);
  unsaid = setTimeout(() => ($("said").textContent = text), 500);
}

// --- hands ----------------------------------------------------------------------

function closeSide() {
  const was = document.body.classList.contains("side-open");
  document.body.classList.remove("side-open");
  $("menu").setAttribute("aria-expanded", "false");
  return was;
}

$("menu").addEventListener("click", () => {
  const open = document.body.classList.toggle("side-open");
  $("menu").setAttribute("aria-expanded", open);
  if (open) $("side").querySelector("a, button")?.focus();
});
$("veil").addEventListener("click", closeSide);
$("notice").addEventListener("click", () => ($("notice").hidden = true));
$("summaries").addEventListener("click", () => attempt(panel.openSummaries(here.room)));
$("search").addEventListener("submit", (event) => {
  event.preventDefault();
  if ($("words").value.trim()) attempt(panel.openSearch($("words").value.trim()));
});
$("keys").addEventListener("click", () => $("help").showModal());
$("help-close").addEventListener("click", () => $("help").close());

document.addEventListener("click", (event) => {
  const link = event.target.closest("a[href]");
  if (!link || event.defaultPrevented || event.button || event.ctrlKey || event.metaKey || event.shiftKey || link.target || link.hasAttribute("download")) return;
  const to = new URL(link.href);
  if (to.origin !== location.origin || !to.pathname.startsWith(base + "/r/")) return;
  event.preventDefault();
  const [room, at] = to.pathname.slice(base.length + 3).split("/").map(decodeURIComponent);
  if (link.closest("#panel") && innerWidth < 1000) panel.close();
  go(room, at);
});
addEventListener("popstate", () => go(place().room ?? here.room, place().at, false));
document.addEventListener("visibilitychange", () => document.hidden || attempt(lookAtAll()));

const onArticle = (act) => {
  const node = document.activeElement?.closest?.("#panel article") ?? timeline.current();
  if (node?.entry) act(node.entry);
};
/** Press the choice of this number, where one stands on a question. */
const choose = (key) => (document.activeElement?.closest?.("#panel article") ?? timeline.current())?.querySelector(`.choices [data-key="${key}"]`)?.click();
bindKeys({
  j: () => timeline.step(1),
  k: () => timeline.step(-1),
  n: () => void timeline.toNew(),
  r: () => here.writable && onArticle(reply),
  t: () => onArticle(acts().thread),
  c: () => here.writable && $("text").focus(),
  ...Object.fromEntries([1, 2, 3, 4, 5, 6, 7, 8].map((key) => [key, () => choose(key)])),
  "/": () => ($("words").focus(), $("words").select()),
  "?": () => $("help").showModal(),
  Escape: () => void (closeSide() || ($("composer").contains(document.activeElement) && composer.escapeFrom()) || panel.close() || document.activeElement?.blur()),
});

// --- begin ----------------------------------------------------------------------

async function begin() {
  const code = new URLSearchParams(location.hash.slice(1)).get("code");
  if (code) {
    history.replaceState(null, "", location.pathname);
    // A code that was used already is no trouble to who is known by the cookie.
    await api.session({ code }).catch(() => {});
  }
  await lookAtRooms();
  document.body.classList.toggle("guest", !here.writable);
  $("you").replaceChildren(here.me ? "You are " : "You read as a guest", here.me ? h("b", {}, nameOf(here.me)) : "");
  if (here.writable) offerNotifications();
  const room = place().room ?? here.rooms.find((one) => one.room === "lobby")?.room ?? here.rooms[0]?.room;
  if (room) await attempt(enter(room, place().at));
  listen(heard, () => attempt(lookAtAll()));
}

attempt(begin());
