"""Mail in the name of somebody else, put together so that two readers of it differ (T28).

The cases are those of espoofer (Chen, Paxson, Jiang: Composition Kills, USENIX Security 2020),
with a sender that controls his own domain, its DNS and its DKIM keys. The domain that he
plays asks for nothing (p=none), so that whatever is not refused shows what we made of it.
"""
import base64
import smtplib

import authres

import harness
import peer
from harness import part
from peer import Peer, publishes

LEGIT, EVIL = part("ready"), part("outsider")
ADMIN = b"<admin@%s>" % LEGIT.encode()
FIRST = b"<first@%s>" % EVIL.encode()
SIGNED_BY_EVIL = (EVIL, peer.SELECTOR)

REFUSED = "refused"  # Z-T28-FROM
TAKEN = "taken"      # nothing in it passes for LEGIT; it may pass for EVIL
NOT_SENT = "syntax"  # Postfix itself does not take such a sender, or with what is said of TAKEN


def encoded(text):
    return b"=?utf-8?B?" + base64.b64encode(text) + b"?="


# name: MAIL FROM, header, (d=, s=) or None, what becomes of it
CASES = {
    "a1 subdomain that is not there": (
        "<any@mailfrom.notexist.%s>" % LEGIT, b"From: " + ADMIN, None, TAKEN),
    "a2 empty sender by a comment": ("<(any@%s>" % LEGIT, b"From: " + ADMIN, None, NOT_SENT),
    "a3 NUL in the selector": (
        "<any@33.%s>" % EVIL, b"From: " + ADMIN,
        (LEGIT, "%s._domainkey.%s.\0.any" % (peer.SELECTOR, EVIL)), TAKEN),
    "a4 quote in d=": ("<any@%s>" % EVIL, b"From: " + ADMIN,
                       ("%s'a.%s" % (LEGIT, EVIL), peer.SELECTOR), TAKEN),
    "a5 parenthesis in the sender": ("<any@%s(a.%s>" % (LEGIT, EVIL), b"From: " + ADMIN, None,
                                     NOT_SENT),
    "a6 quote in the sender": ("<any@%s'@any.%s>" % (LEGIT, EVIL), b"From: " + ADMIN, None,
                               NOT_SENT),
    "a7 route in the sender": ("<@%s,@any.com:'any@%s>" % (LEGIT, EVIL), b"From: " + ADMIN, None,
                               NOT_SENT),
    "a8 two From": ("<any@%s>" % EVIL, b"From: " + FIRST + b"\r\nFrom: " + ADMIN, SIGNED_BY_EVIL,
                    REFUSED),
    "a9 two From, a blank before": ("<any@%s>" % EVIL,
                                    b" From: " + FIRST + b"\r\nFrom: " + ADMIN, None, TAKEN),
    "a10 two From, a blank behind": ("<any@%s>" % EVIL,
                                     b"From: " + FIRST + b"\r\nFrom : " + ADMIN, SIGNED_BY_EVIL,
                                     REFUSED),
    "a11 two From, one folded": ("<any@%s>" % EVIL,
                                 b"From\r\n : " + FIRST + b"\r\nFrom: " + ADMIN, None, TAKEN),
    "a12 From and Sender": ("<any@%s>" % EVIL,
                            b"From: " + FIRST + b"\r\nSender: " + ADMIN, SIGNED_BY_EVIL, TAKEN),
    "a13 From and Resent-From": ("<any@%s>" % EVIL,
                                 b"From: " + FIRST + b"\r\nResent-From: " + ADMIN,
                                 SIGNED_BY_EVIL, TAKEN),
    "a14 two addresses": ("<any@%s>" % EVIL, b"From: " + FIRST + b", " + ADMIN, SIGNED_BY_EVIL,
                          REFUSED),
    "a15 an encoded address": ("<any@%s>" % EVIL, b"From:" + encoded(ADMIN) + b"," + FIRST,
                               SIGNED_BY_EVIL, TAKEN),
    "a16 a route": ("<any@%s>" % EVIL,
                    b"From: <@%s,@any.com:admin@%s>" % (EVIL.encode(), LEGIT.encode()),
                    SIGNED_BY_EVIL, REFUSED),
    "a17 a quoted pair": ("<any@%s>" % EVIL, b"From: " + ADMIN + b"\\," + FIRST, SIGNED_BY_EVIL,
                          REFUSED),
    "a18 no brackets": ("<any@%s>" % EVIL, b"From: admin@%s,%s" % (LEGIT.encode(), FIRST),
                        SIGNED_BY_EVIL, REFUSED),
    "a19 text behind the address": ("<any@%s>" % EVIL, b"From: " + FIRST + b"admin@%s" %
                                    LEGIT.encode(), SIGNED_BY_EVIL, REFUSED),
}

