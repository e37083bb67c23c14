"""The sender is told that his message is ready (S14), that nobody opens it, and its reader is
reminded before its end (V7): once each, whatever dies meanwhile."""
import contextlib
import re
import sqlite3
import subprocess
import time

import crash
import harness
import told
import walk
from browser import Browser, link_in
from crash import Deliver, Point
from harness import configured, control, mail, mailbox, part, wait_for, wait_log
from told import SENDER, check_letter, letters_about, secure, status_link, wait_letter

DAY_S = 86400
KILLS = 40
HERE = "organisation praktijk"
PAUSE_S = 2  # in which a letter that should not come would have come


def numbers_in(text):
    """The addresses in TEXT that correct a number, in order."""
    return re.findall(r"nummer-[\w-]+@%s" % re.escape(told.SERVICE), text)


def test_one_recipient():
    """S14: who is reached which way, until when, the status page, and an answer corrects the number"""
    mark = harness.log_mark()
    queue_id, message, to, number = secure()
    letter = wait_letter(message, "confirm")
    text = check_letter(letter, message)
    assert text.count("\n- %s\n" % to) == 2, text
    assert text.count("eindigt op %s." % number[-2:]) == 1 and number[3:] not in letter
    assert text.count("ends in %s." % number[-2:]) == 1
    assert re.search(r"lezen tot \d+ \w+ \d{4}\.", text)
    assert re.fullmatch(r"[\w-]{22}", status_link(letter).rsplit("/", 1)[1])
    assert numbers_in(str(letter.message["Reply-To"])) and not numbers_in(text)
    wait_log("event=confirmed.*message-id=%s" % re.escape(message["Message-ID"]), mark)
    assert len(letters_about(message, "confirm")) == 1
    assert harness.wait_delivered(queue_id)


def test_several_recipients():
    """S14: each recipient by his own way, and an address for each number; an answer has none"""
    first, second = walk.new_outsider(), walk.new_outsider()
    direct, own = "jan@" + part("community"), "devries@" + part("own")
    message = mail("veilig: Uitslag", "Geheim\n", to=", ".join((first, second, direct, own)))
    message["X-Zegel-SMS"] = "%s %s" % (first, walk.new_number()[1])
    message["X-Zegel-SMS"] = "%s %s" % (second, walk.new_number()[1])
    harness.send(message, SENDER, [first, second, direct, own])
    letter = wait_letter(message, "confirm")
    text = check_letter(letter, message)
    dutch = text.split("-" * 40)[0]
    assert dutch.count("\n- %s\n  krijgt een e-mail met een link" % first) == 1, text
    assert dutch.count("\n- %s\n  krijgt een e-mail met een link" % second) == 1
    assert "\n- %s\n  krijgt het bericht in de eigen mailbox, over" % direct in dutch
    assert "\n- %s\n  krijgt het bericht in de eigen mailbox, bij" % own in dutch
    assert letter.message["Reply-To"] is None
    assert len(set(numbers_in(dutch))) == 2, dutch
    assert re.search(r"- %s\n  nummer-" % re.escape(first), dutch)


def test_several_transactions():
    """S14 I2: Postfix brings the recipients one by one, and there is one confirmation with all"""
    to = [walk.new_outsider() for _ in range(3)]
    message = mail("veilig: Uitslag", "Geheim\n", to=", ".join(to))
    for one in to:
        message["X-Zegel-SMS"] = "%s %s" % (one, walk.new_number()[1])
    with told.postfix(**{"zegel-store_destination_recipient_limit": "1"}):
        mark = harness.log_mark()
        queue_id = harness.send(message, SENDER, to)
        letter = wait_letter(message, "confirm", seconds=60)
        lines = harness.log_lines(r" %s: to=.*status=sent" % queue_id, mark)
        assert len({re.search(r"conn_use|delays=\S+", line) for line in lines}) == 3, lines
    assert len(set(numbers_in(letter.text()))) == 3, letter.text()
    time.sleep(PAUSE_S)
    assert len(letters_about(message, "confirm")) == 1


def test_the_subject_stays_outside():
    """S14 V1: the letter's own subject has no digits that another milter takes for a number"""
    _, message, _, _ = secure()
    subject = str(wait_letter(message, "confirm").message["Subject"])
    assert "beveiligde bericht" in subject and "secure message" in subject
    assert not re.search(r"\d|SMS|Uitslag", subject), subject


