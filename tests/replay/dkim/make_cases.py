#!/usr/bin/python3
"""Makes the messages in tests/data/dkim/cases anew, from the test keys beside them.

    make_cases.py [DIRECTORY]

Signatures are made by the canonicalizations written here and by openssl(1), not by any
library that verifies them. RSA with PKCS#1 v1.5 and Ed25519 always give the same signature,
so what comes out is what stands in the tree. What is expected of zegel is written here.
"""

import base64
import hashlib
import os
import re
import subprocess
import sys

DATA = os.path.normpath(os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                     "../../data/dkim"))
SHA256 = "sha256"

HEADER = [
    b"Received: from client.test (client.test [192.0.2.1]) by mx.test;\r\n"
    b"\tSun, 1 Nov 2026 10:00:00 +0100",
    b"From: Jan de Vries <jan@example.test>",
    b"To:  Eva <eva@example.net>,\r\n Piet <piet@example.net>",
    b"Subject: A   test \tof DKIM ",
    b"Date: Sun, 1 Nov 2026 10:00:00 +0100",
    b"Message-ID: <1@example.test>",
    b"MIME-Version: 1.0",
    b"Content-Type: text/plain; charset=utf-8",
]
BODY = b"Hello Eva,\r\n\r\nThis  is \t a test. \r\n\ttabs\t\r\n\r\nJan\r\n"
FIELDS = ["From", "To", "Subject", "Date", "Message-ID", "MIME-Version", "Content-Type"]


def key_file(name):
    return os.path.join(DATA, "keys", name + ".pem")


def openssl(*args, data=b""):
    return subprocess.run(["openssl", *args], input=data, stdout=subprocess.PIPE,
                          stderr=subprocess.DEVNULL, check=True, timeout=20).stdout


def public(name):
    return openssl("pkey", "-in", key_file(name), "-pubout", "-outform", "DER")


def b64(octets):
    return base64.b64encode(octets).decode()


def record(name, extra=""):
    der = public(name)
    if name == "ed25519":
        return f"v=DKIM1; k=ed25519; {extra}p={b64(der[-32:])}"
    return f"v=DKIM1; k=rsa; {extra}p={b64(der)}"


def sign_digest(name, digest, hash_name):
    """The signature of DIGEST."""
    path = os.path.join(os.environ.get("TMPDIR", "/tmp"), f"dkim-case-{os.getpid()}")
    with open(path, "wb") as file:
        file.write(digest)
    try:
        if name == "ed25519":
            return openssl("pkeyutl", "-sign", "-rawin", "-inkey", key_file(name), "-in", path)
        return openssl("pkeyutl", "-sign", "-inkey", key_file(name), "-in", path,
                       "-pkeyopt", "digest:" + hash_name)
    finally:
        os.unlink(path)


def canon_field(field, how):
    if how == "simple":
        return field
    name, value = field.split(b":", 1)
    value = re.sub(rb"[ \t]+", b" ", value.replace(b"\r\n", b"")).strip(b" ")
    return name.strip(b" \t").lower() + b":" + value


def canon_body(body, how):
    if how == "relaxed":
        body = re.sub(rb"[ \t]+", b" ", body)
        body = body.replace(b" \r\n", b"\r\n")
        body = re.sub(rb" \Z", b"", body)
    body = re.sub(rb"(\r\n)*\Z", b"", body)
    if how == "relaxed" and not body:
        return b""
    return body + b"\r\n"


def select(header, names):
    """The fields that h= selects, each the last one of its name that is left."""
    left = list(header)
    for name in names:
        for i in range(len(left) - 1, -1, -1):
            if left[i].split(b":", 1)[0].strip().lower() == name.strip().lower().encode():
                yield left.pop(i)
                break


