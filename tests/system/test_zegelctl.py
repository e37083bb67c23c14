"""zegelctl: the domain book, the domain check, and what would become of a message (M4, N3)."""
import json
import os
import re
import socket
import subprocess
import threading

import harness as lab
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
        return ("request=route\nversion=2\norganisation=praktijk\nsender=janssen@%s\n"
                "queue_id=\nsensitive=yes\ninward=no\ndry_run=yes\nrecipient=%s\n\n"
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
        change("domain", "add", "net-voorbeeld.nl", HOP, "secure", "--network", "zorgnet")
        assert zegelctl("domain", "list")[1].count("\n") == 2
        assert zegelctl("domain", "list", "--network", "zorgnet")[1].split() == [
            "net-voorbeeld.nl", HOP, "secure", "network=zorgnet"]
        _, entries = zegelctl_json("domain", "list", "--network", "zorgnet")
        assert entries == [{"domain": "net-voorbeeld.nl", "nexthop": HOP, "tls": "secure",
                            "network": "zorgnet", "line": 3}], entries
        assert zegelctl("domain", "export", "--network", "zorgnet")[1] == \
            "zorgnet\nnet-voorbeeld.nl\n"
        assert zegelctl("domain", "export", "--full")[1] == \
            "%s %s secure\nnet-voorbeeld.nl %s secure network=zorgnet\n" % (
                lab.part("community"), HOP, HOP)


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


def test_two_at_a_time_lose_nothing():
    """M4: ten at the same time each add their line."""
    with kept_book():
        names = ["p%d-voorbeeld.nl" % number for number in range(10)]
        threads = [threading.Thread(target=zegelctl, args=("domain", "add", name, HOP, "secure"))
                   for name in names]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(line.split()[0] for line in read(BOOK).splitlines()[2:]) == sorted(names)


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
