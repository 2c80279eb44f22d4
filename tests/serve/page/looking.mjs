// What everybody has to be able to do with it, and what nobody may do to it.

export async function keys_do_what_they_say(t) {
  const page = await t.open("/r/lobby/7", { wait: "#m7" });
  const at = () => page.evaluate(() => document.activeElement.id);
  await t.until(page, () => document.activeElement.id === "m7");
  await page.keyboard.press("j");
  t.equal(await at(), "m8");
  await page.keyboard.press("k");
  await page.keyboard.press("k");
  t.equal(await at(), "m6");
  await page.keyboard.press("r");
  t.equal(await at(), "text");
  t.ok((await page.locator("#answers").innerText()).includes("#6"), "r does not reply");
  await page.keyboard.type("jkrtnc");
  t.equal(await page.inputValue("#text"), "jkrtnc", "keys are taken while one writes");
  await page.keyboard.press("Escape");
  t.ok(!(await page.locator("#answers").isVisible()), "Esc keeps the reply");
  await page.fill("#text", "");
  await page.keyboard.press("Escape");
  await page.keyboard.press("n");
  await page.keyboard.press("?");
  t.ok(await page.locator("#help").isVisible(), "no help");
  await page.keyboard.press("Escape");
  t.equal(await page.locator("#help").isVisible(), false, "the help stays");
  t.equal(await page.locator("#timeline article[tabindex='0']").count(), 1, "articles in the order of the tab key");
}

export async function axe_finds_nothing(t) {
  const page = await t.open("/r/lobby", { wait: "#people li" });
  await page.keyboard.press("k");
  await page.keyboard.press("t");
  await page.waitForSelector("#panel article");
  await t.axe(page);
  await page.emulateMedia({ colorScheme: "dark" });
  await t.axe(page, ["color-contrast"]);
}

export async function a_phone_shows_one_thing_at_a_time(t) {
  const page = await t.open("/r/lobby", { width: 390, height: 844 });
  const isWide = () => page.evaluate(() => document.documentElement.scrollWidth > innerWidth || document.querySelector("#timeline").scrollWidth > document.querySelector("#timeline").clientWidth);
  t.equal(await isWide(), false, "it is wider than the screen");
  t.equal(await page.locator("#side").isVisible(), false, "the rooms are in the way");
  await page.locator("#menu").click();
  await page.getByRole("link", { name: /^release/ }).waitFor();
  await t.axe(page);
  const low = await page.evaluate(() => [...document.querySelectorAll("#rooms a, #menu, #words")].filter((one) => one.offsetHeight && one.offsetHeight < 40).map((one) => one.id || one.innerText));
  t.equal(low, [], "too small for a thumb");
  await page.keyboard.press("Escape");
  await t.until(page, () => getComputedStyle(document.querySelector("#side")).visibility === "hidden");
  await page.locator("#m15, #m12").first().click();
  await page.locator("article:focus-within").getByRole("button", { name: /^Thread/ }).click();
  await page.waitForSelector("#panel article");
  t.equal((await page.locator("#panel").boundingBox()).width, 390, "the thread does not cover the messages");
  t.equal(await isWide(), false, "the thread is wider than the screen");
  await page.getByRole("button", { name: "Reply in this thread" }).click();
  await page.waitForSelector("#panel", { state: "hidden" });
  await t.until(page, () => document.activeElement.id === "text");
  await page.locator("#answers-off").click();
}

export async function follows_the_system_into_the_dark(t) {
  const light = (page) => page.evaluate(() => getComputedStyle(document.body).backgroundColor.match(/\d+/g).reduce((sum, one) => sum + +one, 0));
  const page = await t.open("/r/lobby");
  t.ok((await light(page)) > 600, "it is not light");
  await page.emulateMedia({ colorScheme: "dark" });
  t.ok((await light(page)) < 200, "it is not dark");
}

export async function a_guest_reads_and_nothing_more(t) {
  const page = await t.open("/r/lobby", { context: await t.guest() });
  const asked = [];
  page.on("request", (request) => request.method() !== "GET" && asked.push(request.url()));
  t.ok(await page.getByText("You read as a guest").first().isVisible(), "it does not say so");
  t.equal(await page.locator("#composer").isVisible(), false, "a guest is offered to write");
  for (const key of ["c", "r", "n", "j"]) await page.keyboard.press(key);
  t.equal(await page.locator(".new").count(), 0, "a guest has read nothing before");
  await t.chat("send", "--as", "bob", "Guests hear it too");
  await page.getByText("Guests hear it too").waitFor();
  await t.axe(page);
  t.equal(asked, [], "a guest's page writes");
}

export async function what_is_hostile_stays_text(t, { bodies, author }) {
  const page = await t.open("/r/hostile", { width: 390, wait: `#m${bodies.length}` });
  for (const button of await page.locator("#timeline .more").elementHandles()) {
    await button.click();
    await t.until(page, (one) => one.innerText === "Show less", button); // what opens moves what a next click would meet
  }
  const found = await page.evaluate(() => ({
    texts: [...document.querySelectorAll("#timeline article")].map((one) => one.querySelector(".body").textContent),
    made: [...new Set([...document.querySelectorAll("#timeline *, #rooms *, #topic *")].map((one) => one.tagName))].sort(),
    hrefs: [...document.querySelectorAll("#timeline .body a")].map((one) => one.protocol),
    title: document.title, topic: document.querySelector("#topic").innerText, author: document.querySelector("#timeline b").innerText,
  }));
  t.ok(!found.made.some((tag) => ["SCRIPT", "IMG", "IFRAME", "STYLE", "SVG", "FORM", "INPUT"].includes(tag)), `made of text: ${found.made}`);
  t.ok(found.hrefs.every((protocol) => /^https?:$/.test(protocol)), `links: ${found.hrefs}`);
  t.ok(!found.title.includes("owned"), found.title);
  t.ok(found.topic.startsWith("<U+202E>"), found.topic);
  const bare = (text) => text.replace(/[\s*`]+/g, "").replace(/Showless$/, "");
  const wanted = (await t.ask({ escaped: bodies })).map(bare);
  found.texts.map(bare).forEach((text, at) => t.equal(text.slice(0, 3000), wanted[at].slice(0, 3000), `body ${at}`));
  t.equal([found.author], await t.ask({ names: [author] }));
  t.equal(await page.evaluate(() => [document.documentElement.scrollWidth, document.querySelector("#timeline").scrollWidth]), [390, 390]);
  await t.axe(page);
}

export async function escapes_as_the_terminal_does(t, { texts }) {
  const page = await t.open("/r/empty");
  const found = await page.evaluate(async (texts) => {
    const { escape } = await import(document.querySelector("script[type=module]").src.replace("main.js", "text.js"));
    return texts.map(escape);
  }, texts);
  const wanted = await t.ask({ escaped: texts });
  found.forEach((text, at) => t.equal(text, wanted[at], `text ${at}, ${JSON.stringify(texts[at])}`));
}

export async function who_is_nobody_is_told_how_to_come_in(t, { url, token }) {
  const page = await t.open("/", { at: url, context: await t.guest(), wait: "#door:not([hidden])" });
  t.ok((await page.locator("#door").innerText()).includes("git chat serve --url"), "it does not say how");
  await t.axe(page);
  await page.fill("#token-text", token);
  await page.keyboard.press("Enter");
  await page.getByText("You are").waitFor();
}
