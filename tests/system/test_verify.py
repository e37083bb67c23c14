"""What zegel-policyd says of where a message comes from (N5), and who brings it (O4): SPF,
DMARC, alignment and DKIM keys by real DNS, certificates as the real Postfix tells them.
"""
import contextlib
import hashlib
import os
import smtplib
import socket
import ssl
import struct
import time

import harness as lab
from asker import client, inward, verify
from harness import configured, part

OWN, COMMUNITY, READY, OUT = (part(name) for name in ("own", "community", "ready", "outsider"))
MAIL, PARTNER, STRANGER = (lab.ENV["LAB_%s_ADDR" % name]
                           for name in ("MAIL", "COMMUNITY", "OUTSIDER"))
SELECTOR = lab.ENV["LAB_SELECTOR"]
PKI = os.path.join(lab.ENV["LAB"], "pki")
ME = "janssen@" + OWN
AGAIN_S = 5.1  # policyd keeps failures of the DNS for so long
FINISHED_S = 5.0  # within which the milter has an answer, whatever the DNS does,
SLACK_S = 5.0     # and what it takes to ask


# ---- What the DNS says -----------------------------------------------------------------

def test_a_message_of_our_own():
    """SPF, DMARC and key of a real domain, all secure and aligned"""
    answer = verify(MAIL, "mail." + OWN, "jan@" + OWN, OWN, [(OWN, SELECTOR)])
    key = answer.pop("keys")[0]
    assert answer == {"spf": "pass", "spf_domain": OWN, "spf_aligned": "yes", "dmarc": "found",
                      "dmarc_policy": "quarantine", "dmarc_domain": OWN}, answer
    with open(os.path.join(lab.ENV["LAB"], "dkim.record"), encoding="ascii") as file:
        published = "".join(file.read().partition("TXT")[2].replace('"', "").split())
    assert key.pop("text").replace(" ", "") == published
    assert key == {"key": "found", "secure": "yes", "aligned": "yes"}, key


def test_somebody_else_sends():
    """The same from another address fails; the empty sender is judged by HELO"""
    answer = verify(STRANGER, "mail." + OUT, "jan@" + OWN, OWN)
    assert (answer["spf"], answer["spf_aligned"]) == ("fail", "yes"), answer
    answer = verify(STRANGER, OUT, "", OWN)
    assert (answer["spf"], answer["spf_domain"], answer["spf_aligned"]) == ("pass", OUT, "no")
    answer = verify(STRANGER, "mail." + OUT, "", OWN)
    assert (answer["spf"], answer["spf_domain"]) == ("none", "mail." + OUT), answer


def test_keys_only():
    """As zegelctl asks: no client, no author; a key that is there, and one that is not"""
    answer = verify(keys=[(OWN, SELECTOR), (OWN, "nothing")])
    assert [key["key"] for key in answer["keys"]] == ["found", "absent"], answer
    assert [key["secure"] for key in answer["keys"]] == ["yes", "yes"], answer
    assert (answer["spf"], answer["dmarc"]) == ("", "absent"), answer


RECORDS = """
alias._domainkey CNAME key._domainkey.%(out)s.
dangling._domainkey CNAME nothing._domainkey.%(out)s.
elsewhere._domainkey CNAME key._domainkey.%(unsigned)s.
two._domainkey TXT "v=DKIM1; p=ab"
two._domainkey TXT "v=DKIM1; p=cd"
split._domainkey TXT "v=DKIM1; " "p=a" "b"
"""


def test_keys_as_they_are_published():
    """Behind aliases, in pieces, twice: RFC 6376 3.6.2.2"""
    names = {"out": OUT, "unsigned": part("unsigned")}
    key = 'key._domainkey TXT "v=DKIM1; p=xy"\n'
    with lab.zone("outsider", lambda text: text + key), \
            lab.zone("unsigned", lambda text: text + key), \
            lab.zone("ready", lambda text: text + RECORDS % names):
        found = {}
        for selector in ("alias", "dangling", "elsewhere", "two", "split"):
            answer = verify(keys=[(READY, selector)])["keys"][0]
            found[selector] = (answer["key"], answer["text"], answer["secure"])
    assert found == {"alias": ("found", "v=DKIM1; p=xy", "yes"),
                     "dangling": ("absent", "", "yes"),
                     "elsewhere": ("found", "v=DKIM1; p=xy", "no"),
                     "two": ("absent", "", "yes"),
                     "split": ("found", "v=DKIM1; p=ab", "yes")}, found


def dmarc(text):
    """The change that puts TEXT in the place of a zone's DMARC record."""
    return lambda zone: zone.replace('_dmarc TXT "v=DMARC1; p=quarantine"\n', text)


def seen(domain, author):
    """(policy, aligned?) of a signature by DOMAIN on a message of AUTHOR."""
    answer = verify(MAIL, "mail." + OWN, "x@" + domain, author, [(domain, "s")])
    assert answer["keys"][0]["aligned"] == answer["spf_aligned"], answer
    return answer["dmarc_policy"], answer["spf_aligned"]


