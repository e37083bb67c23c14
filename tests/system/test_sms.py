"""The SMS adapters: kannel with its fake centre, gateways that fail (F17), mail, gammu's spool,
and the budgets (T5)."""
import contextlib
import json
import os
import pwd
import re
import signal
import sqlite3
import subprocess
import threading
import time
import urllib.parse

import harness
import walk
import wire
from browser import Browser
from gateway import HOST, PORT, Gateway
from harness import (ENV, code_in, configured, log_lines, log_mark, part, pass_time, wait_for,
                     wait_mail)
from visitor import HOST as VIEWER
from visitor import COOLDOWN_S, adapter, reads, secure

CONTRIB = os.path.join(ENV["LAB_HERE"], "..", "..", "contrib", "sms")
ADAPTERS = os.path.join(ENV["LAB_LIBEXECDIR"], "zegel")
FOLDER = os.path.join(ENV["LAB_SYSCONFDIR"], "zegel")
SECRET = os.path.join(FOLDER, "keys", "viewer", "sms")
URL = "https://%s:%d/send" % (HOST, PORT)
SENT, INVALID, REFUSED, LATER, UNKNOWN, WRONG_SETTINGS = 0, 65, 69, 75, 76, 78
NUMBER = "+31698765432"
TEXT = 'Uw code is 271828, "café" & co\n\n@host #271828'
PASSWORD = "geheim&wachtwoord"


def configure(name, text, credentials=None):
    """The settings file NAME, and the secret beside it, for the viewer's user."""
    user = pwd.getpwnam("zegel-viewer")
    with open(os.path.join(FOLDER, name), "w", encoding="utf-8") as file:
        file.write(text)
    if credentials:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(SECRET)
        with open(SECRET, "w", encoding="utf-8") as file:
            file.write(credentials + "\n")
        os.chown(SECRET, user.pw_uid, user.pw_gid)
        os.chmod(SECRET, 0o400)


def example(name, **values):
    """The text of an example in contrib/sms with other VALUES for its keys."""
    with open(os.path.join(CONTRIB, name), encoding="utf-8") as file:
        text = file.read()
    for key, value in values.items():
        text, count = re.subn(r"(?m)^%s = .*$" % key, lambda _: "%s = %s" % (key, value), text)
        assert count == 1, (name, key)
    return text.replace("/etc/zegel/keys/viewer/sms", SECRET)


def start(name):
    """The adapter as zegel-viewer starts it."""
    return subprocess.Popen(
        [os.path.join(ADAPTERS, name)], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL, user="zegel-viewer", group="zegel-viewer", extra_groups=[],
        env={"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"})


def run(name, number=NUMBER, text=TEXT):
    """The exit status of the adapter for that message."""
    with start(name) as process:
        process.communicate((number + "\n" + text + "\n").encode(), timeout=30)
        return process.returncode


def check_silent(mark, *also):
    """Nothing of the message or the password is in the mail log since MARK."""
    text = "\n".join(log_lines("", mark))
    for secret in (NUMBER, NUMBER[1:], "271828", "Uw code", PASSWORD) + also:
        assert secret not in text, (secret, log_lines(re.escape(secret), mark))


def with_adapter(name):
    return configured("sms", "command", os.path.join(ADAPTERS, name), "viewer")


# ---- sms-http: what goes out ----

def test_json():
    """sms-http: JSON with a key in a header arrives as it was meant, once."""
    configure("sms-http.conf", example("sms-http-json.conf", url=URL), PASSWORD)
    mark = log_mark()
    with Gateway(status=201, body=b'{"id": 1, "status": "queued"}') as gateway:
        assert run("sms-http") == SENT
    request, = gateway.seen
    assert json.loads(request.body) == {"from": "Ziekenhuis", "to": NUMBER, "text": TEXT}
    assert request.method == "POST" and request.path == "/send"
    assert request.headers["authorization"] == "Key " + PASSWORD
    assert request.headers["content-type"] == "application/json"
    check_silent(mark)


