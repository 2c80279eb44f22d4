// Reading: where the page opens, what it shows of a record, what it marks.

export async function opens_where_one_left_off(t) {
  const page = await t.open("/r/long", { wait: ".new" });
  t.equal(await page.evaluate(() => document.querySelector(".new").nextElementSibling.dataset.place), "11", "first unread");
  const stands = await page.evaluate(() => document.querySelector(".new").getBoundingClientRect().top);
  t.ok(stands > 50 && stands < 500, `the line stands at ${stands}`);
  t.ok(await page.locator("#jump").isVisible(), "nothing leads to the newest");
}

export async function marks_what_was_seen_and_nothing_else(t) {
  const page = await t.open("/r/marked", { height: 500, wait: ".new" });
  const left = await t.eventually(page, async () => {
    const { rooms } = await (await fetch("/api/v1/rooms")).json();
    const { unread } = rooms.find((one) => one.room === "marked");
    return unread < 50 && unread;
  });
  t.ok(left > 20, `marked without being seen: ${left} of 50 are left`);
  await page.keyboard.press("n");
  await page.locator("#jump").click();
  await t.until(page, () => document.querySelector("#m60"));
}

export async function shows_each_kind_of_record_as_it_is(t) {
  const page = await t.open("/r/lobby/1");
  const seen = await page.evaluate(() => ({
    days: [...document.querySelectorAll(".day:not(.new)")].length,
    happened: document.querySelector(".happened summary").innerText,
    json: document.querySelector("#m10 pre").innerText.split("\n").length,
    code: document.querySelector("#m7 pre code").innerText,
    bold: document.querySelector("#m1 strong").innerText,
    items: document.querySelectorAll("#m1 li").length,
    urgent: document.querySelector("#m11").classList.contains("urgent"),
    toMe: [...document.querySelectorAll(".to-me")].map((one) => one.id),
    answered: document.querySelector("#m12 .answered").innerText,
    link: [document.querySelector("#m9 .body a").rel, document.querySelector("#m9 .body a").target],
    number: document.querySelector("#m7 .body a").getAttribute("href"),
  }));
  t.ok(seen.days >= 2, "no days");
  t.equal(seen.happened, "3 things happened (claude-parser, codex-docs)");
  t.ok(seen.json > 5, "JSON is not laid out");
  t.ok(seen.code.startsWith("def media") && seen.code.includes("\n    return"), seen.code);
  t.equal([seen.bold, seen.items, seen.urgent], ["release 2.4", 3, true]);
  t.equal(seen.toMe, ["m6", "m11", "m15"], "tinted");
  t.ok(seen.answered.includes("#11") && seen.answered.includes("claude-parser"), seen.answered);
  t.equal(seen.link, ["noopener noreferrer", "_blank"]);
  t.equal(seen.number, "/r/lobby/6");
  await page.locator(".happened summary").first().click();
  t.ok(await page.getByText("Describe the flags").isVisible(), "what happened does not open");
}

export async function folds_a_long_text(t) {
  const page = await t.open("/r/texts", { wait: "#m1" });
  const body = page.locator("#m1 .body");
  t.ok(!(await body.innerText()).includes("line 299"), "it is not folded");
  await page.locator("#m1 .more").click();
  await t.until(page, () => document.querySelector("#m1 .body").innerText.includes("line 299"));
  await page.locator("#m1 .more").click();
  t.ok(!(await body.innerText()).includes("line 299"), "it does not fold again");
}

export async function gives_out_attached_files(t, { content }) {
  const page = await t.open("/r/lobby/11");
  const link = page.locator("#m11 .files a");
  t.equal(await link.innerText(), "format.log");
  const answer = await page.evaluate(async (href) => {
    const answer = await fetch(href);
    return [await answer.text(), answer.headers.get("content-disposition").split(";")[0]];
  }, await link.getAttribute("href"));
  t.equal(answer, [content, "attachment"]);
}

export async function shows_code_that_a_message_is_about(t) {
  const page = await t.open("/r/code/1");
  const places = page.locator("#m1 .at");
  t.equal(await places.allInnerTexts(), ["at src/<b>lexer.py:2-3", "at src/<b>lexer.py"]);
  await page.locator("#m1 details.at summary").click();
  await t.until(page, () => document.querySelector("#m1 details.at pre"));
  const shown = await page.locator("#m1 details.at pre").innerText();
  t.equal(shown.split("\n").slice(0, 4), ["  1  a", "> 2  <img src=x><U+202E>", "> 3  c", "  4  d"]);
}

export async function finds_words_in_all_rooms(t) {
  const page = await t.open("/r/lobby");
  await page.keyboard.press("/");
  await page.keyboard.type("backtracking");
  await page.keyboard.press("Enter");
  const found = page.locator("#panel .found a").first();
  t.equal(await found.locator("mark").innerText(), "backtracking");
  await found.click();
  await page.waitForSelector("#m2.flash");
  t.equal(new URL(page.url()).pathname, "/r/parser/2");
  await page.goBack();
  await t.until(page, () => document.querySelector("#room").innerText === "lobby");
}

export async function a_link_opens_at_its_message(t) {
  const page = await t.open("/r/big/300", { wait: "#m300" });
  await t.until(page, () => document.activeElement?.id === "m300");
  const place = await page.evaluate(() => document.querySelector("#m300").getBoundingClientRect());
  t.ok(place.top > 50 && place.bottom < 780, `it stands at ${place.top}`);
  // A long way up and down: the window moves, and does not grow.
  for (const [to, wanted] of [["0", "#m1"], ["1000000000", "#m600"]]) {
    await t.until(page, ([to, wanted]) => {
      document.querySelector("#timeline").scrollTop = +to;
      return document.querySelector(wanted);
    }, [to, wanted]).catch((error) => { throw new Error(`never came to ${wanted}: ${error.message}`); });
    const count = await page.evaluate(() => document.querySelectorAll("#timeline article").length);
    t.ok(count <= 240, `${count} articles`);
  }
  const numbers = await page.evaluate(() => [...document.querySelectorAll("#timeline article")].map((one) => +one.dataset.place));
  t.ok(numbers.every((one, at) => !at || one === numbers[at - 1] + 1), `a gap: ${numbers}`);
}

export async function says_who_is_here(t) {
  const page = await t.open("/r/lobby", { wait: "#people li" });
  const people = await page.locator("#people").innerText();
  for (const name of ["ana", "claude-parser", "codex-docs", "bob"]) t.ok(people.includes(name), `${name} is missing: ${people}`);
  t.ok(/REGISTERED/i.test(people), people);
}

export async function keeps_rooms_that_are_closed_below_a_fold(t) {
  const page = await t.open("/r/lobby", { wait: "#rooms details" });
  t.equal(await page.locator("#rooms summary").innerText(), "1 closed");
  t.ok(!(await page.getByRole("link", { name: "retro" }).isVisible()), "it is not folded");
  await page.locator("#rooms summary").click();
  await page.getByRole("link", { name: "retro" }).click();
  await t.until(page, () => document.querySelector("#room").innerText === "retro");
}

export async function shows_the_summary_above(t) {
  const page = await t.open("/r/lobby", { wait: "#summary:not([hidden])" });
  await page.locator("#summary > summary").click();
  t.ok((await page.locator("#summary-body").innerText()).includes("has one value"), "its text is missing");
  await page.locator("#summaries").click();
  await page.waitForSelector("#panel section.summary");
}

export async function says_that_nothing_was_said(t) {
  const page = await t.open("/r/empty");
  t.ok((await page.locator("#timeline").innerText()).includes("Nothing has been said here yet."), "no word of it");
}
