"""Visitors of the viewer, honest and not: codes, cookies, and the time between them."""
import base64
import os
import random
import urllib.parse

import walk
from browser import Browser
from harness import ENV, mail, part

SENDER = "janssen@" + part("own")
HOST = "https://veilig." + part("own")
HOST2 = "https://veilig." + part("own2")
COOKIE = "__Host-zegel"
COOLDOWN_S = 60
CODE_LIFE_S = 600
DAY_S = 86400
SESSION_BYTES = 32


def secure(body="Geheime tekst\n", number=None):
    """Sends a secure message; to NUMBER (as typed, E.164) when it is given."""
    sent = walk.Sent(lambda typed, to: mail(
        "SMS %s Uitslag" % (number[0] if number else typed), body, to=to))
    sent.number = number[1] if number else sent.number
    return sent


def new_code(sent, browser=None):
    """(browser, page that asks for the code, code)."""
    browser = browser or Browser()
    return (browser,) + walk.ask_code(browser, sent)


def wrong_codes(code, count):
    """COUNT different codes that are not CODE."""
    first = random.randrange(10 ** 6)
    found = ("%06d" % ((first + step) % 10 ** 6) for step in range(count + 1))
    return [one for one in found if one != code][:count]


def try_codes(browser, page, codes):
    """Types CODES one after the other; returns the last page."""
    for code in codes:
        page = browser.submit(page, page.form("/code"), code=code)
    return page


def reads(browser, host=HOST):
    """Whether BROWSER sees the message."""
    page = browser.request("GET", host + "/m")
    assert page.status in (200, 403), page.status
    return page.status == 200


def cookie_of(browser, host=HOST):
    return browser.cookies[urllib.parse.urlsplit(host).hostname][COOKIE]


def with_cookie(value, host=HOST):
    """A browser that has VALUE as its session."""
    browser = Browser()
    browser.cookies[urllib.parse.urlsplit(host).hostname] = {COOKIE: value}
    return browser


def decoded(value):
    return base64.urlsafe_b64decode(value + "=" * (-len(value) % 4))


def encoded(data):
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def adapter(name, *script):
    """What command of [sms] is for a program that sends no SMS but takes it in and does SCRIPT,
    lines of shell, which may write in the lab's directory."""
    path = "/run/zegel-test-" + name
    with open(path, "w", encoding="utf-8") as file:
        file.write("\n".join(("#!/bin/sh", "cat >/dev/null") + script) + "\n")
    os.chmod(path, 0o755)
    return path + "\ndirectories = " + ENV["LAB"]
