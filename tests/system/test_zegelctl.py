"""zegelctl: the domain book, the domain check, and what would become of a message (M4, N3)."""
import hashlib
import json
import os
import re
import socket
import subprocess
import threading

import harness as lab
from sink import Sink
from test_routes import BOOK, content, promise_of, read, reload_policyd, send_secure

SOCKET = "/var/spool/postfix/zegel/ask.sock"
HOP = "[mail.%s]:25" % lab.part("community")


def zegelctl(*words, data=None):
    """(status, standard output, standard error) of zegelctl WORDS."""
    done = subprocess.run(["zegelctl", *words], input=data, capture_output=True, check=False,
                          timeout=60)
    return done.returncode, done.stdout.decode(), done.stderr.decode()


def zegelctl_json(*words):
    """(status, what zegelctl WORDS --json prints)."""
    status, text, _ = zegelctl(*words, "--json")
    return status, json.loads(text)


def change(*words, data=None):
    """Like zegelctl, which must succeed; waits until policyd has read the book again."""
    mark = lab.log_mark()
    status, text, errors = zegelctl(*words, data=data)
    assert status == 0, (words, status, text, errors)
    lab.wait_log(r"policyd\[.*event=book,.* result=read", mark)
    return text


def kept_book():
    """The book is at the end what it was before."""
    return content(BOOK, read(BOOK), reload_policyd)


class Asker:
    """A connection to policyd, as the milter has it."""

    def __init__(self):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(10)
        self.socket.connect(SOCKET)

    @staticmethod
    def question(recipient):
        return ("request=route\nversion=3\norganisation=praktijk\nsender=janssen@%s\n"
                "queue_id=\nsensitive=yes\ninward=no\ndry_run=yes\nnumbers=no\nrecipient=%s\n\n"
                % (lab.part("own"), recipient)).encode()

    def answer(self):
        text = b""
        while not text.endswith(b"\n\n"):
            got = self.socket.recv(65536)
            assert got, "policyd closed the connection after %r" % text
            text += got
        return text.decode()

    def code(self, recipient):
        self.socket.sendall(self.question(recipient))
        return re.search(r"(?m)^code=(.*)$", self.answer()).group(1)


# ---- The domain book -----------------------------------------------------------------

def test_what_is_added_counts_at_once():
    """M4: a domain that is added is promised and takes mail; once removed it does not."""
    domain = lab.unique("b") + "-voorbeeld.nl"
    with kept_book():
        before = read(BOOK)
        change("domain", "add", domain.upper(), HOP, "secure", "--network", "zorgnet")
        assert read(BOOK) == before + "%s %s secure network=zorgnet\n" % (domain, HOP)
        send_secure(domain)
        assert promise_of(domain) == "zegel-direct:" + HOP
        change("domain", "remove", domain)
        assert read(BOOK) == before
        assert promise_of(domain).startswith("zegel-store:")


def test_a_change_is_logged_with_its_author():
    """M4: the log says who changed what, and the hash joins it to policyd's line."""
    domain = lab.unique("b") + "-voorbeeld.nl"
    with kept_book():
        mark = lab.log_mark()
        change("domain", "add", domain, HOP, "secure")
        line = lab.wait_log(r"zegelctl\[.*event=book", mark)
        assert ("change=added, domain=%s," % domain) in line and "by=root" in line, line
        digest = re.search(r"sha256=(\w{64})", line).group(1)
        lab.wait_log(r"policyd\[.*result=read.*sha256=" + digest, mark)


def test_a_wrong_line_changes_nothing():
    """M4: a line that is no line of the book is refused, and no byte changes."""
    before = read(BOOK)
    community = lab.part("community")
    for words in (["x-voorbeeld.nl", "[a.nl", "secure"], ["x-voorbeeld.nl", "[a.nl]", "may"],
                  ["x", "[a.nl]", "secure"], ["#x.nl", "[a.nl]", "secure"],
                  ["x.nl\ny.nl", "[a.nl]", "secure"], [community, HOP, "secure"],
                  ["x-voorbeeld.nl", HOP, "dane-only"]):
        status, _, errors = zegelctl("domain", "add", *words)
        assert status == 65 and "nothing was changed" in errors, (words, status, errors)
    status, _, errors = zegelctl("domain", "remove", community, "absent-voorbeeld.nl")
    assert status == 65 and "absent-voorbeeld.nl" in errors, errors
    assert read(BOOK) == before
    assert os.listdir(os.path.dirname(BOOK)).count("domains.new") == 0


