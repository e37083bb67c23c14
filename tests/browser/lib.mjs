// lib.mjs - what the scripts for Chromium share. They are run by tests/system: one JSON value
// comes on standard input, one goes to standard output.
import { createRequire } from "node:module";
import { readFileSync } from "node:fs";

const require = createRequire(process.env.ZEGEL_BROWSER_TOOLS + "/");
const { chromium } = require("playwright-core");
export const axeSource = readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");
export const vnuJar = require("vnu-jar");

export function readInput() {
  return JSON.parse(readFileSync(0, "utf8"));
}

// A headless Chromium that calls nobody by itself. We are root, in name spaces of our own.
export function startBrowser() {
  return chromium.launch({
    executablePath: "/usr/bin/chromium",
    args: ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic",
      "--disable-background-networking", "--disable-component-update", "--disable-sync"],
  });
}
