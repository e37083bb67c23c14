"""observe changes nothing, and zegelctl report observe counts what would have happened (S5)."""
import json
import os
import signal
import subprocess
import time

import harness as lab
import walk
from harness import part
from test_milter import raw
from test_nta import known_route
from test_rules import COLLEAGUE, SENDER, rules

SLACK_S = 3  # what a session takes on a busy machine
TRIGGER = ["Subject: veilig mailen recept"]
FOREIGN = "bakker@" + part("own2")


def submit(header, *to, sender=SENDER, body=b"x\r\n"):
    """Sends a message, which must be taken; returns it as it was sent."""
    message = raw(["From: " + sender, "X-Zegel-Other: mine", "X-NTA7516: mine", *header], body)
    lab.send(message, sender, list(to), login=SENDER)
    return message


def warm(*recipients):
    """policyd knows what it says of RECIPIENTS: observe waits 1.5 s for it and no longer, and
    after a start it has to ask the DNS for everything."""
    for recipient in recipients:
        known_route(SENDER, recipient)


def events(mark, count):
    """The COUNT observed events after MARK, as dictionaries."""
    lines = lab.wait_for(lambda: (lambda found: found if len(found) >= count else None)(
        lab.log_lines("event=observed", mark)), "%d events" % count)
    return [dict(pair.split("=", 1) for pair in line.split(": ", 2)[2].split(", "))
            for line in lines]


def unchanged(message, to):
    """TO has MESSAGE with the header and the body that were sent, from the same envelope."""
    got = lab.wait_mail(to)
    header, body = message.split(b"\r\n\r\n", 1)
    assert header.replace(b"\r\n", b"\n") in got.raw, got.raw
    assert got.raw.endswith(b"\n\n" + body.replace(b"\r\n", b"\n")), got.raw
    assert got.message["X-Original-To"] == to and got.message["Return-Path"], got.raw


def test_observe_leaves_mail_as_it_was():
    """S5: whatever would have happened, mail goes as if zegel were not there, marks included"""
    typed, number = walk.new_number()
    cases = (
        (["Subject: Afspraak", "x-ezorg-secbypass: true"],
         {"would": "pass", "code": "Z-S5-BYPASS"}),
        (["Subject: Afspraak"],
         {"would": "refuse", "code": "Z-S7-NUMBER", "reason": "Z-S5-DEFAULT"}),
        (["Subject: SMS %s recept" % typed],
         {"would": "seal", "code": "Z-S2-TRIGGER", "viewer": "1", "direct": "0", "own": "0"}),
        (["Subject: SMS"], {"would": "refuse", "code": "Z-S2-NO-NUMBER"}),
        (["Subject: x", "Sender: " + FOREIGN], {"would": "refuse", "code": "Z-O3-SENDER",
                                                 "about": part("own2")}),
    )
    with rules(default="observe"):
        warm(walk.new_outsider())
        for header, expected in cases:
            to, mark = walk.new_outsider(), lab.log_mark()
            unchanged(submit(header, to), to)
            (event,) = events(mark, 1)
            assert event["from"] == SENDER and expected.items() <= event.items(), (header, event)
            assert not lab.log_lines("event=(routed|promised|refused)", mark)
            assert not lab.log_lines(number[3:], mark)


def test_observe_counts_routes():
    """S5: the event says how many would be reached direct, in the viewer and inside"""
    to, partner = walk.new_outsider(), lab.unique("p") + "@" + part("community")
    typed, _ = walk.new_number()
    with rules(default="observe"):
        warm(to, partner, COLLEAGUE)
        mark = lab.log_mark()
        submit(["Subject: SMS %s x" % typed], to, partner, COLLEAGUE)
        (event,) = events(mark, 1)
    assert (event["direct"], event["viewer"], event["own"]) == ("1", "1", "1"), event
    assert lab.wait_mail(partner) and lab.wait_mail(to)
    assert not lab.log_lines(r"\.zegel\.internal", mark)


def taken_in(header):
    """Sends to an outsider and returns the seconds it took."""
    begin = time.monotonic()
    submit(header, walk.new_outsider())
    return time.monotonic() - begin


