"""R3: mail that is not sensitive goes direct where it can, and its ordinary way where not."""
import os
import re
import signal
import time

import harness as lab
import walk

OWN, OUT = lab.part("own"), lab.part("outsider")
COMMUNITY, READY = lab.part("community"), lab.part("ready")
SENDER = "janssen@" + OWN
SLACK_S = 3  # what a session takes on a busy machine
BOOK = os.path.join(lab.ENV["LAB_SYSCONFDIR"], "zegel", "domains")
SUCCESS, FAILURE, DELAY = 2, 4, 8  # notify_flags in Postfix's queue file


def address(domain):
    return "%s@%s" % (lab.unique("v"), domain)


def ordinary(*to, sender=SENDER):
    """Sends an ordinary message; returns (place in the log before it, seconds it took)."""
    mark, begin = lab.log_mark(), time.monotonic()
    lab.send(lab.mail("Afspraak", sender=sender, to=", ".join(to)), sender, to)
    return mark, time.monotonic() - begin


def sent_by(program, to, mark, label=""):
    """The line that says that PROGRAM of our Postfix sent the message to TO."""
    return lab.wait_log(r" postfix/%s\[.* to=<%s%s>.*status=sent" % (
        program, re.escape(to), re.escape(label)), mark)


def expect_preferred(to, mark, code):
    sent_by("zegel-prefer/smtp", to, mark, ".prefer.zegel.internal")
    line = lab.wait_log(r"event=routed,.* to=%s," % re.escape(to), mark)
    assert "route=prefer, code=%s, detail=" % code in line, line
    got = lab.wait_mail(to)
    assert got.message["X-Original-To"] == to and b"X-Zegel" not in got.raw, got.raw
    assert "using TLSv1." in got.message["Received"], got.raw


def wait_preferred():
    """Waits until mail for the community goes direct again: the milter pauses after a failure."""
    after = lab.log_mark()

    def preferred():
        ordinary(address(COMMUNITY))
        time.sleep(0.5)
        return lab.log_lines(r"\.prefer\.zegel\.internal>.*status=sent", after)
    lab.wait_for(preferred, "direct mail again")


def expect_ordinary(to, mark):
    sent_by("smtp", to, mark)
    lab.wait_mail(to)
    assert not lab.log_lines(r"%s\.prefer\.|event=routed,.* to=%s," % (to, to), mark)


def expect_fallback(to, mark, why):
    """Tried direct, which failed because of WHY; then the ordinary way, once."""
    lab.wait_log(r"zegel-prefer/smtp.*(%s)" % why, mark)
    line = sent_by("zegel-prefer/smtp", to, mark, ".prefer.zegel.internal")
    assert "relay=127.0.0.1[127.0.0.1]:10026" in line, line
    sent_by("smtp", to, mark)
    lab.wait_mail(to)
    time.sleep(0.5)
    assert len(lab.mailbox(to)) == 1


class book:
    """with book("domain next-hop rule"): the domain book has that line as well."""

    def __init__(self, *lines):
        self.lines = lines

    def _write(self, text):
        mark = lab.log_mark()
        with open(BOOK, "w", encoding="utf-8") as file:
            file.write(text)
        os.kill(int(lab.program_pid("policyd")), signal.SIGHUP)
        lab.wait_log(r"event=book,.* result=read", mark)

    def __enter__(self):
        with open(BOOK, encoding="utf-8") as file:
            self.before = file.read()
        self._write(self.before + "\n".join(self.lines) + "\n")

    def __exit__(self, *_):
        self._write(self.before)


def test_mail_to_the_community_goes_direct():
    """R3: ordinary mail to a domain of the book goes by zegel-prefer, over verified TLS"""
    to = address(COMMUNITY)
    mark, _ = ordinary(to)
    expect_preferred(to, mark, "Z-R1-COMMUNITY")
    # The connection may have been there before this message.
    assert lab.log_lines(r"zegel-prefer/smtp.*Verified TLS connection established to mail\.%s" %
                         re.escape(COMMUNITY))


def test_mail_to_an_nta_domain_goes_direct():
    """R3: ordinary mail to a domain that is NTA-ready goes to its ntamx hosts, over verified DANE"""
    to = address(READY)
    mark, _ = ordinary(to)
    expect_preferred(to, mark, "Z-R1-NTA")
    assert lab.log_lines(r"zegel-prefer/smtp.*Verified TLS connection established to mail\.%s" %
                         re.escape(READY))


def test_each_recipient_has_his_own_way():
    """R3: of one message one goes direct, one its ordinary way, one stays here"""
    direct, plain, own = address(COMMUNITY), address(OUT), "devries@" + OWN
    before = len(lab.mailbox(own))
    mark, _ = ordinary(direct, plain, own)
    expect_preferred(direct, mark, "Z-R1-COMMUNITY")
    expect_ordinary(plain, mark)
    lab.wait_mail(own, before + 1)
    assert not lab.log_lines(r"devries@%s\.(own|seal|prefer)" % re.escape(OWN), mark)


