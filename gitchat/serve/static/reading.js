// What stood on the screen while somebody could see it is read, and nothing else. Told once in two seconds.
import { api } from "./api.js";
import { $ } from "./dom.js";
import { onScreen, readUpto } from "./timeline.js";

const EVERY_MS = 2000;
let room = null, me = null, upto = 0, seen = new Set(), told = new Set(), after = () => {};

/** From now on `reader` reads the room `name`, null to mark nothing; `then(answer)` hears what is left. */
export function readIn(name, reader, then) {
  tell();
  [room, me, upto, seen, told, after] = [name, reader, readUpto(), new Set(), new Set(), then];
}

/** Note what stands on the screen. */
export function notice() {
  if (!room || document.hidden) return;
  for (const entry of onScreen()) if (isNews(entry)) seen.add(entry.id);
}

const isNews = (entry) => entry.id > upto && entry.room === room && entry.from !== me && !told.has(entry.id);

async function tell() {
  if (!room || !seen.size) return;
  const mine = room, ids = [...seen];
  for (const id of ids) told.add(id);
  seen = new Set();
  try {
    const answer = await api.seen(mine, ids);
    if (mine !== room) return;
    upto = answer.last_read_id;
    after(answer);
  } catch {
    if (mine === room) for (const id of ids) seen.add(id);
  }
}

let waiting;
$("timeline").addEventListener("scroll", () => {
  waiting ??= setTimeout(() => ((waiting = null), notice()), 200);
}, { passive: true });
setInterval(() => (notice(), tell()), EVERY_MS);
addEventListener("pagehide", tell);
document.addEventListener("visibilitychange", () => document.hidden && tell());
