"""The phone book (S8), and the code by e-mail for who has no number (S6)."""
import contextlib
import os
import re
import sqlite3
import subprocess

import harness
import image
import walk
from browser import Browser
from chrome import PHONE, Chrome
from harness import (ENV, code_in, command, configured, control, log_lines, log_mark, mail, mailbox,
                     part, refused, send, unique, wait_for, wait_log, wait_mail, wait_sms,
                     without)

SENDER = "janssen@" + part("own")
OTHER = "bakker@" + part("own2")
TRIGGER = "veilig mailen: "
HERE = "organisation praktijk"
SOCKET = os.path.join(ENV["LAB_STATEDIR"], "store", "phone.sock")
ASK = "/var/spool/postfix/zegel/ask.sock"
DATABASE = os.path.join(ENV["LAB_STATEDIR"], "phone", "phone.db")
KEY = os.path.join(ENV["LAB_SYSCONFDIR"], "zegel", "keys", "policyd", "phone")


def zegelctl(*words):
    return command(os.path.join(ENV["LAB_SBINDIR"], "zegelctl"), *words).decode()


def shown(to, organisation="praktijk"):
    """What the administrator sees of TO."""
    return zegelctl("phone", "show", organisation, to)


def masked(number):
    return number[:4] + "*" * (len(number) - 6) + number[-2:]


def given(to, typed=None):
    """(link, E.164) of a secure message with a number of its own."""
    typed, number = walk.new_number() if typed is None else typed
    return delivered(mail("SMS %s Uitslag" % typed, to=to), to), number


def ungiven(to):
    """The link of a secure message that brings no number."""
    return delivered(mail(TRIGGER + "uitslag", to=to), to)


def delivered(message, to, sender=SENDER):
    before = len(mailbox(to))
    harness.wait_delivered(send(message, sender, to))
    return walk.link_in(wait_mail(to, before + 1))


def read_by(link, number):
    """Opens LINK with a code that goes to NUMBER; the page of the message."""
    browser = Browser()
    before = len(harness.sms_texts(number))
    page = browser.get(link)
    assert "eindigt op %s" % number[-2:] in page.text, page.text
    page = browser.submit(page, page.form("/send"))
    page = browser.submit(page, page.form("/code"), code=code_in(wait_sms(number, before + 1)))
    assert page.status == 200 and page.url.endswith("/m"), (page.status, page.url)
    return page


def assert_refused_without_number(to, sender=SENDER):
    refusal = refused(send, mail(TRIGGER + "uitslag", sender=sender, to=to), sender, to)
    assert refusal.code >= 550 and "Z-S7-NUMBER" in refusal.text, refusal


# ---- Remembered ----

def test_a_number_given_once_is_used_next_time():
    """S8: a number given once is used next time, whatever the case; not by another organisation"""
    to = walk.new_outsider()
    mark = log_mark()
    assert_refused_without_number(to)
    _, number = given(to)
    line = wait_log("event=phone-learned.*to=" + re.escape(to), mark)
    assert masked(number) in line and "org=praktijk" in line and "from=" + SENDER in line, line
    read_by(ungiven(to), number)
    read_by(ungiven(to.replace("p", "P", 1)), number)
    assert shown(to) == "%s: %s\n" % (to, masked(number))
    assert_refused_without_number(to, OTHER)
    assert "no number" in shown(to, "kliniek")
    assert len(log_lines("event=phone-shown.*org=praktijk.*by=", mark)) == 1


def test_a_number_is_learned_only_after_filing():
    """S8: while deliver is down nothing is learned; then it is"""
    to = walk.new_outsider()
    typed, number = walk.new_number()
    with without("deliver"):
        queue_id = send(mail("SMS %s Uitslag" % typed, to=to), SENDER, to)
        wait_for(lambda: [e for e in harness.queue() if e["queue_id"] == queue_id
                          and e["queue_name"] == "deferred"], "deferral")
        assert "no number" in shown(to)
        assert_refused_without_number(to)
    harness.queue_flush()
    harness.wait_delivered(queue_id)
    assert masked(number) in shown(to)


def tellings():
    """The letters to SENDER that a number was replaced, oldest first."""
    return [one for one in mailbox(SENDER)
            if "Een ander mobiel nummer" in str(one.message["Subject"])]