def assert_unconfirmed(message, queue_id):
    """Nobody is told of MESSAGE, which was filed."""
    harness.wait_delivered(queue_id)
    other = secure()[1]
    wait_letter(other, "confirm")  # so the thread has looked
    assert not letters_about(message, "confirm")


def test_never():
    """S14 confirm: never means none; the message is filed all the same"""
    with configured(HERE, "confirm", "never", "deliver"):
        queue_id, message, _, _ = secure()
        harness.wait_delivered(queue_id)
    assert_unconfirmed(message, queue_id)


def test_machines_get_none():
    """S5 S14: a listed machine and an empty sender get no confirmation"""
    with configured(HERE, "machine_senders", "devries@" + part("own"), "deliver", "milter"):
        queue_id, message, _, _ = secure(sender="devries@" + part("own"))
        assert_unconfirmed(message, queue_id)
        assert not letters_about(message, "confirm", "devries@" + part("own"))


# ---- Killed (F2) ----

def message_id(letter):
    return re.search(rb"(?mi)^Message-ID: *(\S+)", letter.content).group(1).decode()


def confirmations(letter):
    """What the sender got for LETTER (crash.Letter)."""
    name = message_id(letter)
    return [one for one in mailbox(SENDER) if one.message["In-Reply-To"] == name
            and str(one.message["Message-ID"]).startswith("<confirm.")]


def is_recorded(letter):
    """Whether the store knows that LETTER was confirmed."""
    return told.query("SELECT count(*) FROM dispatch JOIN entry USING (ticket)"
                       " WHERE queue_id = ? AND confirmed IS NOT NULL", letter.queue_id) == 1


def start(deliver):
    """Starts DELIVER; its thread has its name."""
    deliver.start()
    wait_for(lambda: "confirm" in deliver.threads(), "the thread")


def wait_recorded(deliver, letter):
    wait_for(lambda: is_recorded(letter), "confirmation of " + letter.queue_id)
    time.sleep(0.05)  # and the thread sleeps again
    assert deliver.alive()


def confirm_points(deliver, letter):
    """The calls of the thread that confirms LETTER, and of the writer."""
    def act():
        session = deliver.session()
        assert letter.bring(session) == 250, letter.code
        wait_recorded(deliver, letter)
        deliver.end(session)
    return [point for point in deliver.calls(act) if point.thread in ("confirm", "writer")]


def strike_confirmation(deliver, letter, point):
    """Brings LETTER with a kill at POINT; whether zegel-deliver died of it."""
    deliver.inject(point, "signal=KILL")
    session = deliver.session()
    letter.bring(session)
    end = time.monotonic() + 10
    while deliver.alive() and not is_recorded(letter) and time.monotonic() < end:
        time.sleep(0.02)
    with contextlib.suppress(subprocess.TimeoutExpired):
        deliver.process.wait(harness.patience(0.3))
    died = crash.settle(deliver, letter)
    if not died:
        deliver.end(session)
    return died


def test_f2_killed_at_each_call_of_a_confirmation():
    """F2 I1 I2: killed at 40 calls of a confirmation: each came, at most once more, with one id"""
    with Deliver() as deliver:
        spare, first = crash.write_letters(2, 2000)
        start(deliver)
        crash.repeat(deliver, spare)
        wait_recorded(deliver, spare)
        points = crash.fewer(crash.spread(confirm_points(deliver, first), KILLS))
        deliver.kill()
        letters = crash.write_letters(len(points), 2000)
        deaths = 0
        start(deliver)
        for letter, point in zip(letters, points):
            if strike_confirmation(deliver, letter, point):
                deaths += 1
                start(deliver)
            crash.repeat(deliver, letter)
            wait_recorded(deliver, letter)
    print("# killed %d times" % deaths, flush=True)
    assert deaths >= len(points) * 2 // 3, (deaths, len(points))
    repeats = 0
    for letter in letters:
        got = wait_for(lambda one=letter: confirmations(one), "confirmation")
        assert len(got) <= 1 + letter.crashes, (letter.queue_id, len(got), letter.crashes)
        assert len({one.message["Message-ID"] for one in got}) == 1
        assert len({status_link(one) for one in got}) == 1
        repeats += len(got) - 1
    print("# %d confirmations repeated" % repeats, flush=True)


