"""Notifications that do not arrive: the bounce comes back to a keyed address, the link dies, and
the sender is told in a letter without it. Anything else that comes there changes nothing."""
import contextlib
import os
import re
import smtplib
import sqlite3
import time

import crash
import harness
import peer
import told
import walk
from browser import Browser, link_in
from harness import ENV, mailbox, part, wait_for, wait_log
from told import SENDER, check_letter, letters_about, secure, wait_letter

OUTSIDER = "/etc/postfix-outsider"
PAUSE_S = 2  # in which something that should not happen would have happened
KILLS = 30


class refusing:
    """with refusing("traag", "450 4.2.0 later"): the outsider's server answers that to RCPT."""

    PATH = OUTSIDER + "/recipients"

    def __init__(self, user, answer):
        self.line = "%s@%s %s\n" % (user, part("outsider"), answer)

    def _write(self, text):
        with open(self.PATH, "w", encoding="utf-8") as file:
            file.write(text)
        harness.reload_postfix(OUTSIDER)

    def __enter__(self):
        with open(self.PATH, encoding="utf-8") as file:
            self.before = file.read()
        self._write(self.before + self.line)
        return self

    def __exit__(self, *_):
        self._write(self.before)


def is_dead(link):
    """Whether LINK offers no code any more."""
    page = Browser().get(link)
    assert page.status in (200, 404, 410), page.status
    return not any(form.action.endswith("/send") for form in page.forms)


def check_bounced(message, to, mark, status):
    """The event and the letter, which has no link."""
    line = wait_log("event=bounced.*to=%s" % re.escape(to), mark)
    assert "status=%s" % status in line, line
    letter = wait_letter(message, "bounced")
    text = check_letter(letter, message)
    assert text.count(to) == 2 and "niet aangekomen" in text and "did not arrive" in text
    assert "http" not in text and letter.message["Reply-To"] is None
    return text


def ended(reference):
    """Whether the store says that the entry REFERENCE is over, with its key gone."""
    return told.query("SELECT ended IS NOT NULL AND message_key IS NULL FROM entry"
                      "  WHERE reference = ?", reference) == 1


# ---- Bounces ----

def test_a_server_that_refuses():
    """O2 S12: an address that does not exist: refused at RCPT, the sender knows at once"""
    mark = harness.log_mark()
    to = "onbekend@" + part("outsider")
    queue_id, message, _, _ = secure(to)
    text = check_bounced(message, to, mark, "5.1.1")
    assert "bestaat niet" in text and "does not exist" in text, text
    assert ended(told.reference_of(queue_id, to))
    assert len(letters_about(message, "bounced")) == 1


def test_a_mailbox_that_is_full():
    """O2: the letter says what the other side's code means, and not its words"""
    mark = harness.log_mark()
    to = "vol@" + part("outsider")
    with refusing("vol", "552 5.2.2 call https://evil.example/ now"):
        _, message, _, _ = secure(to)
        text = check_bounced(message, to, mark, "5.2.2")
    assert "is vol" in text and "is full" in text and "evil" not in text, text
    wait_log("event=bounced.*text=.*evil.example", mark)


def forwarded(user):
    """with forwarded("kapot"): the outsider's server takes mail for that user, keeps a copy, and
    sends it on to nobody."""
    where = "%s@%s" % (user, part("outsider"))
    return told.postfix(OUTSIDER, virtual_alias_maps="inline:{{%s=kopie@%s, onbekend@%s}}" % (
        where, part("outsider"), part("community")))


def copies():
    """What that copy's mailbox has."""
    return mailbox("kopie@" + part("outsider"))


def test_a_bounce_from_outside():
    """O2 S13: a server took the notification and bounces it later: the link was good, and dies"""
    mark = harness.log_mark()
    to = "kapot@" + part("outsider")
    before = len(copies())
    with forwarded("kapot"):
        _, message, _, _ = secure(to)
        copy = wait_for(lambda: copies()[before:], "copy")[0]
        check_bounced(message, to, mark, "5.1.1")
    assert is_dead(link_in(copy))


def test_what_was_opened_lives():
    """O2: the reader has opened it, so he had the link: a copy that bounces withdraws nothing"""
    sent = walk.Sent(lambda typed, to: harness.mail("SMS %s Uitslag" % typed, "x\n", to=to))
    walk.log_in(sent)
    mark = harness.log_mark()
    bounce(return_path(sent.notification), failed("5.1.1", sent.to))
    wait_log("event=bounce-dropped.*status=5.1.1", mark)
    assert not is_dead(sent.link) and not letters_about(sent.message, "bounced")


def tried_again(message):
    """The letters that tell of a delay of MESSAGE, whose notification is tried again."""
    harness.queue_flush()
    time.sleep(0.5)
    return letters_about(message, "delayed")


