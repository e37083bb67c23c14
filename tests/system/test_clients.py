"""By what a client is known for an organisation, and what its senders may be (O3, O4)."""
import contextlib
import os

import harness as lab
import walk
from harness import part
from test_milter import raw
from test_rules import SENDER, parameter, rules
from test_verify import fingerprint, session

FOREIGN = "bakker@" + part("own2")
OUTSIDE = lab.ENV["LAB_DESK_ADDR"]


def sends(server, sender, header, to):
    """(code, text) of a message over SERVER."""
    server.rset()
    code, text = server.mail(sender)
    if code == 250:
        code, text = server.rcpt(to)
    if code == 250:
        code, text = server.data(raw(["From: " + header, "Subject: veilig mailen"]))
    return code, text.decode()


def is_ours(server):
    """SERVER's client is one of the organisation of SENDER: its mail is sensitive when it says so,
    and its senders are held to the organisation."""
    to = walk.new_outsider()
    code, text = sends(server, SENDER, SENDER, to)
    assert code == 550 and "(Z-S7-NUMBER)" in text, (code, text)
    for sender, header in ((FOREIGN, FOREIGN), (FOREIGN, SENDER), (SENDER, FOREIGN)):
        code, text = sends(server, sender, header, to)
        assert code // 100 == 5 and "Z-O3-SENDER" in text, (sender, header, code, text)
    to = lab.unique("p") + "@" + part("community")
    assert sends(server, SENDER, SENDER, to)[0] == 250
    assert lab.wait_mail(to)


def is_a_stranger(server):
    """SERVER's client is nobody: nothing is relayed for it."""
    code, text = sends(server, SENDER, SENDER, walk.new_outsider())
    assert code // 100 == 5 and "queued" not in text, (code, text)


@contextlib.contextmanager
def by_certificate(rule):
    """A client at OUTSIDE with a certificate that RULE knows submits without a login: Postfix
    relays for the certificates it is told, and has it meet the submission instance."""
    prints = os.path.join(lab.ENV["LAB_STATEDIR"], "tmp", "clientcerts")
    with open(prints, "w", encoding="ascii") as file:
        for name in ("system", "stranger"):
            print_ = fingerprint(name).upper()
            file.write(":".join(print_[i:i + 2] for i in range(0, 64, 2)) + " x\n")
    relay = "permit_mynetworks, permit_sasl_authenticated, permit_tls_clientcerts, " \
        "reject_unauth_destination"
    with parameter("relay_clientcerts", "texthash:" + prints), \
            parameter("smtpd_relay_restrictions", relay), \
            parameter("zegel_milter_maps", "inline:{{%s=$zegel_smtpd_milters}}" % OUTSIDE), \
            rules(certificates=rule):
        yield


def test_a_certificate_by_its_fingerprint():
    """O3 O4: who shows the certificate with that fingerprint is the organisation's, nobody else"""
    colons = fingerprint("system").upper()
    colons = ":".join(colons[i:i + 2] for i in range(0, 64, 2))
    for rule in ("sha256:" + fingerprint("system"), "sha256:" + colons):
        with by_certificate(rule):
            with session(OUTSIDE, "system") as server:
                is_ours(server)


def test_no_certificate():
    """O4: from the same address without the certificate nothing is relayed"""
    with by_certificate("sha256:" + fingerprint("system")):
        with session(OUTSIDE) as server:
            is_a_stranger(server)


def test_a_certificate_by_its_names():
    """O3 O4: the common names count when Postfix trusts who issued it"""
    with by_certificate("cn:epd.%s/Lab%%20CA" % part("own")):
        with session(OUTSIDE, "system") as server:
            is_ours(server)


def test_a_login():
    """O3: who logs in is the organisation's, wherever he is"""
    server = lab.connect(SENDER)
    try:
        server.ehlo_or_helo_if_needed()
        is_ours(server)
    finally:
        server.close()


def test_a_network():
    """O3: a client in the organisation's networks is the organisation's, without a login"""
    server = lab.connect(source=lab.ENV["LAB_SYSTEM_ADDR"])
    try:
        server.ehlo()
        is_ours(server)
    finally:
        server.close()
