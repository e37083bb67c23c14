"""Answers of visitors (V5, V10): through the viewer and the real Postfix to the sender."""
import concurrent.futures
import contextlib
import hashlib
import http.client
import os
import re
import secrets
import signal
import socket
import struct
import time

import harness as lab
import walk
from browser import Browser, link_in, multipart
from harness import configured, mailbox, part, unique, wait_for, wait_mail

SENDER = "janssen@" + part("own")
SERVICE = "veilig." + part("own")
EICAR = (rb"X5O!P%@AP[4\PZX54(P^)7CC)7}$" + rb"EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*")
FIELDS = ["From", "Reply-To", "To", "Subject", "Date", "Message-ID", "In-Reply-To",
          "References", "MIME-Version", "Content-Type", "Content-Transfer-Encoding"]
MEMORY_MAX_MB = 128  # of a worker for 36 MB of attachments: as they came, and as MIME


def letter(subject="Uitslag", word=""):
    """What makes a message for a patient."""
    def make(typed, to):
        return lab.mail("SMS %s %s" % (typed, subject), "Beste patient, %s\n" % word, to=to,
                        sender="Dokter Janssen <%s>" % SENDER)
    return make


class Reader:
    """A reader who has opened a message: .sent, .browser, .page (of the answer)."""

    def __init__(self, subject="Uitslag", to=None):
        self.sent = walk.Sent(letter(subject), to=to)
        self.browser, _ = walk.log_in(self.sent)
        self.base = "https://%s" % SERVICE
        self.mails = len(mailbox(SENDER))
        self.open()

    def open(self):
        self.page = self.browser.get(self.base + "/m/answer")
        return self.page

    def answer(self, text, files=(), **fields):
        return self.browser.submit(self.page, self.page.form("once"), files=files, text=text,
                                   **fields)

    def wait(self, word):
        """The mail with WORD in the sender's mailbox."""
        return wait_for(lambda: next((one for one in mailbox(SENDER)[self.mails:]
                                      if word in one.text()), None), "answer with " + word)

    def arrived(self, word):
        return [one for one in mailbox(SENDER)[self.mails:] if word in one.text()]


def said_sent(page):
    assert page.status == 200 and "/m/answer?sent=" in page.url, (page.status, page.text)
    assert SENDER in page.text, page.text


def test_answer():
    """V5 T38: text and attachments, EICAR too, reach the sender as they were, threaded"""
    reader = Reader("Uitslag onderzoek")
    assert reader.page.status == 200 and SENDER in reader.page.text, reader.page.text
    assert reader.sent.to not in reader.page.text
    word = unique()
    picture = secrets.token_bytes(300000)
    files = [("foto café.jpg", picture, "image/jpeg"), ("leeg.txt", b"", "text/plain"),
             ("virus.com.txt", EICAR, "text/plain")]
    mark = lab.log_mark()
    page = reader.answer("Dank u, %s\n\n.\nGroet: é €\n" % word, files)
    said_sent(page)
    got = reader.wait(word)
    message = got.message
    assert message["From"].addresses[0].addr_spec == "noreply@" + SERVICE, message["From"]
    assert reader.sent.to in message["From"].addresses[0].display_name
    assert message["Reply-To"].addresses[0].addr_spec == reader.sent.to
    assert message["To"].addresses[0].addr_spec == SENDER
    assert message["Subject"] == "Re: Uitslag onderzoek", message["Subject"]
    original = reader.sent.message["Message-ID"]
    assert message["In-Reply-To"] == original and message["References"] == original
    assert message["Message-ID"].endswith("@%s>" % SERVICE)
    assert "X-Zegel-Origin" not in message
    assert got.text().replace("\r\n", "\n").startswith("Dank u, %s\n\n.\nGroet: é €\n" % word)
    parts = list(message.iter_attachments())
    names = [one.get_filename() for one in parts]
    assert names == ["foto café.jpg", "leeg.txt", "virus.com.txt"], names
    assert [one.get_payload(decode=True) for one in parts] == [picture, b"", EICAR]  # T38
    line = lab.wait_log("event=answered", mark)
    assert "to=%s" % SENDER in line and "attachments=3" in line and word not in line, line
    assert not lab.log_lines(word, mark)


TRACE = {"return-path", "delivered-to", "x-original-to", "received", "dkim-signature",
         "authentication-results", "x-nta7516", "x-zegel-ticket"}