class Signature:
    """A DKIM-Signature that is made of tags, in this order; None leaves one out."""

    def __init__(self, key="rsa2048", canon="relaxed/relaxed", names=None, **tags):
        self.key = key
        self.canon = canon
        self.names = FIELDS if names is None else names
        self.hash = tags.pop("hash_name", SHA256)
        self.text = tags.pop("text", None)
        self.cut = tags.pop("cut", None)
        self.fold = tags.pop("fold", "\r\n\t")
        self.broken = tags.pop("broken", None)
        self.tail = tags.pop("tail", "")
        algorithm = "ed25519-sha256" if key == "ed25519" else "rsa-" + self.hash
        self.tags = {"v": "1", "a": algorithm, "c": canon, "d": "example.test", "s": key,
                     "t": "1793520000", "h": ":".join(self.names)}
        self.tags.update(tags)

    def field(self, header, body):
        head_how, body_how = (self.canon + "/simple").split("/")[:2]
        canon = canon_body(body, body_how)
        if self.cut is not None:
            canon = canon[:self.cut]
        tags = dict(self.tags)
        tags.setdefault("bh", b64(hashlib.new(self.hash, canon).digest()))
        b = tags.pop("b", None)
        parts = [f"{name}={value}" for name, value in tags.items() if value is not None]
        text = "DKIM-Signature: " + (";" + self.fold).join(parts) + ";" + self.fold + "b="
        if self.text is not None:
            text = self.text(text)
        field = text.encode("latin-1")
        data = b"".join(canon_field(f, head_how) + b"\r\n" for f in select(header, self.names))
        data += canon_field(field + self.tail.lstrip().encode(), head_how)
        digest = hashlib.new(self.hash, data).digest()
        if b is None:
            b = b64(sign_digest(self.key, digest, self.hash))
        if self.broken is not None:
            b = self.broken(b)
        lines = [b[i:i + 64] for i in range(0, len(b), 64)]
        return field + "\r\n\t ".join(lines).encode("latin-1") + self.tail.encode()


CASES = {}


def case(name, *signatures, header=None, body=BODY, keys=None, expect=None, change=None):
    """Adds a case. SIGNATURES go on top, the last one first; CHANGE edits the message."""
    header = list(HEADER if header is None else header)
    if keys is None:
        keys = [f"{s.key} example.test found {record(s.key)}" for s in signatures
                if isinstance(s, Signature)]
        keys = list(dict.fromkeys(keys))
    for signature in reversed(signatures):
        field = signature if isinstance(signature, bytes) else signature.field(header, body)
        header.insert(0, field)
    message = b"\r\n".join(header) + b"\r\n\r\n" + body
    if change is not None:
        changed = change(message)
        assert changed != message, name
        message = changed
    assert name not in CASES, name
    front = "".join(f"key {key}\n" for key in keys)
    front += "".join(f"expect {line}\n" for line in expect)
    CASES[name] = front.encode() + b"---\n" + message


def replace(old, new):
    return lambda message: message.replace(old, new, 1)


GOOD = "pass example.test rsa2048 rsa-sha256 2048 -"
ED = "pass example.test ed25519 ed25519-sha256 256 -"
BODY_CHANGED = "fail example.test rsa2048 rsa-sha256 2048 body changed"
HEADER_CHANGED = "fail example.test rsa2048 rsa-sha256 2048 header changed"


def rsa(status, bits, reason, key="rsa2048"):
    return f"{status} example.test {key} rsa-sha256 {bits} {reason}"


