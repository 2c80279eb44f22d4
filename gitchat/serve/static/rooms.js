// The side: rooms with what is unread in them, and who is here.
import { api, roomPath } from "./api.js";
import { $, h } from "./dom.js";
import { face } from "./message.js";
import { escape, nameOf, oneLine } from "./text.js";

const OTHERS = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short" });

/** Draw the rooms; `current` is the one that is open. */
export function drawRooms(rooms, current) {
  const isOpen = (one) => one.status !== "closed" || one.room === current;
  const closed = rooms.filter((one) => !isOpen(one));
  const wasOpen = $("rooms").querySelector("details")?.open;
  const fold = closed.length > 0 && h("li", {}, h("details", { open: wasOpen }, h("summary", {}, `${closed.length} closed`), h("ul", {}, closed.map((one) => line(one, current)))));
  const focused = document.activeElement?.closest?.("#rooms a")?.dataset.room;
  $("rooms").replaceChildren(...[...rooms.filter(isOpen).map((one) => line(one, current)), fold].filter(Boolean));
  if (focused) $("rooms").querySelector(`a[data-room="${CSS.escape(focused)}"]`)?.focus();
}

function line(one, current) {
  const unread = one.unread > 0 && h("span.count", { title: `${one.unread} unread` }, one.unread > 999 ? "999+" : String(one.unread), h("span.unseen", {}, " unread"));
  return h(one.unread ? "li.unread" : "li", {},
    h("a", { href: roomPath(one.room), "data-room": one.room, "aria-current": one.room === current && "page", title: one.title ? oneLine(one.title, 200) : null },
      h("span.name", {}, one.room), one.status === "unreadable" && h("small", {}, "unreadable"), unread));
}

const GROUPS = [["living", "Here"], ["registered", "Registered"], ["elsewhere", "Elsewhere"], ["away", "Seen today"]];

/** Draw the people of a room, by how near they are. */
export function drawPeople(people, me) {
  const parts = GROUPS.flatMap(([state, title]) => {
    // Who looks at this is here, whatever the clone has heard of it.
    const them = people.filter((one) => (one.name === me ? "living" : one.state) === state);
    return them.length ? [h("h2", {}, title, h("span.quiet", {}, ` ${them.length}`)), h(`ul.people.${state}`, {}, them.map((one) => person(one, me)))] : [];
  });
  $("people").replaceChildren(...(parts.length ? parts : [h("h2", {}, "Here"), h("p.quiet", {}, "Nobody right now.")]));
}

/** What somebody has claimed, the first few. */
function claimed(one) {
  const first = one.claims?.slice(0, 3).map((it) => escape([...it].slice(0, 60).join(""))).join(", ");
  return first && `has ${first}${one.claims.length > 3 ? ` and ${one.claims.length - 3} more` : ""}`;
}

/** With whom somebody's work will not merge. */
function conflicting(one) {
  const others = [...new Set(one.conflicts?.flatMap((it) => it.with))].map((it) => nameOf(it)).join(", ");
  return others && `conflicts with ${others}`;
}

function person(one, me) {
  const behind = one.unread && one.name !== me ? `${one.unread} unread` : null;
  const about = [one.role && one.role !== "general" ? oneLine(one.role, 40) : null, one.branch && oneLine(one.branch, 60), claimed(one), conflicting(one), behind].filter(Boolean);
  const seen = one.state === "away" && one.last_seen ? OTHERS.format(new Date(one.last_seen)) : null;
  return h("li", { title: [nameOf(one.name), ...about, one.read_upto != null && `has read up to #${one.read_upto}`, seen && `seen ${seen}`, one.capabilities?.map((it) => escape(it)).join(", ")].filter(Boolean).join("\n") },
    face(one.name, one.name === me || one.client === "terminal" ? "human" : "agent"),
    h("span", {}, h("span.name", {}, nameOf(one.name, one.looks_like), one.name === me && h("span.quiet", {}, " you")), about.length > 0 && h("small", {}, about.join(" · "))));
}