def test_a_delay():
    """S12: the other side takes it later: the sender is told once, and the link lives"""
    to = "traag@" + part("outsider")
    mark = harness.log_mark()
    with refusing("traag", "450 4.2.0 not now"), told.postfix(delay_warning_time="1s"):
        queue_id, message, _, _ = secure(to)
        wait_log("status=deferred.*not now", mark)
        letter = wait_for(lambda: tried_again(message), "delayed letter")[0]
        text = check_letter(letter, message)
        assert to in text and "nog onderweg" in text and "still on its way" in text
        assert "http" not in text
        wait_log("event=delayed.*to=%s" % re.escape(to), mark)
        reference = told.reference_of(queue_id, to)
        assert not ended(reference)
        again = told.query("SELECT count(*) FROM history JOIN entry ON entry = id"
                           "  WHERE reference = ? AND kind = 2", reference)
        assert again == 1, again
    wait_for(lambda: mailbox(to) or harness.queue_flush(), "notification")
    assert len(letters_about(message, "delayed")) == 1


# ---- What others send to a keyed address ----

def return_path(notification):
    """The keyed address that a notification is from."""
    found = str(notification.message["Return-Path"]).strip("<>")
    assert re.fullmatch(r"bounce-[a-z0-9-]+@%s" % re.escape(told.SERVICE), found), found
    return found


def failed(status, recipient, action="failed"):
    """A report as servers write it (RFC 3464)."""
    return ("From: MAILER-DAEMON@%s\r\nTo: x\r\nSubject: Undelivered\r\nMIME-Version: 1.0\r\n"
            "Content-Type: multipart/report; report-type=delivery-status; boundary=b\r\n\r\n"
            "--b\r\nContent-Type: text/plain\r\n\r\nSorry.\r\n"
            "--b\r\nContent-Type: message/delivery-status\r\n\r\n"
            "Reporting-MTA: dns; mail.example\r\n\r\n"
            "Final-Recipient: rfc822; %s\r\nAction: %s\r\nStatus: %s\r\n"
            "Diagnostic-Code: smtp; 550 %s no\r\n\r\n--b--\r\n" % (
                part("outsider"), recipient, action, status, status)).encode()


ABSENCE = (b"From: els@x.example\r\nSubject: Afwezig\r\nAuto-Submitted: auto-replied\r\n\r\n"
           b"Ik ben er niet. status=5.1.1 550 5.1.1 failed\r\n")


def bounce(to, raw):
    """The outsider's server brings RAW with the empty sender; the queue id."""
    return peer.bring(raw, "", to, ENV["LAB_OUTSIDER_ADDR"], helo="mail." + part("outsider"))


def told_of(text):
    """A notification that arrived: (Sent, its keyed address)."""
    sent = walk.Sent(lambda typed, to: harness.mail("SMS %s Uitslag" % typed, text, to=to))
    return sent, return_path(sent.notification)


def test_absence_notes_and_receipts():
    """O2: an absence note, an encrypted nothing and a report of delivery: dropped, the link lives"""
    sent, address = told_of("x\n")
    for raw in (ABSENCE, b"\r\n", failed("2.0.0", sent.to, "delivered"), os.urandom(2000).hex()
                .encode() + b"\r\n"):
        mark = harness.log_mark()
        queue_id = bounce(address, raw)
        wait_log("%s: event=bounce-dropped" % queue_id, mark)
        wait_log(r" %s: to=.*status=sent \(250 2.0.0 \w+ noted" % queue_id, mark)
    assert not is_dead(sent.link) and not letters_about(sent.message, "bounced")


def test_a_guess_is_nobody():
    """T31 O2: a keyed address with one character changed is refused, and the link lives"""
    sent, address = told_of("x\n")
    local, domain = address.split("@")
    other = "a" if local[-1] != "a" else "b"
    wrong = (local[:-1] + other, local.replace("bounce-", "nummer-"), "bounce-x-1-y", "noreply",
             "bounce-" + local.split("-")[1])
    lmtp = harness.Lmtp()
    lmtp.server.mail("")
    for guess in wrong:
        code, text = lmtp.server.rcpt("%s@%s" % (guess, domain))
        assert code == 550 and text.startswith(b"5.1.1 "), (guess, code, text)
        code, text = lmtp.server.rcpt("%s@%s%s" % (guess, domain, crash.LABEL))
        assert code == 550 and text.startswith(b"5.1.1 "), (guess, code, text)
    code, _ = lmtp.server.rcpt(address.upper())
    assert code == 250
    lmtp.close()
    assert not is_dead(sent.link)


def test_a_replay_does_nothing():
    """O2 I2: the same bounce again: answered 250, no second letter; a later one too"""
    sent, address = told_of("x\n")
    mark = harness.log_mark()
    bounce(address, failed("5.1.1", sent.to))
    check_bounced(sent.message, sent.to, mark, "5.1.1")
    assert is_dead(sent.link)
    for raw in (failed("5.1.1", sent.to), failed("4.4.1", sent.to, "delayed")):
        queue_id = bounce(address, raw)
        wait_log("%s: event=bounce-dropped" % queue_id, mark)
    time.sleep(PAUSE_S)
    assert len(letters_about(sent.message, "bounced")) == 1
    assert not letters_about(sent.message, "delayed")


