"""Mail that comes in: verified, marked, held or refused, through the real Postfix on port 25
(N5, T27). Who can forge what: test_spoof.py.
"""
import re

import harness
import peer
from harness import configured, part, without
from peer import Peer, publishes
from test_nta import SENDER, known_route, wait_ready

OWN = "mail." + part("own")
REJECT = "p=reject"


def lacks(sent, code):
    """SENT came in, without the mark, for the reason CODE; and the log says so."""
    event = sent.verified()
    assert (event["secure"], event["code"], event["disposition"]) == ("no", code, "keep"), event
    assert sent.secure() is None
    return event


# ---- Secure ----------------------------------------------------------------------------

def test_secure_under_the_norm():
    """N5: TLS, DKIM, SPF and two ready domains make a message secure; our user can see it"""
    ready = Peer("ready")
    with publishes("ready", dmarc=REJECT), \
            configured("organisation praktijk", "secure_subject", "[veilig]", "milter-mx"):
        sent = ready.send("X-NTA7516: 1", subject="Verwijzing caf\u00e9")
        secure = sent.secure()
        assert re.fullmatch(r"nta; domain=%s, tls=TLSv1\.[23], dkim=pass, spf=pass" %
                            re.escape(ready.domain), secure), secure
        assert sent.values("X-NTA7516") == ["1"]
        assert sent.received().message["Subject"] == "[veilig] Verwijzing caf\u00e9"
        results = sent.results()
        [(dkim, signature)] = results["dkim"]
        assert dkim == "pass", results
        assert signature["header.d"] == ready.domain, results
        assert signature["header.s"] == peer.SELECTOR, results
        assert signature["header.a"] == "rsa-sha256", results
        assert len(signature["header.b"]) == 8, results
        assert results["spf"] == [("pass", {"smtp.mailfrom": ready.domain})], results
        assert results["dmarc"] == [("pass", {"policy.dmarc": "reject",
                                              "header.from": ready.domain})], results
        event = sent.verified()
        expected = {"org": "praktijk", "from": ready.sender, "domain": ready.domain,
                    "spf": "pass", "dkim": "pass", "dmarc": "pass", "secure": "nta",
                    "code": "Z-R1-NTA", "disposition": "keep"}
        assert expected.items() <= event.items(), event
        # Above Postfix's own Received, so that nobody takes it for an older hop's.
        head = sent.received().raw.split(b"\nSubject:")[0]
        assert head.index(b"Authentication-Results:") < head.index(b"Received: from mail."), head


def test_community():
    """N5 O4: what a community domain signs is secure when a server that its line knows brings it"""
    community = Peer("community")
    with publishes("community"):
        sent = community.send("X-NTA7516: 1", certificate="community")
        assert sent.secure().startswith("community; domain=%s," % community.domain)
        assert sent.values("X-NTA7516") == [], "not by the norm"
        assert sent.verified()["code"] == "Z-R1-COMMUNITY"
        for stranger in ({}, {"certificate": "stranger"}):
            event = lacks(community.send(**stranger), "Z-R2-PORTAL")
            assert event["detail"] == "Z-O4-CLIENT", event
        # His certificate is no excuse for a message that is not of his domain.
        lacks(community.send(signed=False, certificate="community"), "Z-N5-DKIM")
        lacks(Peer("outsider").send(signed=False, certificate="community"), "Z-N5-DKIM")
        with configured("policyd", "community_client", "any", "policyd"):
            known_route(SENDER, "jan@" + part("community"))
            assert community.send().secure().startswith("community;")