def test_form():
    """sms-http: a form with user and password arrives as it was meant."""
    configure("sms-http.conf", example("sms-http-form.conf", url=URL), "ik:" + PASSWORD)
    with Gateway(body=b"OK 17") as gateway:
        assert run("sms-http") == SENT
    request, = gateway.seen
    assert urllib.parse.parse_qs(request.body.decode(), strict_parsing=True) == {
        "to": [NUMBER[1:]], "from": ["Ziekenhuis"], "body": [TEXT]}
    assert request.headers["authorization"].startswith("Basic ")


def test_input_that_is_wrong():
    """sms-http: without number or text nothing is asked."""
    configure("sms-http.conf", example("sms-http-form.conf", url=URL), "ik:" + PASSWORD)
    with Gateway(body=b"OK") as gateway:
        assert run("sms-http", number="0612345678") == INVALID
        assert run("sms-http", text="") == INVALID
        assert run("sms-http", text="x" * 5000) == INVALID
    assert gateway.seen == []


# ---- sms-http: a gateway that fails, F17 ----

SLOW_S = 60
FAULTS = (
    ("401", {"status": 401}, REFUSED),
    ("403", {"status": 403, "body": b"OK"}, REFUSED),
    ("429", {"status": 429}, LATER),
    ("500", {"status": 500}, LATER),
    ("503", {"status": 503}, LATER),
    ("502", {"status": 502}, UNKNOWN),
    ("200 with an error", {"body": b"ERROR: no credit for " + NUMBER.encode()}, REFUSED),
    ("200 without body", {"body": b""}, REFUSED),
    ("redirect", {"status": 302, "headers": {"Location": URL}}, REFUSED),
    ("redirect that keeps the method", {"status": 307, "headers": {"Location": URL}}, REFUSED),
    ("closes", {"closes": True}, UNKNOWN),
    ("closes in the body", {"body": b"OK", "missing": 10}, UNKNOWN),
    ("too slow", {"body": b"OK", "wait_s": SLOW_S}, UNKNOWN),
    ("after our time", {"body": b"OK", "wait_s": 8}, UNKNOWN),
)


def test_a_gateway_that_fails():
    """F17: one request for each message whatever the gateway does; the status says what is known."""
    configure("sms-http.conf", example("sms-http-form.conf", url=URL) + "timeout_s = 5\n",
              "ik:" + PASSWORD)
    mark = log_mark()
    for what, answer, status in FAULTS:
        with Gateway(**answer) as gateway:
            begin = time.monotonic()
            got = run("sms-http")
            assert got == status, (what, got)
            assert len(gateway.seen) == 1, what
            assert time.monotonic() - begin < SLOW_S / 2, what
    assert run("sms-http") == LATER  # nobody listens
    assert len(log_lines(r"sms-http.*: (not sent|it may have been sent): ", mark)) == \
        len(FAULTS) + 1
    check_silent(mark)


def test_a_gateway_that_is_somebody_else():
    """F17: with a certificate of another host, or of nobody, nothing is sent."""
    mark = log_mark()
    secret = "ik:" + PASSWORD
    for url in ("https://mail.%s:%d/send" % (part("own"), PORT),
                "https://%s:%d/send" % (ENV["LAB_WEB_ADDR"], PORT)):
        configure("sms-http.conf", example("sms-http-form.conf", url=url), secret)
        with Gateway(body=b"OK") as gateway, forwarded(ENV["LAB_MAIL_ADDR"]):
            assert run("sms-http") == REFUSED, url
        assert gateway.seen == [], url
    configure("sms-http.conf", example("sms-http-form.conf", url=URL) +
              "ca_file = %s/pki/stranger.crt\n" % ENV["LAB"], secret)
    with Gateway(body=b"OK") as gateway:
        assert run("sms-http") in (REFUSED, LATER)
    assert gateway.seen == []
    check_silent(mark)


