// What is asked of the server, and how a refusal comes back.

/** `/r/REPOSITORY` where the server has several; the address names it. */
export const base = /^\/r\/[^/]+(?=\/$|\/r\/)/.exec(location.pathname)?.[0] ?? "";

export const roomPath = (room, place) => `${base}/r/${encodeURIComponent(room)}${place ? "/" + place : ""}`;

/** An answer that is no success: `message`, `hint` and `code` as everywhere in gitchat. */
export class Refusal extends Error {
  constructor(message, hint = "", code = "", status = 0) {
    super(message);
    Object.assign(this, { hint, code, status });
  }
}

async function ask(method, path, body, fetching = {}, patience = 4) {
  let answer;
  try {
    answer = await fetch(`${base}/api/v1/${path}`, {
      method,
      headers: body ? { "Content-Type": "application/json" } : {},
      body: body && JSON.stringify(body),
      ...fetching,
    });
  } catch (error) {
    throw new Refusal("the server does not answer", "it is tried again as soon as it does", "offline");
  }
  if (answer.status === 429 && patience) {
    // Nothing was done: too many at once. Whoever scrolls far does not have to know.
    await new Promise((go) => setTimeout(go, 1000 * (answer.headers.get("Retry-After") || 1)));
    return ask(method, path, body, fetching, patience - 1);
  }
  const value = parse(await answer.text());
  if (!answer.ok) throw new Refusal(value?.error ?? `the server answered ${answer.status}`, value?.hint, value?.code, answer.status);
  return value;
}

/** JSON whose numbers stay as they were written, where the browser can: 2^60 is not what a double makes of it. */
function parse(text) {
  try {
    return JSON.parse(text, (key, value, at) =>
      typeof value === "number" && at?.source && JSON.rawJSON && String(value) !== at.source ? JSON.rawJSON(at.source) : value,
    );
  } catch {
    return null;
  }
}

const query = (values) => {
  const given = Object.entries(values).filter(([, value]) => value != null);
  return given.length ? "?" + new URLSearchParams(given) : "";
};
const room = (name) => "rooms/" + encodeURIComponent(name);

export const api = {
  session: (credential) => ask("POST", "session", credential),
  rooms: () => ask("GET", "rooms"),
  room: (name) => ask("GET", room(name)),
  messages: (name, where = {}) => ask("GET", `${room(name)}/messages${query({ limit: 60, chars: 4000, ...where })}`),
  message: (name, place) => ask("GET", `${room(name)}/messages/${place}`),
  send: (name, message) => ask("POST", `${room(name)}/messages`, message),
  seen: (name, ids) => ask("PUT", `${room(name)}/cursor`, { ids }, { keepalive: true }),
  summaries: (name) => ask("GET", `${room(name)}/summaries`),
  search: (words) => ask("GET", "search" + query({ q: words, limit: 50 })),
  attachment: (name, place, file) => `${base}/api/v1/${room(name)}/messages/${place}/attachments/${encodeURIComponent(file)}`,
  events: () => new EventSource(`${base}/api/v1/events`),
};
