// The server's events, and whether they come. After a break everything is looked at again.
import { api } from "./api.js";
import { $ } from "./dom.js";

const state = $("state");

function say(isLive) {
  state.dataset.state = isLive ? "live" : "offline";
  state.textContent = isLive ? "live" : "offline";
}

/** Listen for as long as the page is open. `heard(kind, data)`; `again()` when what was missed is not known. */
export function listen(heard, again) {
  let source, pause = 1000;
  const connect = () => {
    source = api.events();
    source.onopen = () => {
      pause = 1000;
      say(true);
      again();
    };
    source.onerror = () => {
      say(false);
      // The browser itself tries again after a cut, but never after a refusal.
      if (source.readyState !== EventSource.CLOSED) return;
      setTimeout(connect, pause);
      pause = Math.min(2 * pause, 30_000);
    };
    for (const kind of ["message", "room", "presence", "cursor"]) {
      source.addEventListener(kind, (event) => {
        let data = {};
        try {
          data = JSON.parse(event.data);
        } catch {}
        heard(kind, data);
      });
    }
    source.addEventListener("reset", again);
  };
  connect();
  addEventListener("online", () => source.readyState === EventSource.CLOSED && connect());
}
