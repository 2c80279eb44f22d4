// One key for what one does often. None of them is taken while somebody writes.
import { $ } from "./dom.js";

/** `deeds` has a function for each key; `Escape` works everywhere. */
export function bindKeys(deeds) {
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || $("help").open) return;
    const isWriting = event.target.closest?.("input, textarea, select");
    if (isWriting && event.key !== "Escape") return;
    if (deeds[event.key]?.() !== undefined) return;
    if (deeds[event.key] && event.key !== "Escape") event.preventDefault();
  });
}
