"""What people and programs send that nobody planned for: clear answers, nothing lost."""
import os
import re

import harness
import walk
from harness import ENV, mail, part, refused, send, unique

MIB = 1024 * 1024
SENDER = "janssen@" + part("own")
RESIDENT_MAX_KIB = 32 * 1024  # of zegel-deliver, filing 36 MB of attachments


def raw_message(typed, to, body, subject="SMS %s Uitslag", fields=""):
    """A message as bytes, BODY as it stands."""
    head = "From: %s\r\nTo: %s\r\nSubject: %s\r\n%s\r\n" % (SENDER, to, subject % typed, fields)
    return head.encode("utf-8") + body


def original_of(sent):
    """The message as the recipient downloads it."""
    browser, page = walk.log_in(sent)
    return browser.get(page.url + "/original").body, page


def body_of(raw):
    return raw.split(b"\r\n\r\n", 1)[1]


def test_a_subject_of_10_kb():
    """A subject of 10 kB is cut on the page, whole in the original; trigger and number go."""
    word = unique()
    subject = "SMS %s " + "lang " * 2000 + word
    sent = walk.Sent(lambda typed, to: raw_message(typed, to, b"x\r\n", subject.replace(
        "lang lang lang ", "lang\r\n lang\r\n lang ")))
    raw, page = original_of(sent)
    assert "lang lang lang" in page.text and word.encode() in raw
    assert b"SMS" not in raw and sent.number[3:].encode() not in raw
    assert raw.count(b"lang") == 2000


def test_a_message_without_a_body():
    """A message that ends after its header is shown, and says that it is empty."""
    sent = walk.Sent(lambda typed, to: raw_message(typed, to, b"")[:-2])
    _, page = original_of(sent)
    assert page.status == 200 and "Uitslag" in page.text


def test_a_line_of_100000_octets():
    """A line of 100,000 octets arrives in one piece."""
    line = unique().encode() + b"x" * 99980
    sent = walk.Sent(lambda typed, to: raw_message(typed, to, b"voor\r\n" + line + b"\r\nna\r\n"))
    raw, _ = original_of(sent)
    assert body_of(raw) == b"voor\r\n" + line + b"\r\nna\r\n", len(raw)


def test_bytes_that_no_standard_allows():
    """8-bit bytes without a charset, NUL-free binary and lone dots arrive as they were."""
    body = b".\r\n..\r\n.x\r\n" + bytes(range(14, 256)) + b"\r\n\r\n"
    sent = walk.Sent(lambda typed, to: raw_message(typed, to, body))
    raw, _ = original_of(sent)
    assert body_of(raw) == body, body_of(raw)


def test_addresses_in_utf_8():
    """An SMTPUTF8 recipient gets a notification and reads the message."""
    sent = walk.Sent(lambda typed, to: raw_message(typed, to, b"x\r\n"),
                     to="jöran%s@%s" % (unique("p"), part("outsider")),
                     options=("SMTPUTF8", "BODY=8BITMIME"))
    _, page = walk.log_in(sent)
    assert sent.to in page.text, page.text


def test_an_address_that_no_label_fits():
    """A domain too long for a label is refused with a reason; nobody gets anything."""
    domain = ".".join(["a" * 60] * 4)
    typed, _ = walk.new_number()
    refusal = refused(send, mail("SMS %s x" % typed, to="jan@" + domain), SENDER, "jan@" + domain)
    assert refusal.code // 100 == 5 and "Z-" in refusal.text, refusal


def test_an_address_literal_is_refused():
    """A sensitive message to an address literal is refused with a reason."""
    to = "jan@[203.0.113.25]"
    typed, _ = walk.new_number()
    refusal = refused(send, mail("SMS %s x" % typed, to="x@" + part("outsider")), SENDER, to)
    assert refusal.code // 100 == 5 and "Z-" in refusal.text, refusal


def memory_peak_kib(program):
    with open("/proc/%s/status" % harness.program_pid(program), encoding="utf-8") as file:
        return int(re.search(r"VmHWM:\s+(\d+) kB", file.read()).group(1))


def test_36_mb_of_attachments():
    """S11: 36 MB of attachments arrive byte for byte; deliver stays under 32 MB."""
    harness.control("stop", "deliver")
    harness.control("start", "deliver")
    parts = [os.urandom(12 * MIB) for _ in range(3)]

    def make(typed, to):
        message = mail("SMS %s Scans" % typed, to=to)
        for number, data in enumerate(parts):
            message.add_attachment(data, maintype="application", subtype="octet-stream",
                                   filename="scan%d.bin" % number)
        return message

    sent = walk.Sent(make)
    peak = memory_peak_kib("deliver")
    browser, page = walk.log_in(sent)
    assert walk.attachments(browser, page) == parts
    assert ENV["LAB_SANITIZERS"] == "yes" or peak < RESIDENT_MAX_KIB, "%d KiB" % peak
