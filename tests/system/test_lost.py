"""What visitors sent from the viewer, and what came back (K2, NTA 6.1.4): they are told, the pages
say so, and the administrator has a line."""
import re
import time

import harness
import told
import walk
from browser import Browser
from harness import command, mailbox, part, unique, wait_for, wait_log
from test_answer import SENDER, Reader, said_sent
from test_bounces import ABSENCE, OUTSIDER, bounce, failed, is_dead
from test_form import desk_mail, new_link, with_form, write
from test_forward import Forwarder, open_shared, password_on, way_in

LETTERS_MAX = 4
PAUSE_S = 2


def elsewhere(address):
    """with elsewhere(address): its mailbox is on a server that does not take the mail."""
    maps = command("postconf", "-h", "transport_maps").decode().strip()
    return told.postfix(transport_maps="inline:{{%s=smtp:[mail.%s]}}, %s" % (
        address, part("outsider"), maps))


def letters(address):
    return [one for one in mailbox(address)
            if str(one.message["Message-ID"]).startswith("<lost.")]


def check_told(address, mark, count=1, status="5."):
    """The letter, the event and the alarm; the reference."""
    line = wait_log("event=answer-bounced.*from=%s" % re.escape(address), mark)
    assert "status=" + status in line, line
    reference = re.search(r"ref=(\w+)", line).group(1)
    found = wait_for(lambda: letters(address)[count - 1:], "letter")
    assert len(letters(address)) == count
    header, text = found[0].message, found[0].text()
    assert header["Return-Path"] == "<>" and header["Auto-Submitted"] == "auto-generated"
    assert header["From"].addresses[0].addr_spec == "noreply@" + told.SERVICE
    assert header["To"].addresses[0].addr_spec == address
    assert "niet aangekomen" in text and "could not be delivered" in text, text
    assert reference in text and "http" not in text and SENDER not in text, text
    assert "Uitslag" not in found[0], text
    wait_log("ref=%s, code=Z-V5-LOST" % reference, mark)
    return reference


def way_back(mail):
    """The keyed address that MAIL of a visitor is from."""
    found = str(mail.message["Return-Path"]).strip("<>")
    assert re.fullmatch(r"answer-[a-z0-9-]+@%s" % re.escape(told.SERVICE), found), found
    return found


def says_so(page):
    return "niet aangekomen" in page.text or "could not be delivered" in page.text


def test_an_answer_that_is_refused_later():
    """K2: the sender's mailbox server refuses the answer: the reader is told by mail and on his page, the sender
    on his status page"""
    word = unique()
    reader = Reader()
    assert not says_so(reader.browser.get(reader.base + "/m"))
    status = told.status_link(told.wait_letter(reader.sent.message, "confirm"))
    assert not says_so(Browser().get(status))
    mark = harness.log_mark()
    with told.postfix(OUTSIDER, smtpd_relay_restrictions="reject_unauth_destination"), \
            elsewhere(SENDER):
        said_sent(reader.answer("Dank u, " + word))
        check_told(reader.sent.to, mark)
    assert not reader.arrived(word) and word not in letters(reader.sent.to)[0]
    page = reader.browser.get(reader.base + "/m")
    assert page.status == 200 and says_so(page), page.text
    assert says_so(Browser().get(status))
    assert not is_dead(reader.sent.link)
    assert not harness.log_lines(word, mark)


def test_an_alias_that_leads_outside():
    """K2 R7: the sender's mailbox is an alias of somebody outside without a number: the answer goes
    to nobody, and the reader is told"""
    word, outside = unique(), walk.new_outsider()
    reader = Reader()
    maps = command("postconf", "-h", "zegel_site_alias_maps").decode().strip()
    mark = harness.log_mark()
    with told.postfix(zegel_site_alias_maps="inline:{{%s=%s}}, %s" % (SENDER, outside, maps)):
        said_sent(reader.answer("Dank u, " + word))
        check_told(reader.sent.to, mark)
    assert harness.log_lines("Z-R7-NUMBER", mark)
    assert not mailbox(outside) and not reader.arrived(word)


def answered():
    """A reader whose answer arrived, and the address that a bounce of it goes to."""
    word = unique()
    reader = Reader()
    said_sent(reader.answer(word))
    return reader, way_back(reader.wait(word))