def test_f2_filed_while_nothing_can_be_sent():
    """F2: what could not be confirmed when it was filed is confirmed after a restart"""
    with Deliver() as deliver:
        letter, = crash.write_letters(1, 2000)
        start(deliver)
        # The first connection is the notification's; no other leads to zegel-submit.
        deliver.inject(Point("confirm", "connect", "1+"), "error=ECONNREFUSED")
        mark = harness.log_mark()
        crash.repeat(deliver, letter)
        # Letters of earlier tests may wait for their confirmation too, and fail before it.
        harness.wait_log("no confirmation now: message-id=" + re.escape(message_id(letter)),
                         mark)
        deliver.untrace()
        assert not confirmations(letter) and not is_recorded(letter)
        deliver.kill()
        start(deliver)
        wait_recorded(deliver, letter)
    assert len(wait_for(lambda: confirmations(letter), "confirmation")) == 1


# ---- Nobody opens it ----

def restart():
    """zegel-deliver looks for what is due some seconds after its start."""
    control("stop", "deliver")
    control("start", "deliver")


def test_s14_the_sender_is_told_of_what_nobody_opens():
    """S14: after seven days the sender is told, once; not of what was opened, nor before"""
    sent = walk.Sent(lambda typed, to: mail("SMS %s Uitslag" % typed, "Geheim\n", to=to))
    opened = walk.Sent(lambda typed, to: mail("SMS %s Uitslag" % typed, "Geheim\n", to=to))
    early = walk.Sent(lambda typed, to: mail("SMS %s Uitslag" % typed, "Geheim\n", to=to))
    browser, page = walk.log_in(opened)
    assert page.status == 200
    for one, days in ((sent, 7.1), (opened, 7.1), (early, 6.9)):
        harness.pass_time(one.queue_id, int(days * DAY_S))
    restart()
    letter = wait_letter(sent.message, "unopened", seconds=40)
    text = check_letter(letter, sent.message)
    assert sent.to in text and "eindigt op %s." % sent.number[-2:] in text
    assert numbers_in(str(letter.message["Reply-To"]))
    confirmation = wait_letter(sent.message, "confirm")
    assert status_link(letter) == status_link(confirmation)
    restart()
    time.sleep(8)
    assert len(letters_about(sent.message, "unopened")) == 1
    assert not letters_about(opened.message, "unopened")
    assert not letters_about(early.message, "unopened")


def set_clock_back(seconds):
    """As if zegel-deliver had last looked SECONDS before it did."""
    with contextlib.closing(sqlite3.connect(told.STORE, timeout=20)) as database, database:
        changed = database.execute("UPDATE state SET value = value - ? WHERE name = 'expired_s'",
                                   (int(seconds),))
        assert changed.rowcount == 1


def test_f20_a_clock_that_leaps_tells_nobody():
    """F20: when the clock leapt since the last look nobody is told; when it is right, he is"""
    sent = walk.Sent(lambda typed, to: mail("SMS %s Uitslag" % typed, "Geheim\n", to=to))
    restart()  # so that there was a look before
    time.sleep(8)
    harness.pass_time(sent.queue_id, int(7.1 * DAY_S))
    mark = harness.log_mark()
    control("stop", "deliver")
    set_clock_back(3 * DAY_S)
    control("start", "deliver")
    harness.wait_log("the clock leapt ahead: nobody is told", mark)
    time.sleep(2)
    assert not letters_about(sent.message, "unopened")
    control("stop", "deliver")
    set_clock_back(-3 * DAY_S)
    control("start", "deliver")
    wait_letter(sent.message, "unopened", seconds=40)


def test_v7_the_reader_is_reminded_before_the_end():
    """V7: a week before the end the reader gets his link again, once, and it opens the message"""
    sent = walk.Sent(lambda typed, to: mail("SMS %s Uitslag" % typed, "Geheim\n", to=to))
    harness.pass_time(sent.queue_id, int(83.1 * DAY_S))
    mark = harness.log_mark()
    restart()
    reminder = wait_for(lambda: mailbox(sent.to)[1:], "reminder", 40)[0]
    assert link_in(reminder) == sent.link
    assert str(reminder.message["Message-ID"]).startswith("<reminder.")
    assert "Herinnering" in str(reminder.message["Subject"])
    assert "Uitslag" not in reminder and "Geheim" not in reminder
    wait_log("event=reminded.*to=" + re.escape(sent.to), mark)
    restart()
    time.sleep(8)
    assert len(mailbox(sent.to)) == 2
    browser, page = walk.log_in(sent, Browser())
    assert page.status == 200