def test_list_and_export():
    """M4: the book as a table, as JSON, as lines, and as a list of domains."""
    with kept_book():
        lines = zegelctl("domain", "export", "--full")[1]
        number = read(BOOK).count("\n") + 1
        change("domain", "add", "net-voorbeeld.nl", HOP, "secure", "client=login:Net",
               "client=ip:192.0.2.1", "--network", "zorgnet")
        assert zegelctl("domain", "list")[1].count("\n") == lines.count("\n") + 1
        assert zegelctl("domain", "list", "--network", "zorgnet")[1].split() == [
            "net-voorbeeld.nl", HOP, "secure", "client=ip:192.0.2.1", "client=login:Net",
            "network=zorgnet"]
        _, entries = zegelctl_json("domain", "list", "--network", "zorgnet")
        assert entries == [{"domain": "net-voorbeeld.nl", "nexthop": HOP, "tls": "secure",
                            "clients": ["ip:192.0.2.1", "login:Net"],
                            "network": "zorgnet", "line": number}], entries
        assert zegelctl("domain", "export", "--network", "zorgnet")[1] == \
            "zorgnet\nnet-voorbeeld.nl\n"
        assert zegelctl("domain", "export", "--full")[1] == \
            lines + "net-voorbeeld.nl %s secure client=ip:192.0.2.1 client=login:Net " \
            "network=zorgnet\n" % HOP
        assert ("%s %s secure client=cn:mail." % (lab.part("community"), HOP)) in lines, lines


IMPORT = ("--network", "zorgnet", "--nexthop", HOP, "--rule", "secure")


def test_a_published_list_is_imported():
    """M4: the list that a network publishes replaces its lines and no other."""
    with kept_book():
        before = read(BOOK)
        text = change("domain", "import", "-", *IMPORT,
                      data=b"\xef\xbb\xbfDomein\r\n\"A-voorbeeld.nl\";\r\nb-voorbeeld.nl\r\n")
        assert "zorgnet: +2 added, -0 removed, ~0 changed, =0 kept" in text, text
        mark = lab.log_mark()
        _, text, _ = zegelctl("domain", "import", "-", *IMPORT, "--dry-run",
                              data=b"Domein\nb-voorbeeld.nl\nc-voorbeeld.nl\n")
        assert "+ c-voorbeeld.nl\n- a-voorbeeld.nl\n" in text, text
        assert not lab.log_lines("event=book", mark) and "a-voorbeeld.nl" in read(BOOK)
        change("domain", "import", "-", *IMPORT,
               data=b"Domein\nb-voorbeeld.nl\nc-voorbeeld.nl\n" + lab.part("community").encode())
        tail = " %s secure network=zorgnet\n" % HOP
        assert read(BOOK) == before + "b-voorbeeld.nl" + tail + "c-voorbeeld.nl" + tail
        exported = zegelctl("domain", "export", "--network", "zorgnet")[1]
        mark = lab.log_mark()
        _, text, _ = zegelctl("domain", "import", "-", *IMPORT, data=exported.encode())
        assert "=2 kept" in text and "Nothing was changed" in text, text
        assert not lab.log_lines("event=book", mark)


def test_a_list_with_a_fault_imports_nothing():
    """M4: a line that is no domain is named with its number; half a list is noticed."""
    with kept_book():
        domains = ["d%d-voorbeeld.nl" % number for number in range(30)]
        change("domain", "import", "-", *IMPORT, data="\n".join(["Domein"] + domains).encode())
        before = read(BOOK)
        for data, message in ((b"Domein\na.nl\n\nb nl\n", "standard input:4: \"b nl\""),
                              (b"", "no domain"), (b"Domein\n", "no domain"),
                              ("\n".join(domains[:14]).encode(), "--force")):
            status, _, errors = zegelctl("domain", "import", "-", *IMPORT, data=data)
            assert status == 65 and message in errors, (data, status, errors)
        assert read(BOOK) == before
        text = change("domain", "import", "-", *IMPORT, "--force",
                      data="\n".join(domains[:14]).encode())
        assert "-16 removed" in text, text