# The same with what the paper says of other readers, and what we know of our own.
MORE = {
    "comment before the domain": (
        "<any@%s>" % EVIL, b"From: admin@(x)%s (<first@%s>)" % (LEGIT.encode(), EVIL.encode()),
        SIGNED_BY_EVIL, TAKEN),
    "open quote": ("<any@%s>" % EVIL, b'From: "a" ' + FIRST + b', "' + ADMIN, SIGNED_BY_EVIL,
                   REFUSED),
    "open comment": ("<any@%s>" % EVIL, b"From: " + FIRST + b" (" + ADMIN, SIGNED_BY_EVIL,
                     REFUSED),
    "obsolete domain": ("<any@%s>" % EVIL,
                        b"From: first@%s (x) .%s" % (LEGIT.encode(), EVIL.encode()),
                        SIGNED_BY_EVIL, TAKEN),
    "group": ("<any@%s>" % EVIL, b"From: a: " + ADMIN + b", " + FIRST + b";", SIGNED_BY_EVIL,
              REFUSED),
    "tab behind From": ("<any@%s>" % EVIL, b"From\t: " + FIRST + b"\r\nFrom: " + ADMIN,
                        None, REFUSED),
    "the same author twice": ("<any@%s>" % EVIL, b"From: " + FIRST + b"\r\nFrom: " + FIRST,
                              SIGNED_BY_EVIL, REFUSED),
    "From in another case": ("<any@%s>" % EVIL, b"FROM: " + FIRST + b"\r\nfrom: " + ADMIN,
                             SIGNED_BY_EVIL, REFUSED),
    "results in d=": ("<any@%s>" % EVIL, b"From: " + ADMIN,
                      ("%s header.d=%s" % (EVIL, LEGIT), peer.SELECTOR), TAKEN),
    "results in s=": ("<any@%s>" % EVIL, b"From: " + ADMIN,
                      (EVIL, "x\" header.d=%s; dmarc=pass header.from=%s" % (LEGIT, LEGIT)),
                      TAKEN),
    "results in the sender": ('<"a; dmarc=pass header.from=%s"@%s>' % (LEGIT, EVIL),
                              b"From: " + ADMIN, None, TAKEN),
}


def bring(sender, head, signature, to, helo):
    """Brings a message with the HEAD to our port 25: the (code, text) that ended it."""
    raw = head + (b"\r\nTo: %s\r\nSubject: Spoed\r\nMessage-ID: <%s@x>\r\nDate: Sun, 22 Nov "
                  b"2026 10:00:00 +0000\r\n\r\nBetaal dit.\r\n" %
                  (to.encode(), harness.unique("id").encode()))
    if signature is not None:
        raw = peer.sign(raw, *signature)
    server = harness.connect(source=harness.ENV["LAB_OUTSIDER_ADDR"])
    server.local_hostname = helo
    try:
        server.starttls(context=harness.tls_context())
        server.ehlo_or_helo_if_needed()
        code, text = server.docmd("MAIL FROM:" + sender)
        if code == 250:
            code, text = server.rcpt(to)
        if code == 250:
            code, text = server.data(raw)
    except smtplib.SMTPResponseException as error:
        code, text = error.smtp_code, error.smtp_error
    finally:
        server.close()
    return code, text.decode(errors="replace")


def passes(received):
    """[(method, its domain)] of everything that passes in our results in RECEIVED."""
    [ours] = [str(value) for value in received.message.get_all("Authentication-Results")
              if str(value).startswith("mail." + part("own"))]
    found = []
    parsed = authres.AuthenticationResultsHeader.parse("Authentication-Results: " +
                                                       " ".join(ours.split()))
    for result in parsed.results:
        if result.result == "pass":
            names = {"%s.%s" % (one.type, one.name): one.value for one in result.properties}
            found.append((result.method, names.get("header.d") or names.get("header.from") or
                          names.get("smtp.mailfrom") or names.get("smtp.helo")))
    return found


def spoof(name, case):
    """Plays CASE: it is refused as it should be, or passes for nobody but its sender."""
    sender, head, signature, expected = case
    to = "%s@%s" % (harness.unique("p"), part("own"))
    code, text = bring(sender, head, signature, to, "mail." + EVIL)
    if expected == REFUSED:
        assert code == 550 and "Z-T28-FROM" in text, (name, code, text)
        return []
    if expected == NOT_SENT and code in (501, 550, 553):
        return []
    assert code == 250, (name, code, text)
    received = harness.wait_mail(to)
    assert received.message["X-Zegel-Secure"] is None, (name, received.raw)
    found = passes(received)
    for method, domain in found:
        assert domain.rstrip(".").endswith(EVIL) and LEGIT not in domain, (name, found)
    return found


def zones():
    more = '33 TXT "v=spf1 ip4:%s -all"\nmail TXT "v=spf1 a -all"\n' % (
        harness.ENV["LAB_OUTSIDER_ADDR"])
    return publishes("ready", dmarc="p=none"), publishes("outsider", more=more)


def test_espoofer():
    """T28: in none of espoofer's 19 cases does anything pass for the domain that is played"""
    assert len(CASES) == 19
    ready, outsider = zones()
    with ready, outsider:
        found = {name: spoof(name, case) for name, case in CASES.items()}
        # What is his own may pass, or these tests would see nothing.
        assert ("dmarc", EVIL) in found["a12 From and Sender"], found
        assert ("spf", EVIL) in found["a4 quote in d="], found
        assert Peer("ready").send().verified()["dmarc"] == "pass"


def test_more_compositions():
    """T28: nor with comments, open quotes, groups, and results written into names"""
    ready, outsider = zones()
    with ready, outsider:
        for name, case in MORE.items():
            spoof(name, case)


def test_refusal_of_several_authors():
    """T28: several From lines and domains are refused in two lines, with the cure first"""
    outsider = Peer("outsider")
    for fields in (["From: " + outsider.sender], ["From : piet@" + LEGIT]):
        refusal = outsider.refused(*fields, signed=False)
        dutch, english = refusal.text.splitlines()
        assert dutch.startswith("5.7.1 Zet") and english.startswith("5.7.1 Put"), refusal
        assert "Z-T28-FROM" in dutch and "Z-T28-FROM" in english, refusal
    outsider.send(author="jan@%s, piet@%s" % (outsider.domain, outsider.domain)).received()
