// Text of others: escaped as on a terminal, then laid out as nodes. Nothing here is parsed as HTML.
import { CLASS, PICTURES, REGIONS } from "./hidden.js";
import { h } from "./dom.js";

const tags = (region) => [...region].map((letter) => String.fromCodePoint(0xe0000 + letter.charCodeAt())).join("");
const RUN = new RegExp(`(\u{1f3f4}(?:${REGIONS.map(tags).join("|")})\u{e007f})|[${CLASS}]+`, "gu");
const PICTURE = new RegExp(`^[${PICTURES}]$`, "u");
const HIDDEN = new RegExp(`[${CLASS}]`, "u");
const LETTER = /^(?=[\p{L}\p{M}])\P{Script=Latin}$/u;
const SLUG = /^[a-z0-9][a-z0-9._-]{0,63}$/;

/** `text` without what could hide, reorder or imitate: as the terminal shows it (gitchat/model/escape.py). */
export function escape(text) {
  return text.replace(RUN, (run, flag, place) => {
    if (flag) return run;
    let shown = "", held = "";
    for (const one of run) {
      if (hasUse(one, text, place)) [shown, held] = [shown + visible(held) + one, ""];
      else held += one;
      place += one.length;
    }
    return shown + visible(held);
  });
}

/** The name of whoever wrote: one that no participant can have stands in quotes. */
export function nameOf(text, alike) {
  if (SLUG.test(text)) return text;
  const shown = [...escape(text.replace(/\s/g, " ")).replace(/["“”„‟″ʺ＂]/g, "'")];
  return `"${shown.length > 64 ? shown.slice(0, 63).join("") + "…" : shown.join("")}"${alike ? ` (looks like ${alike})` : ""}`;
}

/** One line of a longer text, without its marks. */
export const oneLine = (text, length = 140) =>
  escape([...text.slice(0, 4 * length).replace(/\s+/g, " ").replace(/[*`]{1,3}/g, "").trim()].slice(0, length).join(""));

export const textOf = (content) => (typeof content === "string" ? content : JSON.stringify(content, null, 2));

function hasUse(one, text, place) {
  if (!/[\u200c\u200d\ufe0e\ufe0f]/.test(one)) return false;
  const last = (end) => [...text.slice(Math.max(0, end - 2), end)].pop() ?? "";
  const after = [...text.slice(place + 1, place + 3)][0] ?? "";
  let before = last(place);
  if (/[\ufe0e\ufe0f]/.test(one)) return PICTURE.test(before) || (/[0-9#*]/.test(before) && after === "\u20e3");
  if (isJoined(before) && isJoined(after)) return true;
  if (before === "\ufe0f") before = last(place - 1);
  return one === "\u200d" && PICTURE.test(before) && PICTURE.test(after);
}

const isJoined = (one) => one !== "" && one.codePointAt() >= 0x250 && LETTER.test(one) && !HIDDEN.test(one);

const visible = (run) =>
  run.replace(/([\0-\x1f\x7f]+)|[^\0-\x1f\x7f]+/gu, (part, controls) => {
    if (controls) return [...part].map((one) => "^" + String.fromCharCode(one.charCodeAt() ^ 64)).join("");
    const points = [...part].map((one) => "<U+" + one.codePointAt().toString(16).toUpperCase().padStart(4, "0"));
    return points.length < 4 ? points.map((one) => one + ">").join("") : `${points[0]} and ${(points.length - 1).toLocaleString("en")} more>`;
  });

// --- markup: code, bold, lists, links, numbers; each expression passes a line once ------------

const INLINE = /`([^`\n]+)`|\*\*([^*\n]+)\*\*|\[([^[\]\n]{1,300})\]\((https?:\/\/[^\s()<>"]{1,2000})\)|(https?:\/\/[^\s<>"`]+)|(?<![\w/&#])#(\d{1,15})(?!\w)/g;

/** The nodes of a text; `link(number)` gives the address of a message of the same room. */
export function markup(text, link) {
  const nodes = [];
  const lines = escape(text.replace(/\r\n/g, "\n")).split("\n");
  let words = [], list = null;
  const close = () => {
    if (words.length) nodes.push(h("p", {}, inline(words.join("\n"), link)));
    [words, list] = [[], null];
  };
  for (let at = 0; at < lines.length; at++) {
    const fence = /^\s{0,3}(```+|~~~+)/.exec(lines[at])?.[1];
    const item = /^\s{0,6}(?:[-*•]|(\d{1,9})[.)])\s+(\S.*)$/.exec(lines[at]);
    if (fence) {
      close();
      let end = at + 1;
      while (end < lines.length && !lines[end].trimStart().startsWith(fence)) end++;
      nodes.push(code(lines.slice(at + 1, end).join("\n")));
      at = end;
    } else if (item) {
      const kind = item[1] ? "OL" : "UL";
      if (list?.tagName !== kind) {
        close();
        nodes.push((list = h(kind)));
      }
      list.append(h("li", { value: item[1] }, inline(item[2], link)));
    } else if (!lines[at].trim()) close();
    else {
      if (list) close();
      words.push(lines[at]);
    }
  }
  close();
  return nodes;
}

/** A block of code. It can be scrolled, so it can be reached by the keyboard. */
export const code = (text) => h("pre", { tabindex: 0 }, h("code", {}, text));

function inline(text, link) {
  const nodes = [];
  let from = 0;
  for (const found of text.matchAll(INLINE)) {
    const [whole, mono, bold, label, target, plain, number] = found;
    const address = plain?.replace(/[.,;:!?')\]]+$/, "");
    nodes.push(text.slice(from, found.index));
    from = found.index + (address ?? whole).length;
    if (mono) nodes.push(h("code", {}, mono));
    else if (bold) nodes.push(h("strong", {}, bold));
    else if (number) nodes.push(h("a", { href: link(number), "data-number": number }, whole));
    else if (URL.canParse(target ?? address)) nodes.push(outside(target ?? address, label ? `${label} (${target})` : address));
    else nodes.push(address ?? whole);
  }
  nodes.push(text.slice(from));
  return nodes;
}

const outside = (href, text) => h("a", { href, rel: "noopener noreferrer", target: "_blank" }, text);