@contextlib.contextmanager
def forwarded(address):
    """The gateway answers at ADDRESS too."""
    process = subprocess.Popen(["python3", "-c", FORWARDER, address, ENV["LAB_WEB_ADDR"],
                                str(PORT)])
    try:
        wait_for(lambda: harness.command("ss", "-Hltn", "src %s:%d" % (address, PORT)),
                 "the forwarder")
        yield
    finally:
        process.kill()
        process.wait()


FORWARDER = """
import socket, sys, threading
def pump(a, b):
    try:
        while data := a.recv(65536):
            b.sendall(data)
    except OSError:
        pass
    b.close()
here = socket.create_server((sys.argv[1], int(sys.argv[3])))
while True:
    one, _ = here.accept()
    other = socket.create_connection((sys.argv[2], int(sys.argv[3])))
    threading.Thread(target=pump, args=(one, other), daemon=True).start()
    threading.Thread(target=pump, args=(other, one), daemon=True).start()
"""


def test_a_secret_that_others_can_read():
    """sms-http: settings that are wrong, or a password that others can read, send nothing."""
    good = example("sms-http-form.conf", url=URL)
    with Gateway(body=b"OK") as gateway:
        configure("sms-http.conf", good, "ik:" + PASSWORD)
        os.chmod(SECRET, 0o440)
        assert run("sms-http") == WRONG_SETTINGS
        configure("sms-http.conf", good.replace("https:", "http:"), "ik:" + PASSWORD)
        assert run("sms-http") == WRONG_SETTINGS
    assert gateway.seen == []


def test_what_others_see_of_an_adapter():
    """T20: arguments, environment and open files of a waiting sms-http hold nothing of the message."""
    configure("sms-http.conf", example("sms-http-form.conf", url=URL) + "timeout_s = 30\n",
              "ik:" + PASSWORD)
    with Gateway(body=b"OK", wait_s=10) as gateway:
        with start("sms-http") as process:
            process.stdin.write((NUMBER + "\n" + TEXT + "\n").encode())
            process.stdin.close()
            wait_for(lambda: gateway.seen, "the request")
            place = "/proc/%d/" % process.pid
            for name in ("cmdline", "environ", "comm"):
                with open(place + name, "rb") as file:
                    text = file.read()
                assert NUMBER[1:].encode() not in text and b"271828" not in text, name
            files = []
            for one in os.listdir(place + "fd"):
                with contextlib.suppress(FileNotFoundError):  # it was closed meanwhile
                    files.append(os.readlink(place + "fd/" + one))
            assert not [one for one in files if one.startswith(("/tmp", "/var", "/run"))], files
            with open(place + "limits", encoding="ascii") as file:
                limits = file.read()
            assert re.search(r"Max file size +0 ", limits), limits
            # Not dumpable: what is in its memory belongs to root alone.
            assert os.stat(place + "mem").st_uid == 0
            process.wait(60)
        assert process.returncode == SENT


# ---- Through the viewer ----

def press(sent, browser=None):
    """Opens the link and presses the button; the page that follows."""
    browser = browser or Browser()
    page = browser.get(sent.link)
    return browser.submit(page, page.form("/send"))


def test_the_reader_is_told():
    """F17: a gateway that is down costs nothing; one that is slow leaves one code, which works."""
    configure("sms-http.conf", example("sms-http-form.conf", url=URL) + "timeout_s = 5\n",
              "ik:" + PASSWORD)
    sent = secure()
    browser = Browser()
    with with_adapter("sms-http"), Gateway(status=500) as gateway:
        page = press(sent, browser)
        assert page.status == 503 and "sms" in page.text.lower(), page.text
        gateway.become(body=b"ERROR")
        assert press(sent, browser).status == 503
        gateway.become(body=b"OK", wait_s=7)  # it sends, and says so too late
        page = press(sent, browser)
        assert page.status == 200 and page.url.endswith("slow=1"), (page.status, page.url)
        gateway.become(body=b"OK")
        again = press(sent, browser)  # within a minute: no second message
        assert "wait=" in again.url, again.url
        assert len(gateway.seen) == 3
        text = urllib.parse.parse_qs(gateway.seen[-1].body.decode())["body"][0]
        page = browser.submit(page, page.form("/code"), code=code_in(text))
        assert page.status == 200 and reads(browser), page.text


