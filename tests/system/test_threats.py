"""Threats that no other module is about: a curious viewer, frames of others, injected words, and
a link in the wrong hands (T19, T20, T21, T23, T25, T33)."""
import os
import pwd
import subprocess

import harness
import image
import walk
import wire
from browser import Browser
from harness import ENV, configured, log_lines, log_mark, mail, part, unique, wait_for
from test_abuse_web import check_headers
from test_answer import Reader
from test_form import link_in
from test_forward import open_shared, password_on, way_in
from test_status import status_url
from visitor import COOKIE, HOST, HOST2, SENDER, cookie_of, new_code, reads, secure, with_cookie

KEYS = ENV["LAB_SYSCONFDIR"] + "/zegel/keys"


def may_read(user, path):
    """Whether USER, with the groups that a daemon of his gets, can read the file at PATH."""
    who = pwd.getpwnam(user)
    done = subprocess.run(["cat", path], user=who.pw_uid, group=who.pw_gid,
                          extra_groups=os.getgrouplist(user, who.pw_gid), capture_output=True,
                          check=False)
    return done.returncode == 0 and len(done.stdout) > 0


def key_files():
    return sorted(os.path.join(top, name) for top, _, names in os.walk(KEYS) for name in names)


def test_each_program_reads_its_own_keys_only():
    """T19: the viewer's user reads neither link nor ticket keys, and nobody reads a key of another"""
    users = [name for name in ("zegel-milter", "zegel-mx", "zegel-policyd", "zegel-deliver",
                               "zegel-viewer", "nobody")]
    seen = {}
    for path in key_files():
        owner = pwd.getpwuid(os.stat(path).st_uid).pw_name
        seen[os.path.relpath(path, KEYS)] = owner
        readers = [user for user in users if may_read(user, path)]
        assert readers == [user for user in users if user == owner], (path, owner, readers)
    for name, owner in (("milter/ticket", "zegel-milter"), ("deliver/ticket", "zegel-deliver"),
                        ("deliver/link", "zegel-deliver"), ("viewer/store", "zegel-viewer")):
        assert seen.get(name) == owner, (name, seen)
    assert not [name for name, owner in seen.items() if owner == "zegel-viewer" and
                name.endswith(("/link", "/ticket"))], seen


def test_every_opening_leaves_a_line():
    """T19: each opening, of the page, its parts and by whoever it was forwarded to, is an event"""
    sent = secure()
    mark = log_mark()
    browser, _ = walk.log_in(sent)
    browser.get(HOST + "/m/text")
    browser.get(HOST + "/m/original")
    wait_for(lambda: len(log_lines("event=opened.*view=(page|text)", mark)) >= 2, "two openings")
    harness.wait_log("event=downloaded.*part=original", mark)


# ---- New pages: headers, frames ----

def pages_of_every_kind():
    """(what, answer) of the pages that other modules do not look at, errors too."""
    reader = Reader()
    status = status_url(reader.sent.message)
    reference = "0" * 16
    cookie = "%s=%s" % (COOKIE, cookie_of(reader.browser))
    for path in ("answer", "forward"):
        yield path, reader.browser.get(HOST + "/m/" + path)
        yield path + " forged", wire.ask(HOST, wire.request(
            "POST", HOST + "/m/" + path, {"address": "x"}, Cookie=cookie))
        yield path + " nobody", wire.ask(HOST, wire.request("GET", HOST + "/m/" + path))
    yield "delete forged", wire.ask(HOST, wire.request("POST", HOST + "/m/delete", {},
                                                      Cookie=cookie))
    for path in ("/r", "/r/" + reference, "/r/" + "x" * 99, "/r/x/y", "/form", "/form/x"):
        yield path, wire.ask(HOST, wire.request("GET", HOST + path))
        yield path + " posted", wire.ask(HOST, wire.request("POST", HOST + path, {}))
    for tail in ("", "/recall", "/recall?ref=" + reference, "/x.css"):
        yield "status" + tail, wire.ask(HOST, wire.request("GET", status + tail))
    yield "status forged", wire.ask(HOST, wire.request("POST", status + "/recall", {"sure": "1"}))
    yield "status elsewhere", wire.ask(HOST2, wire.request("GET", status.replace(HOST, HOST2)))
    yield "status unknown", wire.ask(HOST, wire.request("GET", HOST + "/s/" + "A" * 22))