def add_valid():
    for key, bits in [("rsa1024", 1024), ("rsa2048", 2048), ("rsa3072", 3072),
                      ("rsa4096", 4096)]:
        case("valid-" + key, Signature(key), expect=[rsa("pass", bits, "-", key)])
    case("valid-ed25519", Signature("ed25519"), expect=[ED])
    case("two-rsa-and-ed25519", Signature("rsa2048"), Signature("ed25519"), expect=[GOOD, ED])
    for head in ("simple", "relaxed"):
        for body in ("simple", "relaxed"):
            case(f"canon-{head}-{body}", Signature(canon=f"{head}/{body}"), expect=[GOOD])
    case("canon-simple-alone", Signature(canon="simple"), expect=[GOOD])
    case("canon-relaxed-alone", Signature(canon="relaxed"), expect=[GOOD])
    case("canon-none", Signature(canon="simple/simple", c=None), expect=[GOOD])
    for canon in ("simple/simple", "relaxed/relaxed"):
        name = canon.split("/", maxsplit=1)[0]
        case(f"body-empty-{name}", Signature(canon=canon), body=b"", expect=[GOOD])
        case(f"body-blank-lines-{name}", Signature(canon=canon), body=b"\r\n\r\n\r\n",
             expect=[GOOD])
        case(f"body-trailing-{name}", Signature(canon=canon), body=BODY + b"\r\n" * 5,
             expect=[GOOD])
        case(f"body-trailing-cut-{name}", Signature(canon=canon), body=BODY + b"\r\n" * 5,
             change=lambda m: m[:-8], expect=[GOOD])
        case(f"body-no-end-{name}", Signature(canon=canon), body=BODY[:-2], expect=[GOOD])
        case(f"body-long-{name}", Signature(canon=canon), expect=[GOOD],
             body=b"".join(b"%d  line \t %s\r\n" % (i, b"x" * (i % 90)) for i in range(900)))
    case("body-blanks-only", Signature(), body=b" \t \r\n\t\r\n", expect=[GOOD])
    case("body-blank-end", Signature(), body=b"text \t", expect=[GOOD])
    case("body-8bit", Signature(), body="Groeten, Zoë\r\n".encode() + bytes(range(128, 256))
         + b"\r\n", expect=[GOOD])
    case("header-8bit", Signature(canon="simple/simple"), expect=[GOOD],
         header=[f.replace(b"A   test", "Zoë \x7f".encode() + b"\xff") for f in HEADER])
    case("header-odd-folds", Signature(), expect=[GOOD], header=HEADER[:3] + [
        b"Subject:\r\n  \r\n\t folded \r\n  oddly\r\n ", b"Date: x"])
    case("header-odd-folds-simple", Signature(canon="simple/simple"), expect=[GOOD],
         header=HEADER[:3] + [b"Subject:\r\n  \r\n\t folded \r\n  oddly\r\n ", b"Date:x"])
    case("header-odd-names", Signature(canon="relaxed/simple"), expect=[GOOD],
         header=HEADER[:2] + [b"SUBJECT  : shouting", b"tO:x@y.test"])
    case("header-empty-fields", Signature(names=["From", "Subject", "To"]), expect=[GOOD],
         header=HEADER[:2] + [b"Subject:", b"To: "])
    case("header-refolded", Signature(), expect=[GOOD],
         change=replace(b"A   test \tof DKIM ", b"A\r\n test of\r\n\tDKIM"))
    case("header-unfolded-signature", Signature(fold=" "), expect=[GOOD])
    case("header-moved", Signature(), expect=[GOOD], change=lambda m: m.replace(
        b"Date: Sun, 1 Nov 2026 10:00:00 +0100\r\n", b"", 1).replace(
            b"From: ", b"Date: Sun, 1 Nov 2026 10:00:00 +0100\r\nFrom: ", 1))
    case("header-added-not-signed", Signature(), expect=[GOOD],
         change=replace(b"Received:", b"X-Spam: no\r\nReceived:"))
    case("header-two-of-a-name", Signature(names=["From", "Received", "Received"]),
         header=HEADER[:1] + HEADER, expect=[GOOD])
    case("header-all-signed-and-more", Signature(names=["From", "To", "Cc", "Cc", "X-1"]),
         header=HEADER[1:3], expect=[GOOD])
    # Its own field is the last one of that name: no signer may do that (RFC 6376 3.5).
    case("header-signature-in-h", Signature(names=["From", "DKIM-Signature", "To", "Cc"]),
         header=HEADER[1:2], expect=[HEADER_CHANGED])
    case("tags-unknown", Signature(zz="odd value, no matter", r="y"), expect=[GOOD])
    case("tags-spaced", Signature(text=lambda t: t.replace("d=", "d \t=\r\n\t ").replace(
        "s=rsa", "s = rsa")), expect=[GOOD])
    case("tags-semicolon-at-end", Signature(tail=" ; "), expect=[GOOD])
    case("identity-of-sub-domain", Signature(i="jan@mail.example.test"), expect=[GOOD])
    case("identity-quoted", Signature(i="ja=6E@example.test"), expect=[GOOD])
    case("identity-alone", Signature(i="@example.test"), expect=[GOOD])
    case("domain-in-capitals", Signature(d="Example.TEST"), expect=[GOOD])
    case("selector-with-dots", Signature(s="a.b-c._1"), expect=[
        "pass example.test a.b-c._1 rsa-sha256 2048 -"],
         keys=[f"a.b-c._1 example.test found {record('rsa2048')}"])
    case("query-listed", Signature(q="x/y:dns/txt"), expect=[GOOD])
    case("not-yet-expired", Signature(x="9999999999"), expect=[GOOD])
    case("no-time", Signature(t=None), expect=[GOOD])


