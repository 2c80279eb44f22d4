// Opens a page again and again in a real browser and prints a line of JSON for each time, in milliseconds from the
// beginning of the navigation: `paint` is the first that anybody sees, `message` when a message stands in the document.
// Run by opening.py: node opening.mjs TOOLS PROFILE CHROMIUM DOOR COUNT. A first visit has nothing in its cache.
import { createRequire } from "node:module";

const [tools, profile, executablePath, door, count] = process.argv.slice(2);
const { chromium } = createRequire(tools + "/")("playwright-core");

const flags = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"];
const first = await chromium.launchPersistentContext(profile, { executablePath, args: flags });

/** Runs in the page, before anything of it: notes when the first message is there. */
function watch() {
  const watcher = new MutationObserver(() => {
    if (!document.querySelector("#timeline article")) return;
    window.messageAt = performance.now();
    watcher.disconnect();
  });
  watcher.observe(document, { childList: true, subtree: true });
}

async function opened(context, address) {
  const page = await context.newPage();
  await page.addInitScript(watch);
  await page.goto(address);
  await page.waitForFunction(() => window.messageAt && performance.getEntriesByName("first-contentful-paint").length);
  const found = await page.evaluate(() => ({
    paint: performance.getEntriesByName("first-contentful-paint")[0].startTime,
    message: window.messageAt,
  }));
  await page.close();
  return found;
}

await opened(first, door); // the code in the address is exchanged for a cookie
const address = new URL("/", door).href;
const storageState = await first.storageState();
for (let round = 0; round < Number(count); round++) {
  const context = await first.browser().newContext({ storageState });
  for (const visit of ["first", "again"]) console.log(JSON.stringify({ visit, ...(await opened(context, address)) }));
  await context.close();
}
await first.close();
