// look.mjs - goes through pages as people with different eyes and screens do.
//
// In: {out, url, pages: [{name, path, cookies, steps}]}. A step is ["fill", selector, text],
// ["choose", selector, file] or ["click", selector]. Out: {findings: [text], seen: [{name,
// file, words}]}. Each page is looked at in both languages, on a phone and on a desk, light
// and dark, and once magnified to 400 %. Pictures and documents stay in the directory OUT.
import { mkdirSync, writeFileSync } from "node:fs";
import { axeSource, readInput, startBrowser } from "./lib.mjs";

const SCREENS = [
  { name: "320", width: 320, height: 568, scale: 2 },
  { name: "1280", width: 1280, height: 800, scale: 1 },
  { name: "400%", width: 320, height: 200, scale: 4 }, // 1280 px wide, magnified
];
const LANGUAGES = ["nl", "en"];
const SCHEMES = ["light", "dark"];
const RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];
const TARGET_MIN_PX = 24; // WCAG 2.2, 2.5.8
const FOCUS_MIN_PIXELS = 60;
const TABS_MAX = 60;

const input = readInput();
const findings = [];
const seen = [];
mkdirSync(input.out, { recursive: true });

function find(where, what) {
  findings.push(`${where}: ${what}`);
}

async function act(page, [verb, selector, value]) {
  const element = page.locator(selector).first();
  if (verb === "fill") return element.fill(value);
  if (verb === "choose") return element.setInputFiles(value);
  const [response] = await Promise.all([page.waitForNavigation(), element.click()]);
  return response;
}

// The page PAGE names in a fresh context; its last response is a document for vnu.
async function open(browser, page, look) {
  const context = await browser.newContext({
    viewport: { width: look.screen.width, height: look.screen.height },
    deviceScaleFactor: look.screen.scale,
    colorScheme: look.scheme,
    locale: look.language,
    ignoreHTTPSErrors: true, // the certificate is checked by test_browser.py
    javaScriptEnabled: true, // for axe; our pages have no scripts
  });
  await context.addCookies((page.cookies ?? []).map((one) => ({
    ...one, url: input.url, secure: true, httpOnly: true, sameSite: "Lax" })));
  const tab = await context.newPage();
  const mark = page.path.includes("?") ? "&" : "?";
  let response = await tab.goto(`${input.url}${page.path}${mark}lang=${look.language}`);
  for (const step of page.steps ?? []) response = (await act(tab, step)) ?? response;
  return { context, tab, response };
}

async function checkAxe(tab, where) {
  await tab.evaluate(axeSource);
  const result = await tab.evaluate((tags) => window.axe.run(document, {
    iframes: false, resultTypes: ["violations"], runOnly: { type: "tag", values: tags } }), RULES);
  for (const one of result.violations)
    for (const node of one.nodes) find(where, `axe ${one.id}: ${one.help}: ${node.html}`);
}

async function checkWidth(tab, where) {
  const [wide, room] = await tab.evaluate(() => [
    document.scrollingElement.scrollWidth, document.documentElement.clientWidth]);
  if (wide > room) find(where, `is ${wide} px wide on a screen of ${room}`);
}

async function checkTargets(tab, where) {
  const small = await tab.evaluate((min) => [...document.querySelectorAll(
    "a[href], button, summary, select, textarea, input:not([type=hidden])")]
    .filter((one) => {
      const box = one.getBoundingClientRect();
      const inline = one.matches("p a, bdi a, li p a"); // 2.5.8, exception "inline"
      return box.width > 0 && !inline && (box.width < min || box.height < min);
    }).map((one) => one.outerHTML.slice(0, 120)), TARGET_MIN_PX);
  for (const one of small) find(where, `too small to hit: ${one}`);
}

// Where the focus goes with Tab, and whether that is the order of reading.
async function tabOrder(tab) {
  const order = [];
  for (let step = 0; step < TABS_MAX; step++) {
    await tab.keyboard.press("Tab");
    const place = await tab.evaluate(() => {
      const all = [...document.querySelectorAll("*")];
      const one = document.activeElement;
      if (one === null || one === document.body) return null;
      const box = one.getBoundingClientRect();
      return { index: all.indexOf(one), html: one.outerHTML.slice(0, 120), top: box.top + scrollY,
        bottom: box.bottom + scrollY, frame: one.tagName === "IFRAME" };
    });
    if (place === null || place.frame || order.some((one) => one.index === place.index)) {
      if (place?.frame && !order.some((one) => one.index === place.index)) {
        order.push(place);
        continue;
      }
      if (!place?.frame) break;
      continue; // inside the message
    }
    order.push(place);
  }
  return order;
}