def add_tampered():
    for canon in ("simple/simple", "relaxed/relaxed"):
        name = canon.split("/", maxsplit=1)[0]
        case(f"tampered-body-{name}", Signature(canon=canon), expect=[BODY_CHANGED],
             change=replace(b"Hello Eva", b"Hello eva"))
        case(f"tampered-subject-{name}", Signature(canon=canon), expect=[HEADER_CHANGED],
             change=replace(b"A   test", b"[secure] A   test"))
        case(f"body-appended-{name}", Signature(canon=canon), expect=[BODY_CHANGED],
             change=lambda m: m + b"more\r\n")
    case("tampered-blanks-simple", Signature(canon="simple/simple"), expect=[BODY_CHANGED],
         change=replace(b"This  is", b"This is"))
    case("tampered-blanks-relaxed", Signature(), expect=[GOOD],
         change=replace(b"This  is", b"This is"))
    case("tampered-fold-simple", Signature(canon="simple/simple"), expect=[HEADER_CHANGED],
         change=replace(b"Subject: A ", b"Subject:  A "))
    case("tampered-from", Signature(), expect=[HEADER_CHANGED],
         change=replace(b"jan@example", b"eva@example"))
    case("tampered-ed25519", Signature("ed25519"), change=replace(b"Eva", b"Eve"),
         expect=["fail example.test ed25519 ed25519-sha256 256 header changed"])
    case("tampered-tag", Signature(i="a@example.test"), expect=[HEADER_CHANGED],
         change=replace(b"i=a@", b"i=b@"))
    case("removed-subject", Signature(), expect=[HEADER_CHANGED],
         change=lambda m: re.sub(rb"\r\nSubject:[^\r]*", b"", m))
    case("oversigned-and-added", Signature(names=FIELDS + ["Subject"]),
         change=replace(b"\r\nSubject:", b"\r\nSubject: another\r\nSubject:"),
         expect=[HEADER_CHANGED])
    case("not-oversigned-and-added-above", Signature(), expect=[GOOD],
         change=replace(b"\r\nSubject:", b"\r\nSubject: another\r\nSubject:"))
    case("other-key", Signature(), expect=[HEADER_CHANGED],
         keys=[f"rsa2048 example.test found {record('rsa3072')}".replace(
             b64(public("rsa3072")), b64(public("rsa2048")[:40] + b"\x55" * 200
                                         + public("rsa2048")[240:]))])
    case("signature-of-another", Signature(), expect=[HEADER_CHANGED],
         change=lambda m: re.sub(rb"\tb=....", b"\tb=AAAA", m, count=1))


