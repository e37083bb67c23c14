"""zegelctl report flow and zegelctl watch: the mail flow, counted and watched (M2, M3)."""
import contextlib
import csv
import functools
import io
import json
import os
import re
import stat
import subprocess
import tempfile
import time

import harness as lab
import trail
import walk
from harness import ENV, part
from test_milter import part_name, raw
from test_routes import send_secure

CONFIG = lab.configured.PATH
OUTSIDER = part("outsider")


def zegelctl(*words, config=CONFIG, status=0):
    """What zegelctl WORDS prints, as bytes; it must end with STATUS."""
    done = subprocess.run(["zegelctl", "-c", config, *words], capture_output=True, check=False,
                          timeout=60)
    assert done.returncode == status, (words, done)
    return done.stdout


def secure(typed, to):
    return lab.mail("SMS %s Uitslag" % typed, to=to)


def rows_of(*words):
    text = zegelctl("report", "flow", "--org", part_name(), "--format", "csv", *words).decode()
    return list(csv.DictReader(io.StringIO(text, newline="")))


def count(rows, **wanted):
    return sum(int(row["count"]) for row in rows
               if all(row[key] == value for key, value in wanted.items()))


def in_trail(number, *names):
    """Waits until events of these NAMES are in the trail behind NUMBER."""
    lab.wait_for(lambda: set(names) <= {one["event"] for one in trail.records(number)},
                 "%s in the trail" % ", ".join(names))


def test_report_counts_what_happened():
    """M2: the report has what was sent, opened and refused, and that somebody looked"""
    before, number = rows_of("--senders"), trail.last()
    sent = walk.Sent(secure)
    walk.log_in(sent)
    send_secure(part("community"))
    lab.refused(lab.send, raw(["From: janssen@" + part("own"), "Subject: SMS"]),
                "janssen@" + part("own"), walk.new_outsider(), login="janssen@" + part("own"))
    in_trail(number, "routed", "stored", "notified", "code-sent", "login", "opened", "refused")
    after = rows_of("--senders")

    def more(**wanted):
        return count(after, **wanted) - count(before, **wanted)

    sender = "janssen@" + part("own")
    assert more(event="routed", route="viewer", sender=sender, recipient_domain=OUTSIDER) == 1
    assert more(event="routed", route="direct", recipient_domain=part("community")) == 1
    assert more(event="stored", recipient_domain=OUTSIDER) == 1
    assert more(event="opened") == 1
    assert more(event="refused", code="Z-S2-NO-NUMBER", sender=sender) == 1
    assert more(event="code-sent", method="") == 1
    assert more(event="messages-shown") == 1
    assert {row["nta"] for row in after if row["event"] == "opened"} == {"6"}
    assert not any("@" in row["sender"] for row in rows_of())
    shown = [one for one in trail.records(number) if one["event"] == "messages-shown"]
    assert shown and shown[-1]["org"] == part_name(), shown


def test_all_forms_say_the_same():
    """M2: text, HTML, JSON and PDF have the numbers of the CSV; a file is its owner's alone"""
    number = trail.last()
    walk.Sent(secure)
    in_trail(number, "routed", "stored", "notified")
    rows = rows_of("--by", "month")
    said = json.loads(zegelctl("report", "flow", "--org", part_name(), "--format", "json",
                               "--by", "month"))
    routed = count(rows, event="routed")
    # That somebody looked is an event too: the second report has at least one more.
    assert count(rows) < said["total"] == sum(row["count"] for row in said["rows"])
    assert routed == sum(row["count"] for row in said["rows"] if row["event"] == "routed")
    for period in said["periods"]:
        assert period["stored"] == sum(period[key] for key in
                                       ("opened", "ended", "waiting", "unfollowed")), period
    text = zegelctl("report", "flow", "--org", part_name(), "--by", "month",
                    "--language", "en").decode()
    html = zegelctl("report", "flow", "--org", part_name(), "--by", "month", "--language", "en",
                    "--format", "html").decode()
    numbers = re.search(r"Recipients, by their domain\n(?:.*\n)*?In total .* (\d+)\n", text)
    assert int(numbers.group(1)) == routed, text
    cells = re.search(r"Recipients, by their domain</caption>.*?class=\"total\".*?"
                      r"<td>(\d+)</td></tr>", html, re.DOTALL)
    assert int(cells.group(1)) == routed, html
    assert "<script" not in html and "<svg" in html
    with tempfile.TemporaryDirectory(dir=ENV["LAB"]) as directory:
        path = os.path.join(directory, "flow.pdf")
        assert zegelctl("report", "flow", "--org", part_name(), "--by", "month", "--format",
                        "pdf", "--language", "en", "-o", path) == b""
        assert stat.S_IMODE(os.stat(path).st_mode) == 0o600
        words = lab.command("pdftotext", "-layout", path, "-").decode()
        assert "Recipients, by their domain" in words and str(routed) in words, words
        assert "yes" in re.search(r"Tagged:.*", lab.command("pdfinfo", path).decode()).group()


