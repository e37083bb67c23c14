"""Monitoring: zegelctl status, the probe of each minute, and the figure of NTA 7516 6.1.2."""
import contextlib
import json
import os
import re
import sqlite3
import time

import harness
import outbox
import trail
import walk
from harness import configured, control, mail, part, patience

ZEGELCTL = os.path.join(harness.ENV["LAB_SBINDIR"], "zegelctl")
PROGRAMS = {"milter", "milter-mx", "policyd", "deliver", "viewer", "auditd"}
WRONG, LATER = 1, 75
FAST_S = 0.2
MANY = 1000000
YEARS_US = 5 * 365 * 86400 * 1000000


def status(wanted=0):
    return json.loads(harness.command(ZEGELCTL, "status", "--json", status=wanted))


def test_all_forms_say_the_same():
    """status says of every program, queue, table and disk how it stands, in three forms"""
    outbox.wait_empty()
    before = trail.last()
    found = status()
    assert found["program_up"] == dict.fromkeys(PROGRAMS, 1), found
    assert found["program_current"] == dict.fromkeys(PROGRAMS, 1), found
    assert found["problems"] == [] and found["audit_records_total"] >= before > 0, found
    assert found["audit_checkpoint_age_seconds"] < 3600, found
    assert set(found["queue_messages"]) == {"none", "viewer", "direct", "prefer", "own", "seal"}
    assert set(found["routes"]) == {"book", "nta", "nobody"}, found
    assert found["disk_size_bytes"]["store"] > found["disk_free_bytes"]["store"] > 0, found
    version = harness.command(ZEGELCTL, "-V").decode().split()[1]
    assert found["versions"]["zegel"] == version, found
    assert re.fullmatch(r"3\.\d+\.\d+", found["versions"]["postfix"]), found
    text = harness.command(ZEGELCTL, "status").decode()
    assert "viewer=yes" in text and "Could not" not in text, text
    assert "zegelctl" not in {one["program"] for one in trail.records(before)}, "it is no event"


def test_prometheus_can_read_it():
    """Each line is what the text format of Prometheus allows, and the file is replaced in one step"""
    path = os.path.join(harness.ENV["LAB_STATEDIR"], harness.unique("status") + ".prom")
    harness.command(ZEGELCTL, "status", "--prometheus", "-o", path)
    with open(path, encoding="ascii") as file:
        lines = file.read().splitlines()
    sample = re.compile(r'(zegel_[a-z_]+)(\{[a-z]+="[^"]*"(,[a-z]+="[^"]*")*\})? \d+')
    helped, typed, names = set(), set(), []
    for line in lines:
        if line.startswith("# HELP "):
            helped.add(line.split()[2])
        elif line.startswith("# TYPE "):
            assert line.split()[3] in ("gauge", "counter"), line
            typed.add(line.split()[2])
        else:
            assert sample.fullmatch(line), line
            names.append(sample.fullmatch(line).group(1))
    assert set(names) == helped == typed, (names, helped, typed)
    assert 'zegel_program_up{program="policyd"} 1' in lines, lines
    assert os.stat(path).st_mode & 0o777 == 0o644
    assert [name for name in os.listdir(os.path.dirname(path))
            if name.startswith(os.path.basename(path))] == [os.path.basename(path)]
    os.unlink(path)


def test_what_waits_is_counted_by_label():
    """Mail that waits for zegel-deliver is seen with its label and its age"""
    assert status()["queue_messages"]["viewer"] == 0
    control("stop", "deliver")
    try:
        typed, _ = walk.new_number()
        to = walk.new_outsider()
        queue_id = harness.send(mail("SMS %s Uitslag" % typed, to=to),
                                "janssen@" + part("own"), to)
        found = harness.wait_for(lambda: (lambda one: one if one["queue_messages"]["viewer"]
                                          else None)(status()), "the message")
        assert found["queue_messages"]["viewer"] == found["queue_recipients"]["viewer"] == 1
        assert found["queue_oldest_age_seconds"]["viewer"] < 60, found
        assert found["program_up"]["deliver"] == 0 and found["program_up"]["milter"] == 1, found
        assert "deliver" not in found["program_current"], found
    finally:
        control("start", "deliver")
    harness.queue_flush()
    harness.wait_delivered(queue_id)
    harness.wait_for(lambda: status()["store_unnotified"] == 0, "the notification")
    assert "store_unnotified_oldest_age_seconds" in status()


def test_what_cannot_be_looked_at_is_said():
    """A database that is not there is a problem, and the rest is there all the same"""
    with configured("policyd", "routes_db", "/nowhere/routes.db"):
        found = status(LATER)
    assert len(found["problems"]) == 2 and "routes.db" in found["problems"][0], found
    assert found["routes"] == {} and found["program_up"]["policyd"] == 1, found