def test_each_condition():
    """N5: each single condition that does not hold takes the mark away, and the mail flows"""
    ready = Peer("ready")
    with publishes("ready"), publishes("outsider"), publishes("notyet"):
        assert ready.send().secure().startswith("nta;")
        lacks(ready.send(tls=False), "Z-N5-TLS")
        lacks(ready.send(signed=False), "Z-N5-DKIM")
        broken = ready.send(change=lambda raw: raw.replace(b"een bericht", b"geen bericht"))
        assert lacks(broken, "Z-N5-DKIM")["dkim"] == "fail"
        other = ready.send(domain=part("outsider"))
        assert lacks(other, "Z-N5-DKIM")["dkim"] == "unaligned"
        assert other.results()["dkim"][0][1]["header.d"] == part("outsider")
        elsewhere = ready.send(source=harness.ENV["LAB_OUTSIDER_ADDR"])
        assert lacks(elsewhere, "Z-N5-SPF")["spf"] == "fail"
        assert elsewhere.verified()["dmarc"] == "pass", "DKIM alone is enough for DMARC"
        notyet = Peer("notyet", source=ready.source)
        assert lacks(notyet.send(), "Z-R2-PORTAL")["dkim"] == "pass"
        lacks(Peer("outsider").send(), "Z-R2-PORTAL")
        # One of two recipients is of an organisation that is not ready.
        both = ["%s@%s" % (harness.unique("p"), part(name)) for name in ("own", "own2")]
        lacks(ready.send(to=both), "Z-R2-PORTAL")
        with configured("organisation praktijk", "nta_declaration", "", "policyd"):
            known_route(SENDER, "jan@" + part("ready"))
            lacks(ready.send(), "Z-R2-PORTAL")
        # Or of none: localhost is a domain of this machine.
        lacks(ready.send(to=[both[0], "balie@localhost"]), "Z-N5-RECIPIENT")


def test_trusted_relay():
    """N5: behind a trusted relay SPF is not asked, DKIM is, and a failure of DMARC only marks"""
    ready, relay = Peer("ready"), harness.ENV["LAB_OUTSIDER_ADDR"]
    with publishes("ready", dmarc=REJECT), \
            configured("milter", "trusted_relays", relay + "/32", "milter-mx"):
        sent = ready.send(source=relay)
        assert sent.secure().endswith("dkim=pass, spf=relay"), sent.secure()
        assert "spf" not in sent.results() and sent.verified()["spf"] == "relay"
        event = lacks(ready.send(source=relay, signed=False), "Z-N5-DKIM")
        assert event["dmarc"] == "fail", event
        # Who is no relay is asked as ever.
        assert ready.send().secure().endswith("spf=pass")


# ---- Marks of others -------------------------------------------------------------------

def test_forged_marks():
    """T27: marks of ours in anybody's mail change nothing; of eight results three were in our name"""
    fields = ["Authentication-Results: one.test; dkim=pass",
              "Authentication-Results: %s; dkim=pass header.d=ready.test" % OWN,
              "Authentication-Results: two.test; none",
              'authentication-results : (x) "%s" 1; dmarc=pass' % OWN.upper(),
              "Authentication-Results: three.test; spf=pass",
              "AUTHENTICATION-RESULTS: (%s) four.test; none" % OWN,
              "Authentication-Results:\r\n %s\r\n ; spf=pass" % OWN,
              "Authentication-Results: five.test; none",
              "X-Zegel-Secure: nta; domain=ready.test",
              "X-ZEGEL-Secure : nta", "x-zegel-ticket: a", "X-NTA7516: 1", "x-nta7516 : 1"]
    outsider = Peer("outsider")
    with configured("organisation praktijk", "secure_subject", "[veilig]", "milter-mx"):
        sent = outsider.send(*fields, signed=False, subject="[Veilig] [veilig] Uitslag")
        lacks(sent, "Z-N5-DKIM")
        results = sent.values("Authentication-Results")
        assert results[0].startswith(OWN + "; dkim=none; spf=pass"), results
        assert [one.split(";")[0] for one in results[1:]] == [
            "one.test", "two.test", "three.test", "(%s) four.test" % OWN, "five.test"], results
        raw = sent.received().raw.lower()
        assert b"\nx-zegel-" not in raw and b"\nx-nta7516" not in raw, raw
        assert sent.received().message["Subject"] == "Uitslag"