def test_another_number_counts_after_its_first_code():
    """S8: another number waits, its first code replaces the old one, and the sender is mailed"""
    to = walk.new_outsider()
    first, old = given(to)
    mark = log_mark()
    second, new = given(to)
    wait_log("event=phone-waits.*to=" + re.escape(to), mark)
    assert shown(to) == "%s: %s\n%s waits for its first code\n" % (to, masked(old), masked(new))
    read_by(ungiven(to), old)
    assert masked(old) + "\n" in shown(to)
    before = len(tellings())
    read_by(second, new)
    wait_log("event=phone-replaced.*to=%s.*number=%s" % (re.escape(to), re.escape(masked(new))),
             mark)
    assert shown(to) == "%s: %s\n" % (to, masked(new))
    told = wait_for(lambda: tellings()[before:], "letter")[0]
    assert "eindigt op %s" % new[-2:] in told.text() and to in told.text(), told.text()
    assert new[3:] not in told.text() and old[3:] not in told.text()
    assert told.message["Auto-Submitted"] == "auto-generated"
    read_by(first, old)  # an older message keeps its number, and brings it not back
    assert shown(to) == "%s: %s\n" % (to, masked(new))
    read_by(ungiven(to), new)
    assert len(tellings()) == before + 1


def test_the_administrator_can_take_somebody_out():
    """S8: phone forget; a code of an older message brings nobody back"""
    to = walk.new_outsider()
    link, number = given(to)
    mark = log_mark()
    assert "forgotten" in zegelctl("phone", "forget", "praktijk", to.upper())
    wait_log("event=phone-forgotten.*result=forgotten", mark)
    read_by(link, number)
    assert "no number" in shown(to)
    assert_refused_without_number(to)


# ---- Kept ----

def test_no_number_or_address_lies_open():
    """K1 T18 T20: neither in the files of the phone book nor anywhere in the state or a log"""
    name = unique("jan")
    to = "%s@%s" % (name, part("outsider"))
    _, one = given(to)
    link, two = given(to)
    wanted = [one, one[3:], two, two[3:]]
    assert not image.find_in_state(wanted + [name])
    assert not image.find(ENV["LAB_MAIL_LOG"], wanted)
    read_by(link, two)
    assert not image.find_in_state(wanted + [name])
    assert not image.find(ENV["LAB_MAIL_LOG"], wanted)
    with contextlib.closing(sqlite3.connect(DATABASE)) as database:
        assert database.execute("SELECT count(*) FROM phone").fetchone()[0] > 0
    status = os.stat(os.path.dirname(DATABASE))
    assert status.st_mode & 0o777 == 0o700, oct(status.st_mode)


ASKER = """
import socket, sys
s = socket.socket(socket.AF_UNIX)
s.settimeout(10)
s.connect(sys.argv[1])
s.sendall(sys.stdin.buffer.read())
sys.stdout.buffer.write(s.recv(65536))
"""


def ask_as(user, group, path, **lines):
    """The answer to a block with LINES from a program of USER; "" when it was cut off."""
    block = "".join("%s=%s\n" % pair for pair in lines.items()) + "\n"
    argv = ["setpriv", "--reuid", user, "--regid", group, "--clear-groups", "python3", "-c",
            ASKER, path]
    done = subprocess.run(argv, input=block.encode(), capture_output=True, check=True)
    return done.stdout.decode()


def test_only_who_needs_it_is_answered():
    """S8: each user may ask what his program needs; who is not the milter gets no numbers"""
    to = walk.new_outsider()
    _, number = given(to)
    fields = dict(version=3, organisation="praktijk", recipient=to, number=number, sender="x",
                  reference="")
    may = {"phone-learn": "zegel-deliver", "phone-confirm": "zegel-viewer",
           "phone-show": "root", "phone-forget": "root"}
    users = ("zegel-deliver", "zegel-viewer", "zegel-milter", "zegel-mx", "zegel-policyd",
             "postfix", "www-data")
    mark = log_mark()
    for request, entitled in may.items():
        for user in users:
            answer = ask_as(user, "zegel-store", SOCKET, request=request, **fields)
            assert bool(answer) == (user == entitled), (request, user, answer)
            assert number not in answer
    assert len(log_lines("event=phone-refused", mark)) == len(may) * len(users) - 2
    route = dict(request="route", version=3, organisation="praktijk", sender=SENDER, queue_id="",
                 sensitive="yes", inward="no", dry_run="yes", numbers="yes", recipient=to)
    for user in users + ("root",):
        answer = ask_as(user, "postfix", ASK, **route)
        assert "route=viewer" in answer, (user, answer)
        assert (number in answer) == (user in ("zegel-milter", "root")), (user, answer)
    assert number not in ask_as("zegel-milter", "postfix", ASK, **dict(route, numbers="no"))
    assert masked(number) in shown(to)


