// Follows clips in the page: node clips.mjs ADDRESS BROWSER FOLDER MODEL. FOLDER holds NAME.mp4 and NAME.csv with the first box; the page's
// boxes are left as NAME.page.csv.

import { readdirSync } from "node:fs";
import { join } from "node:path";

import { launch } from "./browser.mjs";

const [address, executable, folder, model] = process.argv.slice(2);
const { browser, page, errors } = await launch(executable);
await page.goto(address);
await page.waitForFunction(() => document.body.dataset.network === "loaded");
await page.selectOption("#model", model);
await page.waitForFunction(() => document.getElementById("hint").textContent === "");
for (const name of readdirSync(folder).filter((file) => file.endsWith(".mp4")).map((file) => file.slice(0, -4))) {
  await page.setInputFiles("#file", [join(folder, `${name}.mp4`), join(folder, `${name}.csv`)]);
  await page.waitForFunction(() => document.getElementById("hint").textContent.startsWith("Boxes read"));
  await page.click("#track");
  await page.waitForFunction(() => document.getElementById("hint").textContent.startsWith("All frames"), null, { timeout: 300_000 });
  const [download] = await Promise.all([page.waitForEvent("download"), page.click("#save-csv")]);
  await download.saveAs(join(folder, `${name}.page.csv`));
}
await browser.close();
if (errors.length > 0) throw new Error(errors.join("\n"));