def test_alignment():
    """RFC 9989 by the tree walk: relaxed, strict, psd=n, and another organisation"""
    below = "post." + READY
    assert seen(READY, READY) == ("quarantine", "yes")
    assert seen(below, READY) == ("quarantine", "yes")
    assert seen(READY, below) == ("quarantine", "yes")
    assert seen(OUT, READY) == ("quarantine", "no")
    assert seen("x" + READY, READY) == ("quarantine", "no")
    strict = '_dmarc TXT "v=DMARC1; p=reject; sp=none; adkim=s; aspf=s"\npost TXT "x"\n'
    with lab.zone("ready", dmarc(strict)):
        assert seen(READY, READY) == ("reject", "yes")
        assert seen(below, READY) == ("reject", "no")
        assert seen(READY, below) == ("none", "no")
    apart = ('_dmarc TXT "v=DMARC1; p=reject"\n_dmarc.post TXT "v=DMARC1; p=none; psd=n"\n')
    with lab.zone("ready", dmarc(apart)):
        assert seen(below, READY) == ("reject", "no")
        assert seen("x." + below, below) == ("none", "yes")
    with lab.zone("ready", dmarc("")):
        assert seen(READY, READY) == ("", "yes")
        assert seen(below, READY) == ("", "no")


def test_a_silent_name_server():
    """F: what cannot be found out is unknown, within the time the milter waits"""
    silent = part("silent")
    began = time.monotonic()
    answer = verify(STRANGER, "mail." + silent, "jan@" + silent, silent, [(silent, "s")])
    assert time.monotonic() - began < lab.patience(FINISHED_S + SLACK_S)
    assert (answer["spf"], answer["dmarc"], answer["dmarc_policy"]) == \
        ("temperror", "unknown", ""), answer
    assert answer["keys"][0]["key"] == "unknown", answer
    # Nor does a stranger's silence make a policy unknown that is there.
    answer = verify(author=OWN, keys=[(silent, "s"), (OWN, SELECTOR)])
    assert (answer["dmarc"], answer["dmarc_policy"]) == ("found", "quarantine"), answer
    assert [(key["key"], key["aligned"]) for key in answer["keys"]] == \
        [("unknown", "no"), ("found", "yes")], answer


def test_bogus():
    """A zone that fails DNSSEC says nothing; one without it says it, not securely"""
    bogus, unsigned = part("bogus"), part("unsigned")
    answer = verify(STRANGER, "mail." + bogus, "jan@" + bogus, bogus)
    assert (answer["spf"], answer["dmarc"]) == ("temperror", "unknown"), answer
    answer = verify(STRANGER, "mail." + unsigned, "jan@" + unsigned, unsigned, [(unsigned, "s")])
    key = answer["keys"][0]
    assert (answer["spf"], answer["dmarc"], key["key"], key["secure"]) == \
        ("pass", "found", "absent", "no"), answer


def test_the_resolver_is_gone():
    """F14: no answer of the DNS, and then again one"""
    with lab.without("unbound"):
        time.sleep(lab.zone.ANSWERS_KEPT_S)
        answer = verify(MAIL, "mail." + OWN, "jan@" + OWN, OWN, [(OWN, SELECTOR)])
        assert (answer["spf"], answer["dmarc"], answer["keys"][0]["key"]) == \
            ("temperror", "unknown", "unknown"), answer
    time.sleep(AGAIN_S)
    answer = verify(MAIL, "mail." + OWN, "jan@" + OWN, OWN, [(OWN, SELECTOR)])
    assert (answer["spf"], answer["dmarc"], answer["keys"][0]["key"]) == \
        ("pass", "found", "found"), answer


def test_spf_follows_the_dns():
    """A verdict that was kept does not outlive the record behind it"""
    asked = (STRANGER, "mail." + OUT, "jan@" + OUT)
    assert verify(*asked)["spf"] == "pass"
    with lab.zone("outsider", lambda text: text.replace("v=spf1 mx -all", "v=spf1 ~all")):
        assert verify(*asked)["spf"] == "softfail"
    assert verify(*asked)["spf"] == "pass"


# ---- Who is connected ------------------------------------------------------------------

def fingerprint(name):
    with open(os.path.join(PKI, name + ".crt"), encoding="ascii") as file:
        der = ssl.PEM_cert_to_DER_cert(file.read())
    return hashlib.sha256(der).hexdigest()


@contextlib.contextmanager
def session(address, name=None, tls=True):
    """An SMTP session from ADDRESS on port 25 that shows certificate NAME."""
    server = lab.connect(source=address)
    try:
        if tls:
            context = lab.tls_context()
            if name:
                context.load_cert_chain(os.path.join(PKI, name + ".pem"))
            server.starttls(context=context)
        server.ehlo()
        yield server
    finally:
        server.close()


def arrives(server, sender=None, to=None):
    """(address, port) of SERVER's end, after a recipient."""
    server.rset()
    assert server.mail(sender or "jan@" + COMMUNITY)[0] == 250
    assert server.rcpt(to or ME)[0] == 250
    return server.sock.getsockname()[:2]


