"""Chromium driven by playwright: runs the scripts of tests/browser."""
import json
import os
import subprocess
import tempfile
import urllib.parse

from harness import ENV

HERE = os.path.dirname(os.path.realpath(__file__))
SCRIPTS = os.path.join(HERE, "..", "browser")


def tools():
    """Where tests/browser/install put what the scripts need."""
    path = os.environ.get("ZEGEL_BROWSER_TOOLS", os.path.join(ENV["LAB_BUILD"], "browser"))
    assert os.path.isdir(os.path.join(path, "node_modules", "playwright-core")), (
        "run tests/browser/install DIRECTORY, and name that in ZEGEL_BROWSER_TOOLS")
    return path


def run_script(name, value):
    """Runs tests/browser/NAME with VALUE, in a home of its own; returns what it says."""
    with tempfile.TemporaryDirectory(dir=ENV["LAB"]) as home:
        done = subprocess.run(
            ["node", os.path.join(SCRIPTS, name)], input=json.dumps(value).encode(),
            capture_output=True, check=False,
            env={**os.environ, "HOME": home, "ZEGEL_BROWSER_TOOLS": tools()})
    assert done.returncode == 0, done.stderr.decode(errors="replace")[-4000:]
    return json.loads(done.stdout)


def cookies_of(browser, url):
    """The cookies that BROWSER (browser.py) has for URL, for playwright."""
    host = urllib.parse.urlsplit(url).hostname
    return [{"name": name, "value": value}
            for name, value in browser.cookies.get(host, {}).items()]


def validate(files):
    """What the Nu HTML checker says of FILES: one line each of what is wrong."""
    jar = os.path.join(tools(), "node_modules", "vnu-jar", "build", "dist", "vnu.jar")
    done = subprocess.run(["java", "-jar", jar, "--errors-only", "--format", "json", *files],
                          capture_output=True, check=False)
    told = json.loads(done.stderr or b'{"messages": []}')
    return ["%s: %s" % (os.path.basename(one.get("url", "")), one.get("message"))
            for one in told["messages"]]
