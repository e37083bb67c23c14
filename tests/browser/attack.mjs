// attack.mjs - opens one hostile message after the other, in the frame and as a page of its
// own, and says what it did that a message may not do.
//
// In: {url, cookies, current, attacks: [{name, html, paths}]}: CURRENT is the file from which the
// reader of the test takes the HTML. Out: {findings: [text], shown}.
import { writeFileSync } from "node:fs";
import { readInput, startBrowser } from "./lib.mjs";

const SETTLE_MS = 60; // for what comes by itself after the page is there
const ASK_MS = 1000;   // a frame for its title

const input = readInput();
const findings = [];
let shown = 0;
let now = "";

function find(what) {
  findings.push(`${now}: ${what}`);
}

const browser = await startBrowser();
const context = await browser.newContext({ ignoreHTTPSErrors: true });
await context.addCookies(input.cookies.map((one) => ({
  ...one, url: input.url, secure: true, httpOnly: true, sameSite: "Lax" })));
// What a policy stopped never went out: Chromium tells of it with blockedReason.
const tab = await context.newPage();
const wire = await context.newCDPSession(tab);
await wire.send("Network.enable");
await wire.send("Target.setAutoAttach", { autoAttach: true, waitForDebuggerOnStart: false,
  flatten: true });
const asked = new Map();
wire.on("Network.requestWillBeSent", ({ requestId, request }) => asked.set(requestId, request.url));
wire.on("Network.loadingFailed", ({ requestId, blockedReason }) => {
  if (blockedReason !== undefined) asked.delete(requestId);
});
tab.on("dialog", async (dialog) => { find(`dialog ${dialog.message()}`); await dialog.dismiss(); });
context.on("page", (page) => { if (page !== tab) find(`window ${page.url()}`); });

// "": still empty, as its address was refused.
const ours = (url) => url.startsWith(input.url) || url.startsWith("data:") ||
  ["", "about:blank", "about:srcdoc"].includes(url) || url.startsWith("chrome-error:");

async function visit(path) {
  asked.clear();
  await tab.goto(input.url + path, { waitUntil: "load" });
  await tab.waitForTimeout(SETTLE_MS);
  for (const url of asked.values()) if (!ours(url)) find(`request ${url} on ${path}`);
  if (tab.url() !== input.url + path) find(`navigation to ${tab.url()} on ${path}`);
  for (const frame of tab.frames()) {
    if (!ours(frame.url())) find(`frame at ${frame.url()} on ${path}`);
    // Playwright's own world runs in a page without scripts; that of the page would show here.
    // A frame that was never let in has no world to ask: that would wait for ever.
    const title = await Promise.race([frame.title().catch(() => ""),
      new Promise((resolve) => setTimeout(resolve, ASK_MS, ""))]);
    if (title.includes("stolen")) find(`script changed the title on ${path}`);
  }
}

for (const attack of input.attacks) {
  now = attack.name;
  writeFileSync(input.current, attack.html);
  for (const path of attack.paths) {
    try {
      await visit(path);
      shown++;
    } catch (error) {
      find(String(error));
    }
  }
}
await browser.close();
process.stdout.write(JSON.stringify({ findings, shown }));
