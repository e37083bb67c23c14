"""A wrong number is corrected by the sender, by mail, and by nobody else (T31)."""
import re
import time

import harness
import told
import walk
from browser import Browser
from harness import mail, mailbox, part, sms_asked, wait_for, wait_log
from told import SENDER, check_letter, letters_about, wait_letter

COLLEAGUE = "devries@" + part("own")
PAUSE_S = 2  # in which a change that should not happen would have happened


def sent_secure():
    """A message that was filed and confirmed: (walk.Sent, address that corrects its number)."""
    sent = walk.Sent(lambda typed, to: mail("SMS %s Uitslag" % typed, "Geheime tekst\n", to=to))
    confirmation = wait_letter(sent.message, "confirm")
    address = confirmation.message["Reply-To"].addresses[0].addr_spec
    assert re.fullmatch(r"nummer-[a-z0-9-]+@" + re.escape(told.SERVICE), address), address
    return sent, address


def answer(subject, address, sender=SENDER, **headers):
    """SENDER mails SUBJECT to ADDRESS; the queue id."""
    return harness.send(mail(subject, "Dit is het goede.\n", sender=sender, to=address,
                             **headers), sender, address)


def number_of(sent):
    """The masked numbers that the log has for changes of SENT."""
    lines = harness.log_lines("event=number-changed.*to=%s" % re.escape(sent.to))
    return [re.search(r"number=(\S+)", line).group(1).rstrip(",") for line in lines]


def assert_unchanged(sent):
    """Still the number from before gets the code."""
    time.sleep(PAUSE_S)
    assert not number_of(sent) and not letters_about(sent.message, "number")
    walk.log_in(sent)


def test_t31_the_sender_corrects_the_number():
    """T31 S14: an answer to the confirmation: old code and session die, the new number gets codes"""
    sent, address = sent_secure()
    browser, page = walk.log_in(sent)
    other = Browser()
    harness.pass_time(sent.queue_id, 61)
    other_page, code = walk.ask_code(other, sent)
    typed, number = walk.new_number()
    mark = harness.log_mark()
    queue_id = answer("SMS %s Re: Uw beveiligde bericht staat klaar" % typed, address)
    wait_log(r" %s: to=.*status=sent \(250 2.0.0 \w+ number changed" % queue_id, mark)
    line = wait_log("event=number-changed.*to=%s" % re.escape(sent.to), mark)
    assert "from=" + SENDER in line and typed[1:] not in line, line
    text = check_letter(wait_letter(sent.message, "number"), sent.message)
    assert text.count(sent.to) == 2 and "eindigt op %s:" % number[-2:] in text, text
    assert number[3:] not in text
    assert browser.get(page.url).status != 200 or "Geheime" not in browser.get(page.url).text
    answered = other.submit(other_page, other_page.form("/code"), code=code)
    assert "Geheime" not in answered.text and not answered.url.endswith("/m")
    before, old = len(sms_asked(sent.number)), sent.number
    harness.pass_time(sent.queue_id, 61)
    sent.number = number
    walk.log_in(sent)
    assert len(sms_asked(number)) == 1 and len(sms_asked(old)) == before


def test_the_phone_book_learns_it():
    """S8 T31: the number is for the reader, not for the keyed address, and proves itself first"""
    sent, address = sent_secure()
    typed, number = walk.new_number()
    mark = harness.log_mark()
    answer("SMS " + typed, address)
    line = wait_log("event=phone-(waits|learned)", mark)
    assert "event=phone-waits" in line and "to=" + sent.to in line, line
    sent.number = number
    walk.log_in(sent)
    wait_log("event=phone-replaced.*to=%s" % re.escape(sent.to), mark)
    assert not harness.log_lines(r"event=phone-.*to=nummer-", mark)


def test_t31_a_colleague_cannot():
    """T31: another sender of the same organisation is refused, and nothing changes"""
    sent, address = sent_secure()
    mark = harness.log_mark()
    answer("SMS " + walk.new_number()[0], address, COLLEAGUE)
    wait_log("status=bounced.*Z-T31-SENDER", mark)
    assert_unchanged(sent)


def test_t31_nobody_outside_can():
    """T31: without a login the address takes nothing, not even in the sender's name"""
    sent, address = sent_secure()
    for sender in ("els@" + part("outsider"), SENDER, ""):
        message = mail("SMS " + walk.new_number()[0], "x\n", sender=SENDER, to=address)
        try:
            harness.send(message, sender, address, login=None,
                         source=harness.ENV["LAB_OUTSIDER_ADDR"])
        except harness.Refused as refusal:
            assert refusal.code >= 500, refusal
    assert_unchanged(sent)


def test_without_a_number():
    """T31: an answer without a number is refused, and says what to type"""
    sent, address = sent_secure()
    mark = harness.log_mark()
    queue_id = answer("Re: Uw beveiligde bericht staat klaar", address)
    line = wait_log(r" %s: to=.*status=bounced.*Z-T31-NUMBER" % queue_id, mark)
    assert "SMS 0612345678" in line, line
    assert not harness.log_lines("event=ticket", mark)
    assert_unchanged(sent)


def test_an_absence_note_is_harmless():
    """T31: the sender's own absence note to that address changes nothing, and is answered by nobody"""
    sent, address = sent_secure()
    wait_for(lambda: not harness.queue(), "the end of the queue")
    before = len(mailbox(SENDER))
    message = mail("Afwezig: Uw beveiligde bericht staat klaar", "Ik ben er niet.\n", to=address,
                   Auto_Submitted="auto-replied")
    try:
        harness.send(message, "", address, login=SENDER)
    except harness.Refused:
        pass
    assert_unchanged(sent)
    assert len(mailbox(SENDER)) == before


def test_t31_what_is_over_stays_over():
    """T31 S13: no number for a message that was withdrawn: the sender is told to send it again"""
    sent, address = sent_secure()
    told.withdraw(sent)
    mark = harness.log_mark()
    answer("SMS " + walk.new_number()[0], address)
    line = wait_log("status=bounced.*Z-T31-OVER", mark)
    assert "opnieuw" in line and "send it again" in line, line
    assert not number_of(sent)


def test_a_number_of_two_messages():
    """T31: each address is of one recipient of one message: the other keeps its number"""
    sent, address = sent_secure()
    other, _ = sent_secure()
    answer("SMS " + walk.new_number()[0], address)
    wait_for(lambda: number_of(sent), "change")
    assert_unchanged(other)


def test_f2_zegel_submit_is_down():
    """F2 T31: the number counts at once; the letter about it follows when it can be sent"""
    sent, address = sent_secure()
    typed, number = walk.new_number()
    mark = harness.log_mark()
    with harness.configured("deliver", "submit", "smtp://127.0.0.1:1", "deliver"):
        queue_id = answer("SMS " + typed, address)
        wait_log(r" %s: to=.*status=deferred .*Z-T31-LATER" % queue_id, mark)
    harness.queue_flush()
    wait_log(r" %s: to=.*status=sent \(250 2.0.0 \w+ number changed" % queue_id, mark)
    wait_letter(sent.message, "number")
    sent.number = number
    walk.log_in(sent)
