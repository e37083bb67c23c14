"""zegel-auditd: what milter and policyd decide is in the audit trail at once."""
import time

import harness
import trail
import walk
from harness import ENV, mail, part, send, unique, wait_delivered, wait_for

SENDER = "janssen@" + part("own")
AT_ONCE_S = 1.0


def secure(typed, to):
    return mail("SMS %s Uitslag" % typed, to=to)


def test_events_are_in_the_trail_within_a_second():
    """A2: events of milter and policyd are records within a second, with the same values"""
    mark, number = harness.log_mark(), trail.last()
    walk.Sent(secure)
    events = harness.wait_for(lambda: (lambda found: found if {"routed", "phone-learned"} <= {
        event["event"] for event in found} else None)(trail.logged(mark, "zegel-(milter|policyd)")),
                              "events")
    end = time.monotonic() + harness.patience(AT_ONCE_S)
    trail.check_each_once(events, number, seconds=max(0, end - time.monotonic()))
    sources = {record["program"]: record["source"] for record in trail.records(number)}
    assert sources["zegel-milter"] == "zegel-milter", sources
    assert sources["zegel-policyd"] == "zegel-policyd", sources