def forget_notification(queue_id):
    """As if we had died before it was recorded."""
    with contextlib.closing(sqlite3.connect(told.STORE, timeout=20)) as database, database:
        changed = database.execute("UPDATE entry SET notified = NULL WHERE queue_id = ?",
                                   (queue_id,))
        assert changed.rowcount == 1


def test_a_withdrawn_message_comes_again():
    """S13 I2: Postfix brings a withdrawn message again: 250, the old reference, no notification"""
    with crash.Deliver() as deliver:
        letter, = crash.write_letters(1, 2000)
        deliver.start()
        session = deliver.session()
        letter.bring(session)
        deliver.end(session)
        notification = harness.wait_mail(letter.to)
        mark = harness.log_mark()
        lmtp = harness.Lmtp()
        answers = lmtp.deliver("", [return_path(notification)], failed("5.1.1", letter.to))
        lmtp.close()
        assert answers[0][0] == 250, answers
        wait_log("event=bounced", mark)
        forget_notification(letter.queue_id)
        letter.code = None
        session = deliver.session()
        letter.bring(session)
        deliver.end(session)
        assert letter.code == 250
        first, again = harness.log_lines(r"%s: event=stored" % letter.queue_id)
        assert re.search(r"ref=(\w+)", first).group(1) in again and "again=yes" in again
        time.sleep(PAUSE_S)
    assert len(mailbox(letter.to)) == 1 and is_dead(link_in(notification))


# ---- Faults ----

def test_f2_no_reader():
    """F2 O2: zegel-reader cannot run: the bounce waits in the queue, and is read later"""
    sent, address = told_of("x\n")
    mark = harness.log_mark()
    with harness.configured("deliver", "reader", "/nonexistent/zegel-reader", "deliver"):
        queue_id = bounce(address, failed("5.1.1", sent.to))
        wait_log(r" %s: to=.*status=deferred .*Z-DELIVER-BOUNCE" % queue_id, mark)
        assert not is_dead(sent.link)
    harness.flush_deferred(queue_id)
    check_bounced(sent.message, sent.to, mark, "5.1.1")
    assert is_dead(sent.link)


def bring_bounce(session, letter, address):
    """One try over SESSION; the code, or None when the session broke."""
    try:
        return session.deliver("", [address], failed("5.1.1", letter.to))[0][0]
    except (smtplib.SMTPException, OSError):
        return None


def strike_bounce(deliver, letter, address, point):
    """Brings the bounce of LETTER with a kill at POINT, and then until it is taken; whether
    zegel-deliver died."""
    deliver.stay()
    session = deliver.session()
    deliver.inject(point, "signal=KILL")
    letter.code = bring_bounce(session, letter, address)
    deliver.end(session)
    died = crash.settle(deliver, letter)
    if died:
        deliver.start()
    for _ in range(crash.TRIES_MAX):
        if letter.code == 250:
            break
        session = deliver.session()
        letter.code = bring_bounce(session, letter, address)
        deliver.end(session)
    assert letter.code == 250, letter.code
    return died


def bounce_points(deliver, letter, address):
    """The calls for a bounce, of those threads that are ours: zegel-reader has its own."""
    session = deliver.session()

    def act():
        assert bring_bounce(session, letter, address) == 250
        deliver.end(session)
    return [point for point in deliver.calls(act) if point.thread in ("session", "writer")]


def test_f1_killed_at_each_call_of_a_bounce():
    """F1 O2: killed at 30 calls of a bounce: the link dies, the sender is told, at most once more"""
    with crash.Deliver() as deliver:
        letters = crash.write_letters(KILLS + 2, 2000)
        deliver.start()
        for letter in letters:
            crash.repeat(deliver, letter)
        addresses = {one.to: return_path(harness.wait_mail(one.to)) for one in letters}
        spare, first = letters.pop(), letters.pop()
        session = deliver.session()
        assert bring_bounce(session, spare, addresses[spare.to]) == 250
        deliver.end(session)
        points = bounce_points(deliver, first, addresses[first.to])
        points = crash.fewer(crash.spread(points, KILLS))
        deaths = sum(strike_bounce(deliver, letter, addresses[letter.to], point)
                     for letter, point in zip(letters, points))
    print("# killed %d times" % deaths, flush=True)
    assert deaths >= len(points) // 2, (deaths, len(points))
    for letter, _ in zip(letters, points):
        assert is_dead(link_in(mailbox(letter.to)[0]))
        name = re.search(rb"(?mi)^Message-ID: *(\S+)", letter.content).group(1).decode()
        got = wait_for(lambda n=name: letters_about({"Message-ID": n}, "bounced"), "letter")
        assert len(got) <= 1 + letter.crashes, (len(got), letter.crashes)
        assert len({one.message["Message-ID"] for one in got}) == 1