def test_a_list_does_not_take_our_own_mail_away():
    """R1: our own domain in the list of a network is left out; added by hand it stays."""
    with kept_book():
        data = ("Domein\n%s\nb-voorbeeld.nl\n" % lab.part("own")).encode()
        text = change("domain", "import", "-", *IMPORT, data=data)
        assert "left out: %s is" % lab.part("own") in text and "+1 added" in text, text
        change("domain", "add", lab.part("own"), HOP, "secure", "--network", "zorgnet")
        _, text, _ = zegelctl("domain", "import", "-", *IMPORT, data=data)
        assert "=2 kept" in text, text


def test_a_list_does_not_steer_the_terminal():
    """M4: control characters of a list stand in no message."""
    status, _, errors = zegelctl("domain", "import", "-", *IMPORT, data=b"Domein\na\x1b[31m.nl\n")
    assert status == 65 and "a?[31m.nl" in errors and "\x1b" not in errors, errors


def test_two_at_a_time_lose_nothing():
    """M4: ten at the same time each add their line."""
    with kept_book():
        before, mark = read(BOOK), lab.log_mark()
        names = ["p%d-voorbeeld.nl" % number for number in range(10)]
        threads = [threading.Thread(target=zegelctl, args=("domain", "add", name, HOP, "secure"))
                   for name in names]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert read(BOOK).startswith(before)
        digest = hashlib.sha256(read(BOOK).encode()).hexdigest()
        lab.wait_log(r"policyd\[.*result=read.*sha256=" + digest, mark)
        added = read(BOOK)[len(before):].splitlines()
        assert sorted(line.split()[0] for line in added) == sorted(names), added


def test_a_reload_drops_no_connection():
    """M4: who is connected, and even in the middle of a question, gets his answer."""
    domain = lab.unique("b") + "-voorbeeld.nl"
    with kept_book():
        idle, busy = Asker(), Asker()
        assert idle.code("jan@" + domain) == "Z-R1-VIEWER"
        question = Asker.question("jan@" + domain)
        busy.socket.sendall(question[:40])
        change("domain", "add", domain, HOP, "secure")
        busy.socket.sendall(question[40:])
        assert "code=Z-R1-COMMUNITY" in busy.answer()
        assert idle.code("jan@" + domain) == "Z-R1-COMMUNITY"


def test_the_book_can_be_changed_without_policyd():
    """M4: a policyd that is not running is no fault; it reads the book when it starts."""
    with kept_book():
        with lab.without("policyd"):
            status, text, errors = zegelctl("domain", "add", "later-voorbeeld.nl", HOP, "secure")
            assert status == 0 and "not running" in text, (status, text, errors)
        assert Asker().code("jan@later-voorbeeld.nl") == "Z-R1-COMMUNITY"


def test_an_own_domain_in_the_book_is_pointed_out():
    """R1: the book wins over our own domains; whoever adds one reads it."""
    with kept_book():
        mark = lab.log_mark()
        status, _, errors = zegelctl("domain", "add", lab.part("own2"), HOP, "secure")
        assert status == 0 and "organisation kliniek" in errors, (status, errors)
        lab.wait_log(r"policyd\[.*event=book,.* result=read", mark)


# ---- domain check --------------------------------------------------------------------

# part: (exit status, codes of the required rules that do not pass)
CHECKS = {
    "own": (0, []),
    "own2": (1, ["Z-N1-RECORD", "Z-N2-DKIM", "Z-N2-DECLARATION"]),
    "ready": (0, []),
    "nomx": (0, []),
    "partner": (0, []),
    "mismatch": (0, []),
    "expired": (75, ["Z-N1-DNSSEC", "Z-N1-RECORD"]),
    "bogus": (75, ["Z-N1-DNSSEC", "Z-N1-RECORD"]),
    "unsigned": (1, ["Z-N1-DNSSEC", "Z-N1-HOSTS", "Z-N1-TLSA"]),
    "outsider": (1, ["Z-N1-RECORD"]),
    "notyet": (1, ["Z-N1-DATES"]),
    "ended": (1, ["Z-N1-DATES"]),
    "two": (1, ["Z-N1-TWO"]),
    "alias": (1, ["Z-N1-HOSTS", "Z-N1-TLSA"]),
    "weak": (1, ["Z-N1-TLSA"]),
}
READY_WORDS = {0: "yes", 1: "no", 75: "unknown"}


