"""DKIM with others, through two real Postfix servers: what we sign verifies at a peer whose
filter is Debian's opendkim, and what opendkim and python3-dkim sign verifies here.
"""
import base64
import contextlib
import functools
import os
import random
import re
import shutil
import smtplib
import subprocess
import threading
import time

import dkim

import harness
import peer
from harness import ENV, command, part, unique, wait_for

COUNT = 200
SESSIONS = 8
ARRIVE_S = 180
SEED = 6376
OWN, READY = part("own"), part("ready")
SENDER, PARTNER = "janssen@" + OWN, "jan@" + READY
KEYS = os.path.join(ENV["LAB_SYSCONFDIR"], "zegel", "keys", "milter", "dkim")
LOOKED_AT_S = 1.1  # the milter looks at the directory once a second
RSA, ED25519 = peer.SELECTOR, "edward"
FOLDER = os.path.join(ENV["LAB"], "opendkim")
SOCKET = os.path.join(FOLDER, "socket")


# ---- Keys --------------------------------------------------------------------------------

@functools.lru_cache(maxsize=None)
def edward():
    """A private key for ed25519, PEM."""
    return command("openssl", "genpkey", "-algorithm", "ED25519")


def edward_record():
    public = command("openssl", "pkey", "-pubout", "-outform", "DER", data=edward())[-32:]
    return '%s._domainkey TXT "v=DKIM1; k=ed25519; p=%s"\n' % (
        ED25519, base64.b64encode(public).decode())


def published(name):
    """with published("own"): the zone of that part has both keys."""
    return harness.zone(name, lambda text: text + peer.key_record() + edward_record())


@contextlib.contextmanager
def signs():
    """with signs(): the milter has both keys for own, newer than any other."""
    keys = {os.path.join(KEYS, OWN, selector + ".key"): key
            for selector, key in ((RSA, peer.key()), (ED25519, edward()))}
    for path, key in keys.items():
        with open(path, "wb") as file:
            os.fchmod(file.fileno(), 0o400)
            file.write(key)
        shutil.chown(path, "zegel-milter")
    time.sleep(LOOKED_AT_S)
    try:
        yield
    finally:
        for path in keys:
            os.unlink(path)
        time.sleep(LOOKED_AT_S)


# ---- opendkim at the peer ----------------------------------------------------------------

def postconf(*settings):
    command("postconf", "-c", "/etc/postfix-ready", "-e", *settings)
    harness.reload_postfix("/etc/postfix-ready")


@contextlib.contextmanager
def opendkim(*lines):
    """with opendkim(LINE...): Debian's opendkim, so configured, is the milter of ready."""
    shutil.rmtree(FOLDER, ignore_errors=True)
    os.mkdir(FOLDER)
    for name, key in ((RSA, peer.key()), (ED25519, edward())):
        with open(os.path.join(FOLDER, name + ".key"), "wb") as file:
            os.fchmod(file.fileno(), 0o400)
            file.write(key)
    path = os.path.join(FOLDER, "conf")
    with open(path, "w", encoding="ascii") as file:
        file.write("\n".join(["Socket local:" + SOCKET, "UMask 000", "Background no",
                              "Nameservers 127.0.0.1", "UserID root", *lines]) + "\n")
    process = subprocess.Popen(["opendkim", "-f", "-x", path])
    try:
        wait_for(lambda: os.path.exists(SOCKET), "opendkim")
        postconf("smtpd_milters = unix:" + SOCKET)
        yield
        assert process.poll() is None, "opendkim ended by itself"
    finally:
        process.kill()
        process.wait()
        postconf("smtpd_milters =")


# ---- Messages ----------------------------------------------------------------------------

def words(chance, count, letters="abcdefgh ABC-,. 0123456789"):
    return "".join(chance.choices(letters, k=count))


def subject(chance):
    return chance.choice([
        words(chance, 20).strip() or "x", "=?utf-8?B?%s?=" % base64.b64encode(
            words(chance, 12, "é€ï✓ a").encode()).decode(),
        "  twee  spaties   binnenin  ", "gevouwen\r\n " + words(chance, 60, "ab") + "\r\n\tslot",
        words(chance, 10, "é€ï") + " rauw"])


