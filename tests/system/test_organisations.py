"""All pairs of the two organisations: nobody sends or is numbered as the other (O1-O3)."""
import contextlib
import os
import re
import shutil

import harness
import walk
from guard import guard
from harness import mail, part, send, unique, zone
from test_nta import known_route
from test_routes import content, read, reload_policyd

OURS = {"own": "janssen@" + part("own"), "own2": "bakker@" + part("own2")}
PAIRS = (("own", "own2"), ("own2", "own"))
NAMES = {"own": "Huisartsenpraktijk Voorbeeld", "own2": "Kliniek Voorbeeld"}


def raw(*header):
    """A message with HEADER lines and nothing to say."""
    return "\r\n".join(header + ("Message-ID: <%s@x>" % unique("id"),)).encode() + b"\r\n\r\nx\r\n"


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


# ---- Both ready, on one server -----------------------------------------------------------

VIRTUAL = "/etc/postfix/virtual"
KEYS = os.path.join(harness.ENV["LAB_SYSCONFDIR"], "zegel", "dkim")


def like_own(text):
    """Zone TEXT of own2 with what own publishes: an NTA record, with our host, and a DKIM key."""
    zones = os.path.join(harness.ENV["LAB"], "dns")
    lines = read(os.path.join(zones, part("own") + ".zone")).splitlines(True)
    return text + "".join(line for line in lines if "v=NTA7516" in line or "v=DKIM1" in line)


@contextlib.contextmanager
def both_ready():
    """own2 is NTA-ready as well: its zone, key and declaration."""
    keys = os.path.join(KEYS, part("own2"))
    head = "[organisation kliniek]\n"
    path = harness.configured.PATH
    shutil.copytree(os.path.join(KEYS, part("own")), keys)
    try:
        with zone("own2", like_own), content(path, read(path).replace(
                head, head + "nta_declaration = 2026-01-05\n"), reload_policyd):
            yield
    finally:
        shutil.rmtree(keys)


def found(word, address):
    """Whether WORD is in the mailbox of ADDRESS."""
    return any(word in one for one in harness.mailbox(address))


def test_two_ready_organisations_mail_each_other_without_leaving():
    """R1 R2: both ready, all four pairs: from mailbox to mailbox, and nothing by zegel-direct"""
    mark = harness.log_mark()
    with guard() as watch, both_ready():
        for mine in OURS:
            for theirs in OURS:
                code = "Z-R1-OWN" if mine == theirs else "Z-R1-NTA"
                known_route(OURS[mine], "x@" + part(theirs))
                message = watch.secure(theirs, sender=OURS[mine])
                assert message.routed() == ("own", code), (mine, theirs)
                got = harness.wait_mail(message.to)
                assert message.body in got and got.message["Subject"] == message.subject, got.raw
                ordinary, word = "%s@%s" % (unique("p"), part(theirs)), unique()
                send(mail(word, sender=OURS[mine], to=ordinary, x_ezorg_secbypass="true"),
                     OURS[mine], ordinary)
                harness.wait_for(lambda: found(word, ordinary), "mail for " + ordinary)
        assert not harness.log_lines(r"zegel-(direct|prefer)/smtp.*voorbeeld", mark)
        watch.flows()


def test_an_alias_of_the_other_ready_one_is_sealed_outside():
    """R7: to the other's alias that leads outside: sealed there, or back when there is no number"""
    to, outside = "uit@" + part("own2"), walk.new_outsider()
    bounces = len(harness.reports(OURS["own"]))
    with both_ready(), content(VIRTUAL, read(VIRTUAL) + "%s %s, %s\n" % (
            to, OURS["own2"], outside), harness.reload_postfix):
        for number in (walk.new_number()[1], None):
            harness.forget_number(outside)
            word = unique()
            message = mail("veilig mailen", body=word, to=to)
            if number:
                message["X-Zegel-SMS"] = "%s %s" % (outside, number)
            send(message, OURS["own"], to)
            harness.wait_for(lambda: found(word, OURS["own2"]), "mail for " + OURS["own2"])
            if number:
                speaks_for("own", "own2", walk.link_in(harness.wait_mail(outside)),
                           harness.mailbox(outside)[-1])
            else:
                bounce = harness.wait_report(OURS["own"], bounces)
                assert "Z-R7-NUMBER" in bounce and word not in bounce, bounce.raw
            assert not found(word, outside)
    assert len(harness.mailbox(outside)) == 1


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
        nobodys = Browser().get(strange.url[:-20] + strange.url[-20:][::-1])
        assert strange.text == nobodys.text and strange.status == nobodys.status