def add_policy():
    case("two-one-good", Signature("rsa2048"), Signature("ed25519"),
         change=replace(b"t=1793520000", b"t=1793520001"),
         expect=[HEADER_CHANGED, ED])
    case("l-exact", Signature(l=str(len(canon_body(BODY, "relaxed")))),
         expect=[rsa("policy", 0, "part of the body is not signed")])
    case("l-appended", Signature(l="10", cut=10), change=lambda m: m + b"more\r\n",
         expect=[rsa("policy", 0, "part of the body is not signed")])
    case("l-zero", Signature(l="0", cut=0),
         expect=[rsa("policy", 0, "part of the body is not signed")])
    case("bits-512", Signature("rsa512"),
         expect=[rsa("policy", 512, "key too short", "rsa512")])
    case("bits-5120", Signature("rsa5120"),
         expect=[rsa("policy", 5120, "key too long", "rsa5120")])
    case("from-not-signed", Signature(names=FIELDS[1:]),
         expect=[rsa("policy", 0, "From is not signed")])
    case("from-twice-one-signed", Signature(), expect=[rsa("policy", 0, "a From is not signed")],
         change=replace(b"\r\nFrom:", b"\r\nFrom: Eva <eva@example.test>\r\nFrom:"))
    case("from-twice-with-blank", Signature(), expect=[rsa("policy", 0, "a From is not signed")],
         change=replace(b"\r\nFrom:", b"\r\nFrom : Eva <eva@example.test>\r\nFrom:"))
    case("from-twice-both-signed", Signature(names=["From"] + FIELDS), expect=[GOOD],
         header=[b"From: Eva <eva@example.test>"] + HEADER)
    case("from-missing", Signature(), header=HEADER[:1] + HEADER[2:],
         expect=[rsa("policy", 0, "no From")])
    case("from-unreadable", Signature(), expect=[GOOD],
         header=[HEADER[0], b"From: (((\"<@,:;\\"] + HEADER[2:])
    case("fifty-signatures", *[Signature(t=str(1793520000 + i)) for i in range(50)],
         expect=[GOOD] * 8 + [rsa("policy", 0, "too many signatures")] * 42)
    case("bad-ones-do-not-count", *[b"DKIM-Signature: x"] * 20, Signature(),
         expect=["neutral - - - 0 no list of tags"] * 20 + [GOOD])