def test_headers_of_new_pages():
    """T21 T23: answer, forward, status, shared and form: each answer, errors too, has its headers"""
    with configured("organisation praktijk", "form_recipient", "devries@" + part("own"), "viewer"):
        answers = dict(pages_of_every_kind())
    for what, page in answers.items():
        check_headers(page, what)
        if page.status != 303:
            policy = page.headers["content-security-policy"]
            assert "frame-ancestors 'none'" in policy, (what, policy)
        assert b"Beste patient" not in page.body, what
    wanted = {"answer": 200, "forward": 200, "answer forged": 415, "forward forged": 403,
              "delete forged": 403, "/r": 200, "/r posted": 403, "/form": 200,
              "/form posted": 403, "/form/x": 404, "status": 200, "status/x.css": 404,
              "status/recall": 200, "status forged": 403, "status elsewhere": 404,
              "status unknown": 404}
    got = {what: answers[what].status for what in wanted}
    assert got == wanted, got


# ---- Words that are commands elsewhere: T25 ----

MARK = "/run/zegel-t25"
SQL = ("' OR '1'='1", "'; DROP TABLE entry; --", "\" OR \"\"=\"", "1) UNION SELECT 1 --", "%", "_",
       "\\", "*/ DELETE FROM entry", "x' || (SELECT load_extension('x')) || '")
COMMANDS = ("$(touch %s)" % MARK, "`touch %s`" % MARK, ";touch %s;" % MARK, "|touch %s" % MARK,
            "-oQ/tmp", "-X%s" % MARK, "--help", "a\\nb", "&&touch %s" % MARK)


def try_forms(words):
    """Types WORDS into whatever takes words; no answer is an error of ours."""
    sent = secure()
    browser, page, _ = new_code(sent)
    answers = [browser.submit(page, page.form("/code"), code=words),
               browser.get(sent.link + "/code?wait=" + words.replace(" ", "+").replace("%", "%25"))]
    for reference in ("0" * 16, words):
        page = browser.get(HOST + "/r")
        answers.append(browser.submit(page, page.form("password"), reference=reference,
                                      password=words))
    page = browser.get(HOST + "/form")
    answers.append(browser.submit(page, page.form("address"), address=words + "@" + part("outsider")))
    assert all(answer.status in (200, 400, 403, 404, 429) for answer in answers), (
        words, [answer.status for answer in answers])
    assert not reads(browser), words


def test_words_are_never_commands():
    """T25: SQL, shell and options in codes, passwords, references and addresses do nothing"""
    kept, _ = walk.log_in(secure())
    with configured("organisation praktijk", "form_recipient", "devries@" + part("own"), "viewer"):
        for words in (SQL[0], SQL[1], SQL[8], COMMANDS[0], COMMANDS[2]):
            try_forms(words)
    assert reads(kept) and not os.path.exists(MARK)


def test_recipients_are_never_commands():
    """T25: recipients that look like options, commands or SQL are refused or mailed, not run"""
    for words in COMMANDS + SQL + ("a" * 320,):
        local = '"%s"' % words.replace("\\", "\\\\").replace('"', '\\"')
        for address in ("%s@%s" % (local, part("outsider")), "%s@%s" % (words, part("outsider"))):
            message = mail("SMS %s Uitslag" % walk.new_number()[0], to="iemand@" + part("outsider"))
            try:
                harness.send(message, SENDER, address)
            except harness.Refused as refusal:
                assert 500 <= refusal.code <= 599, (address, refusal.code, refusal.text)
            except (ValueError, UnicodeError):
                pass  # smtplib does not even say it
    walk.log_in(secure())  # and all of it still works
    assert not os.path.exists(MARK)


# ---- The link in the wrong hands: T33 ----