def restart_policyd():
    control("stop", "policyd")
    control("start", "policyd")


def test_a_new_key_forgets_nothing():
    """S8: a new key forgets nothing: after zegelctl key generate phone, entries of the old key are used and replaced"""
    to = walk.new_outsider()
    _, old = given(to)
    assert "zegel-policyd" in zegelctl("key", "generate", "phone")
    restart_policyd()
    read_by(ungiven(to), old)
    link, new = given(to)
    read_by(link, new)
    assert shown(to) == "%s: %s\n" % (to, masked(new))


def test_a_database_that_is_removed_costs_no_route():
    """S8 R9: phone.db removed or damaged while policyd runs: numbers must be given again"""
    to = walk.new_outsider()
    given(to)
    for damage in ("remove", "junk"):
        if damage == "remove":
            os.unlink(DATABASE)
        else:
            control("stop", "policyd")
            for end in ("-wal", "-shm"):
                with contextlib.suppress(FileNotFoundError):
                    os.unlink(DATABASE + end)
            with open(DATABASE, "r+b") as file:
                file.write(b"x" * 4096)
            control("start", "policyd")
        assert_refused_without_number(to)
        _, number = given(to)
        read_by(ungiven(to), number)


def test_without_its_key_routes_go_on():
    """S8 R9: no phone key: mail with a number goes, without one it is refused; optional waits"""
    to = walk.new_outsider()
    _, number = given(to)
    os.rename(KEY, KEY + ".away")
    try:
        restart_policyd()
        assert_refused_without_number(to)
        link, other = given(to)
        read_by(link, other)
        with configured(HERE, "method", "optional", "policyd", "milter"):
            refusal = refused(send, mail(TRIGGER + "uitslag", to=to), SENDER, to)
            assert 400 <= refusal.code < 500, refusal
    finally:
        os.rename(KEY + ".away", KEY)
        restart_policyd()
    assert shown(to) == "%s: %s\n" % (to, masked(number))
    read_by(ungiven(to), number)


def test_policyd_away_does_not_disturb_a_reader():
    """S8: the code is right, and policyd is down: the message opens, and the log says it"""
    to = walk.new_outsider()
    link, number = given(to)
    mark = log_mark()
    with without("policyd"):
        read_by(link, number)
        wait_log("zegel-viewer.*the phone book was not told", mark)


# ---- Without a number ----

PROGRAMS = ("policyd", "milter", "deliver", "viewer")


def ask_by_mail(browser, link, to):
    """Presses the button; (page that asks for the code, the mail with it)."""
    before = len(mailbox(to))
    page = browser.get(link)
    assert page.status == 200 and "per e-mail" in page.text, page.text
    assert to not in page.text and "minder veilig" in page.text, page.text
    page = browser.submit(page, page.form("/send"))
    return page, wait_mail(to, before + 1)


def check_code_mail(code_mail, link):
    """What stands in it, and what does not."""
    message = code_mail.message
    text = code_mail.text()
    assert len(set(re.findall(r"\b\d{6}\b", text))) == 1, text
    assert "http" not in text and link.rsplit("/", 1)[1] not in code_mail
    assert SENDER not in code_mail and "Uitslag" not in code_mail
    assert message["From"].addresses[0].domain == "veilig." + part("own")
    assert message["Auto-Submitted"] == "auto-generated"
    assert message.get_content_type() == "text/plain"
    assert "toegangscode" in text and "access code" in text, text


