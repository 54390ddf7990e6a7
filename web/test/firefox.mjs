// The same page in Firefox: node firefox.mjs ADDRESS FIREFOX FOLDER MODEL. Follows clip.mp4 from clip.csv and prints the boxes.

import { join } from "node:path";

import puppeteer from "puppeteer-core"; // speaks WebDriver BiDi, which a Firefox as it comes understands

const [address, executablePath, folder, model] = process.argv.slice(2);
const browser = await puppeteer.launch({ browser: "firefox", executablePath, headless: true, timeout: 180_000 });
const page = await browser.newPage();
page.setDefaultTimeout(180_000);
const errors = [];
page.on("pageerror", (error) => errors.push(error.message));
const hint = (part) => page.waitForFunction((wanted) => document.getElementById("hint").textContent.includes(wanted), {}, part);
await page.goto(address);
await page.waitForFunction(() => document.body.dataset.network === "loaded");
await page.select("#model", model);
await page.waitForFunction(() => document.getElementById("hint").textContent === "");
const input = await page.$("#file");
await input.uploadFile(join(folder, "clip.mp4"), join(folder, "clip.csv"));
await hint("Boxes read");
await page.click("#track");
await hint("All frames are known");
await page.evaluate(() => {
  const make = URL.createObjectURL;
  URL.createObjectURL = (blob) => {
    globalThis.saved = blob;
    return make.call(URL, blob);
  };
});
await page.click("#save-csv");
const csv = await page.evaluate(() => globalThis.saved.text());
await browser.close();
console.log(JSON.stringify({ csv, errors }));