def add_unreadable():
    def neutral(reason, domain="example.test", selector="rsa2048", algorithm="rsa-sha256"):
        return [f"neutral {domain} {selector} {algorithm} 0 {reason}"]

    tags = "no list of tags"
    names = "no domain or selector"
    hashes = "signature or hash is no base64"
    case("arc-seal", b"ARC-Seal: x", b"ARC-Message-Signature: ;;=", Signature(), expect=[GOOD])
    case("signature-x", b"DKIM-Signature: x", expect=neutral(tags, "-", "-", "-"))
    case("signature-empty", b"DKIM-Signature:", expect=neutral(tags, "-", "-", "-"))
    case("signature-only-semicolons", b"DKIM-Signature: ;;;", expect=neutral(tags, "-", "-", "-"))
    case("signature-8bit", Signature(zz="é"), expect=neutral(tags, "-", "-", "-"))
    case("signature-huge", Signature(zz="x" * 20000), expect=neutral(tags, "-", "-", "-"))
    case("tags-too-many", Signature(**{f"x{i}": "1" for i in range(70)}),
         expect=neutral(tags, "-", "-", "-"))
    case("tag-twice", Signature(D="example.net"), expect=neutral(tags, "-", "-", "-"))
    case("tag-that-ends-in-b", Signature(ab="anything"), expect=neutral(tags, "-", "-", "-"))
    case("b-spaced", Signature(text=lambda t: t[:-2] + "b ="),
         expect=neutral(tags, "-", "-", "-"))
    for tag, expected in [("v", neutral("unknown version", algorithm="-")),
                          ("a", neutral("no algorithm", algorithm="-")),
                          ("d", neutral(names, "-", algorithm="-")),
                          ("s", neutral(names, "-", "-", "-")),
                          ("h", neutral("no list of fields, or too long"))]:
        case(f"missing-{tag}", Signature(**{tag: None}), expect=expected, keys=[])
        if tag != "a":
            case(f"empty-{tag}", Signature(**{tag: ""}), expect=expected, keys=[])
    case("missing-bh", Signature(bh=None), expect=neutral(hashes))
    case("missing-b", Signature(text=lambda t: t[:-2]), change=lambda m: re.sub(
        rb";\r\n\t[A-Za-z0-9+/=\r\n\t ]+\r\nReceived", b"\r\nReceived", m), expect=neutral(hashes))
    case("empty-b", Signature(b=""), expect=neutral(hashes))
    case("bad-base64-b", Signature(broken=lambda b: "*" + b[1:]), expect=neutral(hashes))
    case("bad-padding-b", Signature(broken=lambda b: b[:-1]), expect=neutral(hashes))
    case("bad-base64-bh", Signature(bh="AA-A"), expect=neutral(hashes))
    case("short-bh", Signature(bh=b64(b"x" * 20)), expect=neutral(hashes))
    case("version-2", Signature(v="2"), expect=neutral("unknown version", algorithm="-"))
    case("odd-canon", Signature(c="nofws/simple"), expect=neutral("unknown canonicalization"))
    case("long-canon", Signature(c="relaxed/" + "x" * 3000),
         expect=neutral("unknown canonicalization"))
    case("odd-time", Signature(t="yesterday"), expect=neutral("odd time"))
    case("negative-time", Signature(t="-1"), expect=neutral("odd time"))
    case("huge-time", Signature(x="99999999999999999999999"), expect=neutral("odd time"))
    case("h-with-blanks-in-name", Signature(h="From:no field:To"),
         expect=neutral("odd list of fields"))
    case("h-with-empty-name", Signature(h="From::To"), expect=neutral("odd list of fields"))
    case("h-huge", Signature(h="From:" + "x" * 5000),
         expect=neutral("no list of fields, or too long"))
    case("h-many", Signature(h=":".join(["From"] * 600)), expect=neutral("odd list of fields"))
    case("i-ends-in-equal", Signature(i="jan@example.test="), expect=neutral("odd identity"))
    case("i-cut-quote", Signature(i="jan=4@example.test"), expect=neutral("odd identity"))
    case("i-huge", Signature(i="x" * 300 + "@example.test"), expect=neutral("odd identity"))
    case("i-without-at", Signature(i="example.test"), expect=neutral("odd identity"))
    case("d-no-name", Signature(d="exa mple.test"), expect=neutral(names, "-", algorithm="-"))
    case("d-address", Signature(d="[192.0.2.1]"), expect=neutral(names, "-", algorithm="-"))
    case("s-no-name", Signature(s="a/../b"), keys=[], expect=neutral(names, "-", "-", "-"))
    lines = "line ends in the body are not CRLF"
    case("body-bare-lf", Signature(), body=b"one\ntwo\r\n", expect=[
        rsa("neutral", 2048, lines)])
    case("body-bare-cr", Signature(), expect=[rsa("neutral", 2048, lines)],
         change=replace(b"Hello", b"Hel\rlo"))
    case("body-cr-at-end", Signature(), expect=[rsa("neutral", 2048, lines)],
         change=lambda m: m + b"\r")
    case("body-cr-cr-lf", Signature(), expect=[rsa("neutral", 2048, lines)],
         change=lambda m: m + b"x\r\r\n")
    case("body-lf-only", Signature(), expect=[rsa("neutral", 2048, lines)],
         change=lambda m: m.replace(BODY, BODY.replace(b"\r\n", b"\n")))


