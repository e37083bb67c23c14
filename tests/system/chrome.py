"""A real Chromium on a phone-sized screen, driven through chromedriver (WebDriver, W3C).

It trusts the lab's authority because that stands in the certificate database of its own
fresh home, as an administrator would put it there; nothing about certificates is ignored.
"""
import base64
import json
import os
import shutil
import subprocess
import tempfile
import urllib.error
import urllib.request

from harness import ENV, command, wait_for

PHONE = (390, 844)
SMALL = (320, 568)
DRIVER_PORT = 9515
ANSWER_LIMIT_S = 60
ELEMENT = "element-6066-11e4-a52e-4f735466cecf"  # W3C WebDriver, 11. Elements
NOISE = ("--disable-background-networking", "--disable-component-update", "--disable-sync",
         "--disable-default-apps", "--no-first-run", "--disable-extensions",
         "--disable-features=OptimizationHints,MediaRouter,Translate")


class DriverError(Exception):
    """The driver said no: .error is the name that WebDriver has for it."""

    def __init__(self, error, message):
        super().__init__(error + ": " + message)
        self.error = error


def options_of(home, downloads, scripts):
    """The capabilities of a session: headless, its own profile, everything logged."""
    preferences = {"download.default_directory": downloads,
                   "download.prompt_for_download": False, "intl.accept_languages": "nl,en"}
    if not scripts:
        preferences["profile.managed_default_content_settings.javascript"] = 2
    return {
        "browserName": "chrome",
        "acceptInsecureCerts": False,
        "unhandledPromptBehavior": "ignore",
        "goog:loggingPrefs": {"performance": "ALL"},
        "goog:chromeOptions": {
            "binary": shutil.which("chromium"),
            # We are root, in a mount name space that is thrown away.
            "args": ["--headless=new", "--no-sandbox", "--disable-gpu", "--lang=nl",
                     "--user-data-dir=" + os.path.join(home, "profile")] + list(NOISE),
            "prefs": preferences}}


class Chrome:
    """with Chrome() as chrome: a browser with a profile of its own, gone afterwards."""

    def __init__(self, scripts=True):
        self.scripts = scripts
        self.session = None
        self.driver = None

    def __enter__(self):
        self.home = tempfile.mkdtemp(dir=ENV["LAB"])
        self.downloads = os.path.join(self.home, "downloads")
        store = os.path.join(self.home, ".pki", "nssdb")
        os.makedirs(store)
        os.makedirs(self.downloads)
        command("certutil", "-N", "-d", "sql:" + store, "--empty-password")
        command("certutil", "-A", "-d", "sql:" + store, "-t", "C,,", "-n", "lab", "-i",
                ENV["LAB_CA"])
        with open(os.path.join(ENV["LAB"], "log", "chromedriver"), "ab") as log:
            self.driver = subprocess.Popen(
                ["chromedriver", "--port=%d" % DRIVER_PORT], stdout=log, stderr=log,
                env=dict(os.environ, HOME=self.home))
        try:
            wait_for(self._is_ready, "chromedriver")
            self.session = self._call("POST", "/session", {"capabilities": {
                "alwaysMatch": options_of(self.home, self.downloads, self.scripts)}})["sessionId"]
            self.screen(PHONE)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        try:
            if self.session:
                self._call("DELETE", "/session/" + self.session)
        finally:
            self.driver.terminate()
            self.driver.wait()
            shutil.rmtree(self.home, ignore_errors=True)

    def _is_ready(self):
        try:
            return self._call("GET", "/status")["ready"]
        except OSError:
            return False

    def _call(self, method, path, values=None):
        data = None if method != "POST" else json.dumps(values or {}).encode()
        request = urllib.request.Request("http://127.0.0.1:%d%s" % (DRIVER_PORT, path), data,
                                         {"Content-Type": "application/json"}, method=method)
        try:
            with urllib.request.urlopen(request, timeout=ANSWER_LIMIT_S) as answer:
                return json.load(answer)["value"]
        except urllib.error.HTTPError as error:
            value = json.load(error)["value"]
            raise DriverError(value["error"], value["message"]) from None

    def call(self, method, path, **values):
        """One WebDriver command of this session; returns its value."""
        return self._call(method, "/session/%s%s" % (self.session, path), values)

    def devtools(self, name, **values):
        """One command of the DevTools protocol."""
        return self.call("POST", "/goog/cdp/execute", cmd=name, params=values)

    # ---- What a person sees ----

    def screen(self, size, dark=False):
        """A phone with a screen of SIZE, in the light or the dark."""
        self.devtools("Emulation.setDeviceMetricsOverride", width=size[0], height=size[1],
                      deviceScaleFactor=2, mobile=True)
        self.devtools("Emulation.setEmulatedMedia", features=[
            {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}])

    def screenshot(self, name):
        """Keeps the whole page as screenshots/NAME.png of the build tree."""
        folder = os.path.join(ENV["LAB_BUILD"], "screenshots")
        os.makedirs(folder, exist_ok=True)
        picture = self.devtools("Page.captureScreenshot", format="png",
                                captureBeyondViewport=True)
        path = os.path.join(folder, name + ".png")
        with open(path, "wb") as file:
            file.write(base64.b64decode(picture["data"]))
        return path

    def look_at(self, selector):
        """Scrolls to an element: what is below the screen is not drawn in a frame."""
        self.call("POST", "/execute/sync", script="arguments[0].scrollIntoView()",
                  args=[{ELEMENT: self.find(selector)}])

    def width(self):
        """How wide the page is, in CSS pixels."""
        return self.devtools("Page.getLayoutMetrics")["cssContentSize"]["width"]

    def text(self):
        """The words on the page, or in the frame we are in; "" while it changes."""
        try:
            return self.call("GET", "/element/%s/text" % self.find("body"))
        except DriverError as error:
            changing = ("stale element reference", "no such element")
            assert error.error in changing or "does not belong to the document" in str(error), error
            return ""

    def url(self):
        return self.call("GET", "/url")

    def has_dialog(self):
        try:
            self.call("GET", "/alert/text")
            return True
        except DriverError as error:
            assert error.error == "no such alert", error
            return False

    # ---- What a person does ----

    def go(self, url):
        self.call("POST", "/url", url=url)

    def back(self):
        self.call("POST", "/back")

    def find(self, selector):
        """The first element for a CSS SELECTOR."""
        return self.call("POST", "/element", using="css selector", value=selector)[ELEMENT]

    def find_all(self, selector):
        found = self.call("POST", "/elements", using="css selector", value=selector)
        return [one[ELEMENT] for one in found]

    def click(self, selector):
        self.call("POST", "/element/%s/click" % self.find(selector))

    def type(self, selector, text):
        self.call("POST", "/element/%s/value" % self.find(selector), text=text)

    def enter(self, selector=None):
        """Looks into the frame SELECTOR; None: back to the page."""
        self.call("POST", "/frame", id=selector and {ELEMENT: self.find(selector)})

    def requests(self):
        """Every URL that went out since the last call: what a policy stopped is left out."""
        entries = self.call("POST", "/se/log", type="performance")
        events = [json.loads(entry["message"])["message"] for entry in entries]
        stopped = {event["params"]["requestId"] for event in events
                   if event["method"] == "Network.loadingFailed"
                   and event["params"].get("blockedReason") == "csp"}
        return [event["params"]["request"]["url"] for event in events
                if event["method"] == "Network.requestWillBeSent"
                and event["params"]["requestId"] not in stopped]
