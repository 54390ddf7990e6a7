// A real browser for the tests: Chromium with a camera that shows a rendered picture, or Firefox.

import { chromium, firefox } from "playwright-core";

const CHROMIUM = [
  ...["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking"],
  ...["--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream"],
];

/** The browser at this path with one page; `errors` gathers what goes wrong in it. */
export async function launch(executablePath, options = {}) {
  const isFirefox = executablePath.includes("firefox");
  const browser = await (isFirefox ? firefox.launch({ executablePath }) : chromium.launch({ executablePath, args: CHROMIUM }));
  const page = await browser.newPage({ viewport: { width: 1280, height: 900 }, acceptDownloads: true, ...options });
  page.setDefaultTimeout(180_000); // a busy machine is slow, and nothing here is about speed
  const errors = [];
  page.on("pageerror", (error) => errors.push(error.message));
  page.on("console", (message) => message.type() === "error" && errors.push(message.text()));
  return { browser, page, errors };
}