async function checkOrder(tab, where) {
  const order = await tabOrder(tab);
  const focusable = await tab.evaluate(() => [...document.querySelectorAll(
    "a[href], button, summary, select, textarea, input:not([type=hidden])")]
    .filter((one) => one.checkVisibility()).length);
  if (order.filter((one) => !one.frame).length < focusable)
    find(where, `Tab reaches ${order.length} of ${focusable} things`);
  for (let i = 1; i < order.length; i++) {
    if (order[i].index < order[i - 1].index)
      find(where, `Tab goes back, from ${order[i - 1].html} to ${order[i].html}`);
    if (order[i].bottom <= order[i - 1].top)
      find(where, `Tab jumps up, from ${order[i - 1].html} to ${order[i].html}`);
  }
}

// How many pixels differ, and clearly (3:1), between two pictures.
async function countChanged(judge, before, after) {
  return judge.evaluate(async ([a, b]) => {
    const load = async (text) => {
      const image = new Image();
      image.src = "data:image/png;base64," + text;
      await image.decode();
      const canvas = new OffscreenCanvas(image.width, image.height);
      const context = canvas.getContext("2d");
      context.drawImage(image, 0, 0);
      return context.getImageData(0, 0, image.width, image.height).data;
    };
    const light = (data, at) => {
      const part = (value) => value <= 10 ? value / 3294 : ((value / 255 + 0.055) / 1.055) ** 2.4;
      return 0.2126 * part(data[at]) + 0.7152 * part(data[at + 1]) + 0.0722 * part(data[at + 2]);
    };
    const [one, other] = [await load(a), await load(b)];
    let changed = 0;
    for (let at = 0; at < one.length; at += 4) {
      const [x, y] = [light(one, at), light(other, at)].sort((p, q) => q - p);
      if ((x + 0.05) / (y + 0.05) >= 3) changed++;
    }
    return changed;
  }, [before.toString("base64"), after.toString("base64")]);
}

// Focus is seen in pixels (2.4.7, 2.4.13).
async function checkFocus(tab, judge, where) {
  const things = tab.locator(
    "a[href]:visible, button:visible, summary:visible, textarea:visible, " +
    "input:not([type=hidden]):visible");
  const count = await things.count();
  for (let i = 0; i < count; i++) {
    const thing = things.nth(i);
    await thing.scrollIntoViewIfNeeded();
    await tab.evaluate(() => document.activeElement?.blur());
    const box = await thing.boundingBox();
    if (box === null || box.width < 2) continue;
    const clip = { x: Math.max(0, box.x - 8), y: Math.max(0, box.y - 8),
      width: box.width + 16, height: box.height + 16 };
    const before = await tab.screenshot({ clip, caret: "hide" });
    await tab.keyboard.press("Shift"); // as somebody at the keys: :focus-visible
    await thing.focus();
    const after = await tab.screenshot({ clip, caret: "hide" });
    const changed = await countChanged(judge, before, after);
    if (changed < FOCUS_MIN_PIXELS)
      find(where, `focus shows in ${changed} pixels: ${(await thing.evaluate(
        (one) => one.outerHTML)).slice(0, 120)}`);
  }
}

async function look(browser, judge, page, one) {
  const where = `${page.name} ${one.language} ${one.screen.name} ${one.scheme}`;
  const { context, tab, response } = await open(browser, page, one);
  await checkWidth(tab, where);
  if (one.screen.name !== "400%") {
    await tab.screenshot({ fullPage: true, path:
      `${input.out}/${page.name}-${one.language}-${one.screen.name}-${one.scheme}.png` });
    await checkAxe(tab, where);
    await checkTargets(tab, where);
  }
  // In this order: Tab goes on from where the focus was.
  if (one.screen.name !== "400%" && one.language === "nl" && one.scheme === "light")
    await checkOrder(tab, where);
  if (one.screen.name === "320" && one.language === "nl") await checkFocus(tab, judge, where);
  if (one.screen.name === "1280" && one.scheme === "light") {
    const file = `${input.out}/${page.name}-${one.language}.html`;
    writeFileSync(file, await response.body());
    seen.push({ name: page.name, language: one.language, file,
      lang: await tab.getAttribute("html", "lang"), words: await tab.innerText("body") });
  }
  await context.close();
}

const browser = await startBrowser();
const judge = await (await browser.newContext()).newPage();
for (const page of input.pages)
  for (const language of LANGUAGES)
    for (const screen of SCREENS)
      for (const scheme of screen.name === "400%" ? ["light"] : SCHEMES) {
        const one = { language, screen, scheme };
        // What is sent can be sent once: such pages are looked at once.
        if (page.once && (language !== "nl" || screen.name !== "320" || scheme !== "light"))
          continue;
        try {
          await look(browser, judge, page, one);
        } catch (error) {
          find(`${page.name} ${language} ${screen.name} ${scheme}`, String(error));
        }
      }
await browser.close();
process.stdout.write(JSON.stringify({ findings, seen }));
