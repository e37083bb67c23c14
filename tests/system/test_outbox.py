"""What zegel-deliver, zegel-viewer and zegelctl record is in the audit trail, once each, with
the values of the log; and waits in the store while zegel-auditd is away.
"""
import harness
import outbox
import trail
import walk
from browser import Browser
from harness import ENV, command, control, mail, unique, wait_for

PROGRAMS = r"zegel(-deliver|-viewer|ctl)"
AT_ONCE_S = 5.0


def secure(typed, to):
    return mail("SMS %s Uitslag" % typed, unique() + "\n", to=to)


def logged(mark, wanted):
    """The events of PROGRAMS since MARK, when all that are WANTED are among them."""
    def look():
        found = trail.logged(mark, PROGRAMS)
        return found if set(wanted) <= {event["event"] for event in found} else None
    return wait_for(look, "events " + ", ".join(wanted))


def reference_of(sent):
    return outbox.query("SELECT reference FROM entry WHERE queue_id = '%s'" % sent.queue_id)[0][0]


def read_it(sent):
    """A reader opens SENT, and ends his session."""
    browser, page = walk.log_in(sent)
    browser.get(page.url + "/original")
    page = browser.get(page.url)
    browser.submit(page, page.form("/logout"))


def test_each_once_at_once():
    """A1 A2: what happens to a message is soon in the trail, each event once, as logged"""
    outbox.wait_empty()
    mark, number = harness.log_mark(), trail.last()
    sent = walk.Sent(secure)
    reference = reference_of(sent)
    page, code = walk.ask_code(Browser(), sent)
    Browser().submit(page, page.form("/code"), code="%06d" % ((int(code) + 1) % 1000000))
    harness.pass_time(sent.queue_id, 61)  # another code
    read_it(sent)
    command(ENV["LAB_SBINDIR"] + "/zegelctl", "message", "recall", reference)
    events = logged(mark, ["stored", "notified", "code-sent", "code-wrong", "login", "opened",
                           "downloaded", "logout", "recalled"])
    trail.check_each_once(events, number, harness.patience(AT_ONCE_S))
    for record in trail.records(number):
        if record["program"] == "zegel-viewer" and "ref" in record:
            assert (record["to"], record["for"]) == (sent.to, sent.sender), record
            assert record["client"], record
    sources = {record["program"]: record["source"] for record in trail.records(number)}
    assert {sources[name] for name in ("zegel-deliver", "zegel-viewer", "zegelctl")} == {
        "zegel-deliver"}, sources
    outbox.wait_empty()


def test_auditd_is_away():
    """A2: without zegel-auditd mail goes on, events wait in the store, and an alarm says so"""
    mark, number = harness.log_mark(), trail.last()
    control("stop", "auditd")
    try:
        sent = walk.Sent(secure)
        read_it(sent)
        harness.wait_log("zegel-deliver.*events wait in the store", mark)
        waiting = outbox.waiting()
        assert {"stored", "notified", "login", "opened", "logout"} <= {
            event["event"] for event in waiting}, waiting
        control("stop", "deliver")  # they outlive it
        restarted = harness.log_mark()
        control("start", "deliver")
        again = outbox.waiting()
        assert again[:len(waiting)] == waiting, again
        harness.wait_log("zegel-deliver.*events wait in the store", restarted)
    finally:
        control("start", "auditd")
    trail.check_each_once(logged(mark, ["logout"]), number)
    order = [record["id"] for record in trail.records(number)]
    assert [one for one in order if one in {event["id"] for event in waiting}] == [
        event["id"] for event in waiting]
    harness.wait_log("zegel-deliver.*events come into the audit trail again", mark)


def test_deliver_is_away():
    """A2: what the viewer records while zegel-deliver is down comes into the trail afterwards"""
    sent = walk.Sent(secure)
    mark, number = harness.log_mark(), trail.last()
    control("stop", "deliver")
    try:
        read_it(sent)
        events = logged(mark, ["login", "opened", "logout"])
        there = {record["id"] for record in trail.records(number)}
        viewer = {event["id"] for event in events if event["program"] == "zegel-viewer"}
        assert not viewer & there, there
    finally:
        control("start", "deliver")
    trail.check_each_once(events, number)


def test_nothing_is_left_at_the_end():
    """A2: what was recorded just before zegel-deliver is stopped is in the trail when it ended"""
    for _ in range(3):
        walk.Sent(secure)
        control("stop", "deliver")
        try:
            assert outbox.waiting() == []
        finally:
            control("start", "deliver")


def test_expired():
    """A1 K4: a message whose time is over is an event in the trail"""
    sent = walk.Sent(secure)
    reference = reference_of(sent)
    mark, number = harness.log_mark(), trail.last()
    harness.pass_time(sent.queue_id, 91 * 86400)
    command(ENV["LAB_SBINDIR"] + "/zegelctl", "expire")
    event, = [event for event in logged(mark, ["expired"]) if event.get("ref") == reference]
    trail.check_each_once([event], number)