# ---- kannel ----

FAKE_CENTRE = """group = smsc
smsc = fake
smsc-id = lab
port = 13010
connect-allow-ip = 127.0.0.1
"""
PASSWORDS = {"PASSWORD-1": "beheer", "PASSWORD-3": PASSWORD}


@contextlib.contextmanager
def kannel():
    """kannel with contrib/sms/kannel.conf and a fake centre; gives what that received."""
    with open(os.path.join(CONTRIB, "kannel.conf"), encoding="utf-8") as file:
        text = re.sub(r"(?s)group = smsc\n.*?\n\n", FAKE_CENTRE + "\n", file.read())
    for word, password in PASSWORDS.items():
        text = text.replace(word, password)
    path = os.path.join(ENV["LAB"], "kannel.conf")
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    log = os.path.join(ENV["LAB"], "log", "kannel")
    centre = os.path.join(ENV["LAB"], "centre")  # the phones; no log of kannel's
    with contextlib.ExitStack() as stack:
        def begin(output, port, *argv):
            with open(output, "ab") as out:
                process = subprocess.Popen(argv, stdout=out, stderr=out)
            stack.callback(process.wait)
            stack.callback(process.send_signal, signal.SIGKILL)
            wait_for(lambda: not port or harness.command("ss", "-Hltn", "sport = :%d" % port),
                     argv[0])
        begin(log, 13001, "bearerbox", "-v", "4", path)
        begin(log, 13013, "smsbox", "-v", "4", path)
        begin(centre, 0, "/usr/lib/kannel/test/fakesmsc", "-v", "0", "-H", "127.0.0.1", "-r",
              "13010", "-i", "100000", "1 2 text begin")
        wait_for(lambda: "Request Failed" in read_all(centre), "the fake centre")
        yield lambda: read_all(centre), lambda: read_all(log)


def read_all(path):
    with open(path, encoding="utf-8", errors="replace") as file:
        return file.read()


def test_kannel():
    """sms-http: through kannel's smsbox the code reaches the phone, and no log of kannel."""
    configure("sms-http.conf", example("sms-http-kannel.conf"), "zegel:" + PASSWORD)
    sent = secure()
    mark = log_mark()
    with kannel() as (received, log), with_adapter("sms-http"):
        browser = Browser()
        page = press(sent, browser)
        assert page.status == 200 and page.url.endswith("/code"), page.url
        wait_for(lambda: sent.number + " text" in received(), "the text at the centre")
        code = re.search(re.escape(sent.number) + r" text (\d{6}) ", received()).group(1)
        page = browser.submit(page, page.form("/code"), code=code)
        assert page.status == 200 and reads(browser)
        assert run("sms-http") == SENT  # two parts or more, with an é and line ends
        wait_for(lambda: 'Uw code is 271828, "café" & co' in received(), "the text")
        configure("sms-http.conf", example("sms-http-kannel.conf"), "zegel:fout")
        assert run("sms-http") == REFUSED
        assert sent.number not in log() and code not in log() and PASSWORD not in log(), log()
    check_silent(mark, sent.number, code)


# ---- sms-mail ----

def mail_settings(**values):
    text = example("sms-mail.conf", **{"gateway": "{digits}@" + part("outsider"),
                                       "from": "sms@veilig." + part("own"), **values})
    return text + "submit = smtp://%s:10587\n" % ENV["LAB_MAIL_ADDR"]