def body(chance):
    kind = chance.randrange(7)
    if kind == 0:
        return ""
    if kind == 1:
        return "\r\n\r\n\r\n"
    if kind == 2:
        return "x" * chance.randrange(900, 999) + "\r\n"
    if kind == 3:
        return "spaties achteraan   \r\n \t \r\n" + words(chance, 300) + "  \r\n\r\n \r\n"
    if kind == 4:
        return "caf\u00e9 \u20ac " * 30 + "\r\n.punt\r\n..\r\n"
    return "\r\n".join(words(chance, chance.randrange(0, 120)) for _ in range(60)) + "\r\n"


def attached(chance):
    """(fields, body) of a message with an attachment."""
    data = base64.encodebytes(chance.randbytes(chance.randrange(1, 5000))).decode()
    return ['Content-Type: multipart/mixed; boundary="grens"'], (
        "--grens\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n" + body(chance) +
        '\r\n--grens\r\nContent-Type: application/pdf; name="a.pdf"\r\n'
        "Content-Transfer-Encoding: base64\r\n"
        'Content-Disposition: attachment; filename="a.pdf"\r\n\r\n' +
        data.replace("\n", "\r\n") + "--grens--\r\n")


class Varied:
    """A message of number NUMBER: .raw, .word (in it), .to (its recipients)."""

    def __init__(self, chance, number, sender, domain, sensitive):
        self.word = unique("nr")
        self.to = ["%s%d@%s" % (self.word, i, domain)
                   for i in range(6 if number % 10 == 0 else 1)]
        fields, text = attached(chance) if number % 5 == 0 else (
            ["Content-Type: text/plain; charset=utf-8", "Content-Transfer-Encoding: 8bit"],
            body(chance))
        lines = ["From: Jan Janssen\r\n  <%s>" % sender, "To: " + ",\r\n\t".join(self.to),
                 "Date: Sun, 22 Nov 2026 10:00:00 +0000",
                 "Message-ID: <%s@%s>" % (self.word, domain), "MIME-Version: 1.0", *fields]
        if number % 7 != 0:
            lines.append("Subject: %s%s" % ("veilig mailen " if sensitive else "",
                                            subject(chance)))
        elif sensitive:
            lines.append("Sensitivity: private")
        chance.shuffle(lines)
        self.raw = ("\r\n".join(lines) + "\r\n\r\n" + text).encode()


def varied(sender, domain, sensitive):
    """COUNT messages; SENSITIVE(number) says which are."""
    chance = random.Random(SEED)
    return [Varied(chance, number, sender, domain, sensitive(number)) for number in range(COUNT)]


def take(server, message, sender):
    for code, text in [server.mail(sender), *map(server.rcpt, message.to),
                       server.data(message.raw)]:
        assert code == 250, (code, text, message.raw)


