// Takes the pictures of the page for make_page_pictures.py: wide and light, wide and dark with a thread, a phone.
import { createRequire } from "node:module";
import { writeFile } from "node:fs/promises";

const [tools, executablePath, profile, door, folder] = process.argv.slice(2);
const { chromium } = createRequire(tools + "/")("playwright-core");
const flags = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"];
const url = door.split("/#")[0];
// As it looks at three in the afternoon, whenever it is drawn.
const ahead = ((15 - new Date().getUTCHours() + 36) % 24) - 12;
const timezoneId = `Etc/GMT${ahead > 0 ? "-" : "+"}${Math.abs(ahead)}`;
const context = await chromium.launchPersistentContext(profile, { executablePath, args: flags, timezoneId, reducedMotion: "reduce", deviceScaleFactor: 2, viewport: { width: 1200, height: 760 } });
const page = await context.newPage();
page.setDefaultTimeout(120_000);

async function take(name) {
  const session = await context.newCDPSession(page);
  const { data } = await session.send("Page.captureScreenshot", { format: "webp", quality: 82 });
  await writeFile(`${folder}/${name}.webp`, Buffer.from(data, "base64"));
  console.log(`wrote ${folder}/${name}.webp`);
}

// The offer to notify is answered, as whoever looks at it daily has done.
await page.addInitScript(() => localStorage.setItem(`gitchat:${location.host}:notify`, "asked"));
await page.goto(door);
await page.waitForSelector(".new");
await page.waitForSelector("#state[data-state=live]");
await page.waitForSelector("#people li");
await page.evaluate(() => (document.querySelector("#timeline").scrollTop = document.querySelector("#m11").offsetTop - 12));
await page.waitForTimeout(1000);
await take("page");

await page.emulateMedia({ colorScheme: "dark" });
await page.locator("#m7").focus();
await page.keyboard.press("t");
await page.waitForSelector("#panel article");
await page.evaluate(() => (document.querySelector("#timeline").scrollTop = document.querySelector("#m6").offsetTop - 60));
await page.evaluate(() => document.activeElement.blur());
await page.waitForTimeout(1000);
await take("page-thread");

await page.keyboard.press("Escape");
await page.emulateMedia({ colorScheme: "light" });
await page.setViewportSize({ width: 390, height: 760 });
await page.evaluate(() => (document.querySelector("#timeline").scrollTop = document.querySelector("#m11").offsetTop - 12));
await page.evaluate(() => document.activeElement.blur());
await page.waitForTimeout(1000);
await take("page-phone");
await context.close();
