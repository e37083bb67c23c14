"""Attacks on routes: what a partner, a user or a table of the site does to bend them (R3, R4, R7).

Whatever happens here, nothing protected may reach an outsider in the clear, and ordinary mail
must arrive.
"""
import contextlib
import os
import re
import subprocess

import harness as lab
import image
import walk

OWN, LOCAL, OUT = lab.part("own"), lab.ENV["LAB_LOCAL"], lab.part("outsider")
COMMUNITY, READY = lab.part("community"), lab.part("ready")
SENDER = "janssen@" + OWN
OUTSIDE = (os.path.join(lab.ENV["LAB_MAILDIRS"], OUT), "/var/spool/postfix-outsider")


@contextlib.contextmanager
def site(*settings, **tables):
    """main.cf with SETTINGS, and /etc/postfix/NAME with the further lines of TABLES."""
    paths = ["/etc/postfix/main.cf"] + ["/etc/postfix/" + name for name in tables]
    before = {path: _read(path) for path in paths}
    try:
        for path, lines in zip(paths[1:], tables.values()):
            _write(path, before[path] + "".join(line + "\n" for line in lines))
        if settings:
            lab.command("postconf", "-e", *settings)
        lab.reload_postfix()
        yield
    finally:
        for path, text in before.items():
            _write(path, text)
        lab.reload_postfix()


def _read(path):
    if not os.path.exists(path):
        return ""
    with open(path, encoding="utf-8") as file:
        return file.read()


def _write(path, text):
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)


class Sent:
    """A message to TO with a canary as its body, and a number for OUTSIDER if given."""

    def __init__(self, subject, to, outsider=None):
        self.canary, self.outsider = lab.unique(), outsider
        self.told = len(lab.mailbox(outsider)) if outsider else 0
        message = lab.mail(subject, body=self.canary + "\n", to=to)
        if outsider:
            message["X-Zegel-SMS"] = "%s %s" % (outsider, walk.new_number()[1])
        lab.send(message, SENDER, to)

    def is_in(self, address):
        return any(self.canary in one for one in lab.mailbox(address))

    def wait_in(self, address):
        lab.wait_for(lambda: self.is_in(address), "mail for " + address)

    def wait_told(self):
        """The outsider has a notification for this, and no trace of the content."""
        told = lab.wait_mail(self.outsider, self.told + 1)
        assert self.canary not in told, told.raw
        self.nothing_outside()

    def nothing_outside(self):
        for tree in OUTSIDE:
            assert not image.find_in_tree(tree, [self.canary]), tree


def outsider(name):
    return "%s@%s" % (lab.unique(name), OUT)


# ---- Tables of the site ---------------------------------------------------------------

def test_copies_of_the_sender_are_sealed():
    """R7: sender_bcc_maps to an outsider, as README.postfix has it: sealed; ordinary ones as before"""
    archive = outsider("archief")
    maps = "pipemap:{texthash:/etc/postfix/copies, regexp:/etc/postfix/zegel_bcc}"
    with site("sender_bcc_maps = " + maps, copies=["%s %s" % (SENDER, archive)]):
        _copies_are_sealed(archive)


def test_copies_of_everything_are_sealed():
    """R7: always_bcc to an outsider, as README.postfix has it: sealed; ordinary ones as before"""
    archive = outsider("archief")
    with site("always_bcc = %s.own.zegel.internal" % archive):
        _copies_are_sealed(archive)


def _copies_are_sealed(archive):
    """Of mail to ourselves and to a partner."""
    for to in ("devries@" + OWN, "%s@%s" % (lab.unique("p"), COMMUNITY)):
        message = Sent("veilig mailen", to, archive)
        message.wait_in(to)
        message.wait_told()
    Sent("Afspraak", "devries@" + OWN).wait_in(archive)


def test_an_alias_that_is_its_own_target_is_sealed():
    """R7: an address outside that the site's aliases turn into itself is sealed behind an alias"""
    end = outsider("zelf")
    team = "%s@%s" % (lab.unique("team"), OWN)
    with site(virtual=["%s %s" % (end, end), "%s %s, devries@%s" % (team, end, OWN)]):
        message = Sent("veilig mailen", team, end)
        message.wait_in("devries@" + OWN)
        message.wait_told()
        Sent("Afspraak", team).wait_in(end)


def test_canonical_addresses_are_sealed():
    """R7: recipient_canonical_maps from an own address to one outside: sealed"""
    end, moved = outsider("verhuisd"), "%s@%s" % (lab.unique("weg"), OWN)
    with site("recipient_canonical_maps = texthash:/etc/postfix/canonical_zegel",
              canonical_zegel=["%s %s" % (moved, end)]):
        Sent("veilig mailen", moved, end).wait_told()
        Sent("Afspraak", moved).wait_in(end)


# ---- Zones of partners ----------------------------------------------------------------

def nta(*hosts):
    """An edit of a zone: its NTA record, good by itself, names HOSTS."""
    fields = "".join(";ntamx=10 " + host for host in hosts)

    def edit(text):
        return re.sub(r'"provider=Voorbeeld[^"]*"', '"provider=Voorbeeld%s"' % fields, text)
    return edit


def test_a_partner_that_names_our_own_server():
    """R3 R9: its ntamx is our server: ordinary mail takes its MX, what is protected comes back"""
    with lab.zone("ready", nta("mail." + OWN)):
        to, mark = "%s@%s" % (lab.unique("p"), READY), lab.log_mark()
        Sent("Afspraak", to).wait_in(to)
        lab.wait_log(r"zegel-again/smtp.* to=<%s\.prefer\..*:10026" % re.escape(to), mark)
        bounces = len(lab.reports(SENDER))
        message = Sent("veilig mailen", to)
        assert message.canary not in lab.wait_report(SENDER, bounces)
        message.nothing_outside()
        assert not message.is_in(to)


def test_hosts_that_are_none():
    """N1: ntamx with a port, an address, a second name or a label is no next hop: viewer"""
    for host in ("mail.%s:10026" % READY, "[127.0.0.1]", "mail.%s, mail.%s" % (READY, OUT),
                 "%s.prefer.zegel.internal" % READY):
        with lab.zone("ready", nta(host)):
            done = subprocess.run([os.path.join(lab.ENV["LAB_SBINDIR"], "zegelctl"), "route",
                                   SENDER, "jan@" + READY], capture_output=True, check=True)
            assert b"viewer" in done.stdout, (host, done.stdout)