def test_a_forwarded_link_shows_nothing():
    """T33: with the link alone, or in another browser than the reader's, nothing is to be read"""
    subject, word = unique("onderwerp"), unique("tekst")
    sent = walk.Sent(lambda typed, to: mail("SMS %s %s" % (typed, subject), word + "\n", to=to))
    assert subject not in sent.notification and sent.number[-8:] not in sent.notification.text()
    reader, page = walk.log_in(sent)
    assert word in page.text
    sms = harness.sms_texts(sent.number)
    assert sms and not [text for text in sms if "/l/" in text or sent.link.rsplit("/", 1)[1] in text]
    thief = Browser()
    for tail in ("", "/code", "/wrong", "/no-phone"):
        page = thief.get(sent.link + tail)
        assert page.status == 200, (tail, page.status)
        for secret in (subject, word, sent.number[3:], sent.to):
            assert secret.encode() not in page.body, (tail, secret)
    for path in ("", "/text", "/html", "/part/1", "/original", "/pdf", "/zip", "/answer",
                 "/forward", "/delete"):
        page = thief.request("GET", HOST + "/m" + path)
        assert page.status == 403 and word.encode() not in page.body, (path, page.status)
    assert reads(reader)
    assert not reads(with_cookie(cookie_of(reader)[:-4] + "AAAA"))


# ---- What is typed into the wrong field: T20 ----

def test_a_password_in_the_wrong_field_is_in_no_log():
    """T20: a password that is typed where the reference belongs stands in no log"""
    reader = Reader()
    other = walk.new_outsider()
    page = reader.browser.get(HOST + "/m/forward")
    password = password_on(reader.browser.submit(page, page.form("once"), address=other))
    way = way_in(harness.wait_mail(other))
    reference = way.rsplit("/", 1)[1]
    mark = log_mark()
    browser = Browser()
    for typed in (password, password.replace("-", "")):
        page = browser.get(HOST + "/r")
        page = browser.submit(page, page.form("password"), reference=typed, password=reference)
        assert page.status == 403, (page.status, page.text)
    wait_for(lambda: len(log_lines("event=code-wrong", mark)) == 2, "two wrong tries in the log")
    _, page = open_shared(way, password)
    assert page.url.endswith("/m"), (page.status, page.text)
    lines = "\n".join(log_lines("", mark))
    assert password not in lines and password.replace("-", "") not in lines, lines


def test_no_way_in_is_in_a_log():
    """T20: links of the status page and of the web form are in no log of ours, whatever is asked"""
    reader = Reader()
    desk = "devries@" + part("own")
    visitor = walk.new_outsider()
    with configured("organisation praktijk", "form_recipient", desk, "viewer"):
        page = Browser().get(HOST + "/form")
        Browser().submit(page, page.form("address"), address=visitor)
        ways = [status_url(reader.sent.message), link_in(harness.wait_mail(visitor))]
        for way in ways:
            for tail in ("", "/recall", "?x=1", "/x.css", "A"):
                wire.ask(HOST, wire.request("GET", way + tail, Referer=way))
                wire.ask(HOST, wire.request("POST", way + tail, {"sure": "1"}, Referer=way))
    tokens = [way.rsplit("/", 1)[1] for way in ways]
    assert len(tokens[0]) == 22 and len(tokens[1]) > 60, tokens
    found = image.find(ENV["LAB_MAIL_LOG"], tokens)
    found += image.find_in_tree(os.path.join(ENV["LAB"], "log"), tokens)
    found += image.find_in_tree("/var/log/lighttpd", tokens)
    assert not found, found


def test_the_way_to_a_forwarded_message_is_of_one_organisation():
    """O2 T16: reference and password of one organisation say nothing at the host of the other"""
    reader = Reader()
    other = walk.new_outsider()
    page = reader.browser.get(HOST + "/m/forward")
    password = password_on(reader.browser.submit(page, page.form("once"), address=other))
    way = way_in(harness.wait_mail(other))
    answers = []
    for link in (way.replace(HOST, HOST2), HOST2 + "/r/" + "0" * 16):
        _, page = open_shared(link, password)
        answers.append((page.status, page.text))
    assert answers[0] == answers[1] and answers[0][0] == 403, answers
    browser, page = open_shared(way, password)
    assert page.url == HOST + "/m", (page.status, page.url)
    assert not reads(with_cookie(cookie_of(browser), HOST2), HOST2)
