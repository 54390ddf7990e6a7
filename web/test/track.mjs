// Uses the page of `fear track --select --show` as a person would: node track.mjs ADDRESS CHROMIUM FOLDER [live]. FOLDER holds box.json, the box of
// the target in shares of the picture; screenshots are left there. What was seen is printed as JSON; the Python tests judge it.

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";

import { launch } from "./browser.mjs";

const [address, executable, folder, source] = process.argv.slice(2);
const { browser, page, errors } = await launch(executable, { colorScheme: "light", hasTouch: true });
page.setDefaultTimeout(60_000);
const devices = await page.context().newCDPSession(page);
const seen = {};
const mode = (wanted) => page.waitForFunction((name) => document.body.dataset.mode === name, wanted);
const text = (id) => page.textContent(`#${id}`);
const rows = () => page.$$eval("#targets li", (items) => items.map((item) => item.textContent.trim()));
const on = async (x, y) => {
  const canvas = await page.locator("#view").boundingBox();
  return [canvas.x + canvas.width * x, canvas.y + canvas.height * y];
};
const drag = async ([left, top, right, bottom]) => {
  await page.mouse.move(...(await on(left, top)));
  await page.mouse.down();
  await page.mouse.move(...(await on((left + right) / 2, (top + bottom) / 2)));
  await page.mouse.move(...(await on(right, bottom)));
  await page.mouse.up();
};
const touch = async (type, x, y) => {
  const [px, py] = await on(x, y);
  await devices.send("Input.dispatchTouchEvent", { type, touchPoints: type === "touchEnd" ? [] : [{ x: px, y: py }] });
};
const audit = async () => {
  await page.evaluate(readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8"));
  const { violations } = await page.evaluate(() => axe.run(document));
  return violations.map(({ id, impact, nodes }) => `${impact} ${id}: ${nodes.map((node) => node.html).join(" ")}`);
};
const tooWide = () => page.evaluate(() => document.documentElement.scrollWidth > document.documentElement.clientWidth);

const box = JSON.parse(readFileSync(join(folder, "box.json"), "utf8"));
await page.goto(address);

// a camera: its picture moves on until a drawing begins, and then stays
if (source === "live") {
  await mode("aim");
  const first = await text("place");
  await page.waitForFunction((before) => document.getElementById("place").textContent !== before, first);
  await drag(box);
  await mode("edit");
  seen.held = await text("place");
  seen.drawn = await rows();
  await page.click("#start");
  await mode("ended");
  seen.errors = errors;
  await browser.close();
  console.log(JSON.stringify(seen));
  process.exit();
}

// a box by the mouse, one by keys, one that is given up, one by a finger that is taken back, a click
await mode("edit");
seen.early = await page.isDisabled("#start");
await drag(box);
await page.mouse.click(...(await on(0.9, 0.9))); // a click is no box
await page.focus("#view");
await page.keyboard.press("Enter");
await page.keyboard.press("Escape");
seen.givenUp = await text("hint");
await page.keyboard.press("Enter");
for (const key of ["Shift+ArrowRight", "ArrowDown", "Alt+ArrowRight"]) await page.keyboard.press(key);
await page.keyboard.press("Enter");
await touch("touchStart", 0.05, 0.05);
await touch("touchMove", 0.1, 0.1);
await touch("touchMove", 0.2, 0.2);
await touch("touchEnd");
seen.touched = (await rows())[2];
await page.click('button[aria-label="Remove target 2"]');
seen.drawn = await rows();
seen.faults = await audit();
await page.screenshot({ path: join(folder, "select.png") });
await page.setViewportSize({ width: 390, height: 800 });
seen.tooWide = await tooWide();
await page.emulateMedia({ colorScheme: "dark" });
seen.faultsInTheDark = await audit();
await page.screenshot({ path: join(folder, "narrow.png"), fullPage: true });
await page.setViewportSize({ width: 1280, height: 900 });
await page.click("#start");

// watch, pause, one frame, draw the second target again, end
await mode("watch");
await page.keyboard.press("Space");
await mode("paused");
const paused = await text("place");
await page.keyboard.press("n");
await page.waitForFunction((before) => document.getElementById("place").textContent !== before, paused);
await mode("paused");
seen.places = [paused, await text("place")];
seen.tracked = await rows();
await page.screenshot({ path: join(folder, "show.png") });
await page.keyboard.press("r");
await mode("edit");
await page.click('#targets li:nth-child(2) input');
await drag([0.5, 0.5, 0.75, 0.75]);
seen.corrected = await rows();
await page.click("#start");
await mode("watch");
await page.keyboard.press("q");
await mode("ended");
seen.end = await text("hint");
seen.errors = errors;
await browser.close();
console.log(JSON.stringify(seen));
