// What opens beside the messages: a thread, what a search found, the summaries.
import { api, roomPath } from "./api.js";
import { $, h } from "./dom.js";
import { article, dayOf, labelOf, placeOf, timeOf } from "./message.js";
import { escape, markup, nameOf, oneLine, textOf } from "./text.js";

const panel = $("panel");
let cameFrom = null, redraw = null, turn = 0;

/** Open with a title; `make` gives the nodes, and is asked again by `refresh`. */
async function open(title, make) {
  const mine = ++turn;
  if (panel.hidden) cameFrom = document.activeElement;
  const nodes = await make();
  if (mine !== turn) return;
  redraw = async () => {
    const again = await make();
    if (mine === turn) $("panel-body").replaceChildren(...again);
  };
  $("panel-title").textContent = title;
  $("panel-body").replaceChildren(...nodes);
  panel.hidden = false;
  document.body.classList.add("beside");
  $("panel-close").focus();
}

/** Close it, and go back to where one was. False when nothing was open. */
export function close() {
  turn++;
  if (panel.hidden) return false;
  panel.hidden = true;
  document.body.classList.remove("beside");
  redraw = null;
  if (cameFrom?.isConnected) cameFrom.focus({ preventScroll: true });
  return true;
}

/** Something happened: ask again for what is open. */
export const refresh = () => redraw?.();

export function openThread(room, entry, acts) {
  return open("Thread", async () => {
    const answer = await api.messages(room, { thread: placeOf(entry), limit: 100 });
    const nodes = answer.messages.map((one) => {
      const node = article(one, { ...acts, thread: null });
      node.removeAttribute("id");
      node.classList.toggle("chosen", one.uid === entry.uid);
      return node;
    });
    if (answer.more_after) nodes.push(h("p.quiet", {}, "More follows in the room."));
    if (acts.writable) nodes.push(h("p", {}, h("button", { type: "button", click: () => acts.reply(answer.messages.at(-1) ?? entry) }, "Reply in this thread")));
    return nodes;
  });
}

export function openSearch(words) {
  return open(`Search: ${oneLine(words, 60)}`, async () => {
    const { found } = await api.search(words);
    if (!found.length) return [h("p.quiet", {}, "Nothing was found. All words have to stand in one message.")];
    return [h("ol.found", {}, found.map((one) => h("li", {}, h("a", { href: roomPath(one.room, placeOf(one)), "data-room": one.room, "data-number": placeOf(one) },
      h("span.quiet", {}, h("b", {}, nameOf(one.from, one.looks_like)), ` ${labelOf(one)} in ${one.room}, ${dayOf(one.ts)}`),
      h("span.snippet", {}, marked(one))))))];
  });
}

const marked = (one) => (one.marked ?? [[one.snippet, false]]).map(([text, isWord]) => (isWord ? h("mark", {}, escape(text)) : escape(text)));

export function openSummaries(room) {
  return open("Summaries", async () => (await api.summaries(room)).summaries.map((one) => summary(one, room)));
}

/** The text of a summary below who wrote it. */
export function summary(one, room) {
  return h("section.summary", {}, h("p.quiet", {}, summaryTitle(one), " ", timeOf(one.ts)), h("div.body", {}, ...markup(textOf(one.content), (number) => roomPath(room, number))));
}

export const summaryTitle = (one) => `Summary ${one.id ?? one.handle} by ${nameOf(one.from, one.looks_like)}, ${dayOf(one.ts)}${one.scope && one.scope !== "all" ? ` for ${oneLine(one.scope, 60)}` : ""}`;

$("panel-close").addEventListener("click", close);
