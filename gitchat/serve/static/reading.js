// What stood on the screen while somebody could see it is read, and nothing else. Told once in two seconds.
import { api } from "./api.js";
import { $ } from "./dom.js";
import { onScreen } from "./timeline.js";

const EVERY_MS = 2000;
let room = null, seen = new Set(), told = new Set(), after = () => {};

/** From now on what is seen belongs to `name`, null to mark nothing; `then(answer)` hears what is left. */
export function readIn(name, then) {
  tell();
  [room, seen, told, after] = [name, new Set(), new Set(), then];
}

/** Note what stands on the screen. */
export function notice() {
  if (!room || document.hidden) return;
  for (const entry of onScreen()) if (entry.id != null && entry.room === room && !told.has(entry.id)) seen.add(entry.id);
}

async function tell() {
  if (!room || !seen.size) return;
  const mine = room, ids = [...seen];
  for (const id of ids) told.add(id);
  seen = new Set();
  try {
    const answer = await api.seen(mine, ids);
    if (mine === room) after(answer);
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
