"""What breaks around zegel, and comes back: programs, the disk, single calls, zegel-submit, the
SMS gateway, keys and configuration. Always: nothing lost (I1), doubled (I2) or bounced (I4),
nothing goes plain (I5), one clear line says it (I8).
"""
import contextlib
import os
import re
import sqlite3
import subprocess
import threading
import time

import crash
import harness
import trail
import walk
from browser import Browser, link_in
from crash import Deliver
from harness import ENV, command, mail, mailbox, part, send, unique, wait_for

SENDER = "janssen@" + part("own")
RECOVERY_S = 60  # I6
PARALLEL = 30
SENDING_TRIES = 200
ROUNDS = 8
ERROR_POINTS = 40
SMALL_BYTES = 2000
LARGE_BYTES = 150000
EX_CONFIG = 78
START_S = 10


def empty_queue():
    """Flushes until Postfix has nothing left."""
    def is_empty():
        if not harness.queue():
            return True
        harness.queue_flush()
        time.sleep(1)
        return False
    wait_for(is_empty, "empty queue", harness.patience(RECOVERY_S))


def rows(queue_id):
    """[notification or None] of each row that the store has for QUEUE_ID."""
    path = os.path.join(ENV["LAB_STATEDIR"], "store", "store.db")
    with sqlite3.connect("file:%s?mode=ro" % path, uri=True) as database:
        return [notified for notified, in database.execute(
            "SELECT notified FROM entry WHERE queue_id = ?", (queue_id,))]


def wait_deferred(queue_id, mark, words):
    """Waits until Postfix deferred QUEUE_ID, for a reason with WORDS."""
    line = harness.wait_log(r" %s: to=.*status=(deferred|bounced|sent)" % queue_id, mark)
    assert "status=deferred" in line and words in line, line


# ---- Programs die (F4) ----

class Sender(threading.Thread):
    """Sends one message until it is taken; .refusals are the codes before that."""

    def __init__(self, subject, to, word, delay_s):
        super().__init__(daemon=True)
        self.delay_s = delay_s
        self.message = mail(subject, word + "\n", to=to)
        self.to, self.word = to, word
        self.refusals, self.queue_id = [], None

    def run(self):
        time.sleep(self.delay_s)
        for _ in range(SENDING_TRIES):
            try:
                self.queue_id = send(self.message, SENDER, self.to)
                return
            except harness.Refused as refusal:
                self.refusals.append(refusal.code)
                time.sleep(0.1)


def make_senders():
    """A third for the viewer, a third for the community, a third ordinary."""
    senders = []
    for index in range(PARALLEL):
        typed, _ = walk.new_number()
        subject, to = (("SMS %s Uitslag" % typed, walk.new_outsider()),
                       ("veilig mailen: recept", unique("jan") + "@" + part("community")),
                       ("Afspraak", walk.new_outsider()))[index % 3]
        senders.append(Sender(subject, to, unique(), index * 0.1))
    return senders


def kill_in_turn():
    """kill -9 of zegel-deliver, of zegel-policyd and of the workers of zegel-viewer."""
    for program in ("deliver", "policyd"):
        harness.control("kill", program)
        time.sleep(0.1)
        harness.control("start", program)
    master = command("lab-ctl", "pid", "viewer").decode().strip()
    with open("/proc/%s/task/%s/children" % (master, master), encoding="ascii") as file:
        for worker in file.read().split():
            with contextlib.suppress(ProcessLookupError):
                os.kill(int(worker), 9)


def answers(link):
    """Whether the viewer shows the page of LINK."""
    try:
        return Browser().get(link).status == 200
    except OSError:
        return False


def check_sender(one):
    """The message of ONE arrived once, and by its own way."""
    boxes = mailbox(one.to)
    if one.message["Subject"].startswith("SMS"):
        assert len(rows(one.queue_id)) == 1 and rows(one.queue_id)[0], one.queue_id
        assert 1 <= len(boxes) <= 2 and len({link_in(box) for box in boxes}) == 1, one.to
        assert len({box.message["Message-ID"] for box in boxes}) == 1, one.to
        assert not any(one.word in box for box in boxes), "in the clear: " + one.to
        return
    assert len(boxes) == 1 and one.word in boxes[0], (one.to, len(boxes))
    if one.message["Subject"] == "veilig mailen: recept":
        assert "TLSv1." in boxes[0].raw.decode(), boxes[0].raw
        assert harness.log_lines("zegel-direct.* %s: .*status=sent" % one.queue_id)