def test_second_opinion():
    """T14: Python's parser finds in the header exactly the fields that we wrote, each once"""
    reader = Reader("Uitslag =?utf-8?Q?a=0D=0ABcc:_x@example.org?= \u00e9")
    word = unique()
    said_sent(reader.answer(word))
    message = reader.wait(word).message
    names = [name.lower() for name in message.keys() if name.lower() not in TRACE]
    wanted = [name.lower() for name in FIELDS]
    assert sorted(names) == sorted(wanted), names
    assert not message.defects, message.defects
    assert not any(message[name].defects for name in wanted if name != "date"), names


def test_postfix_that_takes_nothing():
    """K2: an answer that cannot go is not used up, and its text is still there"""
    reader = Reader()
    word = unique()
    with lab.without("milter"):
        page = reader.answer(word, [("a.txt", b"x")])
    assert page.status == 503 and page.form("once").fields["text"] == word, page.text
    said_sent(reader.browser.submit(page, page.form("once"), files=[("a.txt", b"x")]))
    assert len(list(reader.wait(word).message.iter_attachments())) == 1
    assert " 1 " in reader.open().text, reader.page.text


def test_killed_while_sending():
    """F2 V5: a viewer that dies while it sends never says that it sent, and nothing comes twice"""
    reader = Reader()
    word = unique()
    form = reader.page.form("once")
    kind, body = multipart(dict(form.fields, text=word))
    milter = int(lab.program_pid("milter"))
    mark = lab.log_mark()

    def post():
        with contextlib.suppress(OSError, http.client.HTTPException):
            return reader.browser.request("POST", reader.page.url, body,
                                          {"Content-Type": kind}).status
        return 0

    os.kill(milter, signal.SIGSTOP)
    try:
        with concurrent.futures.ThreadPoolExecutor(1) as pool:
            job = pool.submit(post)
            lab.wait_log("postfix/zegel-visitor/smtpd.* connect from", mark)
            lab.control("kill", "viewer")
            assert job.result() != 303
    finally:
        os.kill(milter, signal.SIGCONT)
        lab.control("start", "viewer")
    page = reader.browser.request("POST", reader.page.url, body, {"Content-Type": kind})
    assert page.status == 409 and page.form("once").fields["text"] == word, page.status
    assert len(reader.arrived(word)) <= 1
    page.url = reader.page.url
    before = len(reader.arrived(word))
    said_sent(reader.browser.submit(page, page.form("once")))
    wait_for(lambda: len(reader.arrived(word)) == before + 1, "the answer")
    assert reader.open().status == 403, "V5: both were counted"


def test_reply_of_the_sender():
    """V5: what the sender answers to the answer is sensitive by itself, with the known number"""
    reader = Reader()
    word = unique()
    said_sent(reader.answer(word))
    got = reader.wait(word)
    mails = len(mailbox(reader.sent.to))
    mark = lab.log_mark()
    reply = lab.mail("Re: Uitslag", word + "\n", to=reader.sent.to,
                     In_Reply_To=got.message["Message-ID"], References=got.message["Message-ID"])
    lab.send(reply, SENDER, reader.sent.to)
    lab.wait_log("event=routed,.* reason=Z-V5-CONVERSATION,.* route=viewer", mark)
    mail = wait_mail(reader.sent.to, mails + 1)
    assert word not in mail
    assert link_in(mail) != reader.sent.link


HOSTILE = ["\r\nBcc: %s\r\n\r\nweg", "\rBcc: %s", "\nBcc: %s", "\\r\\nBcc: %s",
           "\u2028Bcc: %s", "\u2029Bcc: %s", "=?utf-8?Q?=0D=0ABcc:_%s?=", "\u0085Bcc: %s",
           "a\u202egpj.exe %s"]


def test_header_injection():
    """T14: no field and no file name makes a header of its own, or another recipient"""
    reader = Reader()
    victim = walk.new_outsider()
    word = unique()
    files = [("a%d %s.txt" % (i, text % victim), b"x", "text/plain") for i, text in
             enumerate(HOSTILE)] + [("b.txt", b"x", "text/plain\r\nBcc: " + victim)]
    text = word + "".join(one % victim for one in HOSTILE)
    page = reader.answer(text, files[:-1], to=victim, bcc=victim, subject="x\r\nBcc: " + victim)
    said_sent(page)
    got = reader.wait(word)
    assert not got.message.defects, got.message.defects
    assert not got.message.get_all("Bcc") and not got.message.get_all("Cc")
    assert len(got.message.get_all("To")) == 1
    for one in got.message.iter_attachments():
        assert not one.defects, one.defects
        name = one.get_filename()
        assert name and not re.search("[\x00-\x1f\x7f\u2028\u2029\u202e/\\\\]", name), repr(name)
        assert sorted(key.lower() for key in one.keys()) == [
            "content-disposition", "content-transfer-encoding", "content-type"]
    reader.open()
    page = reader.answer(word, files[-1:])
    assert page.status in (200, 400), page.text
    assert not mailbox(victim), "T14: mail to somebody else"


