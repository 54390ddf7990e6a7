// Uses the page as a person would: node page.mjs ADDRESS CHROMIUM FOLDER MODEL. FOLDER holds clip.mp4 (24 frames), clip.json (the first
// box in shares of the picture) and files that cannot be read; what the page saves and screenshots are left there. What was seen is printed
// as JSON; the Python tests judge it.

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";

import { launch } from "./browser.mjs";

const [address, executable, folder, model] = process.argv.slice(2);
const { browser, page, errors } = await launch(executable, { colorScheme: "light" });
const seen = {};
const text = (id) => page.textContent(`#${id}`);
const hint = (part) => page.waitForFunction((wanted) => document.getElementById("hint").textContent.includes(wanted), part);
const state = (wanted) => page.waitForFunction((name) => document.body.dataset.state === name, wanted);
const place = (wanted) => page.waitForFunction((part) => document.getElementById("place").textContent === part, wanted);
const save = async (id, name) => {
  const [download] = await Promise.all([page.waitForEvent("download"), page.click(`#save-${id}`)]);
  await download.saveAs(join(folder, name));
  return download.suggestedFilename();
};
const open = async (...names) => page.setInputFiles("#file", names.map((name) => join(folder, name)));
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
const audit = async () => {
  await page.evaluate(readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8"));
  const { violations } = await page.evaluate(() => axe.run(document));
  return violations.map(({ id, impact, nodes }) => `${impact} ${id}: ${nodes.map((node) => node.html).join(" ")}`);
};
const tooWide = () =>
  page.evaluate(() =>
    [document.documentElement, ...document.querySelectorAll("button, label, p, dd, h1, h2, li, select")]
      .filter((part) => part.scrollWidth > part.clientWidth + 1 && getComputedStyle(part).display !== "inline")
      .map((part) => part.outerHTML.slice(0, 80)),
  );

async function start() {
  await page.goto(address);
  await page.waitForFunction(() => document.body.dataset.network === "loaded");
  await page.selectOption("#model", model);
  await page.waitForFunction(() => document.getElementById("hint").textContent === "");
}

await start();
seen.isolated = await page.evaluate(() => crossOriginIsolated);

// a file: draw, track, click, save
const box = JSON.parse(readFileSync(join(folder, "clip.json"), "utf8"));
await open("clip.mp4");
await place("1 of 24");
await drag(box);
await hint("Track follows it");
await page.click("#track");
await page.mouse.click(...(await on(0.9, 0.9))); // a click ends nothing
await hint("All frames are known");
seen.name = await save("csv", "tracked.csv");

// back and forth, and a correction by keys
await page.click("#back");
await place("23 of 24");
await page.click("#forth");
await place("24 of 24");
await page.fill("#seek", "10");
await place("11 of 24");
await page.focus("#view");
await page.keyboard.press("Enter");
await page.keyboard.press("Escape");
await hint("No box was drawn");
await page.keyboard.press("Enter");
for (const key of ["Shift+ArrowRight", "ArrowDown", "Alt+ArrowRight"]) await page.keyboard.press(key);
await page.keyboard.press("Enter");
await hint("Track follows it");
seen.undraw = await page.isEnabled("#undraw");
await page.keyboard.press("Space");
await hint("All frames are known");
await save("csv", "corrected.csv");
await page.click("#again");
await hint("All frames are known");
await save("csv", "again.csv");

// a second target, all files, the time line
await page.fill("#seek", "0");
await place("1 of 24");
await page.click("#add");
await drag([0.6, 0.55, 0.8, 0.9]);
await hint("Track follows it");
await page.fill('input[aria-label="Name of target 1"]', "wall");
await page.click("#track");
await hint("All frames are known");
await page.screenshot({ path: join(folder, "wide.png") });
for (const [id, name] of [["csv", "two.csv"], ["json", "two.json"], ["mot", "two.mot.txt"], ["project", "two.fear.json"], ["video", "video"]]) {
  seen[id] = await save(id, name);
}
const line = await page.locator("#timeline").boundingBox();
await page.mouse.click(line.x + line.width / 2, line.y + 20);
await place("13 of 24");
seen.faults = await audit();
await page.emulateMedia({ colorScheme: "dark" });
await page.setViewportSize({ width: 390, height: 844 });
seen.faults.push(...(await audit()));
seen.tooWide = await tooWide();
await page.screenshot({ path: join(folder, "phone.png"), fullPage: true });
seen.live = await page.evaluate(() => [...document.querySelectorAll("[aria-live], [role=status], [role=alert], output")].map((part) => part.id));
await page.setViewportSize({ width: 1280, height: 900 });

// the project again
await start();
await open("two.fear.json");
await hint("Now open clip.mp4");
await open("clip.mp4");
await hint("Boxes read");
await save("csv", "reopened.csv");

// playing without tracking
await page.click("#play");
await page.waitForFunction(() => document.getElementById("place").textContent === "24 of 24");
await state("ready");

// what cannot be read
seen.complaints = {};
for (const name of ["broken.mp4", "old.avi", "hevc.mp4"]) {
  await open(name);
  await hint(name === "hevc.mp4" ? "hevc.mp4: the" : `${name}: `);
  seen.complaints[name] = await text("hint");
}

// a camera
await page.click("#camera");
await hint("Draw a box");
await drag([0.4, 0.4, 0.6, 0.6]);
await state("tracking");
await page.waitForFunction(() => parseInt(document.getElementById("known").textContent) >= 3);
await page.keyboard.press("Space");
await state("ready");
seen.camera = await text("known");
await save("csv", "camera.csv");

// the sample
await page.click("#sample");
await state("tracking");
await page.waitForFunction(() => parseInt(document.getElementById("known").textContent) >= 3);
await page.keyboard.press("Space");
await state("ready");
const paused = await text("place");
await page.waitForTimeout(300);
seen.still = (await text("place")) === paused;

await browser.close();
console.log(JSON.stringify({ ...seen, errors }));