def test_observe():
    """S5: who observes gets his mail as it came, without our marks; the log says what it was"""
    ready = Peer("ready")
    with publishes("ready", dmarc=REJECT), \
            configured("organisation praktijk", "secure_subject", "[veilig]"), \
            configured("organisation praktijk", "default", "observe", "milter-mx"):
        sent = ready.send("Authentication-Results: %s; dkim=pass" % OWN, "X-Zegel-Secure: nta",
                          "X-NTA7516: 1")
        event = sent.verified()
        assert (event["secure"], event["disposition"]) == ("nta", "observe"), event
        assert sent.values("Authentication-Results") == [] and sent.secure() is None
        assert sent.values("X-NTA7516") == ["1"]
        assert sent.received().message["Subject"] == "Verwijzing"
        for forged in (ready.send(signed=False, source=harness.ENV["LAB_OUTSIDER_ADDR"]),
                       ready.send("From: piet@" + part("outsider"))):
            assert forged.verified()["disposition"] == "observe"
            forged.received()
        # The other organisation does not observe: for both the message is verified.
        both = ["%s@%s" % (harness.unique("p"), part(name)) for name in ("own", "own2")]
        assert ready.send(to=both).results()["dmarc"][0][0] == "pass"


def test_a_header_without_end():
    """T27: more fields than we look at are refused, for they could hide a mark"""
    fields = ["X-Filler-%d: x" % n for n in range(2100)]
    refusal = Peer("outsider").refused(*fields, "X-Zegel-Secure: nta", signed=False)
    assert "Z-S1-HEADERS" in refusal.text, refusal


# ---- DMARC -----------------------------------------------------------------------------

FORGERS = {"source": harness.ENV["LAB_OUTSIDER_ADDR"], "signed": False}


def held(sent):
    """SENT waits in the hold queue; it is taken out of it."""
    entry = harness.wait_for(lambda: harness.queued(sent.queue_id), "queue entry")
    assert entry["queue_name"] == "hold", entry
    assert sent.verified()["disposition"] == "quarantine"
    raw = harness.queue_message(sent.queue_id)
    assert b"dmarc=fail" in raw and b"X-Zegel-Secure" not in raw, raw
    harness.command("postsuper", "-d", sent.queue_id)


def marked(sent):
    """SENT was delivered, with a failure in its results."""
    assert sent.results()["dmarc"][0][0] == "fail"
    event = sent.verified()
    assert (event["disposition"], event["dmarc"]) == ("keep", "fail"), event


def test_dmarc_reject():
    """N5: a domain's policy reject is followed: refused, held or marked as configured"""
    ready = Peer("ready")
    with publishes("ready", dmarc=REJECT):
        mark = harness.log_mark()
        refusal = ready.refused(**FORGERS)
        assert "Z-N5-DMARC" in refusal.text and ready.domain in refusal.text, refusal
        [line] = harness.log_lines("event=verified", mark)
        assert "code=Z-N5-DMARC" in line and "disposition=refuse" in line, line
        assert harness.log_lines("event=refused.*code=Z-N5-DMARC", mark)
        # One aligned pass is enough.
        assert ready.send(signed=False).verified()["dmarc"] == "pass"
        assert ready.send(source=FORGERS["source"]).verified()["dmarc"] == "pass"
        with configured("milter", "dmarc_reject", "quarantine", "milter-mx"):
            held(ready.send(**FORGERS))
        with configured("milter", "dmarc_reject", "mark", "milter-mx"):
            marked(ready.send(**FORGERS))


def test_this_machine_is_no_forger():
    """R9: what this machine sends in our own name does not fall over our own DMARC policy"""
    sender, to = "root@" + part("own"), "%s@%s" % (harness.unique("p"), part("own"))
    with publishes("own", dmarc=REJECT):
        mark = harness.log_mark()
        harness.command("sendmail", "-f", sender, to,
                        data=b"From: %s\nSubject: cron\n\nDag\n" % sender.encode())
        harness.wait_mail(to)
        [line] = harness.log_lines("event=verified", mark)
        assert "spf=relay" in line and "dmarc=fail" in line and "disposition=keep" in line, line
        # From elsewhere it is a forgery.
        forger = Peer("outsider", domain=part("own"))
        refusal = forger.refused(signed=False, to=[to])
        assert "Z-N5-DMARC" in refusal.text, refusal


