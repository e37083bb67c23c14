"""Foresight: what policyd sees of domains is kept, and zegelctl domain watch warns (issue 6, N1).

Each test has a file of its own for what is seen, so that what others did to the zones is no
finding here. Zones change as the world's do; policyd and zegelctl see it by themselves.
"""
import contextlib
import glob
import json
import os
import re
import time

import harness
import trail
from harness import configured, control, part, zone

ZEGELCTL = os.path.join(harness.ENV["LAB_SBINDIR"], "zegelctl")
CONF = os.path.join(harness.ENV["LAB_SYSCONFDIR"], "zegel")
FOUND, LATER = 1, 75
OWN_HOST, PARTNER_HOST = "mail." + part("own"), "mail." + part("partner")
MAILBOX = "beheer@" + part("own")


@contextlib.contextmanager
def fresh_start():
    """policyd keeps what it sees in a new file from now on: its path."""
    path = os.path.join(harness.ENV["LAB_STATEDIR"], "seen", harness.unique("seen") + ".db")
    with configured("policyd", "seen_db", path, "policyd"):
        yield path


def watch(*options, status=0):
    """The findings of zegelctl domain watch: {(code, domain): finding}."""
    text = harness.command(ZEGELCTL, "domain", "watch", "--json", *options, status=status)
    findings = json.loads(text)
    return {(one["code"], one["domain"]): one for one in findings}


