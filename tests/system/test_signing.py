"""What leaves is signed as it leaves (N6), and marked where the norm is kept (N4).

Signatures are checked with python3-dkim on what lies in the other side's mailbox.
"""
import contextlib
import email
import email.policy
import os
import re
import shutil
import smtplib
import time
import types

import dkim

import harness
import peer
import test_expansion
import walk
from harness import mail, part, send, unique, wait_delivered
from test_expansion import settings
from test_milter import raw
from test_rules import rules

OWN = part("own")
SERVICE = "veilig." + OWN
SENDER = "janssen@" + OWN
KEYS = os.path.join(harness.ENV["LAB_SYSCONFDIR"], "zegel", "keys", "milter", "dkim")
FORWARD = "/run/lab/home/reiziger/.forward"
LOOKED_AT_S = 1.1  # the milter looks at the directory once a second


@contextlib.contextmanager
def signs(domain):
    """with signs(DOMAIN): the milter has peer's key for it, newer than any other."""
    folder = os.path.join(KEYS, domain)
    os.makedirs(folder, exist_ok=True)
    shutil.chown(folder, "zegel-milter")
    path = os.path.join(folder, peer.SELECTOR + ".key")
    with open(path, "wb") as file:
        os.fchmod(file.fileno(), 0o400)
        file.write(peer.key())
    shutil.chown(path, "zegel-milter")
    time.sleep(LOOKED_AT_S)
    try:
        yield
    finally:
        os.unlink(path)
        time.sleep(LOOKED_AT_S)


@contextlib.contextmanager
def unsigned(domain):
    """with unsigned(DOMAIN): the milter has no key for it."""
    folder, aside = os.path.join(KEYS, domain), KEYS + ".aside"
    os.rename(folder, aside)
    time.sleep(LOOKED_AT_S)
    try:
        yield
    finally:
        os.rename(aside, folder)
        time.sleep(LOOKED_AT_S)


def published(domain):
    """with published(DOMAIN): the key is in the DNS, in the zone of own."""
    label = domain[:-len(OWN)].rstrip(".")
    record = peer.key_record()
    if label:
        record = record.replace("._domainkey", "._domainkey." + label)
    return harness.zone("own", lambda text: text + record)


def record(name, timeout=5):
    """python3-dkim's DNS: our key alone."""
    assert name.startswith(peer.SELECTOR.encode() + b"._domainkey."), name
    text = "".join(re.findall(r'"([^"]*)"', peer.key_record()))
    return text.encode()


def signatures(got, domain):
    """How many signatures of DOMAIN the message GOT has; all of them must hold."""
    octets = re.sub(rb"\r?\n", b"\r\n", got.raw)
    fields = [value for value in got.message.get_all("DKIM-Signature", [])
              if re.search(r"\bd=%s\b" % re.escape(domain), value)]
    for index in range(len(fields)):
        assert dkim.DKIM(octets).verify(idx=index, dnsfunc=record), got.raw
    return len(fields)


def sealed_direct(message, name, sender=SENDER, service="zegel-direct"):
    """Sends it to somebody of part NAME, over SERVICE, and returns what came."""
    to = unique("p") + "@" + part(name)
    lines = wait_delivered(send(message, sender, to))
    assert any(service in line and "status=sent" in line for line in lines), lines
    return harness.wait_mail(to)


def signed_by_client(subject, to="x@" + part("ready")):
    """A message that the client's own server signed already."""
    return peer.sign(peer.message(SENDER, to, subject=subject), OWN)


def test_what_leaves_is_signed_as_it_leaves():
    """N6: sensitive or not, direct or not: one signature, which holds at the other side"""
    with signs(OWN):
        to = walk.new_outsider()
        wait_delivered(send(mail("Afspraak", to=to), SENDER, to))
        assert signatures(harness.wait_mail(to), OWN) == 1
        for name in ("ready", "community"):
            got = sealed_direct(mail("veilig mailen: recept"), name)
            assert got.message["Subject"] == ": recept" or "recept" in got.message["Subject"]
            assert signatures(got, OWN) == 1, got.raw
            assert b"X-Zegel" not in got.raw, got.raw


def test_a_body_keeps_its_lines_and_octets():
    """N6: lines of 3000 octets and 8-bit text reach the other side as they were signed"""
    with signs(OWN):
        for subject, service in (("veilig mailen", "zegel-direct"), ("Afspraak", "zegel-prefer")):
            message = peer.message(SENDER, "x@" + part("ready"), "MIME-Version: 1.0",
                                   "Content-Type: text/plain; charset=utf-8",
                                   "Content-Transfer-Encoding: 8bit", subject=subject,
                                   body="x" * 3000 + "\r\n.caf\u00e9\r\n\r\n\r\n")
            assert signatures(sealed_direct(message, "ready", service=service), OWN) == 1