def test_nothing_is_shown_that_is_not_recorded():
    """A1: without zegel-auditd there is no report"""
    lab.control("stop", "auditd")
    try:
        assert zegelctl("report", "flow", "--org", part_name(), status=75) == b""
    finally:
        lab.control("start", "auditd")


class Watched:
    """A configuration with RULES, and its own memory of alarms; with COMMAND, which writes what
    it is told into .told."""

    def __init__(self, directory, rules, calendar=""):
        self.told = os.path.join(directory, "told")
        self.path = os.path.join(directory, "zegel.conf")
        command = os.path.join(directory, "command")
        with open(command, "w", encoding="ascii") as script:
            script.write("#!/bin/sh\n{ echo \"$# $1 $LC_ALL $HOME\"; cat; } >>%s\n" % self.told)
        os.chmod(command, 0o755)
        with open(CONFIG, encoding="utf-8") as usual, \
                open(self.path, "w", encoding="utf-8") as own:
            own.write(usual.read() + "\n[watch]\nstate = %s/memory/alarms\n%s\n" % (
                directory, calendar))
            for name, lines in rules.items():
                own.write("[rule %s]\norganisation = %s\n%s\n" % (
                    name, part_name(), lines.replace("COMMAND", command)))

    def look(self, *words, status=0):
        return zegelctl("watch", *words, config=self.path, status=status).decode()

    def commanded(self):
        if not os.path.exists(self.told):
            return ""
        with open(self.told, encoding="utf-8") as file:
            return file.read()


@contextlib.contextmanager
def afternoon():
    """The clock of this test and of zegelctl shows two in the afternoon: a rule looks at the day
    before too when that has just ended."""
    before = os.environ.get("TZ", "UTC")
    os.environ["TZ"] = "LAB%+d" % (time.gmtime().tm_hour - 14)
    time.tzset()
    try:
        yield
    finally:
        os.environ["TZ"] = before
        time.tzset()


def in_the_afternoon(test):
    @functools.wraps(test)
    def run():
        with afternoon():
            test()
    return run


def minute_begins():
    """Waits for the next minute; HH:MM of it: all that happened is before."""
    before = time.strftime("%H:%M")
    lab.wait_for(lambda: time.strftime("%H:%M") != before, "the next minute", 70)
    return time.strftime("%H:%M")


@in_the_afternoon
def test_rule_fires_once():
    """M3: too few messages are an alarm, once; enough of them, or a holiday, are none"""
    number, mark = trail.last(), lab.log_mark()
    walk.Sent(secure)
    in_trail(number, "routed")
    by, today = minute_begins(), time.strftime("%Y-%m-%d")
    admin = "%s@%s" % (lab.unique("beheer"), OUTSIDER)
    rule = "kind = viewer\nfewer_than = %%s\nby = %s\ndays = %%s\nmail = %s\ncommand = COMMAND\n" % (
        by, admin)
    with tempfile.TemporaryDirectory(dir=ENV["LAB"]) as directory:
        watched = Watched(directory, {"few": rule % (1000000, "all"), "enough": rule % (1, "all"),
                                      "free": rule % (1000000, "working")},
                          "[calendar]\nextra = %s\n" % today)
        dry = watched.look("--dry-run")
        assert "3 rules, 1 alarms" in dry and dry.count("to " + admin) == 1, dry
        assert not lab.mailbox(admin) and not watched.commanded()
        for _ in range(2):
            watched.look()
        letter = lab.wait_mail(admin)
        assert letter.message["Subject"] == "zegel: [rule few] " + today
        said = letter.message.get_content()
        assert "Expected: at least 1000000." in said and "Regel few" in said, said
        assert watched.commanded().startswith("1 few C.UTF-8 \nRegel few"), watched.commanded()
        assert watched.commanded().count("Rule few") == 1
        assert len(lab.mailbox(admin)) == 1
        assert stat.S_IMODE(os.stat(directory + "/memory/alarms").st_mode) == 0o600
    lines = lab.log_lines(r"zegelctl\[.*event=flow,", mark)
    assert len(lines) == 1 and "rule=few" in lines[0] and "limit=1000000" in lines[0], lines
    flow = [one for one in trail.records(number) if one["event"] == "flow"]
    assert len(flow) == 1 and flow[0]["limit"] == "1000000", flow


@in_the_afternoon
def test_command_that_fails_is_told_again():
    """M3: whom an alarm did not reach is told at the next run, the others are not told twice"""
    admin = "%s@%s" % (lab.unique("beheer"), OUTSIDER)
    with tempfile.TemporaryDirectory(dir=ENV["LAB"]) as directory:
        watched = Watched(directory, {"few": (
            "fewer_than = 1000000\nby = 00:01\ndays = all\nmail = %s\ncommand = COMMAND\n" % admin)})
        os.rename(directory + "/command", directory + "/gone")
        watched.look(status=75)
        assert lab.wait_mail(admin) and not watched.commanded()
        os.rename(directory + "/gone", directory + "/command")
        watched.look()
        watched.look()
        assert watched.commanded().count("Rule few") == 1
        assert len(lab.mailbox(admin)) == 1