def test_dmarc_quarantine():
    """N5: a domain's policy quarantine is marked, and held when configured"""
    ready = Peer("ready")
    with publishes("ready", dmarc="p=quarantine"):
        marked(ready.send(**FORGERS))
        with configured("milter", "dmarc_quarantine", "quarantine", "milter-mx"):
            held(ready.send(**FORGERS))


def test_dmarc_alignment():
    """N5: strict alignment needs the very domain, relaxed its organisation's"""
    ready = Peer("ready")
    sub = "sub." + ready.domain
    more = peer.key_record().replace("._domainkey ", "._domainkey.sub ")
    for policy, dkim, dmarc in (("p=none; adkim=r", "pass", "pass"),
                                ("p=none; adkim=s", "unaligned", "fail")):
        with publishes("ready", dmarc=policy, more=more):
            sent = ready.send(domain=sub, source=FORGERS["source"])
            event = sent.verified()
            assert (event["dkim"], event["dmarc"]) == (dkim, dmarc), (policy, event)
            assert sent.results()["dkim"][0][0] == "pass"
    with publishes("ready", dmarc=""):
        sent = ready.send(**FORGERS)
        assert sent.verified()["dmarc"] == "none"
        assert sent.results()["dmarc"] == [("none", {"header.from": ready.domain})]


# ---- What must flow --------------------------------------------------------------------

def test_bounces_and_postmaster():
    """R9: bounces and mail to postmaster come in, with or without a sender and a From"""
    outsider = Peer("outsider")
    with publishes("outsider", more='mail TXT "v=spf1 a -all"\n'):
        bounce = outsider.send(sender="", signed=False, author="MAILER-DAEMON@" + outsider.domain,
                               to=["janssen@" + part("own")])
        assert bounce.verified()["from"] == "<>"
        assert bounce.results()["spf"] == [("pass", {"smtp.helo": "mail." + outsider.domain})]
        outsider.send(to=["postmaster@" + part("own")]).received()
        for author in ("", "MAILER-DAEMON", "jan@[192.0.2.1]"):
            odd = outsider.send(author=author, signed=False)
            assert lacks(odd, "Z-N5-FROM")["dmarc"] == "permerror"
            assert odd.results()["dmarc"] == [("permerror", {})]


def test_policyd_is_dead():
    """R9: without policyd mail flows, and is not secure: nothing is known of it"""
    ready = Peer("ready")
    with publishes("ready", dmarc=REJECT):
        with without("policyd", kill=True):
            for options in ({}, FORGERS):
                sent = ready.send(**options)
                event = lacks(sent, "Z-N5-VERIFY")
                assert (event["spf"], event["dmarc"]) == ("temperror", "temperror"), event
                results = sent.results()
                assert results["dmarc"][0][0] == results["spf"][0][0] == "temperror", results
        wait_ready()
        assert ready.send().secure().startswith("nta;"), "not secure again"


def test_name_servers_are_silent():
    """R9: a domain whose name servers do not answer loses the mark, and no mail"""
    silent = Peer("silent", source=harness.ENV["LAB_OUTSIDER_ADDR"])
    event = lacks(silent.send(), "Z-N5-DKIM")
    assert event["dmarc"] == event["dkim"] == event["spf"] == "temperror", event
    ready = Peer("ready")
    with publishes("ready", dmarc=REJECT), without("nsd"):
        sent = ready.send()
        assert sent.verified()["dmarc"] == "temperror", sent.verified()
        assert sent.verified()["secure"] == "no"
        sent.received()
    wait_ready()