def test_who_has_no_number_gets_the_code_by_mail():
    """S6 optional: notification, link, code by e-mail, message; each says that it is weak"""
    to = walk.new_outsider()
    with configured(HERE, "method", "optional", *PROGRAMS):
        mark = log_mark()
        link = ungiven(to)
        notification = mailbox(to)[-1]
        assert "sms" not in notification.text() and "aparte" in notification.text()
        wait_log("event=stored.*to=%s.*method=email" % re.escape(to), mark)
        browser = Browser()
        page, code_mail = ask_by_mail(browser, link, to)
        check_code_mail(code_mail, link)
        code = code_in(code_mail.text())
        assert code not in notification and code not in page.text
        page = browser.submit(page, page.form("/code"), code=code)
        assert page.status == 200 and page.url.endswith("/m"), (page.status, page.url)
        assert "code per e-mail" in page.text and "minder veilig" in page.text, page.text
        wait_log("event=code-sent.*method=email", mark)
        wait_log("event=login.*method=email", mark)
        assert not log_lines(r"\b%s\b" % code, mark)
        assert not log_lines("event=phone-", mark)


def test_codes_by_mail_have_the_limits_of_sms():
    """S6 V3: a minute between codes by e-mail, and five a day for a link"""
    to = walk.new_outsider()
    with configured(HERE, "method", "email", *PROGRAMS):
        link = ungiven(to)
        browser = Browser()
        ask_by_mail(browser, link, to)
        count = len(mailbox(to))
        page = browser.get(link)
        page = browser.submit(page, page.form("/send"))
        assert "net een code" in page.text, page.text
        queue_id = harness.log_lines("event=stored.*to=" + re.escape(to))[-1]
        queue_id = re.search(r"\]: (\w+): event", queue_id).group(1)
        for _ in range(4):
            harness.pass_time(queue_id, 61)
            ask_by_mail(browser, link, to)
        harness.pass_time(queue_id, 61)
        page = browser.get(link)
        page = browser.submit(page, page.form("/send"))
        assert page.status == 429, page.status
        assert len(mailbox(to)) == count + 4


def test_a_code_that_cannot_be_mailed_costs_nothing():
    """S6: Postfix is down: the page says so, and the next press works at once"""
    to = walk.new_outsider()
    with configured(HERE, "method", "email", *PROGRAMS):
        link = ungiven(to)
        browser = Browser()
        with without("postfix"):
            page = browser.get(link)
            page = browser.submit(page, page.form("/send"))
            assert page.status == 503 and "e-mail" in page.text, (page.status, page.text)
        page, code_mail = ask_by_mail(browser, link, to)
        page = browser.submit(page, page.form("/code"), code=code_in(code_mail.text()))
        assert page.status == 200 and page.url.endswith("/m")


def test_optional_uses_a_number_when_there_is_one():
    """S6 optional: given or remembered, the code goes by SMS; email remembers none"""
    to = walk.new_outsider()
    with configured(HERE, "method", "optional", *PROGRAMS):
        link, number = given(to)
        read_by(link, number)
        read_by(ungiven(to), number)
    with configured(HERE, "method", "email", *PROGRAMS):
        ask_by_mail(Browser(), ungiven(to), to)
        other = walk.new_outsider()
        link, number = given(other)
        read_by(link, number)
    assert "no number" in shown(other)


def test_the_weak_page_on_a_phone():
    """S6 V9: the whole weak way in a real browser, on a phone"""
    to = walk.new_outsider()
    with configured(HERE, "method", "email", *PROGRAMS), Chrome() as chrome:
        link = ungiven(to)
        chrome.screen(PHONE)
        chrome.go(link)
        assert "minder veilig" in chrome.text() and to not in chrome.text()
        chrome.screenshot("code-by-mail-link")
        before = len(mailbox(to))
        chrome.click("form[action$='/send'] button")
        code = code_in(wait_mail(to, before + 1).text())
        wait_for(lambda: chrome.url().endswith("/code"), "page for the code")
        chrome.screenshot("code-by-mail-code")
        chrome.type("#code", code)
        chrome.click("form[action$='/code'] button")
        wait_for(lambda: chrome.url().endswith("/m"), "the message")
        assert "code per e-mail" in chrome.text()
        chrome.screenshot("code-by-mail-message")