def add_permanent():
    good = record("rsa2048")

    def one(name, text, reason, signature=None, bits=0, status="permerror"):
        signature = signature or Signature()
        case(name, signature, keys=[f"{signature.key} example.test {text}"], expect=[
            f"{status} example.test {signature.key} {signature.tags['a']} {bits} {reason}"])

    case("expired", Signature(x="1793520001", t="1600000000", text=lambda t: t.replace(
        "x=1793520001", "x=1600000001")), expect=[rsa("permerror", 0, "expired")])
    case("expires-before-made", Signature(x="1600000000"),
         expect=[rsa("permerror", 0, "expires before it was made")])
    case("made-in-the-future", Signature(t="99999999999"),
         expect=[rsa("permerror", 0, "made in the future")])
    case("sha1", Signature(hash_name="sha1"),
         expect=["permerror example.test rsa2048 rsa-sha1 0 rsa-sha1 (RFC 8301)"])
    case("unknown-algorithm", Signature(a="rsa-sha512"),
         expect=["permerror example.test rsa2048 rsa-sha512 0 unknown algorithm"])
    case("wrong-domain-in-i", Signature(i="jan@example.net"),
         expect=[rsa("permerror", 0, "identity of another domain")])
    case("i-like-domain", Signature(i="jan@badexample.test"),
         expect=[rsa("permerror", 0, "identity of another domain")])
    case("query-other", Signature(q="http/json"),
         expect=[rsa("permerror", 0, "no key in the DNS")])
    one("key-absent", "absent", "no key")
    one("key-unknown", "unknown", "key cannot be had now", status="temperror")
    one("key-revoked", "found v=DKIM1; k=rsa; p=", "key revoked")
    one("key-empty", "found ", "not a key record")
    one("key-without-p", "found v=DKIM1; k=rsa", "not a key record")
    one("key-other-text", "found v=spf1 -all", "not a key record")
    one("key-two-records", f"found {good}{good}", "not a key record")
    one("key-two-p", f"found {good}; p=AAAA", "not a key record")
    one("key-version", "found " + good.replace("DKIM1", "DKIM2"),
        "key record of unknown version")
    one("key-for-other-service", "found " + record("rsa2048", "s=tlsrpt; "), "key not for e-mail")
    one("key-for-sha1", "found " + record("rsa2048", "h=sha1; "), "key for another hash")
    one("key-of-other-algorithm", "found " + record("ed25519"), "key of another algorithm")
    one("key-rsa-for-ed25519", f"found {good}", "key of another algorithm",
        Signature("ed25519"))
    one("key-rsa-called-ed25519", "found " + good.replace("k=rsa", "k=ed25519"),
        "key is not as long as it must be", Signature("ed25519"))
    one("key-not-base64", "found v=DKIM1; p=***", "key is no base64")
    one("key-not-der", "found v=DKIM1; p=" + b64(b"x" * 294), "not an RSA key")
    one("key-cut", "found v=DKIM1; p=" + b64(public("rsa2048")[:-2]), "not an RSA key")
    one("key-ec", "found v=DKIM1; p=" + b64(public("ec")), "not an RSA key")
    one("key-pkcs1", "found v=DKIM1; p=" + b64(public("rsa2048")[24:]), "not an RSA key")
    one("key-ed25519-long", "found v=DKIM1; k=ed25519; p=" + b64(public("ed25519")),
        "key is not as long as it must be", Signature("ed25519"))
    one("key-not-for-sub-domains", "found " + record("rsa2048", "t=y:s; "),
        "key not for sub-domains", Signature(i="jan@mail.example.test"))
    one("key-t-s-same-domain", "found " + record("rsa2048", "t=s; "), "-",
        Signature(i="jan@example.test"), 2048, "pass")
    one("key-testing", "found " + record("rsa2048", "t=y; "), "-", None, 2048, "pass")
    one("key-listed", "found " + record("rsa2048", "h=sha1 : sha256; s=x:email; n=a note; "), "-",
        None, 2048, "pass")
    one("key-for-all", "found " + record("rsa2048", "s=*; "), "-", None, 2048, "pass")
    one("key-p-spaced", "found v=DKIM1; p=" + " ".join(
        [b64(public("rsa2048"))[i:i + 50] for i in range(0, 392, 50)]), "-", None, 2048, "pass")
    one("key-bare", "found p=" + b64(public("rsa2048")), "-", None, 2048, "pass")
    one("key-with-long-note", "found " + record("rsa4096", "n=" + "x" * 900 + "; "), "-",
        Signature("rsa4096"), 4096, "pass")