def send_all(messages, sender, make_session):
    """Over SESSIONS sessions at a time."""
    trouble = []

    def run(part_of):
        try:
            server = make_session()
            server.ehlo_or_helo_if_needed()
            for message in part_of:
                take(server, message, sender)
            server.quit()
        except (AssertionError, OSError) as error:
            trouble.append(error)
    threads = [threading.Thread(target=run, args=(messages[i::SESSIONS],))
               for i in range(SESSIONS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not trouble, trouble[0]


def arrived(messages, domain):
    """What came for MESSAGES, {word: harness.Received}; for each at its first recipient."""
    folder = os.path.join(ENV["LAB_MAILDIRS"], domain, "all", "new")
    missing = {message.word for message in messages}
    seen, found = set(), {}

    def look():
        for name in os.listdir(folder) if os.path.isdir(folder) else []:
            if name in seen:
                continue
            seen.add(name)
            got = harness.Received(os.path.join(folder, name))
            word = got.message["Delivered-To"].split("@")[0][:-1]
            if word in missing:
                missing.discard(word)
                found[word] = got
        return not missing
    wait_for(look, "all of %d messages" % len(messages), ARRIVE_S)
    return found


def results(got, host):
    """The results of DKIM that HOST wrote, as words."""
    fields = [re.sub(r"\s+", " ", str(value))
              for value in got.message.get_all("Authentication-Results", [])]
    ours = " ".join(value for value in fields if value.startswith(host + ";"))
    return re.findall(r"\bdkim=(\w+)", ours)


def must_pass(messages, domain, host, expected):
    """Every one of MESSAGES came, and HOST found EXPECTED in it."""
    found = arrived(messages, domain)
    bad = [got.raw for got in found.values() if results(got, host) != expected]
    assert not bad, "%d of %d did not pass; the first:\n%s" % (
        len(bad), len(found), bad[0].decode(errors="replace"))
    return found


# ---- Tests -------------------------------------------------------------------------------

def test_what_we_sign_verifies_at_opendkim():
    """N6: 200 messages of ours, sensitive or not, pass with both signatures at a peer's opendkim"""
    messages = varied(SENDER, READY, lambda number: number % 2 == 0)
    mark = harness.log_mark()
    with published("own"), signs(), opendkim("Mode v", "AuthservID mail." + READY):
        send_all(messages, SENDER,
                 lambda: harness.connect(source=ENV["LAB_SYSTEM_ADDR"]))
        found = must_pass(messages, READY, "mail." + READY, ["pass", "pass"])
    for got in found.values():
        algorithms = re.findall(rb"\ba=([\w-]+);", got.raw)
        assert sorted(algorithms) == [b"ed25519-sha256", b"rsa-sha256"], got.raw
    direct = harness.log_lines("event=routed, .*route=direct", mark)
    assert len(direct) >= COUNT / 2, len(direct)


def own_server():
    """A session with the server of ready, as one of its own users has it."""
    return smtplib.SMTP(ENV["LAB_READY_ADDR"], 25, timeout=60, local_hostname="desk." + READY,
                        source_address=(ENV["LAB_READY_ADDR"], 0))


def test_what_opendkim_signs_verifies_here():
    """N4: 200 messages that a peer's opendkim signs, with two algorithms, pass here"""
    messages = varied(PARTNER, OWN, lambda number: False)
    with published("ready"):
        for selector, algorithm, form, some in (
                (RSA, "rsa-sha256", "simple/simple", messages[:COUNT // 2]),
                (ED25519, "ed25519-sha256", "relaxed/relaxed", messages[COUNT // 2:])):
            with opendkim("Mode s", "Domain " + READY, "Selector " + selector,
                          "KeyFile %s/%s.key" % (FOLDER, selector),
                          "SignatureAlgorithm " + algorithm, "Canonicalization " + form,
                          "InternalHosts " + ENV["LAB_READY_ADDR"], "OversignHeaders From"):
                send_all(some, PARTNER, own_server)
                found = must_pass(some, OWN, "mail." + OWN, ["pass"])
            for got in found.values():
                assert b"a=%s;" % algorithm.encode() in got.raw, got.raw


def python_signed(message, number):
    """MESSAGE with a signature of python3-dkim; every form and both algorithms."""
    forms = [(head, text) for head in (b"simple", b"relaxed") for text in (b"simple", b"relaxed")]
    keys = {}
    if number % 2:
        seed = command("openssl", "pkey", "-outform", "DER", data=edward())[-32:]
        keys = {"selector": ED25519.encode(), "privkey": base64.b64encode(seed),
                "signature_algorithm": b"ed25519-sha256"}
    else:
        keys = {"selector": RSA.encode(), "privkey": peer.key()}
    message.raw = dkim.sign(message.raw, domain=READY.encode(),
                            canonicalize=forms[number % 4 // 2 + number % 3 % 2 * 2],
                            **keys) + message.raw


def test_what_python_dkim_signs_verifies_here():
    """N4: 200 messages that python3-dkim signs, in all forms and two algorithms, pass here"""
    messages = varied(PARTNER, OWN, lambda number: False)
    for number, message in enumerate(messages):
        python_signed(message, number)
    with published("ready"):
        send_all(messages, PARTNER, lambda: harness.connect(source=ENV["LAB_READY_ADDR"]))
        must_pass(messages, OWN, "mail." + OWN, ["pass"])