def test_observe_waits_for_nobody():
    """S5 R9: with policyd dead or hanging mail is taken, after 1.5 s at most, then at once"""
    with rules(default="observe"):
        with lab.without("policyd"):
            mark = lab.log_mark()
            assert taken_in(TRIGGER) < lab.patience(2.5 + SLACK_S)
            assert events(mark, 1)[0]["would"] == "unknown"
        pid = int(lab.program_pid("policyd"))
        os.kill(pid, signal.SIGSTOP)
        try:
            mark = lab.log_mark()
            # the policy service of each recipient lets Postfix wait 1 s more
            assert taken_in(TRIGGER) < lab.patience(3.5 + SLACK_S)
            assert taken_in(TRIGGER) < lab.patience(2 + SLACK_S)
            assert [one["would"] for one in events(mark, 2)] == ["unknown", "unknown"]
        finally:
            os.kill(pid, signal.SIGCONT)


# ---- The report ----

def report(*words, data=None, status=0):
    done = subprocess.run(["zegelctl", "report", "observe", *words], input=data, check=False,
                          capture_output=True, timeout=60)
    assert done.returncode == status, (words, done)
    return done.stdout.decode() + done.stderr.decode()


def as_syslog(lines):
    """LINES of the lab's log as rsyslog writes them: 2026-... LEVEL PROGRAM -> HOST PROGRAM."""
    return "".join("%s mx %s\n" % (line.split(" ", 2)[0], line.split(" ", 2)[2])
                   for line in lines).encode()


def test_a_report_of_what_was_observed():
    """S5: zegelctl report observe counts per sender what really was observed, and says what next"""
    typed, _ = walk.new_number()
    with rules(default="observe"):
        warm(walk.new_outsider(), "p@" + part("community"), COLLEAGUE)
        mark = lab.log_mark()
        submit(["Subject: Afspraak", "x-ezorg-secbypass: true"], walk.new_outsider())
        submit(["Subject: Afspraak"], walk.new_outsider())
        submit(["Subject: Afspraak"], walk.new_outsider())
        submit(["Subject: SMS %s x" % typed], walk.new_outsider())
        submit(["Subject: Afspraak"], lab.unique("p") + "@" + part("community"))
        submit(["Subject: Afspraak"], COLLEAGUE)
        lab.send(raw(["From: " + COLLEAGUE, "Subject: SMS"]), COLLEAGUE, walk.new_outsider())
        events(mark, 7)
    log = as_syslog(lab.log_lines("", mark))
    seen = json.loads(report("--json", "-", data=log))
    wanted = {"messages": 7, "pass": 1, "own": 1, "direct": 1, "viewer": 1, "refused": 3,
              "unknown": 0, "by_default": 4, "codes": {"Z-S7-NUMBER": 2, "Z-S2-NO-NUMBER": 1}}
    assert seen["total"] == wanted, seen
    assert [(one["sender"], one["messages"]) for one in seen["senders"]] == [
        (SENDER, 6), (COLLEAGUE, 1)], seen
    text = report("-", "--since", "7", data=log)
    assert SENDER in text and "Z-S7-NUMBER" in text and "What next:" in text, text
    assert "%s (2)" % SENDER in text, text
    assert "No observed message" in report("-", data=b"")


def test_a_report_of_files():
    """S5: the report reads files, says which is missing, and takes no words of strangers"""
    path = os.path.join(lab.ENV["LAB_STATEDIR"], "tmp", "report.log")
    line = ("Nov 22 04:18:37 mx zegel-milter[1]: X: event=observed, org=a, code=Z-S5-DEFAULT, "
            "from=x@y.nl, would=pass\n")
    with open(path, "w", encoding="latin-1") as file:
        file.write(line + line.replace("zegel-milter[1]: X: ", "other[1]: X: ") + "\xff\n")
    assert json.loads(report("--json", path, path))["total"]["messages"] == 2
    assert "/nowhere" in report("/nowhere", status=65)
    assert "--since" in report("--since", "-3", path, status=65)
    os.unlink(path)