def test_what_the_client_asked_for_stays():
    """R3 R9: NOTIFY, ORCPT, RET and ENVID are the client's"""
    first, second = address(COMMUNITY), address(COMMUNITY)
    server = lab.connect(SENDER)
    with lab.without("community"):
        server.ehlo()
        server.docmd("MAIL", "FROM:<%s> RET=FULL ENVID=a+3Db" % SENDER)
        server.docmd("RCPT", "TO:<%s> NOTIFY=NEVER" % first)
        server.docmd("RCPT", "TO:<%s> NOTIFY=SUCCESS ORCPT=rfc822;x+2By@example.nl" % second)
        code, text = server.data(lab.mail("Afspraak").as_bytes())
        assert code == 250, (code, text)
        # Direct and ordinary way end at the same server here: it waits behind port 10026.
        found = lab.wait_for(lambda: envelope_of(first), "message that waits")
        file = lab.queue_file(found).decode()
    server.close()
    assert re.search(r"(?m)^named_attribute: envelope_id=a=b$", file), file
    assert re.search(r"(?m)^named_attribute: ret_flags=1$", file), file
    wishes = dict((to, (flags, orcpt)) for flags, orcpt, to in re.findall(
        r"notify_flags=(\d+)\n.*dsn_orig_rcpt=(\S+)\noriginal_.*\nrecipient: (\S+)", file))
    assert wishes[first] == ("1", "rfc822;" + first), file
    assert wishes[second] == (str(SUCCESS), "rfc822;x+y@example.nl"), file
    lab.queue_flush()
    lab.wait_mail(first)
    lab.wait_mail(second)


def envelope_of(recipient):
    """The queue id of the message that waits for RECIPIENT, or None."""
    return next((entry["queue_id"] for entry in lab.queue() for one in entry["recipients"]
                 if one["address"] == recipient and one.get("delay_reason")), None)


def test_a_refusal_of_the_next_hop_comes_back():
    """R3: an address that the community does not have bounces, and is not tried twice"""
    before = len(lab.reports(SENDER))
    mark, _ = ordinary("onbekend@" + COMMUNITY)
    lab.wait_for(lambda: any("nobody has this address" in re.sub(r"\s+", " ", one.raw.decode())
                             for one in lab.reports(SENDER)[before:]), "the bounce")
    assert not lab.log_lines(r"relay=127\.0\.0\.1", mark)


def test_without_policyd_mail_goes_its_ordinary_way():
    """R9: policyd killed: at once, and direct again when it is back"""
    with lab.without("policyd", kill=True):
        to = address(COMMUNITY)
        mark, seconds = ordinary(to)
        expect_ordinary(to, mark)
        assert seconds < lab.patience(2 + SLACK_S), seconds
    wait_preferred()


def test_a_policyd_that_hangs_costs_little():
    """R9 I7: policyd stopped by SIGSTOP: 1 s for each recipient, 1.5 s once for the milter"""
    pid = int(lab.program_pid("policyd"))
    os.kill(pid, signal.SIGSTOP)
    try:
        for limit_s in (3.5, 2, 2):  # the login is part of it
            to = address(COMMUNITY)
            mark, seconds = ordinary(to)
            assert seconds < lab.patience(limit_s + SLACK_S), (limit_s, seconds)
            expect_ordinary(to, mark)
    finally:
        os.kill(pid, signal.SIGCONT)
    wait_preferred()


def test_a_next_hop_without_tls_gets_nothing_direct():
    """R3: no STARTTLS at the next hop: the message goes its ordinary way"""
    with book("%s [mail.%s] secure" % (OUT, OUT)):
        to = address(OUT)
        mark, _ = ordinary(to)
        expect_fallback(to, mark, "TLS is required, but was not offered")


def test_a_next_hop_with_another_certificate_gets_nothing_direct():
    """R3: a certificate that is not the promised one: the message goes its ordinary way"""
    with book("%s [mail.%s] secure match=elders-voorbeeld.nl" % (OUT, READY)):
        to = address(OUT)
        mark, _ = ordinary(to)
        expect_fallback(to, mark, "Server certificate not verified")


def test_a_next_hop_that_is_down_is_passed_by():
    """R3: nothing listens at the next hop: the message goes its ordinary way"""
    with book("%s [mail.%s] secure" % (OUT, lab.part("down"))):
        to = address(OUT)
        mark, _ = ordinary(to)
        expect_fallback(to, mark, "Connection refused|unreachable|timed out")


def test_without_a_promise_the_label_leads_the_ordinary_way():
    """R4: a .prefer that nobody promised anything goes through port 10026 and arrives once"""
    to = address(OUT)
    mark = lab.log_mark()
    host = lab.ENV["LAB_MAIL_ADDR"]
    server = lab.smtplib.SMTP(host, 10587, timeout=30, source_address=(host, 0))
    server.sendmail(SENDER, to + ".prefer.zegel.internal", lab.mail("x", to=to).as_bytes())
    server.close()
    sent_by("zegel-again/smtp", to, mark, ".prefer.zegel.internal")
    sent_by("smtp", to, mark)
    assert lab.wait_mail(to).message["X-Original-To"] == to


def test_an_organisation_can_do_without():
    """R3: with prefer_direct = no ordinary mail is untouched; and with observe"""
    for key, value in (("prefer_direct", "no"), ("default", "observe")):
        with lab.configured("organisation praktijk", key, value, "milter"):
            to = address(COMMUNITY)
            mark, _ = ordinary(to)
            expect_ordinary(to, mark)


def test_sensitive_mail_is_never_only_preferred():
    """R4: a sensitive message to the same domain has the label .direct, and no other way"""
    typed, _ = walk.new_number()
    to = address(COMMUNITY)
    mark = lab.log_mark()
    lab.send(lab.mail("SMS %s x" % typed, to=to), SENDER, to)
    sent_by("zegel-direct/smtp", to, mark, ".direct.zegel.internal")
    lab.wait_mail(to)
