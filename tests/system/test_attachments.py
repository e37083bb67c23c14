"""Attachments of sensitive messages: names (S10) and sizes (S11), through the real Postfix."""
import hashlib
import io
import os
import re
import signal
import zipfile

import harness as lab
import walk
from harness import part
from test_refusals import told_about
from test_rules import SENDER, rules, settled

PARTNER_DOMAIN = part("community")


def zipped(**files):
    """A zip archive with FILES (name: content); "__" in a name stands for a dot."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name.replace("__", "."), content)
    return file.getvalue()


def message(*attachments, subject="veilig mailen"):
    """A message with ATTACHMENTS: (name, bytes), or another message that is forwarded."""
    made = lab.mail(subject, to="x@" + PARTNER_DOMAIN)
    for one in attachments:
        if isinstance(one, tuple):
            made.add_attachment(one[1], maintype="application", subtype="octet-stream",
                                filename=one[0])
        else:
            made.add_attachment(one)
    return made


def goes(made):
    """MADE reaches a partner as it was sent."""
    to = lab.unique("p") + "@" + PARTNER_DOMAIN
    lab.send(made, SENDER, to)
    return lab.wait_mail(to)


def refused(code, made, said):
    to = lab.unique("p") + "@" + PARTNER_DOMAIN
    told_about(code, made.as_bytes(), [to], said)
    assert not lab.mailbox(to)


def test_dangerous_names():
    """S10: a file that runs is refused by its name, however it is written; the text names it"""
    for name in ("setup.exe", "SETUP.EXE", "uitslag.pdf.js", "setup.exe.", "setup.exe ",
                 "uitslag\u202efdp.exe", "setup\uff0eexe", "x.txt:setup.exe", "setup.exe:x.txt",
                 "a.vbs.gz"):
        refused("Z-S10-EXTENSION", message(("a.pdf", b"x"), (name, b"x")), name[:5])
    got = goes(message(("uitslag.exe.pdf", b"inhoud"), ("versie 1.2", b"x")))
    names = [one.get_filename() for one in got.message.iter_attachments()]
    assert names == ["uitslag.exe.pdf", "versie 1.2"], names


def test_dangerous_names_inside():
    """S10: also inside zip archives and forwarded messages"""
    refused("Z-S10-EXTENSION", message(("a.zip", zipped(b__txt="x", setup__exe="x"))),
            "a.zip/setup.exe")
    forwarded = message(("x.js", b"x"), subject="Fwd")
    refused("Z-S10-EXTENSION", message(forwarded), "x.js")
    goes(message(("a.zip", zipped(b__txt="x", c__pdf="y"))))
    goes(message(message(("b.pdf", b"x"))))


def test_archives_that_nobody_can_look_into():
    """S10: an archive that cannot be listed is refused with its own code"""
    whole = zipped(b__txt="x" * 1000, c__txt="y")
    refused("Z-S10-ARCHIVE", message(("a.zip", whole[:-30])), "a.zip")


def test_attachments_that_are_too_deep():
    """S10: more messages in messages than are looked at are refused with their own code"""
    made = message(("b.pdf", b"x"))
    for _ in range(60):
        made = message(made)
    refused("Z-S10-DEEP", made, ":")


def test_hashes_stand_in_the_log():
    """K3: the log has size and SHA-256 of each attachment of a sensitive message, and no name"""
    contents = [b"inhoud\n" * 1000, zipped(uitslag__txt="x"), b""]
    names = ["uitslag-%s.pdf" % lab.unique() for _ in contents]
    made = message(*zip(names, contents))
    mark = lab.log_mark()
    lab.send(made, SENDER, lab.unique("p") + "@" + PARTNER_DOMAIN)
    pattern = "event=attached,.* message-id=%s," % re.escape(made["Message-ID"])
    lab.wait_for(lambda: len(lab.log_lines(pattern, mark)) == len(contents), "the hashes")
    for number, (line, content) in enumerate(zip(lab.log_lines(pattern, mark), contents), 1):
        assert ("attachment=%d, bytes=%d, sha256=%s, " % (
            number, len(content), hashlib.sha256(content).hexdigest())) in line, line
    assert not any(lab.log_lines(name, mark) for name in names)
    mark = lab.log_mark()
    lab.wait_delivered(lab.send(message((names[0], b"x"), subject="Afspraak"), SENDER,
                                lab.unique("p") + "@" + PARTNER_DOMAIN))
    assert not lab.log_lines("event=attached", mark)


def test_what_is_not_sensitive_may_hold_anything():
    """S10 R9: ordinary mail is not looked into"""
    to = walk.new_outsider()
    lab.send(message(("setup.exe", b"x"), subject="Afspraak"), SENDER, to)
    assert lab.wait_mail(to)


def test_an_own_list_of_extensions():
    """S10: refused_extensions is what is refused"""
    with rules(refused_extensions="docm"):
        refused("Z-S10-EXTENSION", message(("brief.docm", b"x")), "brief.docm")
        goes(message(("setup.exe", b"x")))


def test_without_a_reader_what_has_attachments_waits():
    """S10 R6 R9: a reader that ends or babbles costs a try; what it does not have to see goes"""
    made = message(("a.pdf", b"x"))
    for program in ("/bin/false", "/usr/bin/yes"):
        with settled("milter", reader=program):
            to = lab.unique("p") + "@" + PARTNER_DOMAIN
            told_about("Z-R6-TROUBLE", made.as_bytes(), [to], temporary=True)
            assert not lab.mailbox(to)
            lab.send(message(("a.pdf", b"x"), subject="Afspraak"), SENDER, to)
            assert lab.wait_mail(to)
            goes(message())


def readers():
    """The process ids of the milter's readers."""
    parent = lab.program_pid("milter")
    return [int(pid) for pid in lab.command("ps", "-o", "pid=", "--ppid", parent,
                                            status=None).split()]


def test_a_reader_that_is_killed_is_replaced():
    """S10 F29: readers that are killed cost nothing that is not on its way"""
    goes(message(("a.pdf", b"x")))
    before = readers()
    assert before
    for pid in before:
        os.kill(pid, signal.SIGKILL)
    goes(message(("a.pdf", b"x")))
    refused("Z-S10-EXTENSION", message(("a.exe", b"x")), "a.exe")
    assert readers() and not set(before) & set(readers())


def test_the_size_of_attachments():
    """S11: decoded and together they may be so large; the text has the limit"""
    megabyte = bytes(1024 * 1024)
    with rules(attachments_max_mb="2"):
        refused("Z-S11-ATTACHMENTS", message(("a.bin", megabyte), ("b.bin", megabyte + b"x")),
                " 2 MB")
        goes(message(("a.bin", megabyte), ("b.bin", megabyte)))


def test_observe_says_what_would_be_refused():
    """S5 S10: an observed message with a dangerous attachment goes, and the event names it"""
    with rules(default="observe"):
        mark = lab.log_mark()
        got = goes(message(("setup.exe", b"x")))
        assert [one.get_filename() for one in got.message.iter_attachments()] == ["setup.exe"]
        line = lab.wait_log("event=observed", mark)
    assert "code=Z-S10-EXTENSION" in line and "would=refuse" in line, line
    assert "about=setup.exe" in line, line