def check(name, *options):
    """(status, {code: line}) of zegelctl domain check."""
    status, found = zegelctl_json("domain", "check", *options, lab.part(name))
    assert found["domain"] == lab.part(name) and found["ready"] == READY_WORDS[status], found
    assert found["own"] == (name in ("own", "own2")), found
    return status, {line["code"]: line for line in found["checks"]}


def test_every_domain_is_checked():
    """N3: every rule with its evidence and a cure; status 0 only for a domain that is ready."""
    for name, (wanted, codes) in CHECKS.items():
        status, lines = check(name, "--no-connect")
        bad = [line for line in lines.values() if line["required"] and line["result"] != "pass"]
        assert (status, sorted(line["code"] for line in bad)) == (wanted, sorted(codes)), \
            (name, status, lines)
        for line in bad:
            assert line["evidence"] and line["cure"] and line["title"], line
        assert all(line["result"] != "pass" or not line["cure"] for line in lines.values())


def test_a_check_is_read_by_people():
    """N3: the text has each rule, its evidence and what to publish, in 78 columns."""
    status, text, _ = zegelctl("domain", "check", "--no-connect", lab.part("ended"))
    assert status == 1
    words = " ".join(text.split())
    assert "FAIL the record is valid today (Z-N1-DATES)" in words, text
    assert "to mend: " in words and "\033" not in text, text
    assert text.rstrip().endswith("%s: not ready for NTA 7516" % lab.part("ended")), text
    for line in text.splitlines():
        assert len(line) <= 78 or len(line.split()) == 1 or '"' in line, line
    status, text, _ = zegelctl("domain", "check", "--no-connect", lab.part("ready"))
    assert status == 0 and "pass     the record is valid today (Z-N1-DATES)" in text, text


def test_a_check_asks_anew():
    """N3: what is published shows at once, whatever policyd has in memory."""
    assert check("ready", "--cached", "--no-connect")[0] == 0
    with lab.zone("ready", lambda text: "".join(
            line for line in text.splitlines(True) if "v=NTA7516" not in line)):
        status, lines = check("ready", "--no-connect")
        assert status == 1 and lines["Z-N1-RECORD"]["result"] == "fail", lines
    assert check("ready", "--no-connect")[0] == 0


def test_a_check_meets_the_servers():
    """N3: the servers are connected to: certificate, STARTTLS, and the contact address."""
    mark = lab.log_mark()
    _, lines = check("ready")
    line = lines["Z-N3-CONNECT"]
    assert line["result"] == "pass" and not line["required"], line
    assert "TLSv1.3, the certificate matches its TLSA records" in line["evidence"], line
    assert lines["Z-N1-CONTACT"]["result"] == "pass", lines["Z-N1-CONTACT"]
    assert not lab.log_lines("to=<NTA7516@.* status=", mark), "mail was sent"
    for name, result, words in (
            ("mismatch", "fail", "does not match its TLSA records"),
            ("down", "unknown", "Connection refused"),
            ("partner", "pass", "to the authorities of this machine the certificate is valid"),
            ("own", "pass", "matches its TLSA records")):
        line = check(name)[1]["Z-N3-CONNECT"]
        assert line["result"] == result and words in line["evidence"], (name, line)
    for offer, words in ((False, "does not offer STARTTLS"), (True, "STARTTLS is answered")):
        with Sink(lab.ENV["LAB_STRIPPED_ADDR"], offer) as sink:
            status, lines = check("stripped")
            line = lines["Z-N3-CONNECT"]
            assert line["result"] == "fail" and words in line["evidence"], line
            assert status == 0 and not sink.has("RCPT"), (status, sink.got)


def test_a_contact_that_is_refused():
    """N3: the server of a domain says that NTA7516@ is nobody there."""
    recipients = "/etc/postfix-ready/recipients"
    line = "NTA7516@%s REJECT 5.1.1 nobody\n" % lab.part("ready")
    with content(recipients, read(recipients) + line,
                 lambda: lab.reload_postfix("/etc/postfix-ready")):
        found = check("ready")[1]["Z-N1-CONTACT"]
        assert found["result"] == "fail" and "5.1.1" in found["evidence"], found
        assert not found["required"]