def test_f4_programs_are_killed_while_30_messages_go():
    """F4 I1 I2 I4 I5: kill -9 of deliver, policyd and viewer's workers while 30 messages go"""
    known = walk.Sent(lambda typed, to: mail("SMS %s Uitslag" % typed, to=to))
    mark = harness.log_mark()
    senders = make_senders()
    for one in senders:
        one.start()
    for _ in range(ROUNDS):
        kill_in_turn()
    wait_for(lambda: answers(known.link), "viewer", harness.patience(10))
    for one in senders:
        one.join(harness.patience(RECOVERY_S))
        assert one.queue_id, (one.to, one.refusals)
        assert all(400 <= code <= 499 for code in one.refusals), one.refusals
    empty_queue()
    for one in senders:
        wait_for(lambda to=one.to: mailbox(to), "mail for " + one.to)
        check_sender(one)
    assert not harness.log_lines("status=bounced", mark)
    refused = sum(bool(one.refusals) for one in senders)
    print("# %d of %d messages had to come again" % (refused, PARALLEL), flush=True)


# ---- The disk is full (F8) ----

class FullDisk:
    """with FullDisk(): no block is free where the state of zegel is."""

    def __init__(self):
        self.path = os.path.join(ENV["LAB_STATEDIR"], "tmp", "filler")

    def __enter__(self):
        store = os.path.join(ENV["LAB_STATEDIR"], "store", "store.db")
        database = sqlite3.connect(store)  # or the old pages of the log are room as well
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        database.close()
        with open(self.path, "wb") as file:
            size = 1 << 26
            end = 0
            while size >= 1024:
                try:
                    os.posix_fallocate(file.fileno(), end, size)
                    end += size
                except OSError:
                    size //= 2
        return self

    def __exit__(self, *_):
        os.unlink(self.path)


