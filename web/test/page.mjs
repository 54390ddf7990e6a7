// Drives the page in a real browser: node page.mjs ADDRESS CHROMIUM FOLDER MODEL
// Plays the sample, draws a box by hand, opens files, and leaves boxes and screenshots in FOLDER. The Python tests judge what it found.

import { join } from "node:path";

import { chromium } from "playwright-core";

const [address, executablePath, folder, model] = process.argv.slice(2);
const browser = await chromium.launch({
  executablePath,
  args: [
    ...["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking"],
    ...["--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream"], // a camera that shows a rendered picture
  ],
});
const page = await browser.newPage({ viewport: { width: 1200, height: 820 }, acceptDownloads: true });
const errors = [];
page.on("pageerror", (error) => errors.push(error.message));
page.on("console", (message) => message.type() === "error" && errors.push(message.text()));

const state = (wanted) => page.waitForFunction((name) => document.body.dataset.state === name, wanted, { timeout: 60_000 });
const hint = (text) => page.waitForFunction((part) => document.getElementById("hint").textContent.includes(part), text, { timeout: 60_000 });
const save = async (name) => {
  const [download] = await Promise.all([page.waitForEvent("download"), page.click("#save")]);
  await download.saveAs(join(folder, name));
};

await page.goto(address);
await hint("Open a video");
const isolated = await page.evaluate(() => crossOriginIsolated);
await page.selectOption("#model", model);
await hint("");

await page.click("#sample");
await state("ended");
await save("sample.csv");
await page.screenshot({ path: join(folder, "sample.png") });
const target = await page.textContent("#target");

await page.click("#again"); // its first frame, from which a box is drawn by hand
await state("tracking");
await page.keyboard.press("Space");
await state("paused");
await page.waitForTimeout(1000); // for the frame that was under way
const paused = await page.textContent("#frames");
await page.waitForTimeout(300);
const still = (await page.textContent("#frames")) === paused;
const canvas = await page.locator("#view").boundingBox();
const place = (x, y) => [canvas.x + canvas.width * x, canvas.y + canvas.height * y];
await page.mouse.move(...place(0.25, 0.25));
await page.mouse.down();
await page.mouse.move(...place(0.3, 0.3));
await page.mouse.move(...place(0.5, 0.75));
await page.mouse.up();
await state("tracking");
await page.waitForFunction(() => parseInt(document.getElementById("frames").textContent) >= 3, null, { timeout: 60_000 });
await save("drawn.csv");

await page.click("#camera");
await state("ready");
await page.mouse.move(...place(0.4, 0.4));
await page.mouse.down();
await page.mouse.move(...place(0.6, 0.6));
await page.mouse.up();
await state("tracking");
await page.waitForFunction(() => parseInt(document.getElementById("frames").textContent) >= 3, null, { timeout: 60_000 });
await save("camera.csv");

await page.setInputFiles("#file", { name: "broken.mp4", mimeType: "video/mp4", buffer: Buffer.from("not a video") });
await hint("cannot read");
const complaint = await page.textContent("#hint");

await browser.close();
console.log(JSON.stringify({ isolated, target, still, complaint, errors }));
