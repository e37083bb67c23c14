"""Attacks on what is signed, verified and marked, by strangers and by users of our own.

What stays open to a user is in his own name alone: he can mark nothing for others, and nothing
that is not his organisation's gets its signature.
"""
import harness as lab
import walk
from harness import configured, part
from peer import Peer, publishes
from test_rules import SENDER, rules
from test_signing import OWN, signatures, signs

OURS = "mail." + OWN
EVIL = "evil@" + part("outsider")
MARKS = ["X-Zegel-Secure: nta; domain=" + part("ready"), "x-zegel-secure : nta",
         "Authentication-Results: %s; dmarc=pass header.from=%s" % (OURS, part("ready"))]


def raw(fields, to, author=SENDER):
    """A message with FIELDS on top, as bytes."""
    return "\r\n".join([*fields, "From: " + author, "To: " + to, "Subject: Afspraak",
                        "Message-ID: <%s@x>" % lab.unique("id"), "", "Dag.", ""]).encode()


def forged_marks(got):
    """Fields of GOT that only we may write."""
    return [name for name, value in got.message.items()
            if name.lower().startswith("x-zegel") or
            name.lower() == "authentication-results" and OURS in value]


def test_a_signed_message_that_a_stranger_brings():
    """N5: what was signed once and is brought again from another domain is not secure"""
    ready = Peer("ready")
    with publishes("ready"), publishes("outsider"):
        sent = ready.send(sender=EVIL, source=lab.ENV["LAB_OUTSIDER_ADDR"],
                          helo="mail." + part("outsider"))
        event = sent.verified()
        assert (event["spf"], event["dkim"], event["dmarc"]) == ("pass",) * 3, event
        assert (event["secure"], event["code"]) == ("no", "Z-N5-SPF"), event
        assert sent.secure() is None
        assert ready.send().secure().startswith("nta;")


def test_prefixes_that_read_like_ours():
    """T27: a prefix with what has no width, other blanks or other forms of its letters goes"""
    outsider = Peer("outsider")
    with configured("organisation praktijk", "secure_subject", "[veilig]", "milter-mx"):
        for forged in ("\u200b[vei\u200blig]", "=?utf-8?q?=C2=A0[veilig]=E2=81=A0?=",
                       "\uff3bveilig\uff3d", "\r\n [v\u00ad\u00e9ilig]"):
            sent = outsider.send(signed=False, subject=forged + " Uitslag")
            assert sent.received().message["Subject"] == "Uitslag", (forged, sent.received().raw)


def test_nothing_foreign_is_signed_though_it_is_observed():
    """O3 S5: what would be refused for its senders goes as it came while it is observed: unsigned"""
    with rules(default="observe"), signs(OWN):
        for fields, author in ((["From: " + EVIL], SENDER), ([], "%s, %s" % (SENDER, EVIL)),
                               (["Sender: " + EVIL], SENDER),
                               (["X: y", "From : " + EVIL], SENDER)):
            to = walk.new_outsider()
            lab.send(raw(fields, to, author), SENDER, to)
            assert lab.wait_mail(to).message["DKIM-Signature"] is None, (fields, author)
        to = walk.new_outsider()
        lab.send(raw([], to), SENDER, to)
        assert signatures(lab.wait_mail(to), OWN) == 1


def test_marks_of_users():
    """T27: a user of one organisation cannot mark mail for another, observed or not"""
    sender = "bakker@" + part("own2")
    for default in ("on-request", "observe"):
        with configured("organisation kliniek", "default", default, "policyd", "milter"):
            to = "%s@%s" % (lab.unique("p"), OWN)
            lab.send(raw(MARKS, to, sender), sender, to)
            assert forged_marks(lab.wait_mail(to)) == [], default


def test_marks_of_a_login_of_no_organisation():
    """T27 O3: nor can who may log in but belongs to nobody, not even behind 2000 fields"""
    sender = "bakker@" + part("own2")
    many = ["X-Filler-%d: x" % n for n in range(2100)]
    with configured("organisation kliniek", "logins", "niemand@" + part("own2"), "policyd",
                    "milter"):
        to = "%s@%s" % (lab.unique("p"), OWN)
        lab.send(raw(MARKS, to, "admin@" + part("ready")), sender, to)
        assert forged_marks(lab.wait_mail(to)) == []
        refusal = lab.refused(lab.send, raw(many + MARKS, to), sender, to)
        assert "Z-S1-HEADERS" in refusal.text, refusal


def test_headers_written_another_way():
    """S5 S1: who asks for protection gets it, also with quotes, comments and parameters"""
    for field in ('x-ezorg-secbypass: "false"', "x-ezorg-secbypass: (veilig) false;",
                  "Sensitivity: private (alleen u)", "Sensitivity: Company Confidential"):
        to = walk.new_outsider()
        refusal = lab.refused(lab.send, raw([field], to), SENDER, to)
        assert "Z-S7-NUMBER" in refusal.text, (field, refusal)


# ---- Attachments that only some programs see -------------------------------------------

def mixed(part_header, body="x", head=("Content-Type: multipart/mixed; boundary=b",)):
    """A sensitive message with two parts, of which one has PART_HEADER."""
    return "\r\n".join(["From: " + SENDER, "To: x@" + part("community"), "Subject: veilig mailen",
                        "Message-ID: <%s@x>" % lab.unique("id"), "MIME-Version: 1.0", *head, "",
                        "--b", "", "Dag.", "--b", *part_header, "", body, "--b--",
                        ""]).encode()


def test_names_that_only_some_programs_see():
    """S10: a name counts wherever some program looks for it"""
    for header in (["Content-Disposition: attachment; name=x.exe"],
                   ["Content-Type: image/png; filename=x.exe"],
                   ["Content-Disposition: filename=x.exe"],
                   ["Content-Type: text/html; filename=x.exe"]):
        refusal = lab.refused(lab.send, mixed(header), SENDER, "x@" + part("community"))
        assert "Z-S10-EXTENSION" in refusal.text and "x.exe" in refusal.text, (header, refusal)


def test_parts_that_only_some_programs_see():
    """S10: a message whose parts depend on who reads it is refused"""
    exe = ["Content-Disposition: attachment; filename=x.exe"]
    kinds = ["Content-Type: multipart/mixed; boundary=b", "Content-Type: text/plain"]
    for head in (kinds, kinds[::-1],
                 [kinds[0], "Content-Transfer-Encoding: base64"]):
        refusal = lab.refused(lab.send, mixed(exe, head=head), SENDER, "x@" + part("community"))
        assert "Z-S10-" in refusal.text, (head, refusal)
    partial = ["Content-Type: message/partial; id=a; number=1; total=1"]
    refusal = lab.refused(lab.send, mixed(partial), SENDER, "x@" + part("community"))
    assert "Z-S10-ARCHIVE" in refusal.text, refusal
