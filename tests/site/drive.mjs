// A browser, driven by lines of JSON: {"open": url}, {"resize": {width, height}} or {"evaluate": source of an async function} → {"value"} or {"error"}.
// Usage: node drive.mjs chrome|firefox EXECUTABLE HOST (HOST is a name for 127.0.0.1 that no browser calls secure)
import { createInterface } from "node:readline";
import puppeteer from "puppeteer-core";

const [browser, executablePath, host] = process.argv.slice(2);
const quiet = ["--no-sandbox", "--no-first-run", "--disable-quic", "--disable-sync", "--disable-gpu"];
const started = await puppeteer.launch({
  browser,
  executablePath,
  args:
    browser === "chrome"
      ? [...quiet, "--disable-background-networking", "--disable-component-update", `--host-resolver-rules=MAP ${host} 127.0.0.1`]
      : [],
  extraPrefsFirefox: { "network.dns.localDomains": host },
  protocolTimeout: 600_000,
});
const page = await started.newPage();
const complaints = [];
page.on("console", (message) => message.type() === "error" && complaints.push(message.text()));
page.on("pageerror", (error) => complaints.push(String(error)));

const answer = async ({ open, evaluate, resize }) => {
  if (open) return void (await page.goto(open, { waitUntil: "load" }));
  if (resize) return void (await page.setViewport(resize));
  if (evaluate) return page.evaluate(`(${evaluate})()`);
  return complaints;
};
for await (const line of createInterface({ input: process.stdin })) {
  try {
    process.stdout.write(`${JSON.stringify({ value: (await answer(JSON.parse(line))) ?? null })}\n`);
  } catch (error) {
    process.stdout.write(`${JSON.stringify({ error: String(error) })}\n`);
  }
}
await started.close();