def secure_message(to, body_bytes):
    typed, _ = walk.new_number()
    return mail("SMS %s Uitslag" % typed, (unique() * 4 + "\n") * (body_bytes // 90 + 1), to=to)


def test_f8_the_disk_is_full():
    """F8 I1 I2 I4 I8: a full disk defers with 452 4.3.1, the viewer reads on, then all goes"""
    old = walk.Sent(lambda typed, to: mail("SMS %s Uitslag" % typed, "Oud bericht\n", to=to))
    browser, page = walk.log_in(old)
    mark = harness.log_mark()
    sent = []
    with FullDisk():
        for size in (LARGE_BYTES, LARGE_BYTES, LARGE_BYTES // 2, SMALL_BYTES):
            to = walk.new_outsider()
            queue_id = send(secure_message(to, size), SENDER, to)
            sent.append((queue_id, to))
            wait_deferred(queue_id, mark, "452 4.3.1 Z-DELIVER-FULL")
        for _ in range(20):
            again = browser.get(page.url)
            assert again.status == 200 and "Oud bericht" in again.text, again.text
        assert Browser().get(old.link).status == 200
        assert not any(mailbox(to) for _, to in sent)
    assert harness.log_lines(r"zegel-deliver.*: code=Z-DELIVER-FULL", mark)
    empty_queue()
    for queue_id, to in sent:
        harness.wait_mail(to)
        assert len(rows(queue_id)) == 1 and len(mailbox(to)) == 1, queue_id
    assert not harness.log_lines("status=bounced", mark)
    browser, page = walk.log_in(
        walk.Sent(lambda typed, to: mail("SMS %s Uitslag" % typed, "Nieuw bericht\n", to=to)))
    assert "Nieuw bericht" in page.text


# ---- Single calls fail (F5) ----

def error_points(deliver, spare):
    """Points where a call on a file can fail, for a small and for a large letter."""
    points = []
    for letter in spare:
        points += [point for point in deliver.calls_for(letter)
                   if point.thread in ("session", "writer") and point.call in (
                       "pwrite64", "write", "fsync", "fdatasync", "openat", "rename", "mkdir",
                       "ftruncate", "pread64", "connect", "socket")]
    return crash.fewer(crash.spread(points, ERROR_POINTS // 2))


def bring_with_errors(deliver, letters, points, error):
    """One of LETTERS for each of POINTS; returns how many were not taken at once."""
    deferred = 0
    for letter, point in zip(letters, points):
        assert not crash.strike(deliver, letter, point, "error=" + error), point
        deferred += letter.code != 250
        crash.repeat(deliver, letter)
    return deferred


def test_f5_one_call_fails():
    """F5 I1 I2: EIO or ENOSPC once at 40 calls of a delivery: stored once, told once"""
    mark, texts, number = harness.log_mark(), crash.sms_count(), trail.last()
    with Deliver() as deliver:
        spare = crash.write_letters(2, SMALL_BYTES) + crash.write_letters(1, LARGE_BYTES)
        deliver.start()
        crash.repeat(deliver, spare[0])
        points = error_points(deliver, spare[1:])
        deliver.kill()
        letters = crash.write_letters(len(points), LARGE_BYTES)
        letters += crash.write_letters(len(points), SMALL_BYTES)
        crash.warm_up(deliver, spare[0])
        deferred = bring_with_errors(deliver, letters, points, "EIO")
        deferred += bring_with_errors(deliver, letters[len(points):], points, "ENOSPC")
        for letter in letters:
            letter.crashes = 1  # an error after zegel-submit's 250 may repeat it once, too
        repeats = crash.check_all(letters, mark, texts, number)
    print("# %d calls failed, %d letters had to come again, %d notifications repeated"
          % (len(letters), deferred, repeats), flush=True)
    assert deferred >= len(letters) // 4, deferred


def test_f5_calls_fail_for_long():
    """F5 F8 I1 I2: while every write, sync or open fails letters wait; then they are taken"""
    mark, texts, number = harness.log_mark(), crash.sms_count(), trail.last()
    with Deliver() as deliver:
        spare, *letters = crash.write_letters(7, LARGE_BYTES)
        crash.warm_up(deliver, spare)
        faults = (("writer", "pwrite64", "ENOSPC"), ("writer", "fdatasync", "EIO"),
                  ("writer", "pwrite64", "EIO"), ("session", "fsync", "EIO"),
                  ("session", "write", "ENOSPC"), ("session", "openat", "EMFILE"))
        for letter, (thread, call, error) in zip(letters, faults):
            point = crash.Point(thread, call, "1+")
            assert not crash.strike(deliver, letter, point, "error=" + error), point
            assert letter.code == (452 if error == "ENOSPC" else 451), (point, letter.code)
            crash.repeat(deliver, letter)
        crash.check_all(letters, mark, texts, number)


# ---- zegel-submit is down ----

class WithoutSubmit:
    """with WithoutSubmit(): zegel-submit is not in master.cf."""

    SERVICE = ENV["LAB_MAIL_ADDR"] + ":10587/inet"
    MASTER = "/etc/postfix/master.cf"

    def __enter__(self):
        with open(self.MASTER, encoding="utf-8") as file:
            self.master = file.read()
        command("postconf", "-MX", self.SERVICE)
        self.reload(listening=False)

    def __exit__(self, *_):
        with open(self.MASTER, "w", encoding="utf-8") as file:
            file.write(self.master)
        self.reload(listening=True)

    @staticmethod
    def reload(listening):
        harness.reload_postfix()
        wait_for(lambda: bool(command("ss", "-Hltn", "sport", "=", ":10587")) == listening,
                 "reload of Postfix")


def test_submit_is_down():
    """I1 I2 I4: without zegel-submit a message is stored once, waits, and is told once later"""
    mark = harness.log_mark()
    to = walk.new_outsider()
    with WithoutSubmit():
        queue_id = send(secure_message(to, SMALL_BYTES), SENDER, to)
        wait_deferred(queue_id, mark, "451 4.3.0 Z-V1-LATER")
        harness.wait_log(r"zegel-deliver.*%s: .*code=Z-V1-LATER, no notification" % queue_id, mark)
        for _ in range(3):
            again = harness.log_mark()
            harness.flush_deferred(queue_id)
            wait_deferred(queue_id, again, "451 4.3.0 Z-V1-LATER")
        assert rows(queue_id) == [None]
        assert not mailbox(to)
    empty_queue()
    harness.wait_mail(to)
    assert len(rows(queue_id)) == 1 and rows(queue_id)[0]
    assert len(mailbox(to)) == 1
    assert not harness.log_lines("status=bounced", mark)


# ---- The SMS gateway fails (F17) ----

class Adapter:
    """with Adapter(script): this shell script stands in the place of the SMS adapter."""

    PATH = ENV["LAB_LIBEXECDIR"] + "/zegel/sms-gammu"

    def __init__(self, script):
        self.script = script

    def __enter__(self):
        os.rename(self.PATH, self.PATH + ".true")
        with open(self.PATH, "w", encoding="ascii") as file:
            file.write("#!/bin/sh\n" + self.script + "\n")
        os.chmod(self.PATH, 0o755)

    def __exit__(self, *_):
        os.rename(self.PATH + ".true", self.PATH)


def press(sent):
    """Opens the link of SENT and presses the button; returns (page, seconds)."""
    browser = Browser()
    page = browser.get(sent.link)
    begin = time.monotonic()
    return browser.submit(page, page.form("/send")), time.monotonic() - begin


def test_f17_the_sms_gateway_fails():
    """F17 I7 I8: when no SMS goes out the page says so, and no code, try or limit is used up"""
    sent = walk.Sent(lambda typed, to: mail("SMS %s Uitslag" % typed, "Uitslag\n", to=to))
    mark = harness.log_mark()
    for script in ("exit 75", "cat >/dev/null; exit 1", "kill -9 $$"):
        with Adapter(script):
            for _ in range(4):
                page, _ = press(sent)
                assert page.status == 503, (page.status, page.text)
                assert "sms" in page.text and "Er is niets verloren gegaan" in page.text, page.text
    assert harness.log_lines(r"zegel-viewer.*SMS adapter .*exit status", mark)
    assert not harness.sms_texts(sent.number)
    _, page = walk.log_in(sent)
    assert "Uitslag" in page.text and len(harness.sms_texts(sent.number)) == 1


def test_f17_the_sms_gateway_hangs():
    """F17 I2 I7: a gateway that hangs is waited for 8 s; the button then sends no second SMS"""
    sent = walk.Sent(lambda typed, to: mail("SMS %s Uitslag" % typed, to=to))
    with Adapter("exec sleep 60"):
        page, seconds = press(sent)
    assert page.status == 200 and seconds < 8 + harness.patience(6), (page.status, seconds)
    assert page.form("/code"), page.text
    page, _ = press(sent)
    assert page.status == 200 and not harness.sms_texts(sent.number), page.text


# ---- Keys (F13) and configuration ----

def true_configuration():
    with open(ENV["LAB_SYSCONFDIR"] + "/zegel/zegel.conf", encoding="utf-8") as file:
        return file.read()


def write_configuration(name, text):
    path = os.path.join(os.environ["LAB"], name)
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    return path


def configuration_with_key(program, purpose, path):
    """The true one, but with other sockets, and PATH as the key for PURPOSE of PROGRAM."""
    text = true_configuration()
    for section in ("milter", "deliver", "viewer"):
        lines = "[%s]\nsocket = %s/f13.sock\n" % (section, os.environ["LAB"])
        if section == program:
            lines += "%s_key = %s\n" % (purpose, path)
        header = "[%s]\n" % section
        text = text.replace(header, lines) if header in text else lines + text
    return write_configuration("f13.conf", text)


def key_cases(true, other):
    """(what is wrong, text or None, mode, owned by the right user, what the refusal says)."""
    words = true.split(" ")
    return (
        ("missing", None, 0o400, True, "No such file"),
        ("empty", "", 0o400, True, "holds no key"),
        ("others may read", true, 0o644, True, "mode 0644"),
        ("the group may read", true, 0o440, True, "mode 0440"),
        ("owned by somebody else", true, 0o400, False, "owned by user|Permission denied"),
        ("short", " ".join(words[:-1] + [words[-1].strip()[:20] + "\n"]), 0o400, True, ":1: not"),
        ("for another purpose", other, 0o400, True, ":1: not"),
    )


def start_with_key(program, purpose, case):
    """Starts PROGRAM, which must refuse, with the key of CASE."""
    what, text, mode, owner, reason = case
    keys = ENV["LAB_SYSCONFDIR"] + "/zegel/keys/%s/" % program
    path = os.path.join(os.environ["LAB"], "f13.key")
    if os.path.lexists(path):
        os.unlink(path)
    if text is not None:
        with open(path, "w", encoding="ascii") as file:
            file.write(text)
        os.chmod(path, mode)
        status = os.stat(keys + purpose)
        os.chown(path, status.st_uid if owner else 65534, status.st_gid)
    mark = harness.log_mark()
    done = subprocess.run([ENV["LAB_SBINDIR"] + "/zegel-" + program, "-c",
                           configuration_with_key(program, purpose, path)],
                          capture_output=True, timeout=harness.patience(START_S), check=False)
    said = done.stderr.decode()
    assert done.returncode == EX_CONFIG, (program, purpose, what, done.returncode, said)
    assert path in said and re.search(reason, said), (program, purpose, what, said)
    assert text is None or len(text) < 40 or text.split(" ")[-1].strip() not in said, said
    harness.wait_log(r"crit zegel-%s.*stopped: .*%s" % (program, re.escape(path)), mark)


def test_f13_a_wrong_key_file_stops_the_start():
    """F13 I8 T36: a key file missing, empty, short, readable by others or swapped: start refused"""
    keys = ENV["LAB_SYSCONFDIR"] + "/zegel/keys/"
    for program, purpose, other in (("milter", "ticket", "deliver/link"),
                                    ("deliver", "ticket", "deliver/link"),
                                    ("deliver", "link", "deliver/store"),
                                    ("deliver", "store", "deliver/ticket"),
                                    ("viewer", "store", "deliver/link"),
                                    ("milter", "origin", "deliver/ticket"),
                                    ("deliver", "origin", "deliver/link"),
                                    ("viewer", "origin", "viewer/store")):
        with open(keys + program + "/" + purpose, encoding="ascii") as file:
            true = file.read()
        with open(keys + other, encoding="ascii") as file:
            cases = key_cases(true, file.read())
        for case in cases:
            start_with_key(program, purpose, case)


def test_a_wrong_configuration_is_named_by_line():
    """-n of every program says file, line and reason of a wrong configuration, and exits 78"""
    good = true_configuration()
    wrong = (
        ("nonsense = 1\n", "no key nonsense"),
        ("message_max_bytes = 1\n", "message_max_bytes"),
        ("message_max_bytes = 70000x\n", "message_max_bytes"),
        ("socket = relative.sock\n", "socket"),
        ("no equals sign\n", ""),
        ("[nothing]\n", "nothing"),
    )
    for program in ("milter", "policyd", "deliver", "viewer"):
        binary = ENV["LAB_SBINDIR"] + "/zegel-" + program
        command(binary, "-n")
        for line, words in wrong:
            text = good.replace("[deliver]\n", "[deliver]\n" + line)
            path = write_configuration("wrong.conf", text)
            number = text[:text.index(line)].count("\n") + 1
            done = subprocess.run([binary, "-n", "-c", path], capture_output=True, check=False)
            said = done.stderr.decode()
            assert done.returncode == EX_CONFIG, (program, line, done.returncode)
            assert "%s:%d: " % (path, number) in said and words in said, (program, line, said)
        path = os.path.join(os.environ["LAB"], "missing.conf")
        done = subprocess.run([binary, "-n", "-c", path], capture_output=True, check=False)
        assert done.returncode == EX_CONFIG and path in done.stderr.decode(), done


# ---- F29: signals ----

def test_f29_term_while_the_viewer_starts():
    """F29: SIGTERM ends the viewer at whatever moment of its start it comes"""
    with harness.without("viewer"):
        for step in range(60):
            program = subprocess.Popen([ENV["LAB_SBINDIR"] + "/zegel-viewer"])
            time.sleep(step * harness.patience(0.001))
            program.terminate()
            try:
                program.wait(harness.patience(15))
            finally:
                program.kill()
                program.wait()