def million(path):
    """A trail of a million records, most of them old, at PATH: nobody verifies it here."""
    with contextlib.closing(sqlite3.connect(trail.DATABASE, timeout=60)) as source, \
            contextlib.closing(sqlite3.connect(path)) as copy:
        source.backup(copy)
        now_us = int(time.time() * 1000000)
        copy.execute("PRAGMA journal_mode = WAL")
        copy.execute("PRAGMA synchronous = OFF")
        copy.execute(
            "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?1)"
            "INSERT INTO record SELECT 10000000 + i, 1, ?2 - (i * 7919) % ?3, 0, randomblob(16),"
            " 'praktijk', CASE i % 4 WHEN 0 THEN 'probe' WHEN 1 THEN 'routed' WHEN 2 THEN"
            " 'stored' ELSE 'login' END, 'Q' || i, NULL, 'record=1', x'00', NULL FROM n",
            (MANY, now_us - 2 * 3600 * 1000000, YEARS_US))
        copy.commit()


def test_a_long_trail_makes_it_no_slower():
    """With a million events status takes less than a fifth of a second"""
    path = os.path.join(harness.ENV["LAB_STATEDIR"], "tmp", harness.unique("many") + ".db")
    million(path)
    try:
        with configured("audit", "database", path):
            times = []
            for _ in range(10):
                start = time.monotonic()
                found = status()
                times.append(time.monotonic() - start)
        assert found["audit_records_total"] >= MANY, found
        assert min(times) < patience(FAST_S), times
    finally:
        for ending in ("", "-wal", "-shm"):
            with contextlib.suppress(FileNotFoundError):
                os.unlink(path + ending)


# ---- The probe -----------------------------------------------------------------------

def probe(wanted=0):
    return {(one["part"], one.get("organisation")): one["good"] for one in
            json.loads(harness.command(ZEGELCTL, "probe", "--json", status=wanted))}


def probes(after):
    return [record for record in trail.records(after) if record["event"] == "probe"]


def test_a_good_minute():
    """probe finds every part good, and that is one event that names nobody"""
    before = trail.last()
    found = probe()
    assert set(found) == {(name, None) for name in PROGRAMS - {"viewer"}} | \
        {("viewer", "praktijk"), ("viewer", "kliniek")} and all(found.values()), found
    events = probes(before)
    assert len(events) == 1 and events[0]["outcome"] == "ok", events
    assert not {"org", "detail", "begins", "until"} & set(events[0]), events
    shown = status()
    assert shown["probe_good"] == 1 and shown["probe_age_seconds"] < 60, shown


def test_each_part_is_missed():
    """A part that is dead is named by probe, by its event and by status"""
    for name in ("policyd", "deliver", "milter", "milter-mx"):
        control("stop", name)
        try:
            for _ in range(3):  # the page of a viewer that others keep busy may be missed too
                before = trail.last()
                missed = [key for key, good in probe(WRONG).items() if not good]
                if missed == [(name, None)]:
                    break
        finally:
            control("start", name)
        assert missed == [(name, None)], missed
        events = probes(before)
        assert [(one["outcome"], one["detail"]) for one in events] == [("failed", name)], events
        assert status()["probe_good"] == 0


@contextlib.contextmanager
def elsewhere(line, ending):
    """LINE of zegel.conf, which ends with a slash, ends with ENDING."""
    with open(configured.PATH, encoding="utf-8") as file:
        before = file.read()
    assert before.count(line + "\n") == 1, before
    with open(configured.PATH, "w", encoding="utf-8") as file:
        file.write(before.replace(line, line[:-1] + ending))
    try:
        yield
    finally:
        with open(configured.PATH, "w", encoding="utf-8") as file:
            file.write(before)


def test_the_viewer_of_one_organisation():
    """A page that is not there is an event of its organisation"""
    before = trail.last()
    with elsewhere("viewer_url = https://veilig.%s/" % part("own"), ":444/"):
        found = probe(WRONG)
    assert [key for key, good in found.items() if not good] == [("viewer", "praktijk")], found
    events = probes(before)
    assert [(one.get("org"), one["outcome"]) for one in events] == \
        [(None, "ok"), ("praktijk", "failed")], events
    assert events[1]["detail"] == "viewer", events
    control("stop", "viewer")  # the web server answers, with 503
    try:
        assert probe(WRONG)["viewer", "kliniek"] is False
    finally:
        control("start", "viewer")
    # The web server believes for a while that nobody is there.
    harness.wait_for(lambda: all(probe(None).values()), "the viewer behind its web server")