def test_mail():
    """sms-mail: the gateway gets the text and nothing else, and the code works."""
    configure("sms-mail.conf", mail_settings())
    sent = secure()
    mark = log_mark()
    with with_adapter("sms-mail"):
        browser = Browser()
        page = press(sent, browser)
        assert page.status == 200 and page.url.endswith("/code"), page.url
        mail = wait_mail("%s@%s" % (sent.number[1:], part("outsider")))
    assert mail.message["From"] == "sms@veilig." + part("own") and mail.message["Subject"] is None
    code = code_in(mail.text())
    assert browser.submit(page, page.form("/code"), code=code).status == 200
    assert not log_lines(code, mark)
    harness.allow("number", sent.number)  # Postfix logs the gateway's address: sms-mail(8)
    assert mail.message["Return-Path"] in (None, "<>"), mail.message["Return-Path"]


def test_mail_that_is_not_taken():
    """sms-mail: without zegel-submit, or when it refuses, nothing is said to be sent."""
    configure("sms-mail.conf", mail_settings().replace(":10587", ":10586"))
    mark = log_mark()
    assert run("sms-mail") == LATER
    configure("sms-mail.conf", mail_settings(gateway="nobody@" + part("outsider")))
    assert run("sms-mail") == WRONG_SETTINGS
    check_silent(mark)


# ---- gammu ----

SPOOL = ENV["LAB_SMS"]
DUMMY = """model = dummy
device = %s/phone
connection = none
""" % ENV["LAB"]
QUICK = """debuglevel = 0
commtimeout = 1
statusfrequency = 0
checksecurity = 0
receivefrequency = 86400
"""


@contextlib.contextmanager
def gammu_as_installed():
    """gammu-smsd with contrib/sms/gammu-smsdrc and the phone that is no hardware."""
    with open("/etc/gammu-smsdrc", encoding="utf-8") as file:
        before = file.read()
    with open(os.path.join(CONTRIB, "gammu-smsdrc"), encoding="utf-8") as file:
        text = file.read()
    text = re.sub(r"(?m)^port = .*\n", "", text)
    text = re.sub(r"(?m)^connection = .*\n", DUMMY, text)
    text = re.sub(r"(?m)^debuglevel = 0\n", QUICK, text)
    harness.control("stop", "gammu-smsd")
    try:
        with open("/etc/gammu-smsdrc", "w", encoding="utf-8") as file:
            file.write(text)
        harness.control("start", "gammu-smsd")
        yield
        harness.control("stop", "gammu-smsd")
    finally:
        with open("/etc/gammu-smsdrc", "w", encoding="utf-8") as file:
            file.write(before)
        harness.control("start", "gammu-smsd")


def files_with(folder, *words):
    """The files under FOLDER with one of WORDS in name or content, as UTF-8 or UTF-16."""
    found = []
    for place, _, names in os.walk(folder):
        for name in names:
            path = os.path.join(place, name)
            with contextlib.suppress(OSError):
                with open(path, "rb") as file:
                    data = file.read()
                if any(word in name or word.encode() in data or word.encode("utf-16-le") in data
                       or word.encode("utf-16-be").hex().upper().encode() in data
                       for word in words):
                    found.append(path)
    return found


def test_gammu_keeps_nothing():
    """sms-gammu: with our gammu-smsdrc text and number of what was sent are in no spool and log."""
    number = "+31600271828"
    with gammu_as_installed():
        gateway = int(harness.program_pid("gammu-smsd"))
        os.kill(gateway, signal.SIGSTOP)
        try:
            assert subprocess.run([os.path.join(ADAPTERS, "sms-gammu")], check=False,
                                  user="zegel-viewer", group="gammu",
                                  input=(number + "\n" + TEXT).encode()).returncode == SENT
            assert files_with(SPOOL, number)  # the search finds what is there
        finally:
            os.kill(gateway, signal.SIGCONT)
        wait_for(lambda: not os.listdir(os.path.join(SPOOL, "outbox")), "the end of the message")
        assert files_with(SPOOL, number, "271828") == []
        assert files_with(os.path.join(ENV["LAB"], "log"), number, "271828") == []
    assert not log_lines("271828")


