"""F1: zegel-deliver is killed at every storage and socket call of a delivery, always also
between COMMIT and the 250, and brought again until it says 250: nothing lost, nothing
doubled (I1, I2), in the store and in the audit trail. 300 kills and more together; under
sanitizers a tenth of them.
"""
import re
import time

import crash
import harness
import outbox
import trail
from crash import Deliver, Letter, Point

SMALL_BYTES = 2000
LARGE_BYTES = 150000  # sealed in a file of its own: above 128 KiB
COLD_KILLS = 50
TWICE_KILLS = 12
POSTFIX_KILLS = 34
RELAY_KILLS = 30


def tell(deaths, letters, mark, repeats):
    """The numbers go into the report. Returns how many were killed after COMMIT."""
    again = crash.stored_again(letters, mark)
    print("# killed %d times, %d of them between COMMIT and 250; %d letters, %d notifications "
          "repeated" % (deaths, again, len(letters), repeats), flush=True)
    return again


def see_calls(deliver, size, warm):
    """(a small letter that was taken, the points of a delivery of SIZE bytes)."""
    first, = crash.write_letters(1, SMALL_BYTES)
    second, = crash.write_letters(1, size)
    deliver.start()
    if warm:
        crash.repeat(deliver, first)
    points = deliver.calls_for(second)
    crash.repeat(deliver, first)
    deliver.kill()
    return first, points