def test_auditd_is_down():
    """What is found while zegel-auditd is down comes into the trail later, with its own time"""
    before = trail.last()
    control("stop", "auditd")
    try:
        at = time.time()
        found = probe(WRONG)
    finally:
        time.sleep(1)
        control("start", "auditd")
    assert [key for key, good in found.items() if not good] == [("auditd", None)], found
    event = harness.wait_for(lambda: probes(before), "the event")[0]
    assert event["detail"] == "auditd" and event["outcome"] == "failed", event
    said = time.mktime(time.strptime(event["at"][:19], "%Y-%m-%dT%H:%M:%S")) - time.timezone
    assert abs(said - at) < patience(10), event


# ---- The figure ----------------------------------------------------------------------

DAY = "2024-02-29"  # long before any probe of the lab
START = 1709164800  # that day in UTC


def bring_probes(minutes):
    """Events of DAY: {minute of the day in UTC: pairs}."""
    text = ""
    for minute, pairs in minutes.items():
        at = time.strftime("%Y-%m-%dT%H:%M:%S.000000Z", time.gmtime(START + 60 * minute + 7))
        lines = dict({"event": "probe", "id": trail.new_id(), "at": at, "program": "zegelctl",
                      "outcome": "ok"}, **pairs)
        text += "".join("%s=%s\n" % pair for pair in lines.items()) + "\n"
    answers = trail.bring(text, answers=len(minutes), seconds=60)
    assert answers.count("id=") == len(minutes), answers[-500:]


def figure(*options):
    text = harness.command(ZEGELCTL, "report", "availability", "--from", DAY, "--to", DAY,
                           "--format", "json", *options)
    return json.loads(text)["months"][0]


def test_the_figure_of_availability():
    """6.1.2: minutes that were bad, not looked at, and planned are counted, with and without"""
    window = {"begins": "2024-02-29T03:00:00Z", "until": "2024-02-29T03:30:00Z"}
    minutes = {minute: {} for minute in range(60, 600)}
    for minute in range(100, 110):
        minutes[minute] = {"outcome": "failed", "detail": "deliver"}
    for minute in range(120, 125):
        del minutes[minute]  # nobody looked
    minutes[180] = dict(window)
    for minute in range(182, 200):
        del minutes[minute]  # planned: it was off
    minutes[190] = dict(window, outcome="failed", detail="policyd")
    for minute in range(300, 303):
        minutes[minute + 0.1] = {"org": "kliniek", "outcome": "failed", "detail": "viewer"}
    del minutes[400]  # one alone: the timer was a little off
    bring_probes(minutes)
    env = dict(os.environ, TZ="UTC")
    os.environ["TZ"] = "UTC"
    try:
        found = figure()
        assert found["month"] == "2024-02" and found["minutes"] == 1440 - 60, found
        assert found["planned"] == 30 and found["planned_lost"] == 18, found
        assert found["bad"] == 10 + 1 + 3, found
        assert found["unseen"] == 5 + 17 + (1440 - 600), found
        assert found["interruptions"] == 4 and found["longest"] == 840, found
        good = 1380 - found["bad"] - found["unseen"]
        assert found["good"] == good and found["percent"] == good * 100000 // 1380 / 1000, found
        outside = (good - 12) * 100000 // (1380 - 30) / 1000
        assert found["percent_outside"] == outside, (found, outside)
        assert figure("--org", "praktijk")["bad"] == 11
        assert figure("--org", "kliniek")["bad"] == 14
        text = harness.command(ZEGELCTL, "report", "availability", "--from", "2024-02", "--to",
                               "2024-03").decode()
        assert "2024-02" in text and "2024-03" in text and "all" in text, text
        csv = harness.command(ZEGELCTL, "report", "availability", "--from", DAY, "--to", DAY,
                              "--format", "csv").decode().split("\r\n")
        assert csv[0].startswith("month,percent,percent_outside,") and \
            csv[1].startswith("2024-02,%.3f,%.3f,1380," % (found["percent"], outside)), csv
        harness.command(ZEGELCTL, "report", "availability", "--from", "2024-03", "--to",
                        "2024-01", status=65)
    finally:
        os.environ.clear()
        os.environ.update(env)
        del os.environ["TZ"]


def test_windows_are_recorded_when_they_are():
    """[maintenance] windows: an event within one says so, and outside none does"""
    now = time.time()
    def clock(offset):
        return time.strftime("%H:%M", time.localtime(now + offset))
    before = trail.last()
    with configured("maintenance", "windows", "2001-01-01 00:00-23:59, daily %s-%s" %
                    (clock(-300), clock(600))):
        probe()
    with configured("maintenance", "windows", "daily %s-%s" % (clock(600), clock(900))):
        probe()
    events = probes(before)
    assert len(events) == 2 and "begins" not in events[1], events
    def seconds(text):
        return time.mktime(time.strptime(text, "%Y-%m-%dT%H:%M:%SZ")) - time.timezone
    assert -360 <= seconds(events[0]["begins"]) - now <= -240, events
    assert 540 <= seconds(events[0]["until"]) - now <= 660, events
    assert b"windows" in harness.command(ZEGELCTL, "schema")