def test_what_postfix_changes_first_is_signed():
    """N6: missing headers, bare names and canonical_maps are in the signature"""
    other = "devries@" + OWN
    with signs(OWN):
        with settings("always_add_missing_headers=yes"):
            got = sealed_direct(raw(["Subject: veilig mailen"]), "ready")
            assert got.message["From"] == SENDER and got.message["Date"], got.raw
            assert signatures(got, OWN) == 1, got.raw
            assert re.search(r"h=From:From:.*Date:Date:.*Message-ID:Message-ID",
                             re.sub(r"\s", "", got.message["DKIM-Signature"])), got.raw
        with settings("local_header_rewrite_clients=static:all",
                      "canonical_maps=inline:{{%s=%s}}" % (SENDER, other)):
            to = walk.new_outsider()
            wait_delivered(send(raw(["From: " + SENDER, "To: piet", "Subject: x"]), SENDER, to))
            got = harness.wait_mail(to)
            assert got.message["From"] == other and got.message["To"] == "piet@" + OWN, got.raw
            assert signatures(got, OWN) == 1, got.raw


def test_nobody_signs_as_another():
    """O3: what is only observed is signed, unless somebody of another organisation is its author"""
    foreign = "bakker@" + part("own2")
    with signs(OWN), rules(default="observe"):
        for header, count in ((["From: " + SENDER], 1),
                              (["From: " + SENDER, "Sender: " + foreign], 0),
                              (["From: %s, %s" % (SENDER, foreign)], 0)):
            to = walk.new_outsider()
            wait_delivered(send(raw(header + ["Subject: Afspraak"]), SENDER, to))
            got = harness.wait_mail(to)
            assert signatures(got, OWN) == count, (header, got.raw)


def test_a_signature_that_our_change_broke_is_replaced():
    """N6: a client's own signature stays when it holds, and is replaced when it does not"""
    with signs(OWN), published(OWN):
        to = walk.new_outsider()
        wait_delivered(send(signed_by_client("Afspraak", to), SENDER, to))
        got = harness.wait_mail(to)
        theirs = got.message.get_all("DKIM-Signature")
        assert signatures(got, OWN) == 1 and "h=from : to : subject" in theirs[0], theirs

        got = sealed_direct(signed_by_client("veilig mailen recept"), "community")
        ours = got.message.get_all("DKIM-Signature")
        assert signatures(got, OWN) == 1 and "h=from : to : subject" not in ours[0], ours


def test_without_a_key_nothing_broken_goes_to_a_partner():
    """N6 R7: a signature that our change breaks, and no key: the viewer, also behind an alias"""
    with unsigned(OWN):
        nothing_broken_goes_to_a_partner()


def nothing_broken_goes_to_a_partner():
    to = unique("p") + "@" + part("community")
    refusal = harness.refused(send, signed_by_client("veilig mailen recept"), SENDER, to)
    assert "Z-S7-NUMBER" in refusal.text, refusal
    typed, _ = walk.new_number()
    mark = harness.log_mark()
    lines = wait_delivered(send(signed_by_client("SMS %s recept" % typed), SENDER, to))
    assert any("zegel-store" in line and "status=sent" in line for line in lines), lines
    harness.wait_log("event=routed.*to=%s, route=viewer, code=Z-N6-NO-KEY, "
                     "detail=Z-R1-COMMUNITY" % re.escape(to), mark)
    # Nor to one whom an alias leads to.
    way = test_expansion.WAYS[2]
    partner = way.others[-1]
    for header, code in (((), "event=refused.*code=Z-R7-NUMBER"),
                         (("X-Zegel-SMS: %s %s" % (partner, typed),),
                          "event=routed.*to=%s, route=viewer, code=Z-N6-NO-KEY" % partner)):
        before, mark = len(harness.mailbox(partner)), harness.log_mark()
        message = peer.sign(peer.message(SENDER, way.address, *header,
                                         "X-Zegel-SMS: %s %s" % (way.outsider, typed),
                                         subject="veilig mailen recept"), OWN)
        send(message, SENDER, way.address)
        harness.wait_log(code, mark)
        harness.wait_for(lambda: not harness.queue(), "the end of the queue", 60)
        got = harness.mailbox(partner)[before:]
        assert all(b"Dit is een bericht" not in one.raw for one in got), got[0].raw
    # What is not changed is not broken.
    same = peer.sign(peer.message(SENDER, to, "Sensitivity: private"), OWN)
    lines = wait_delivered(send(same, SENDER, to))
    assert any("zegel-direct" in line and "status=sent" in line for line in lines), lines