def months(start, end):
    """An edit of a zone whose NTA record then holds from START to END, months from this one."""
    now = time.localtime()
    def text(count):
        month = now.tm_year * 12 + now.tm_mon - 1 + count
        return "%04d-%02d" % (month // 12, month % 12 + 1)
    return lambda zone_text: re.sub(r"startdate=[0-9-]+;enddate=[0-9-]+;",
                                    "startdate=%s;enddate=%s;" % (text(start), text(end)),
                                    zone_text)


def another_pin(host):
    """An edit of a zone whose TLSA records of HOST have one more, of no certificate."""
    return lambda text: text + "_25._tcp.%s TLSA 3 1 1 %s\n" % (host, "ab" * 32)


def test_a_good_installation_has_no_finding():
    """watch finds nothing where nothing ends and nothing changes, however often it looks"""
    with fresh_start() as path:
        for _ in range(2):
            assert watch("--alarm") == {}, watch()
        text = harness.command(ZEGELCTL, "domain", "watch").decode()
        assert "0 findings" in text, text
        status = os.stat(path)
        assert status.st_mode & 0o777 == 0o600 and status.st_uid != 0, oct(status.st_mode)


def test_a_record_that_ends():
    """N1: a record of ours, and of a partner, that ends soon or ended, is found; what to publish"""
    with fresh_start():
        assert watch() == {}
        with zone("own", months(-12, 0)), zone("partner", months(-30, -1)):
            found = watch(status=FOUND)
        assert set(found) == {("Z-N1-ENDS", part("own")), ("Z-N1-ENDED", part("partner"))}, found
        ends, ended = found["Z-N1-ENDS", part("own")], found["Z-N1-ENDED", part("partner")]
        assert ends["side"] == "ours" and ended["side"] == "theirs", found
        until = time.strftime("%Y-%m")
        assert ends["until"].startswith(until + "-"), ends
        assert "publish before " + ends["until"] in ends["action"], ends
        assert "startdate=%s;" % until in ends["action"] and "ntamx=10 " in ends["action"], ends
        assert "NTA7516@" + part("partner") in ended["action"], ended
        assert watch() == {}, "it is mended"


def test_a_span_that_is_too_long():
    """N1: a record that holds for more than three years is found"""
    with fresh_start(), zone("partner", months(-1, 36)):
        found = watch(status=FOUND)
        assert set(found) == {("Z-N1-SPAN", part("partner"))}, found
        assert "37 months" in found["Z-N1-SPAN", part("partner")]["what"], found


def test_pins_and_hosts_that_change():
    """TLSA and ntamx records that come and go are found, with the day, after they were put back"""
    def other_host(text):
        return re.sub(r"ntamx=10 [a-z.-]+", "ntamx=10 mail." + part("ready"), text)
    with fresh_start():
        assert watch() == {}
        with zone("own", another_pin("mail")):
            found = watch(status=FOUND)
        assert set(found) == {("Z-N1-PINS", part("own"))}, found
        pins = found["Z-N1-PINS", part("own")]
        today = time.strftime("%Y-%m-%d")
        assert pins["host"] == OWN_HOST, pins
        assert 'new is "3 1 1 %s" (first seen %s)' % ("ab" * 32, today) in pins["what"], pins
        with zone("partner", other_host):
            found = watch(status=FOUND)
        assert set(found) == {("Z-N1-PINS", part("own")), ("Z-N1-NTAMX", part("partner"))}, found
        assert 'gone is "3 1 1 %s" (last seen %s)' % ("ab" * 32, today) in \
            found["Z-N1-PINS", part("own")]["what"], found
        assert 'gone is "10 %s"' % PARTNER_HOST in found["Z-N1-NTAMX", part("partner")]["what"]


def test_a_domain_that_was_ready():
    """N2: an own domain that is not ready any more is found, with the reason and what mends it"""
    with fresh_start():
        assert watch() == {}
        with zone("own", lambda text: text.replace("p=quarantine", "p=none")):
            found = watch(status=FOUND)
        assert set(found) == {("Z-N1-LOST", part("own"))}, found
        lost = found["Z-N1-LOST", part("own")]
        assert "Z-N2-DMARC" in lost["what"] and "_dmarc" in lost["action"], lost
        assert watch() == {}, "it is ready again"


def test_what_is_seen_by_mail():
    """A stranger's domain that policyd saw for a message is watched from then on"""
    name = part("ready")
    with fresh_start():
        assert watch() == {}
        harness.command(ZEGELCTL, "route", "--json", "jan@" + part("own"), "jan@" + name,
                        status=None)
        harness.wait_for(lambda: "8 domains" in harness.command(
            ZEGELCTL, "domain", "watch").decode(), "the domain of " + name)
        with zone("ready", months(-12, 0)):
            control("stop", "policyd")  # what it kept in memory goes
            control("start", "policyd")
            harness.command(ZEGELCTL, "route", "--json", "jan@" + part("own"), "jan@" + name,
                            status=None)
            found = harness.wait_for(lambda: watch(status=None), "the finding")
        assert set(found) == {("Z-N1-ENDS", name)}, found


def test_each_change_is_told_once():
    """An event, an alarm in the log and one mail for each change; the next day nothing new"""
    before = len(harness.mailbox(MAILBOX))
    with fresh_start(), configured("audit", "mail", MAILBOX):
        assert watch("--alarm") == {}
        with zone("own", another_pin("mail")):
            mark = harness.log_mark()
            watch(status=FOUND)  # by hand: the event, no mail
            event = harness.wait_log("event=watched", mark)
            assert "domain=" + part("own") in event and "reason=Z-N1-PINS" in event, event
            assert not harness.log_lines("alarm.*Z-N1-PINS", mark)
            watch("--alarm", status=FOUND)
            alarm = harness.wait_log(r"Z-N1-PINS\): the TLSA records", mark)
            assert "ab" * 32 in alarm, alarm
            letter = harness.wait_mail(MAILBOX, before + 1)
            assert "Z-N1-PINS" in letter and "ab" * 32 in letter, letter.raw
            watch("--alarm", status=FOUND)
            time.sleep(1)
            assert len(harness.log_lines("event=watched", mark)) == 1
            assert len(harness.mailbox(MAILBOX)) == before + 1


def test_a_pinned_server_with_another_certificate():
    """M4: the fingerprint of the domain book is tried at the server: found when it shows another"""
    book = os.path.join(CONF, "domains")
    host = "mail." + part("community")
    wrong = ":".join(["AA"] * 32)
    with open(book, encoding="ascii") as file:
        before = file.read()
    def pin(value, port=25):
        with open(book, "w", encoding="ascii") as file:
            file.write(re.sub(r"(?m)^(%s) \S+ secure" % re.escape(part("community")),
                              r"\1 [%s]:%d fingerprint=%s" % (host, port, value), before))
    try:
        with fresh_start():
            pin(wrong)
            found = watch(status=FOUND)
            assert set(found) == {("Z-M4-PIN", part("community"))}, found
            assert watch("--no-connect") == {}
            pin(wrong, 2525)
            assert watch() == {}, "nobody answers there"
            pin(fingerprint(host))
            assert watch() == {}
    finally:
        with open(book, "w", encoding="ascii") as file:
            file.write(before)


def fingerprint(host):
    """SHA-256 of the certificate that HOST shows."""
    text = harness.command("openssl", "s_client", "-starttls", "smtp", "-connect", host + ":25",
                           data=b"QUIT\r\n", status=None)
    found = harness.command("openssl", "x509", "-noout", "-fingerprint", "-sha256", data=text)
    return found.decode().strip().split("=")[1]


def test_a_broken_disk_costs_a_line_in_the_log():
    """Where nothing can be kept mail is routed all the same, and the watch says what is wrong"""
    mark = harness.log_mark()
    with configured("policyd", "seen_db", "/proc/none/seen.db", "policyd"):
        answer = harness.command(ZEGELCTL, "route", "--json", "jan@" + part("own"),
                                 "jan@" + part("ready"))
        assert json.loads(answer)["recipients"][0]["route"] == "direct", answer
        harness.wait_log("what domains show is not kept now", mark)
        harness.command(ZEGELCTL, "domain", "watch", status=LATER)


def test_without_policyd_what_was_seen_is_told():
    """The watch works without zegel-policyd, says that it is not all, and exits with 75"""
    with fresh_start():
        assert watch() == {}
        with zone("own", another_pin("mail")):
            watch(status=FOUND)
        with harness.without("policyd"):
            found = watch(status=LATER)
        assert ("Z-N1-PINS", part("own")) in found, found


# ---- What goes (K4) -------------------------------------------------------------------

def test_expire_says_what_it_did():
    """K4: zegelctl expire does the store and the audit trail, and says how many and until when"""
    text = harness.command(ZEGELCTL, "expire").decode()
    day = "%d%s" % (int(time.strftime("%Y")) - 5, time.strftime("-%m-%d"))
    assert re.fullmatch(r"removed \d+ messages that were past their time\n"
                        r"removed 0 events of before %s\n" % day, text), text
    with harness.without("auditd"):
        text = harness.command(ZEGELCTL, "expire", status=LATER).decode()
        assert text.startswith("removed ") and "events" not in text, text


def years_ago(count):
    """The words before a program that lets it live COUNT years ago, for control."""
    library = glob.glob("/usr/lib/*/faketime/libfaketime.so.1")
    assert library, "faketime is not installed"
    return ("env", "LD_PRELOAD=" + library[0], "FAKETIME=-%dy" % count,
            "FAKETIME_DONT_FAKE_MONOTONIC=1", "ASAN_OPTIONS=verify_asan_link_order=0")


def test_events_that_are_past_their_time_go():
    """K4 A4: what the trail chained six years ago goes, that it went is in it, and the rest stays"""
    database = os.path.join(os.path.dirname(trail.DATABASE), harness.unique("old") + ".db")
    def look_up():
        harness.command(ZEGELCTL, "phone", "show", "praktijk", harness.unique("n") + "@example.nl")
    def kinds():
        return [record["event"] for record in trail.records(database=database)]
    with configured("audit", "database", database), configured("audit", "checkpoint_s", "1"):
        control("stop", "auditd")
        try:
            mark = harness.log_mark()
            control("start", "auditd", *years_ago(6))
            look_up()
            harness.wait_log(r"zegel-auditd\[.*checkpoint zegel-checkpoint 1 \w+ 2 ", mark)
            control("stop", "auditd")
            control("start", "auditd")
            assert kinds() == ["audit-key", "phone-shown"], kinds()
            look_up()
            text = harness.command(ZEGELCTL, "expire").decode()
            assert "removed 2 events of before " in text, text
            assert kinds() == ["phone-shown", "audit-expired"], kinds()
            assert "removed 0 events of before " in harness.command(ZEGELCTL, "expire").decode()
        finally:
            control("stop", "auditd")
    control("start", "auditd")