def kill_at_every_call(size, kills_min):
    """Kills at each call of the threads that serve a letter of SIZE bytes."""
    mark, texts, number = harness.log_mark(), crash.sms_count(), trail.last()
    with Deliver() as deliver:
        spare, points = see_calls(deliver, size, warm=True)
        points = crash.fewer([point for point in points
                              if point.thread in ("session", "writer")])
        letters = crash.write_letters(len(points), size)
        crash.warm_up(deliver, spare)
        deaths = crash.strike_all(deliver, letters, points, spare)
        deliver.stay()
        repeats = crash.check_all(letters, mark, texts, number)
    again = tell(deaths, letters, mark, repeats)
    assert deaths >= len(crash.fewer(range(kills_min))), (deaths, len(points))
    assert again >= len(crash.fewer(range(kills_min // 4))), again


def test_f1_killed_at_each_call_for_a_small_message():
    """F1 I1 I2: killed at each of 100 calls and more for a small message, lost and doubled none"""
    kill_at_every_call(SMALL_BYTES, 100)


def test_f1_killed_at_each_call_for_a_large_message():
    """F1 I1 I2: killed at each of 120 calls and more for a large message, lost and doubled none"""
    kill_at_every_call(LARGE_BYTES, 120)


def kill_twice(deliver, letters, points):
    """A crash after COMMIT, then another at POINTS while the letter comes again."""
    deaths = 0
    for letter, point in zip(letters, points):
        deliver.start()
        deaths += crash.strike(deliver, letter, Point("session", "connect", 1))
        assert not deliver.alive(), letter.queue_id
        deliver.start()
        deaths += crash.strike(deliver, letter, point)
        if not deliver.alive():
            deliver.start()
        crash.repeat(deliver, letter)
        deliver.kill()
    return deaths


def kill_cold(deliver, letters, points, number):
    """A crash in the first delivery after a crash, when the store is opened anew."""
    deaths = 0
    for letter, point in zip(letters, points):
        deliver.start()
        if crash.strike(deliver, letter, point):
            deaths += 1
            outbox.check_both(letter, number)
            deliver.start()
        crash.repeat(deliver, letter)
        deliver.kill()
    return deaths


def test_f1_killed_again_after_a_crash():
    """F1 I1 I2: killed at 60 calls of the first delivery after a crash, lost and doubled none"""
    mark, texts, number = harness.log_mark(), crash.sms_count(), trail.last()
    with Deliver() as deliver:
        _, points = see_calls(deliver, SMALL_BYTES, warm=False)
        points = crash.anywhere(points)
        cold = crash.fewer(crash.spread(points, COLD_KILLS))
        again = crash.fewer(crash.spread(points, TWICE_KILLS))
        letters = crash.write_letters(len(cold) + len(again), SMALL_BYTES)
        deaths = kill_cold(deliver, letters[:len(cold)], cold, number)
        deaths += kill_twice(deliver, letters[len(cold):], again)
        deliver.start()
        repeats = crash.check_all(letters, mark, texts, number)
    tell(deaths, letters, mark, repeats)
    assert deaths >= len(cold) * 3 // 4 + len(again), deaths


# ---- On the way to zegel-auditd ----

class WithoutAuditd:
    """with WithoutAuditd(): zegel-auditd is away."""

    def __enter__(self):
        harness.control("stop", "auditd")

    def __exit__(self, *_):
        harness.control("start", "auditd")


def let_wait(deliver, letter):
    """LETTER is taken, and its events wait in the store; zegel-deliver is down again."""
    with WithoutAuditd():
        deliver.start()
        crash.repeat(deliver, letter)
        deliver.kill()


def start_in_vain(deliver):
    """Starts it, and waits until it has said that events wait."""
    mark = harness.log_mark()
    deliver.start()
    harness.wait_log("zegel-deliver.*events wait in the store", mark)


def see_relay(deliver, letter):
    """The points that zegel-deliver passes while it brings what waits."""
    def act():
        harness.control("start", "auditd")
        outbox.wait_empty()
    let_wait(deliver, letter)
    harness.control("stop", "auditd")
    start_in_vain(deliver)
    points = crash.anywhere([point for point in deliver.calls(act)
                             if point.thread in ("relay", "writer")], without="")
    deliver.kill()
    return points


def strike_relay(deliver, point):
    """A kill at POINT while what waits is brought; whether it died of it."""
    with WithoutAuditd():
        start_in_vain(deliver)
        deliver.inject(point, "signal=KILL")
    harness.wait_for(lambda: not deliver.alive() or outbox.is_empty(), "the relay")
    died = not deliver.alive()
    deliver.untrace()
    deliver.kill()
    return died


def test_f1_killed_while_events_are_brought():
    """A2 F1: killed at each call that brings what waits to zegel-auditd: each event is there once"""
    number, deaths = trail.last(), 0
    with Deliver() as deliver:
        first, *letters = crash.write_letters(1 + len(crash.fewer(range(RELAY_KILLS))), SMALL_BYTES)
        points = crash.fewer(crash.spread(see_relay(deliver, first), RELAY_KILLS))
        for letter, point in zip(letters, points):
            let_wait(deliver, letter)
            deaths += strike_relay(deliver, point)
        deliver.start()
        outbox.check_once([first] + letters[:len(points)], number)
    print("# killed %d times at %d points" % (deaths, len(points)), flush=True)
    assert deaths >= len(points) // 2 and len(points) >= len(crash.fewer(range(15))), deaths


# ---- Postfix itself comes again ----

def release(letter):
    """Postfix tries the held LETTER now."""
    harness.command("postsuper", "-H", letter.queue_id)
    harness.queue_flush()


def wait_try(letter, mark):
    """Waits for the end of a try of Postfix: "sent" or "deferred"."""
    line = harness.wait_log(r" %s: to=.*status=" % letter.queue_id, mark)
    return re.search(r"status=(\w+)", line).group(1)


def postfix_sends(letter):
    """Postfix brings LETTER without a fault."""
    mark = harness.log_mark()
    release(letter)
    assert wait_try(letter, mark) == "sent"


def postfix_brings(deliver, letter, point):
    """Postfix brings LETTER until it is taken, the first time with a kill at POINT."""
    mark = harness.log_mark()
    deliver.inject(point, "signal=KILL")
    release(letter)
    status = wait_try(letter, mark)
    letter.code = 250 if status == "sent" else None
    died = crash.settle(deliver, letter)
    if died:
        deliver.start()
    while status != "sent":
        assert status == "deferred", status
        mark = harness.log_mark()
        harness.flush_deferred(letter.queue_id)
        status = wait_try(letter, mark)
    letter.code = 250
    return died


def test_f1_postfix_brings_again_what_a_kill_broke_off():
    """F1 I1 I2 I4: killed at 30 calls while Postfix delivers: its queue brings all again, once"""
    mark, texts, number = harness.log_mark(), crash.sms_count(), trail.last()
    with Deliver() as deliver:
        letters = crash.write_letters(2 + len(crash.fewer(range(POSTFIX_KILLS))), SMALL_BYTES,
                                      keep=True)
        deliver.start()
        postfix_sends(letters.pop())
        last = letters.pop()
        points = crash.anywhere(deliver.calls(lambda: postfix_sends(last)))
        points = crash.fewer(crash.spread(points, POSTFIX_KILLS))
        deaths = sum(postfix_brings(deliver, letter, point)
                     for letter, point in zip(letters, points))
        deliver.stay()
        repeats = crash.check_all(letters, mark, texts, number)
    tell(deaths, letters, mark, repeats)
    assert deaths >= (2 if crash.sanitized() else 30), deaths