def test_the_norms_mark_is_ours_alone():
    """N4: X-NTA7516 is set on what goes directly under the norm, signed, and nowhere else"""
    def message():
        return mail("veilig mailen", X_NTA7516="van de afzender")
    with signs(OWN):
        got = sealed_direct(message(), "ready")
        assert got.message.get_all("X-NTA7516") == ["1"], got.raw
        assert signatures(got, OWN) == 1
        assert re.search(r"[=:\s]x-nta7516\s*[:;]",
                         got.message["DKIM-Signature"].lower()), got.raw
        assert sealed_direct(message(), "community").message["X-NTA7516"] is None
    to = walk.new_outsider()
    wait_delivered(send(mail("Afspraak", to=to, X_NTA7516="1"), SENDER, to))
    assert harness.wait_mail(to).message["X-NTA7516"] is None


@contextlib.contextmanager
def sent_on(to):
    """Two addresses of ours that send on to TO: a virtual alias, and a .forward of local(8)."""
    with open(FORWARD, encoding="utf-8") as file:
        before = file.read()
    alias = unique("alias") + "@" + OWN
    try:
        with open(FORWARD, "w", encoding="utf-8") as file:
            file.write(to + "\n")
        with settings("zegel_site_alias_maps=inline:{{%s=%s}}, $virtual_maps" % (alias, to)):
            yield alias, "reiziger@" + harness.ENV["LAB_LOCAL"]
    finally:
        with open(FORWARD, "w", encoding="utf-8") as file:
            file.write(before)


def test_what_comes_out_of_an_expansion_is_signed_with_its_mark():
    """N4 N6 R7: behind aliases and .forward, X-NTA7516 is there once and under a signature"""
    to = unique("p") + "@" + part("ready")
    with signs(OWN), published(OWN), sent_on(to) as ways:
        for count, way in enumerate(ways, 1):
            send(mail("veilig mailen", to=way, X_NTA7516="2"), SENDER, way)
            got = harness.wait_mail(to, count, 60)
            assert got.message.get_all("X-NTA7516") == ["1"], got.raw
            # That of the first pass has no such field to cover, and still holds.
            assert signatures(got, OWN) == 2, got.raw
            covers = ["x-nta7516" in re.sub(r"\s", "", value).lower()
                      for value in got.message.get_all("DKIM-Signature")]
            assert sorted(covers) == [False, True], got.raw
            assert b"x-zegel" not in got.raw.lower(), got.raw


def test_a_list_keeps_the_signature():
    """N6 R7: what aliases(5) sends on to a partner carries the signature it left us with"""
    way = test_expansion.WAYS[4]
    partner = way.others[-1]
    with signs(OWN):
        before = len(harness.mailbox(partner))
        test_expansion.Sent(way).wait_others()
        assert signatures(harness.wait_mail(partner, before + 1), OWN) == 1


def test_what_goes_to_the_viewer_brings_the_signature_along():
    """N6 K3: what its client signed is filed with a signature that holds for what is filed"""
    with signs(OWN), published(OWN):
        sent = walk.Sent(lambda typed, to: signed_by_client("SMS %s x" % typed, to))
        browser, page = walk.log_in(sent)
        octets = browser.get(page.url + "/original").body
        filed = types.SimpleNamespace(raw=octets, message=email.message_from_bytes(
            octets, policy=email.policy.default))
        assert filed.message["Subject"] == "x", octets
        assert signatures(filed, OWN) == 1, octets


def submit(message, sender, to):
    """Gives MESSAGE to zegel-submit, as programs of ours do, and waits until it has gone."""
    with smtplib.SMTP(harness.ENV["LAB_MAIL_ADDR"], 10587, timeout=60) as server:
        server.mail(sender)
        server.rcpt(to)
        code, text = server.data(message.as_bytes(policy=message.policy))
    assert code == 250, (code, text)
    wait_delivered(re.search(rb"queued as (\w+)", text).group(1).decode())
    return harness.wait_mail(to)


def test_the_service_domain_signs_for_itself_alone():
    """N6: what visitors write is signed for the service domain, never for a mail domain"""
    with signs(OWN), signs(SERVICE):
        to = walk.new_outsider()
        got = submit(mail("Antwoord", sender="noreply@" + SERVICE, to=to), "x@" + SERVICE, to)
        assert signatures(got, SERVICE) == 1, got.raw
        for sender in (SENDER, "a@sub." + SERVICE, "noreply@%s, %s" % (SERVICE, SENDER)):
            to = walk.new_outsider()
            got = submit(mail("Antwoord", sender=sender, to=to), "x@" + SERVICE, to)
            assert got.message["DKIM-Signature"] is None, (sender, got.raw)
        refusal = harness.refused(send, mail("Vraag", sender="noreply@" + SERVICE), SENDER,
                                  walk.new_outsider())
        assert "Z-O3-SENDER" in refusal.text, refusal


def test_zegel_submit_does_not_wait_for_the_milter():
    """R9: with the milter dead, what zegel writes itself goes out, unsigned"""
    with signs(SERVICE), harness.without("milter", kill=True):
        to = walk.new_outsider()
        got = submit(mail("Bericht", sender="noreply@" + SERVICE, to=to), "x@" + SERVICE, to)
        assert got.message["DKIM-Signature"] is None, got.raw