RFC6376 = rb"""key brisbane example.com found v=DKIM1; p=MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDwIRP/UC3SBsEmGqZ9ZJW3/DkMoGeLnQg1fWn7/zYtIxN2SnFCjxOCKG9v3b4jYfcTNh5ijSsq631uBItLa7od+v/RtdC2UzJ1lWT947qR+Rcac2gbto/NMqJ0fzfVjH4OuKhitdY9tf6mcwGjaNBcWToIMmPSPDdQPNUYckcQ2QIDAQAB
expect pass example.com brisbane rsa-sha256 1024 -
---
DKIM-Signature: v=1; a=rsa-sha256; s=brisbane; d=example.com;
      c=simple/simple; q=dns/txt; i=joe@football.example.com;
      h=Received : From : To : Subject : Date : Message-ID;
      bh=2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=;
      b=AuUoFEfDxTDkHlLXSZEpZj79LICEps6eda7W3deTVFOk4yAUoqOB
      4nujc7YopdG5dWLSdNg6xNAZpOPr+kHxt1IrE+NahM6L/LbvaHut
      KVdkLLkpVaVVQPzeRDI009SO2Il5Lu7rDNH6mZckBdrIx0orEtZV
      4bmp/YzhwvcubU4=;
Received: from client1.football.example.com  [192.0.2.1]
      by submitserver.example.com with SUBMISSION;
      Fri, 11 Jul 2003 21:01:54 -0700 (PDT)
From: Joe SixPack <joe@football.example.com>
To: Suzie Q <suzie@shopping.example.net>
Subject: Is dinner ready?
Date: Fri, 11 Jul 2003 21:00:37 -0700 (PDT)
Message-ID: <20030712040037.46341.5F8J@football.example.com>

Hi.

We lost the game. Are you hungry yet?

Joe.
"""

RFC8463 = rb"""key brisbane football.example.com found v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=
key test football.example.com found v=DKIM1; k=rsa; p=MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDkHlOQoBTzWRiGs5V6NpP3idY6Wk08a5qhdR6wy5bdOKb2jLQiY/J16JYi0Qvx/byYzCNb3W91y3FutACDfzwQ/BC/e/8uBsCR+yz1Lxj+PL6lHvqMKrM3rG4hstT5QjvHO9PzoxZyVYLzBfO2EeC3Ip3G+2kryOTIKT+l/K4w3QIDAQAB
expect pass football.example.com brisbane ed25519-sha256 256 -
expect pass football.example.com test rsa-sha256 1024 -
---
DKIM-Signature: v=1; a=ed25519-sha256; c=relaxed/relaxed;
 d=football.example.com; i=@football.example.com;
 q=dns/txt; s=brisbane; t=1528637909; h=from : to :
 subject : date : message-id : from : subject : date;
 bh=2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=;
 b=/gCrinpcQOoIfuHNQIbq4pgh9kyIK3AQUdt9OdqQehSwhEIug4D11Bus
 Fa3bT3FY5OsU7ZbnKELq+eXdp1Q1Dw==
DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed;
 d=football.example.com; i=@football.example.com;
 q=dns/txt; s=test; t=1528637909; h=from : to : subject :
 date : message-id : from : subject : date;
 bh=2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=;
 b=F45dVWDfMbQDGHJFlXUNB2HKfbCeLRyhDXgFpEL8GwpsRe0IeIixNTe3
 DhCVlUrSjV4BwcVcOF6+FF3Zo9Rpo1tFOeS9mPYQTnGdaSGsgeefOsk2Jz
 dA+L10TeYt9BgDfQNZtKdN1WO//KgIqXP7OdEFE4LjFYNcUxZQ4FADY+8=
From: Joe SixPack <joe@football.example.com>
To: Suzie Q <suzie@shopping.example.net>
Subject: Is dinner ready?
Date: Fri, 11 Jul 2003 21:00:37 -0700 (PDT)
Message-ID: <20030712040037.46341.5F8J@football.example.com>

Hi.

We lost the game.  Are you hungry yet?

Joe.
"""


def add_rfcs():
    """The examples of RFC 6376 A (with errata 3192 and 4926) and RFC 8463 A."""
    for name, text in (("rfc6376", RFC6376), ("rfc8463", RFC8463)):
        front, message = text.split(b"---\n", 1)
        CASES[name] = front + b"---\n" + message.replace(b"\n", b"\r\n")


def main():
    place = sys.argv[1] if len(sys.argv) > 1 else os.path.join(DATA, "cases")
    for add in (add_rfcs, add_valid, add_tampered, add_policy, add_unreadable, add_permanent):
        add()
    for name, octets in CASES.items():
        with open(os.path.join(place, name), "wb") as file:
            file.write(octets)
    print(f"{len(CASES)} cases")


if __name__ == "__main__":
    main()
