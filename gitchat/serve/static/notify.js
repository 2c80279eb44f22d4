// The browser's own notifications: only for what names me, only while the page is out of sight, only if it was allowed.
import { $ } from "./dom.js";
import { isTo, labelOf } from "./message.js";
import { nameOf, oneLine, textOf } from "./text.js";

const ASKED = `gitchat:${location.host}:notify`;
const offer = $("notify");

/** Offer it, once: whoever answered is not asked again. */
export function offerNotifications() {
  offer.hidden = !("Notification" in window) || Notification.permission !== "default" || localStorage.getItem(ASKED) !== null;
}

/** Tell of the records of others that name `me`. */
export function notifyOf(entries, me, role, go) {
  if (!document.hidden || !("Notification" in window) || Notification.permission !== "granted") return;
  for (const entry of entries.filter((one) => isTo(one, me, role)).slice(-3)) {
    const told = new Notification(`${nameOf(entry.from)} in ${entry.room}`, { body: oneLine(textOf(entry.content), 200), tag: entry.uid ?? entry.room + labelOf(entry) });
    told.onclick = () => {
      focus();
      told.close();
      go(entry);
    };
  }
}

offer.addEventListener("click", async (event) => {
  if (event.target.tagName !== "BUTTON") return;
  localStorage.setItem(ASKED, "asked");
  offer.hidden = true;
  if (event.target.value === "yes") await Notification.requestPermission();
});