def leave(folder, age_s):
    """A message of ours in FOLDER of the spool, of AGE_S seconds."""
    path = os.path.join(SPOOL, folder, "OUTA20261122_120000_00_%s_zegel0123456789abcdef.txt" % NUMBER)
    with open(path, "w", encoding="utf-16") as file:
        file.write(TEXT)
    os.utime(path, (time.time() - age_s,) * 2)
    return path


def test_gammu_forgets_what_failed():
    """sms-gammu: what the modem refused, and what nobody took in time, is removed."""
    with harness.without("gammu-smsd", kill=True):
        refused, old, other = leave("error", 5), leave("outbox", 700), os.path.join(
            SPOOL, "error", "OUT0612345678.txt")
        with open(other, "w", encoding="ascii") as file:
            file.write("of somebody else")
        assert subprocess.run([os.path.join(ADAPTERS, "sms-gammu")], check=False, user="zegel-viewer",
                              group="gammu", input=(NUMBER + "\n" + TEXT).encode()).returncode == SENT
        assert not os.path.exists(refused) and not os.path.exists(old) and os.path.exists(other)
        os.unlink(other)


# ---- Budgets: T5 ----

LINKS, PRESSES, ADDRESSES = 20, 50, 50
BUDGET = 10


def press_from(address, sent, form, told):
    """One POST of the button from ADDRESS; its status goes to TOLD."""
    connection = wire.connect(VIEWER, source=address)
    connection.sendall(wire.request("POST", sent.link + "/send", form))
    told.append(wire.answer(connection, VIEWER).status)


def press_often(messages):
    """1000 posts from 50 addresses, with time between so that no cooldown stops them."""
    told = []
    for turn in range(PRESSES):
        threads = [threading.Thread(target=press_from, args=(
            "127.2.0.%d" % (1 + (turn * LINKS + step) % ADDRESSES), sent, form, told))
            for step, (sent, form) in enumerate(messages)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        for sent, _ in messages if turn < 3 else ():
            pass_time(sent.queue_id, COOLDOWN_S)
    return told


def test_budget():
    """T5: 1000 presses from 50 addresses send no more than the budget; 80 and 100 % are told once."""
    counted = os.path.join(ENV["LAB"], "sms-counted")
    with open(counted, "w", encoding="ascii"):
        os.chmod(counted, 0o666)
    messages = [(sent, Browser().get(sent.link).form("/send").fields)
                for sent in (secure() for _ in range(LINKS))]
    used = codes_now()
    mark = log_mark()
    with configured("sms", "per_day", str(used + BUDGET), "viewer"), configured(
            "sms", "command", adapter("counting", "echo x >>" + counted), "viewer"):
        told = press_often(messages)
    with open(counted, encoding="ascii") as file:
        sms = file.read().count("x")
    assert len(told) == LINKS * PRESSES and set(told) <= {303, 429}, set(told)
    assert sms == BUDGET, sms
    events = log_lines("event=sms-budget, .*scope=total", mark)
    percents = [re.search(r"percent=(\d+)", line).group(1) for line in events]
    nearly = -(-(used + BUDGET) * 8 // 10) > used  # the first four fifths were used before
    assert percents == (["80", "100"] if nearly else ["100"]), events
    assert len(log_lines(r" crit .*access codes of 24 hours", mark)) == len(events)


test_budget.limit_s = 900


def codes_now():
    """How many codes of the last 24 hours the store counts."""
    path = os.path.join(ENV["LAB_STATEDIR"], "store", "store.db")
    with contextlib.closing(sqlite3.connect(path)) as database:
        return database.execute("SELECT count(*) FROM code WHERE issued_s > ?",
                                (time.time() - 86400,)).fetchone()[0]