def test_a_check_without_policyd():
    """N3: nothing is made up when policyd is not there."""
    with lab.without("policyd"):
        for words in (("domain", "check", lab.part("ready")),
                      ("route", "janssen@" + lab.part("own"), "jan@" + lab.part("ready"))):
            status, text, errors = zegelctl(*words)
            assert status == 75 and not text and "ask.sock" in errors, (status, text, errors)
    assert zegelctl("domain", "check", "no domain")[0] == 64


# ---- route ---------------------------------------------------------------------------

# recipient's part: (route, code, reason)
ROUTES = {
    "own": ("own", "Z-R1-OWN", "-"),
    "community": ("direct", "Z-R1-COMMUNITY", "-"),
    "ready": ("direct", "Z-R1-NTA", None),
    "outsider": ("viewer", "Z-R1-VIEWER", "Z-N1-RECORD"),
    "ended": ("viewer", "Z-R1-VIEWER", "Z-N1-DATES"),
    "unsigned": ("viewer", "Z-R1-VIEWER", "Z-N1-DNSSEC"),
}


def test_routes_are_told_with_their_reason():
    """R1: zegelctl says what would happen, why, and promises nothing."""
    names = list(ROUTES)
    mark = lab.log_mark()
    status, found = zegelctl_json("route", "janssen@" + lab.part("own"),
                                  *("jan@" + lab.part(name) for name in names))
    assert status == 0 and found["organisation"] == "praktijk" and found["sensitive"], found
    for name, one in zip(names, found["recipients"]):
        route, code, reason = ROUTES[name]
        assert one["recipient"] == "jan@" + lab.part(name), one
        assert (one["route"], one["code"]) == (route, code), one
        assert reason in (None, one["reason"]), one
        assert bool(one["because"]) == (route == "viewer") and one["meaning"], one
    status, text, _ = zegelctl("route", "janssen@" + lab.part("own"), "jan@" + lab.part("ended"))
    words = " ".join(text.split())
    assert status == 0 and "because Z-N1-DATES: %s does not keep this: the record is valid " \
        "today (from " % lab.part("ended") in words, text
    assert not lab.log_lines("event=promised", mark)


def test_routes_of_others():
    """R1-R3: a sender who is not ready, mail that is not sensitive, and mail that comes in."""
    own, own2, ready = ("jan@" + lab.part(name) for name in ("own", "own2", "ready"))
    outsider = "jan@" + lab.part("outsider")
    for words, route, code in (
            ((own2, ready), "viewer", "Z-R1-VIEWER"),
            ((own, ready, "--ordinary"), "prefer", "Z-R1-NTA"),
            ((own, outsider, "--ordinary"), "ordinary", "Z-R9-ORDINARY"),
            ((ready, own, "--inward"), "direct", "Z-R1-NTA"),
            ((outsider, own, "--inward"), "ordinary", "Z-R2-PORTAL"),
            ((ready, own2, "--inward"), "ordinary", "Z-R2-PORTAL")):
        status, found = zegelctl_json("route", *words)
        one = found["recipients"][0]
        assert (status, one["route"], one["code"]) == (0, route, code), (words, found)
    assert zegelctl("route", outsider, own)[0] == 65
    assert zegelctl("route", outsider, own, own2, "--inward")[0] == 65
    community = ("route", "jan@" + lab.part("community"), own, "--inward")
    for words, meant in (((), "--client and --login"), (("--login", "nobody"), "--client and"),
                         (("--client", "[2001:db8::1]:25"), "--client and"),
                         (("--login", lab.part("community")), "the domain book has the domain")):
        status, text, _ = zegelctl(*community, *words)
        assert status == 0 and meant in " ".join(text.split()), (words, text)
        assert ("direct" in text) == (lab.part("community") in words), (words, text)
    assert zegelctl(*community, "--client", "nobody.example")[0] == 65


def test_a_route_that_is_not_known():
    """R6: when the DNS is bogus no route is made up."""
    status, text, errors = zegelctl("route", "janssen@" + lab.part("own"),
                                    "jan@" + lab.part("bogus"))
    assert status == 75 and not text and "Z-R6-UNKNOWN" in errors, (status, text, errors)
