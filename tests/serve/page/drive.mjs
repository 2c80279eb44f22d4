// One browser for many checks: a line of JSON on stdin names one, a line on stdout tells how it went.
// What a check wants of the other side (git chat, a text of the terminal) it asks for by such lines, too.
import { createRequire } from "node:module";
import { createInterface } from "node:readline";

const [tools, profile, executablePath] = process.argv.slice(2);
const require = createRequire(tools + "/");
const { chromium } = require("playwright-core");
const AXE = require.resolve("axe-core/axe.min.js");
const DEADLINE_MS = 90_000; // a loaded machine decides no check

const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const hear = async () => JSON.parse((await lines.next()).value ?? "null");
const tell = (value) => process.stdout.write(JSON.stringify(value) + "\n");

async function ask(value) {
  tell(value);
  return hear();
}

const flags = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"];
const contextOptions = { viewport: { width: 1280, height: 800 }, timezoneId: "UTC", reducedMotion: "reduce" };
const { url, door } = await hear();
const member = await chromium.launchPersistentContext(profile, { executablePath, args: flags, ...contextOptions });
const browser = member.browser();

/** What a check works with. */
class Tabs {
  wrong = [];
  pages = [];

  /** A new tab at `path`, once its messages (or what stands for them) are there. */
  async open(path, { width = 1280, height = 800, dark = false, context = member, wait = "#timeline > *", before, at = url } = {}) {
    const page = await context.newPage();
    this.pages.push(page);
    page.setDefaultTimeout(DEADLINE_MS);
    page.on("pageerror", (error) => this.wrong.push(`${path}: ${error.stack}`));
    page.on("console", (message) => {
      const text = message.text();
      if (/Content.Security.Policy/i.test(text)) this.wrong.push(`${path}: ${text}`);
    });
    page.on("dialog", (dialog) => (this.wrong.push(`${path}: a dialog: ${dialog.message()}`), dialog.dismiss()));
    await page.addInitScript(() => {
      window.violations = [];
      document.addEventListener("securitypolicyviolation", (event) => window.violations.push(event.violatedDirective + " " + event.blockedURI));
    });
    if (before) await page.addInitScript(before);
    await page.setViewportSize({ width, height });
    await page.emulateMedia({ colorScheme: dark ? "dark" : "light" });
    await page.goto(at + path);
    if (wait) await page.waitForSelector(wait);
    return page;
  }

  /** Somebody without any credentials, in a browser of their own. */
  async guest() {
    this.stranger ??= await browser.newContext(contextOptions);
    return this.stranger;
  }

  /** `git chat ...` in the served clone: what it printed. It must not fail. */
  async chat(...words) {
    const { status, stdout, stderr } = await ask({ chat: words });
    if (status) throw new Error(`git chat ${words.join(" ")} ended with ${status}: ${stdout}${stderr}`);
    return stdout;
  }

  /** The records of a room as `git chat log --json` tells them. */
  async log(room, ...options) {
    return (await this.chat("log", "--json", "--room", room, ...options)).trim().split("\n").filter(Boolean).map((line) => JSON.parse(line));
  }

  /** Any other thing that the test has; see browser.py. */
  ask = ask;

  equal(found, wanted, what = "") {
    const [one, other] = [JSON.stringify(found), JSON.stringify(wanted)];
    if (one !== other) throw new Error(`${what}: found ${one.slice(0, 2000)}, wanted ${other.slice(0, 2000)}`);
  }

  ok(value, what) {
    if (!value) throw new Error(what);
  }

  /** Wait until `look`, run in the page, gives something true. */
  until = (page, look, given) => page.waitForFunction(look, given, { polling: 50, timeout: DEADLINE_MS });

  /** As `until`, for a `look` that awaits something, which waitForFunction takes for true at once: the value. */
  async eventually(page, look) {
    for (const end = Date.now() + DEADLINE_MS; Date.now() < end; await page.waitForTimeout(250)) {
      const found = await page.evaluate(look);
      if (found) return found;
    }
    throw new Error("it does not happen");
  }

  /** What axe has against the page as it stands. */
  async axe(page, rules) {
    if (!(await page.evaluate("'axe' in window"))) await page.evaluate(await AXE_SOURCE);
    const found = await page.evaluate((rules) => axe.run(document, { resultTypes: ["violations"], ...(rules && { runOnly: rules }) }), rules);
    for (const one of found.violations) this.wrong.push(`axe: ${one.id}: ${one.nodes.map((node) => node.target + " " + node.failureSummary).join("; ").slice(0, 900)}`);
    this.ok(found.passes.length > (rules ? 0 : 15), `axe looked at little: ${found.passes.length} rules`);
  }

  async end() {
    for (const page of this.pages) {
      if (page.isClosed()) continue;
      this.wrong.push(...(await page.evaluate(() => window.violations).catch(() => [])));
      await page.close();
    }
    await this.stranger?.close();
  }
}

const { readFile } = await import("node:fs/promises");
const AXE_SOURCE = readFile(AXE, "utf-8");
const first = await member.newPage();
await first.goto(door);
await first.waitForSelector("#timeline > *", { timeout: DEADLINE_MS });
await first.close();
tell({ ready: true });

for (let order = await hear(); order; order = await hear()) {
  const tabs = new Tabs();
  const began = Date.now();
  let error = null;
  try {
    const checks = await import(`./${order.file}.mjs`);
    await checks[order.check](tabs, order.given);
  } catch (thrown) {
    const page = tabs.pages.at(-1);
    const state = page && !page.isClosed() ? await page.evaluate(() => `${location.href} ${document.body.innerText.replaceAll("\n", " ").slice(-300)}`).catch(() => "") : "";
    error = `${thrown.stack}\n${state}`;
  }
  await tabs.end();
  if (!error && tabs.wrong.length) error = tabs.wrong.join("\n");
  tell({ done: order.check, error, milliseconds: Date.now() - began });
}
await member.close();
