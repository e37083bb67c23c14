// look.mjs - goes through pages as people with different eyes and screens do.
//
// In: {out, pages: [{name, language, both, url, status, headers, body, cookies}]}: the document at
// URL is what was answered before, so that a page that can be had once can be looked at often;
// what it loads comes from the viewer. Out: {findings: [text]}. Pictures stay in the directory
// OUT. Each page is looked at with all eyes once in each language: Dutch on a phone in the
// light, English on a desk in the dark (BOTH: a page in both languages, in both ways); and
// quickly on the other screen, and magnified to 400 %.
import { mkdirSync } from "node:fs";
import { axeSource, readInput, startBrowser } from "./lib.mjs";

const PHONE = { name: "320", width: 320, height: 568 };
const DESK = { name: "1280", width: 1280, height: 800 };
const MAGNIFIED = { name: "400%", width: 320, height: 200 }; // 1280 x 800 px, four times as large
const RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];
const TARGET_MIN_PX = 24; // WCAG 2.2, 2.5.8
const FOCUS_MIN_PIXELS = 60;
const TABS_MAX = 60;
const WORKERS = 2;

const input = readInput();
const findings = [];
const focused = new Set(); // the kinds of things of which the focus was seen
mkdirSync(input.out, { recursive: true });

function find(where, what) {
  findings.push(`${where}: ${what}`);
}

// PAGE in a context of its own.
async function open(browser, page) {
  const context = await browser.newContext({
    locale: page.language,
    ignoreHTTPSErrors: true, // the certificate is checked by test_browser.py
    javaScriptEnabled: true, // for axe; our pages have no scripts
  });
  await context.addCookies(page.cookies.map((one) => ({
    ...one, url: new URL("/", page.url).href, secure: true, httpOnly: true, sameSite: "Lax" })));
  await context.route((url) => url.href === page.url, (route) => route.fulfill({
    status: page.status, headers: page.headers, body: Buffer.from(page.body, "base64") }));
  const tab = await context.newPage();
  await tab.goto(page.url);
  return tab;
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

// What makes two things look alike when they have the focus.
function kindOf(thing) {
  return thing.evaluate((one) => [one.tagName, one.type, one.className,
    one.parentElement.className, one.closest(".banner, .tools, main, footer")?.className].join("|"));
}

// Focus is seen in pixels (2.4.7, 2.4.13); once of each kind of thing.
async function checkFocus(tab, judge, where, look) {
  const things = tab.locator(
    "a[href]:visible, button:visible, summary:visible, textarea:visible, " +
    "input:not([type=hidden]):visible");
  const count = await things.count();
  for (let i = 0; i < count; i++) {
    const thing = things.nth(i);
    const kind = `${look.screen.name} ${look.scheme} ${await kindOf(thing)}`;
    if (focused.has(kind)) continue;
    focused.add(kind);
    await thing.scrollIntoViewIfNeeded();
    await tab.evaluate(() => document.activeElement?.blur());
    const box = await thing.boundingBox();
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

async function look(tab, judge, page, one) {
  const where = `${page.name} ${page.language} ${one.screen.name} ${one.scheme}`;
  await tab.setViewportSize({ width: one.screen.width, height: one.screen.height });
  await tab.emulateMedia({ colorScheme: one.scheme });
  await checkWidth(tab, where);
  if (one.screen === MAGNIFIED) return;
  await checkTargets(tab, where);
  await tab.screenshot({ fullPage: true, path:
    `${input.out}/${page.name}-${page.language}-${one.screen.name}-${one.scheme}.png` });
  if (!one.closely) return;
  await checkAxe(tab, where);
  // In this order: Tab goes on from where the focus was.
  if (!one.again) await checkOrder(tab, where);
  await checkFocus(tab, judge, where, one);
}

function looksAt(page) {
  const dutch = { screen: PHONE, scheme: "light", closely: true };
  const english = { screen: DESK, scheme: "dark", closely: true };
  if (page.both) return [dutch, { ...english, again: true }, { screen: MAGNIFIED, scheme: "light" }];
  return page.language === "nl"
    ? [dutch, { screen: DESK, scheme: "light" }, { screen: MAGNIFIED, scheme: "light" }]
    : [english, { screen: PHONE, scheme: "dark" }, { screen: MAGNIFIED, scheme: "dark" }];
}

async function work(browser, judge, pages) {
  for (let page = pages.shift(); page !== undefined; page = pages.shift()) {
    try {
      const tab = await open(browser, page);
      for (const one of looksAt(page)) await look(tab, judge, page, one);
      await tab.context().close();
    } catch (error) {
      find(`${page.name} ${page.language}`, String(error));
    }
  }
}

const browser = await startBrowser();
const judge = await (await browser.newContext()).newPage();
const pages = [...input.pages];
await Promise.all(Array.from({ length: WORKERS }, () => work(browser, judge, pages)));
await browser.close();
process.stdout.write(JSON.stringify({ findings }));