def test_only_the_sender():
    """T15: whatever the form says besides, the answer goes to the sender and to nobody else"""
    reader = Reader()
    victim = walk.new_outsider()
    word = unique()
    form = reader.page.form("once")
    mark = lab.log_mark()
    for extra in ({"to": victim}, {"recipient": victim, "from": victim, "cc": victim}):
        reader.open()
        page = reader.answer(word, **extra)
        said_sent(page)
    wait_for(lambda: len(reader.arrived(word)) == 2, "two answers")
    pairs = list(form.fields.items()) + [("text", word), ("text", word)]
    kind, body = multipart(pairs)
    page = reader.browser.request("POST", reader.page.url, body, {"Content-Type": kind})
    assert page.status == 400, page.status  # a field twice
    assert not mailbox(victim)
    assert not lab.log_lines(victim, mark)


def test_limit_and_cycle():
    """V5: two answers; a third is refused; a new message of the sender starts a new cycle"""
    reader = Reader()
    words = [unique(), unique(), unique()]
    kept = reader.page
    assert " 2 " in kept.text, kept.text
    said_sent(reader.answer(words[0]))
    page = reader.open()
    assert " 1 " in page.text, page.text
    said_sent(reader.answer(words[1]))
    assert reader.open().status == 403
    reader.page = kept
    kept.form("once").fields["once"] = "A" * 22  # as if it were another form
    page = reader.answer(words[2])
    assert page.status == 403, (page.status, page.text)
    wait_for(lambda: reader.arrived(words[0]) and reader.arrived(words[1]), "both answers")
    assert not reader.arrived(words[2])
    again = Reader(to=reader.sent.to)
    word = unique()
    said_sent(again.answer(word))
    again.wait(word)


def test_sent_twice():
    """the same form twice, at once or later, is one answer, and its writer reads that it went"""
    reader = Reader()
    word = unique()
    form = reader.page.form("once")
    fields = dict(form.fields, text=word)
    kind, body = multipart(fields)

    def post():
        return reader.browser.request("POST", reader.page.url, body, {"Content-Type": kind})

    with concurrent.futures.ThreadPoolExecutor(3) as pool:
        pages = [one.result() for one in [pool.submit(post) for _ in range(3)]]
    pages.append(post())
    assert [one.status for one in pages] == [303] * 4, [(one.status, one.text) for one in pages]
    assert len({one.headers["location"] for one in pages}) == 1
    said_sent(reader.browser.get(reader.base + pages[0].headers["location"]))
    reader.wait(word)
    assert len(reader.arrived(word)) == 1
    assert " 1 " in reader.open().text


def test_form_of_others():
    """T8: a form without our token, or from another site, sends nothing"""
    reader = Reader()
    word = unique()
    fields = dict(reader.page.form("once").fields, text=word)
    url = reader.page.url
    for change, headers in (({"token": "A" * 43}, {}), ({"token": ""}, {}),
                            ({}, {"Origin": "https://evil.example"}),
                            ({}, {"Sec-Fetch-Site": "cross-site"})):
        kind, body = multipart(dict(fields, **change))
        page = reader.browser.request("POST", url, body, dict(headers, **{"Content-Type": kind}))
        assert page.status == 403, (change, headers, page.status)
    kind, body = multipart(fields)
    page = Browser().request("POST", url, body, {"Content-Type": kind})
    assert page.status == 403, page.status
    other = Reader()
    page = other.browser.request("POST", url, body, {"Content-Type": kind})
    assert page.status == 403, page.status
    assert not reader.arrived(word)


def test_draft():
    """V10: what was typed when the session had ended is there again after a new code"""
    reader = Reader()
    word = unique()
    lab.pass_time(reader.sent.queue_id, 1300)
    page = reader.answer("Lange tekst\n%s <b>&amp;\n" % word, [("a.txt", b"x")])
    assert page.status == 403 and word not in page.text, (page.status, page.text)
    assert not reader.arrived(word)
    path = next(link for link in page.links if link.startswith("/l/"))
    assert reader.sent.link.endswith(path), path
    walk.log_in(reader.sent, reader.browser)
    page = reader.open()
    text = page.form("once").fields["text"]
    assert text.replace("\r\n", "\n") == "Lange tekst\n%s <b>&amp;\n" % word, repr(text)
    said_sent(reader.answer(text))
    reader.wait(word)
    assert reader.open().form("once").fields["text"] == ""


