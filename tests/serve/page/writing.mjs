// Writing: what is sent, what is kept, what a refusal leaves; and what comes while one looks.

export async function sends_what_was_written(t) {
  const page = await t.open("/r/talk");
  await page.keyboard.press("c");
  await page.keyboard.type("First line");
  await page.keyboard.press("Shift+Enter");
  await page.keyboard.type("and the second.");
  await page.selectOption("#to", "bob");
  await page.selectOption("#type", "question");
  await page.locator("#text").press("Enter");
  await page.getByText("and the second.").waitFor();
  t.equal(await page.inputValue("#text"), "", "the field");
  const [sent] = await t.log("talk", "-n", "1");
  t.equal([sent.from, sent.to, sent.type, sent.content, sent.origin], ["ana", "bob", "question", "First line\nand the second.", "human"]);
}

export async function replies_and_shows_the_thread(t) {
  const page = await t.open("/r/talk");
  await t.chat("send", "--as", "bob", "--room", "talk", "Who answers?");
  const asked = page.locator("#timeline article", { has: page.locator(".body", { hasText: "Who answers?" }) });
  await asked.hover();
  await asked.getByRole("button", { name: /^Reply/ }).click();
  t.ok((await page.locator("#answers").innerText()).includes("Who answers?"), "it does not say what is answered");
  await page.keyboard.type("I do.");
  await page.keyboard.press("Enter");
  const answer = page.locator("#timeline article", { has: page.locator(".body", { hasText: "I do." }) });
  await answer.waitFor();
  const [sent] = await t.log("talk", "-n", "1");
  t.equal(`m${sent.reply_to}`, await asked.getAttribute("id"));
  await page.keyboard.press("Escape");
  await answer.focus();
  await page.keyboard.press("t");
  await page.locator("#panel article.chosen", { hasText: "I do." }).waitFor();
  t.equal(await page.locator("#panel article").count(), 2, "the thread");
  await t.chat("send", "--as", "bob", "--room", "talk", "--reply-to", String(sent.id), "Thanks.");
  await page.locator("#panel article", { hasText: "Thanks." }).waitFor();
  await page.keyboard.press("Escape");
  await page.waitForSelector("#panel", { state: "hidden" });
  t.ok(await answer.evaluate((node) => node === document.activeElement), "one does not come back to where one was");
}

export async function answers_a_question_with_a_choice(t) {
  await t.chat("send", "--as", "bob", "--room", "asked", "First");
  const page = await t.open("/r/asked");
  await t.until(page, () => document.querySelector("#state").innerText === "live");
  await t.chat("ask", "--as", "bob", "--to", "ana", "--room", "asked", "--choice", "yes", "--choice", "<b>no</b>", "Deploy?");
  const asked = page.locator("#timeline article", { hasText: "Deploy?" });
  await asked.getByRole("button", { name: "<b>no</b>" }).waitFor();
  await page.locator("#asked a", { hasText: "Deploy?" }).waitFor();
  await asked.focus();
  await page.keyboard.press("1");
  await asked.locator(".choices .given", { hasText: "yes" }).waitFor();
  t.equal(await asked.getByRole("button", { name: "yes", exact: true }).count(), 0, "buttons that are left");
  await page.waitForSelector("#asked", { state: "hidden" });
  const [sent] = await t.log("asked", "-n", "1");
  t.equal([sent.type, sent.content, sent.to], ["answer", "yes", "bob"]);
}

export async function tells_at_once_of_what_others_write(t) {
  const page = await t.open("/r/talk");
  await t.until(page, () => document.querySelector("#state").innerText === "live");
  await t.chat("send", "--as", "bob", "--room", "talk", "Here I am");
  await page.getByText("Here I am").waitFor();
  await t.until(page, () => document.querySelector("#said").innerText === "1 new message");
  await t.chat("send", "--as", "bob", "--room", "other", "And here");
  await t.until(page, () => document.querySelector('a[data-room="other"] .count')?.innerText.startsWith("1"));
  await t.until(page, () => document.title.startsWith("("));
}