def test_delays_and_notes():
    """O2: a delay is noted in the log; an absence note, a receipt and a guess change nothing"""
    reader, address = answered()
    mark = harness.log_mark()
    queue_id = bounce(address, failed("4.4.1", SENDER, "delayed"))
    wait_log("%s: event=answer-delayed.*status=4.4.1" % queue_id, mark)
    for raw in (ABSENCE, failed("2.0.0", SENDER, "delivered")):
        queue_id = bounce(address, raw)
        wait_log("%s: event=bounce-dropped" % queue_id, mark)
    lmtp = harness.Lmtp()
    lmtp.server.mail("")
    code, _ = lmtp.server.rcpt(address.replace("answer-", "bounce-"))
    assert code == 550, code
    lmtp.close()
    time.sleep(PAUSE_S)
    assert not letters(reader.sent.to)
    assert not says_so(reader.browser.get(reader.base + "/m"))
    assert not harness.log_lines("event=answer-bounced", mark)


def test_nobody_is_flooded():
    """T15: the sender's own server sends bounces without end: a reader gets four letters"""
    reader, address = answered()
    mark = harness.log_mark()
    for count in range(1, LETTERS_MAX + 1):
        bounce(address, failed("5.2.2", SENDER))
        wait_for(lambda want=count: len(letters(reader.sent.to)) == want, "letter")
    queue_id = bounce(address, failed("5.2.2", SENDER))
    wait_log("%s: event=bounce-dropped" % queue_id, mark)
    time.sleep(PAUSE_S)
    assert len(letters(reader.sent.to)) == LETTERS_MAX


def test_a_forward_that_bounces():
    """K2 V6: the message that went to a partner comes back: the forwarder is told"""
    reader = Forwarder()
    partner = unique("p") + "@" + part("community")
    page = reader.forward(partner)
    assert page.status == 200, page.text
    address = way_back(harness.wait_mail(partner))
    mark = harness.log_mark()
    bounce(address, failed("5.1.1", partner))
    check_told(reader.sent.to, mark, status="5.1.1")
    assert says_so(reader.browser.get(reader.base + "/m"))


def test_a_share_that_bounces():
    """K2 V6: the mail with the way to what was forwarded comes back: told, and withdrawn"""
    reader = Forwarder()
    other = walk.new_outsider()
    page = reader.forward(other)
    password = password_on(page)
    mail = harness.wait_mail(other)
    address = str(mail.message["Return-Path"]).strip("<>")
    mark = harness.log_mark()
    bounce(address, failed("5.1.1", other))
    check_told(reader.sent.to, mark, status="5.1.1")
    _, page = open_shared(way_in(mail), password)
    assert not page.url.endswith("/m") and "Beste patient" not in page.text, page.text
    queue_id = bounce(address, failed("5.1.1", other))
    wait_log("%s: event=bounce-dropped" % queue_id, mark)
    assert len(letters(reader.sent.to)) == 1


def test_a_share_that_was_opened():
    """V6: who opened what was forwarded had the mail: a copy that bounces changes nothing"""
    reader = Forwarder()
    other = walk.new_outsider()
    password = password_on(reader.forward(other))
    mail = harness.wait_mail(other)
    browser, page = open_shared(way_in(mail), password)
    assert page.url.endswith("/m"), page.text
    mark = harness.log_mark()
    queue_id = bounce(str(mail.message["Return-Path"]).strip("<>"), failed("5.1.1", other))
    wait_log("%s: event=bounce-dropped" % queue_id, mark)
    assert browser.get(page.url).status == 200
    assert not letters(reader.sent.to)


def test_the_form_comes_back():
    """K2 V11: the organisation's own mailbox refuses what was written in the form: told as well"""
    with with_form():
        address, link = new_link()
        word = unique()
        _, page = write(link, text="Dag, %s\n" % word)
        assert page.status == 200, page.text
        back = way_back(desk_mail(word))
    mark = harness.log_mark()
    bounce(back, failed("5.2.2", SENDER))
    reference = check_told(address, mark, status="5.2.2")
    assert reference in page.text, page.text


def test_into_the_viewer():
    """K2 S14: what a visitor forwards to somebody whom the phone book knows goes to the viewer: the
    reader sees no address of ours, nobody is sent a confirmation, and the visitor is told"""
    known = walk.Sent(lambda typed, to: harness.mail("SMS %s Uitslag" % typed, "x\n", to=to))
    reader = Forwarder()
    mark = harness.log_mark()
    before = len(mailbox(known.to))
    page = reader.forward(known.to)
    assert page.status == 200, page.text
    wait_log("event=forwarded.*way=direct", mark)
    notification = harness.wait_mail(known.to, before + 1)
    assert "answer-" not in notification.text() and told.SERVICE in notification.text()
    bounce(str(notification.message["Return-Path"]).strip("<>"), failed("5.1.1", known.to))
    check_told(reader.sent.to, mark, status="5.1.1")
    assert says_so(reader.browser.get(reader.base + "/m"))
    assert not harness.log_lines("event=confirmed.*to=(answer-|noreply@)", mark)