def test_certificates():
    """O4: the fingerprint of any certificate, names only of one that is trusted"""
    with session(PARTNER, "community") as server:
        assert client(*arrives(server)) == (fingerprint("community"), "mail." + COMMUNITY,
                                            "Lab CA")
    with session(PARTNER, "stranger") as server:
        assert client(*arrives(server)) == (fingerprint("stranger"), "", "")
    with session(PARTNER) as server:
        assert client(*arrives(server)) == ("", "", "")
    with session(PARTNER, tls=False) as server:
        assert client(*arrives(server)) == ("", "", "")
    with session(lab.ENV["LAB_SYSTEM_ADDR"], "system") as server:
        found = client(*arrives(server, ME, "jan@" + OUT))
        assert found == (fingerprint("system"), "epd." + OWN, "Lab CA"), found


class SamePort(smtplib.SMTP):
    """A session with our Postfix from PLACE, a moment after another one from there."""

    def __init__(self, place):
        self.place = place
        super().__init__("mail." + OWN, 25, timeout=30, local_hostname="desk." + OWN)

    def _get_socket(self, host, port, timeout):
        connection = socket.socket()
        connection.settimeout(timeout)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        connection.bind(self.place)
        connection.connect((MAIL, port))
        return connection


def test_the_next_at_an_address_and_port():
    """O4: whoever comes after a client, to the same port, is not taken for it"""
    with session(PARTNER, "community") as server:
        place = arrives(server)
        assert client(*place)[0] == fingerprint("community")
        # It ends by a reset: the port is free at once.
        server.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    again = SamePort(place)
    try:
        again.ehlo()
        assert arrives(again) == place
        assert client(*place) == ("", "", "")
    finally:
        again.close()


def test_the_community():
    """O4: mail of its domain counts when a server that its line knows brings it"""
    yes = ("direct", "Z-R1-COMMUNITY", "-")
    no = ("ordinary", "Z-R2-PORTAL", "Z-O4-CLIENT")
    sender = "jan@" + COMMUNITY
    with session(PARTNER, "community") as server:
        place = arrives(server)
        assert inward("praktijk", sender, ME, *place) == yes
        assert inward("praktijk", sender, ME, place[0], place[1] + 1) == no
        assert inward("praktijk", "jan@" + OUT, ME, *place)[0] == "ordinary"
        assert inward("praktijk", "jan@" + READY, ME, *place) == ("direct", "Z-R1-NTA",
                                                                 "Z-N1-READY")
    with session(PARTNER, "stranger") as server:
        assert inward("praktijk", sender, ME, *arrives(server)) == no
    with session(PARTNER, "system") as server:
        assert inward("praktijk", sender, ME, *arrives(server)) == no
    assert inward("praktijk", sender, ME, PARTNER, 1) == no
    assert inward("praktijk", sender, ME, login=COMMUNITY) == yes
    assert inward("praktijk", sender, ME, login=OUT) == no
    assert inward("praktijk", sender, ME) == no


def restart():
    lab.control("stop", "policyd")
    lab.control("start", "policyd")


def test_what_counts_is_configured():
    """O4: an address counts only when that is allowed, and "any" asks for nothing"""
    sender, yes = "jan@" + COMMUNITY, ("direct", "Z-R1-COMMUNITY", "-")
    book = os.path.join(lab.ENV["LAB_SYSCONFDIR"], "zegel", "domains")
    with open(book, encoding="ascii") as file:
        before = file.read()
    try:
        with open(book, "w", encoding="ascii") as file:
            file.write(before.replace("client=login", "client=ip:%s client=login" % PARTNER))
        restart()
        assert inward("praktijk", sender, ME, PARTNER, 1)[2] == "Z-O4-CLIENT"
        with configured("policyd", "community_client", "address", "policyd"):
            assert inward("praktijk", sender, ME, PARTNER, 1) == yes
            assert inward("praktijk", sender, ME, STRANGER, 1)[2] == "Z-O4-CLIENT"
    finally:
        with open(book, "w", encoding="ascii") as file:
            file.write(before)
        restart()
    with configured("policyd", "community_client", "any", "policyd"):
        assert inward("praktijk", sender, ME, STRANGER, 1) == yes
        assert inward("praktijk", sender, ME) == yes


class PartnerServer(smtplib.SMTP):
    """The partner's Postfix, which relays for its own machine."""

    def _get_socket(self, host, port, timeout):
        return super()._get_socket(PARTNER, port, timeout)


def test_a_real_partner():
    """O4: the partner's own Postfix shows its certificate, and ours trusts it"""
    mark, to = lab.log_mark(), "%s@%s" % (lab.unique("o4"), OWN)
    message = lab.mail("van de partner", sender="jan@" + COMMUNITY, to=to)
    with PartnerServer(part("community"), 25, timeout=30,
                       source_address=(PARTNER, 0)) as server:
        server.send_message(message, "jan@" + COMMUNITY, [to])
    lab.wait_mail(to)
    lab.wait_log(r"postfix/smtpd\[.* Trusted TLS connection established from .*\[%s\]" %
                 PARTNER.replace(".", r"\."), mark)
