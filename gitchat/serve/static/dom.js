// Elements without markup: whatever goes in as text becomes a text node.

export const $ = (id) => document.getElementById(id);

/** An element: `h("p.quiet.small", { title: "..." }, "text", node)`. What is null, undefined or false is left out. */
export function h(what, attributes = {}, ...children) {
  const [tag, ...classes] = what.split(".");
  const node = document.createElement(tag);
  if (classes.length) node.className = classes.join(" ");
  for (const [key, value] of Object.entries(attributes)) {
    if (value == null || value === false) continue;
    if (typeof value === "function") node.addEventListener(key, value);
    else node.setAttribute(key, value === true ? "" : value);
  }
  node.append(...children.flat().filter((child) => child != null && child !== false));
  return node;
}

/** Make `parent` hold exactly `nodes`, and touch none that already stands right: focus and selection stay. */
export function settle(parent, nodes) {
  const wanted = new Set(nodes);
  let at = parent.firstChild;
  const next = () => {
    while (at && !wanted.has(at)) {
      const gone = at;
      at = at.nextSibling;
      gone.remove();
    }
  };
  for (const node of nodes) {
    next();
    if (at === node) at = at.nextSibling;
    else parent.insertBefore(node, at);
  }
  next();
}

/** `act`, at most once at a time: what is asked for meanwhile happens once more after it. */
export function oneAtATime(act) {
  let running, again;
  return async function ask() {
    if (running) return void (again = true);
    running = true;
    try {
      do {
        again = false;
        await act();
      } while (again);
    } finally {
      running = false;
    }
  };
}