export async function says_who_has_read_it(t) {
  const page = await t.open("/r/read");
  await page.fill("#text", "Read me");
  await page.keyboard.press("Enter");
  await page.locator("article", { hasText: "Read me" }).waitFor();
  await t.chat("read", "--as", "bob", "--room", "read");
  await page.locator("article", { hasText: "Read me" }).focus();
  await t.until(page, () => document.querySelector("#timeline article:last-of-type .fate").innerText === "read by bob");
}

export async function a_refusal_leaves_the_text(t) {
  const page = await t.open("/r/closing");
  await page.fill("#text", "Not lost");
  await t.chat("room", "close", "closing");
  await page.locator("#send").click();
  await page.waitForSelector("#trouble:not([hidden])");
  t.ok((await page.locator("#trouble").innerText()).startsWith("Not sent: "), "it does not say so");
  t.equal(await page.inputValue("#text"), "Not lost");
  await t.chat("room", "open", "closing");
  await page.locator("#send").click();
  await page.locator("#timeline article", { hasText: "Not lost" }).waitFor();
  t.equal(await page.locator("#trouble").isVisible(), false, "the trouble is still told");
}

export async function keeps_a_draft_for_each_room(t) {
  const page = await t.open("/r/talk");
  await page.fill("#text", "half a sentence");
  await page.selectOption("#type", "plan");
  await page.locator('a[data-room="other"]').click();
  await t.until(page, () => document.querySelector("#room").innerText === "other" && document.querySelector("#text").value === "");
  await page.reload();
  await page.goto(page.url().replace("other", "talk"));
  await t.until(page, () => document.querySelector("#text").value === "half a sentence");
  t.equal(await page.inputValue("#type"), "plan");
  await page.fill("#text", "");
}

export async function tells_of_what_names_me_when_it_is_out_of_sight(t) {
  const page = await t.open("/r/talk", {
    before: () => {
      // What the browser would say of a tab behind others; headless, each is in front.
      window.told = [];
      Object.defineProperty(document, "hidden", { get: () => window.isHidden ?? false });
      Object.defineProperty(Notification, "permission", { get: () => (window.told ? window.mayTell ?? "default" : "") });
      Notification.requestPermission = async () => (window.mayTell = "granted");
      window.Notification = new Proxy(Notification, { construct: (it, given) => (window.told.push(given), {}) });
      localStorage.removeItem(`gitchat:${location.host}:notify`);
    },
  });
  await page.getByRole("button", { name: "Notify me" }).click();
  t.equal(await page.locator("#notify").isVisible(), false, "it asks again");
  await t.until(page, () => document.querySelector("#state").innerText === "live");
  await page.evaluate(() => (window.isHidden = true));
  await t.chat("send", "--as", "bob", "--room", "other", "For everybody");
  await t.chat("send", "--as", "bob", "--room", "other", "--to", "ana", "For you\u202e");
  await t.until(page, () => window.told.length);
  t.equal(await page.evaluate(() => window.told.map(([title, { body }]) => [title, body])), [["bob in other", "For you<U+202E>"]]);
}

export async function goes_on_after_a_break(t) {
  const page = await t.open("/r/break");
  await t.until(page, () => document.querySelector("#state").innerText === "live");
  await t.ask({ server: "down" });
  await t.until(page, () => document.querySelector("#state").innerText === "offline");
  await page.fill("#text", "Written meanwhile");
  await page.keyboard.press("Enter");
  await page.waitForSelector("#trouble:not([hidden])");
  await t.chat("send", "--as", "bob", "--room", "break", "Said meanwhile");
  await t.ask({ server: "up" });
  await t.until(page, () => document.querySelector("#state").innerText === "live");
  await page.getByText("Said meanwhile").waitFor();
  await page.locator("#send").click();
  await page.locator("#timeline article", { hasText: "Written meanwhile" }).waitFor();
}
