// Where one writes: recipient, type, what is answered; a draft for each room. An error leaves everything as it is.
import { api } from "./api.js";
import { $, h } from "./dom.js";
import { labelOf, placeOf } from "./message.js";
import { nameOf, oneLine, textOf } from "./text.js";

const form = $("composer"), text = $("text"), to = $("to"), type = $("type"), urgent = $("urgent"), send = $("send"), trouble = $("trouble");
let room = null, answers = null, key = null, sent = () => {}, isSending = false;

const store = (name) => `gitchat:${location.host}:${name}`;

/** Write to `name` from now on; `then(entry)` hears of what was sent. */
export function writeIn(name, me, then) {
  [room, sent, key] = [name, then, null];
  let draft = {};
  try {
    draft = JSON.parse(localStorage.getItem(store(name))) ?? {};
  } catch {}
  text.value = draft.text ?? "";
  text.placeholder = `Write to ${name} as ${me}`;
  offer([], draft.to);
  type.value = draft.type ?? "";
  urgent.checked = draft.urgent ?? false;
  answer(draft.answers ?? null, false);
  trouble.hidden = true;
  fit();
}

/** Offer these names as recipients; what is chosen stays, and so does one that is not among them. */
export function offer(names, chosen = to.value) {
  const all = ["all", ...names, ...(chosen && chosen !== "all" && !names.includes(chosen) ? [chosen] : [])];
  if (all.join() === [...to.options].map((one) => one.value).join()) return;
  to.replaceChildren(...all.map((one) => h("option", { value: one }, one === "all" ? "everybody" : one.startsWith("role:") ? `everybody who is ${one.slice(5)}` : one)));
  to.value = chosen || "all";
}

/** What is written answers `entry`; null is nothing. */
export function answer(entry, isFocused = true) {
  answers = entry && { place: placeOf(entry) ?? entry.place, label: entry.label ?? labelOf(entry), said: entry.said ?? `${nameOf(entry.from)}: ${oneLine(textOf(entry.content), 90)}` };
  $("answers").hidden = !answers;
  $("answers-text").textContent = answers ? `Reply to ${answers.label} ${answers.said}` : "";
  keep();
  if (isFocused) text.focus();
}

/** Take back the reply, or leave the field. False when there was nothing to do. */
export function escapeFrom() {
  if (answers) return answer(null, true), true;
  if (form.contains(document.activeElement)) return document.activeElement.blur(), true;
  return false;
}

function keep() {
  if (!room) return;
  const draft = { text: text.value, to: to.value, type: type.value, urgent: urgent.checked, answers };
  try {
    if (draft.text || answers) localStorage.setItem(store(room), JSON.stringify(draft));
    else localStorage.removeItem(store(room));
  } catch {
    // Without room for drafts one still writes.
  }
}

function fit() {
  text.style.height = "auto";
  text.style.height = `${Math.min(text.scrollHeight + 2, innerHeight * 0.4)}px`;
  send.disabled = isSending || !text.value.trim();
}

async function submit() {
  if (isSending || !text.value.trim()) return;
  const mine = room;
  // The same key for the same try: a message whose answer was lost is not sent twice.
  key ??= Array.from(crypto.getRandomValues(new Uint8Array(12)), (one) => one.toString(16).padStart(2, "0")).join("");
  isSending = true;
  fit();
  try {
    const entry = await api.send(mine, {
      content: text.value, to: to.value || "all", key,
      ...(type.value && { type: type.value }), ...(answers && { reply_to: answers.place }), ...(urgent.checked && { priority: "urgent" }),
    });
    if (mine === room) clear();
    sent(entry);
  } catch (error) {
    trouble.replaceChildren(h("b", {}, `Not sent: ${error.message}.`), error.hint ? ` ${error.hint}` : "");
    trouble.hidden = false;
  } finally {
    isSending = false;
    fit();
    text.focus();
  }
}

function clear() {
  [key, text.value, type.value, urgent.checked, trouble.hidden] = [null, "", "", false, true];
  answer(null, false);
}

const changed = () => ((key = null), keep(), fit());
form.addEventListener("submit", (event) => (event.preventDefault(), submit()));
form.addEventListener("input", changed);
form.addEventListener("change", changed);
text.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
  event.preventDefault();
  submit();
});
$("answers-off").addEventListener("click", () => answer(null));