def test_too_large():
    """S11, F24: more than attachments_max_mb is refused kindly, and the text stays"""
    with configured("organisation praktijk", "attachments_max_mb", "2", "viewer"):
        reader = Reader()
        word = unique()
        page = reader.answer(word, [("a.bin", bytes(1500000)), ("b.bin", bytes(1200000))])
        assert page.status == 413, page.status
        assert page.form("once").fields["text"] == word and "2 MB" in page.text, page.text
        page = reader.answer(word, [("a.bin", bytes(4000000))])
        assert page.status == 413 and "2 MB" in page.text, (page.status, page.text)
        assert not reader.arrived(word)
        reader.open()
        said_sent(reader.answer(word, [("a.bin", bytes(2000000))]))
        reader.wait(word)


def test_dangerous_names():
    """S10: what the milter would refuse is said on the page, before anything is sent"""
    reader = Reader()
    page = reader.answer("x", [("setup.exe", b"x")])
    assert page.status == 400 and "setup.exe" in page.text, (page.status, page.text)
    page = reader.answer("   \n", ())
    assert page.status == 400, page.status
    said_sent(reader.browser.submit(page, page.form("once"), text="toch"))


VIEWER_SOCKET = "/run/zegel/viewer.sock"
STALL_S = 30  # fastcgi.c, IO_DEADLINE_S
FCGI_BEGIN, FCGI_PARAMS, FCGI_STDIN, FCGI_STDOUT = 1, 4, 5, 6


def record(kind, content):
    return struct.pack("!BBHHBx", 1, kind, 1, len(content), 0) + content


def stalled_upload(reader):
    """A connection to the viewer, as a web server that streams what a slow client sends: the
    head of an answer, and no more than the first octets of its body."""
    kind, body = multipart({"text": "x" * 100000})
    cookies = reader.browser.cookies[SERVICE]
    pairs = {"REQUEST_METHOD": "POST", "REQUEST_URI": "/m/answer", "HTTP_HOST": SERVICE,
             "CONTENT_TYPE": kind, "CONTENT_LENGTH": str(len(body)),
             "HTTP_COOKIE": "; ".join("%s=%s" % pair for pair in cookies.items())}
    params = b"".join(struct.pack("!BL", len(name), len(value) | 1 << 31) + name.encode()
                      + value.encode() for name, value in pairs.items())
    connection = socket.socket(socket.AF_UNIX)
    connection.settimeout(2 * STALL_S)
    connection.connect(VIEWER_SOCKET)
    connection.sendall(record(FCGI_BEGIN, struct.pack("!HB5x", 1, 0)) +
                       record(FCGI_PARAMS, params) + record(FCGI_PARAMS, b"") +
                       record(FCGI_STDIN, body[:100]))
    return connection


def status_of(connection):
    """The status that came on CONNECTION."""
    with connection:
        data = b""
        while b"Status: " not in data:
            piece = connection.recv(65536)
            assert piece, data
            data += piece
        return int(re.search(rb"Status: (\d+)", data).group(1))


def test_slow_clients():
    """F21 T26: who sends files slowly keeps half of the workers at most, and not for ever"""
    reader = Reader()
    slots = len(workers()) // 2
    start = time.monotonic()
    stalled = [stalled_upload(reader) for _ in range(slots)]
    time.sleep(1)
    assert status_of(stalled_upload(reader)) == 503
    for _ in range(3):
        assert reader.browser.get(reader.base + "/m").status == 200
    assert time.monotonic() - start < STALL_S / 2
    assert [status_of(one) for one in stalled] == [400] * slots
    assert time.monotonic() - start < STALL_S + 15
    reader.open()
    said_sent(reader.answer("x"))


def workers():
    """The most memory in MB that each worker of the viewer had."""
    master = lab.program_pid("viewer")
    with open("/proc/%s/task/%s/children" % (master, master), encoding="ascii") as file:
        children = file.read().split()
    found = []
    for child in children:
        with open("/proc/%s/status" % child, encoding="ascii") as file:
            found.append(int(re.search(r"VmHWM:\s+(\d+)", file.read()).group(1)) // 1024)
    return found


def test_big():
    """S11 F24: 36 MB of attachments arrive as they were sent, in bounded memory"""
    reader = Reader()
    word = unique()
    content = secrets.token_bytes(12 * 1024 * 1024)
    said_sent(reader.answer(word, [("%d.bin" % i, content) for i in range(3)]))
    got = wait_for(lambda: (reader.arrived(word) or [None])[0], "36 MB", 60)
    wanted = hashlib.sha256(content).digest()
    parts = list(got.message.iter_attachments())
    assert len(parts) == 3
    for one in parts:
        assert hashlib.sha256(one.get_payload(decode=True)).digest() == wanted
    assert max(workers()) < MEMORY_MAX_MB, workers()
