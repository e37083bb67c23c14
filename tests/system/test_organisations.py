"""All pairs of the two organisations: nobody sends or is numbered as the other (O1-O3)."""
import re

import harness
import walk
from guard import guard
from harness import mail, part, send, unique

OURS = {"own": "janssen@" + part("own"), "own2": "bakker@" + part("own2")}
PAIRS = (("own", "own2"), ("own2", "own"))
NAMES = {"own": "Huisartsenpraktijk Voorbeeld", "own2": "Kliniek Voorbeeld"}


def raw(*header):
    """A message with HEADER lines and nothing to say."""
    return "\r\n".join(header + ("Message-ID: <%s@x>" % unique(),)).encode() + b"\r\n\r\nx\r\n"


def forgeries(me, other):
    """(envelope sender, message) in which ME says to be OTHER, in every place there is."""
    return (
        (other, raw("From: " + me)),
        (other, raw("From: " + other)),
        (me, raw("From: " + other)),
        (me, raw("From: =?utf-8?q?De_ander?= <%s>" % other)),
        (me, raw("From: %s, %s" % (me, other), "Sender: " + me)),
        (me, raw("From: " + me, "From: " + other)),
        (me, raw("From: " + me, "Sender: " + other)),
        (me, raw("From: De groep: %s, %s;" % (me, other))),
        (me, raw("From: %s <%s>" % (me, other.upper()))),
    )


def test_nobody_sends_as_the_other():
    """O3: envelope sender, From, several of them and Sender, with the login of either"""
    to = walk.new_outsider()
    with guard() as watch:
        for mine, theirs in PAIRS:
            me, other = OURS[mine], OURS[theirs]
            for sender, message in forgeries(me, other):
                for subject in (b"Afspraak", b"SMS 0612345678 Afspraak"):
                    refusal = harness.refused(send, b"Subject: " + subject + b"\r\n" + message,
                                              sender, to, login=me)
                    assert 500 <= refusal.code <= 599 and "Z-O3-SENDER" in refusal.text, (
                        sender, message, refusal)
        watch.flows()
    assert not harness.mailbox(to)


def test_no_number_is_given_to_the_other():
    """O3: X-Zegel-SMS and the number in a subject count for the login's organisation alone"""
    with guard() as watch:
        for mine, theirs in PAIRS:
            to = walk.new_outsider()
            typed, number = walk.new_number()
            forged = (b"From: %s\r\nSubject: veilig mailen\r\nX-Zegel-SMS: %s %s\r\n\r\nx\r\n" %
                      (OURS[theirs].encode(), to.encode(), number.encode()))
            refusal = harness.refused(send, forged, OURS[theirs], to, login=OURS[mine])
            assert "Z-O3-SENDER" in refusal.text, refusal
            # What one of them gave is not known to the other.
            sent = walk.Sent(lambda typed, to: mail("SMS %s x" % typed, to=to,
                                                    sender=OURS[mine]), to, OURS[mine])
            refusal = harness.refused(send, mail("veilig mailen", to=sent.to,
                                                 sender=OURS[theirs]), OURS[theirs], sent.to)
            assert "Z-S7-NUMBER" in refusal.text, refusal
            assert harness.sms_asked(number) == []
        watch.flows()


def by_network(source, sender, header, to):
    """Mail on port 25 from SOURCE; returns the Refused, or None when it was taken."""
    try:
        send(raw("From: " + header, "Subject: Afspraak"), sender, to, login=None, source=source)
    except harness.Refused as refusal:
        return refusal
    return None


def test_a_network_sends_for_its_own_organisation_only():
    """O3: what a record system submits by its network has senders of its organisation, both ways"""
    with guard() as watch:
        for mine, theirs in PAIRS:
            me, other, to = OURS[mine], OURS[theirs], walk.new_outsider()
            source = harness.ENV["LAB_SYSTEM_ADDR" if mine == "own" else "LAB_SYSTEM2_ADDR"]
            for sender, header in ((other, other), (other, me), (me, other)):
                refusal = by_network(source, sender, header, to)
                assert refusal and refusal.code >= 500 and "Z-O3-SENDER" in refusal.text, (
                    sender, header, refusal)
            send(raw("From: " + me, "Subject: Afspraak", "x-ezorg-secbypass: true"), me, to,
                 login=None, source=source)
            harness.wait_mail(to)
        watch.flows()


def test_mail_between_the_two_is_like_any():
    """R1 O2: mail from one to the other goes to the viewer, and speaks for the sender's alone"""
    with guard() as watch:
        for mine, theirs in PAIRS:
            assert "Z-S7-NUMBER" in watch.refused(theirs, sender=OURS[mine]).text
            message = watch.secure(theirs, number=True, sender=OURS[mine])
            assert message.routed() == ("viewer", "Z-R1-VIEWER")
            link = message.notified()
            speaks_for(mine, theirs, link, harness.wait_mail(message.to))
        watch.flows()


def speaks_for(mine, theirs, link, notification):
    """LINK and NOTIFICATION are of part MINE and have nothing of THEIRS but the recipient."""
    text = notification.text()
    header = notification.message
    assert link.startswith("https://veilig.%s/" % part(mine)), link
    assert header["From"].addresses[0].domain == "veilig." + part(mine)
    assert NAMES[mine] in text and NAMES[theirs] not in notification
    assert "veilig." + part(theirs) not in re.sub(r"\s", "", text), text


def test_each_reads_in_its_own_viewer_only():
    """O2: the link of one says nothing at the host of the other, and its page has one name"""
    from browser import Browser
    for mine, theirs in PAIRS:
        sent = walk.Sent(lambda typed, to: mail("SMS %s x" % typed, to=to, sender=OURS[mine]),
                         None, OURS[mine])
        page = Browser().get(sent.link)
        assert page.status == 200 and NAMES[mine] in page.text and NAMES[theirs] not in page.text
        strange = Browser().get(sent.link.replace("veilig." + part(mine),
                                                  "veilig." + part(theirs)))
        assert strange.status in (404, 421) and NAMES[mine] not in strange.text, strange.status
        assert sent.number[-2:] not in re.findall(r"\d\d", strange.text)
