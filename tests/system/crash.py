"""Letters by the hundred, zegel-deliver under strace, and what must hold after any fault:
nothing lost, nothing doubled, nothing bounced (I1, I2, I4).

strace counts the calls of each thread by itself, and what it injects happens before the
call: "pwrite64 of writer, 3" is the state between its second and its third.
"""
import base64
import collections
import glob
import hashlib
import os
import re
import signal
import smtplib
import socket
import sqlite3
import subprocess
import tempfile
import time

import harness
import outbox
import trail
import walk
from browser import link_in
from harness import ENV, command, mail, part, wait_for

SENDER = "janssen@" + part("own")
LABEL = ".viewer.zegel.internal"
TRIES_MAX = 10
TRACER_WAIT_S = 10
FEW = 10  # of so many points one, where each call is slow (sanitizers)

# The storage and socket calls; what is left out changes nothing outside the process.
CALLS = frozenset("""
    accept4 access chmod close connect fchmod fchown fcntl fdatasync fsync fstat ftruncate
    flock getdents64 getpeername getsockname getsockopt lseek mkdir newfstatat open openat
    pipe2 poll pread64 ppoll pwrite64 pwritev read readlink recvfrom recvmsg rename renameat
    rmdir sendmmsg sendmsg sendto setsockopt shutdown socket socketpair statx sync_file_range
    unlink unlinkat write writev""".split())


def sanitized():
    return ENV["LAB_SANITIZERS"] == "yes"


def fewer(points):
    """All POINTS, or one of FEW under sanitizers."""
    return points[::FEW] if sanitized() else points


def spread(points, count):
    """COUNT of POINTS, from the first to the last."""
    if len(points) <= count:
        return points
    return [points[index * (len(points) - 1) // (count - 1)] for index in range(count)]


# ---- Letters -------------------------------------------------------------------------

class Letter:
    """A secure message with its ticket, as Postfix has it in its queue.

    .queue_id, .to, .number, .content (the bytes that the store must give back), .code (the
    last answer, None when the session broke), .crashes (how many ended a try).
    """

    def __init__(self, queue_id, to, number):
        self.queue_id, self.to, self.number = queue_id, to, number
        self.code, self.crashes = None, 0
        queued = re.sub(rb"\r?\n", b"\r\n", harness.queue_message(queue_id))
        self.wire = re.sub(rb"(?m)^\.", b"..", queued) + b".\r\n"
        self.content = re.sub(rb"(?mi)^X-Zegel-Ticket:.*\n(?:[ \t].*\n)*", b"", queued)
        assert len(self.content) < len(queued), "no ticket"

    def bring(self, session):
        """One try over SESSION, as lmtp(8) does it; returns .code."""
        server = session.server
        try:
            self.code, _ = server.docmd("XFORWARD", "IDENT=" + self.queue_id)
            for verb in ("MAIL FROM:<%s>" % SENDER, "RCPT TO:<%s>" % (self.to + LABEL), "DATA"):
                if self.code == 250:
                    self.code, _ = server.docmd(verb)
            if self.code == 354:
                server.send(self.wire)
                self.code, _ = server.getreply()
        except (smtplib.SMTPException, OSError):
            self.code = None
        assert self.code is None or self.code == 250 or 400 <= self.code <= 499, self.code
        return self.code


def write_letter(server, body_bytes):
    """Submits a secure message over SERVER; returns (queue id, recipient, number)."""
    typed, number = walk.new_number()
    to = walk.new_outsider()
    body = base64.encodebytes(os.urandom(body_bytes * 3 // 4)).decode()
    message = mail("SMS %s Uitslag" % typed, body, to=to)
    server.mail(SENDER)
    server.rcpt(to)
    code, text = server.data(message.as_bytes(policy=harness.policy.SMTP))
    assert code == 250, text
    return re.search(rb"queued as (\w+)", text).group(1).decode(), to, number


def write_letters(count, body_bytes, keep=False):
    """COUNT letters; zegel-deliver must be down. KEEP: Postfix keeps them, on hold."""
    server = harness.connect(SENDER)
    written = [write_letter(server, body_bytes) for _ in range(count)]
    server.close()
    ids = {queue_id for queue_id, _, _ in written}
    wait_for(lambda: len(ids & {entry["queue_id"] for entry in harness.queue()
                                if entry["queue_name"] == "deferred"}) == count, "deferral")
    letters = [Letter(*one) for one in written]
    command("postsuper", "-h" if keep else "-d", "-", data="\n".join(ids).encode())
    return letters


# ---- The program ---------------------------------------------------------------------

class Point:
    """Before the NUMBER-th CALL of THREAD ("session", "writer", or "any" of them).

    "1+" as NUMBER means each of them.
    """

    def __init__(self, thread, call, number):
        self.thread, self.call, self.number = thread, call, number

    def __repr__(self):
        return "%s %s %s" % (self.thread, self.call, self.number)


class Deliver:
    """with Deliver() as deliver: zegel-deliver as our own child, as often as needed."""

    def __init__(self):
        self.process = None
        self.tracer = None

    def __enter__(self):
        harness.control("stop", "deliver")
        return self

    def __exit__(self, *_):
        self.untrace()
        if self.alive():
            self.process.terminate()
            self.process.wait()
        harness.control("start", "deliver")
        harness.queue_flush()  # Postfix forgets that nobody was there

    def alive(self):
        return self.process is not None and self.process.poll() is None

    def start(self):
        log = os.path.join(os.environ["LAB"], "log", "deliver")
        with open(log, "ab") as file:
            self.process = subprocess.Popen([ENV["LAB_SBINDIR"] + "/zegel-deliver"],
                                            stdout=file, stderr=file, start_new_session=True)
        self.wait_ready()

    def stay(self):
        """Starts it when the last kill, perhaps after its 250, ended it: it may be dying yet."""
        try:
            self.end(self.session())
        except (smtplib.SMTPException, OSError):
            self.process.wait(harness.WAIT_S)
            self.start()

    def wait_ready(self):
        """Waits until it listens, without a connection: that would be a session."""
        address = " " + harness.Lmtp.SOCKET
        path = "/proc/%d/net/unix" % self.process.pid

        def listens():
            assert self.alive(), "zegel-deliver ended with %d" % self.process.returncode
            with open(path, encoding="ascii") as file:
                return any(line.endswith(address) and int(line.split()[3], 16) & 0x10000
                           for line in file.read().splitlines())
        end = time.monotonic() + harness.WAIT_S
        while not listens():
            assert time.monotonic() < end, "zegel-deliver does not listen"
            time.sleep(0.002)

    def kill(self):
        self.process.kill()
        self.process.wait()

    def threads(self):
        """{name: id} of its threads; the first one is called "main"."""
        found = {}
        for path in glob.glob("/proc/%d/task/*/comm" % self.process.pid):
            thread = path.split("/")[4]
            try:
                with open(path, encoding="ascii") as file:
                    found[file.read().strip()] = thread
            except OSError:  # it ended meanwhile
                continue
        return dict(found, main=str(self.process.pid))

    def session(self):
        """An LMTP session."""
        return harness.Lmtp()

    def end(self, session):
        """Ends SESSION, and waits until its thread or the whole program is gone."""
        try:
            session.server.quit()
        except (smtplib.SMTPException, OSError):
            pass
        limit = time.monotonic() + harness.WAIT_S
        while self.alive() and "session" in self.threads():
            assert time.monotonic() < limit, "a session did not end"
            time.sleep(0.002)

    def trace(self, *arguments):
        """Attaches strace with ARGUMENTS and returns when it is there."""
        self.tracer = subprocess.Popen(["strace", "-o", "/dev/null", *arguments],
                                       stderr=subprocess.PIPE)
        line = self.tracer.stderr.readline()
        assert b"attached" in line, line

    def inject(self, point, fault):
        """From now on FAULT happens at POINT."""
        # The writer begins at the first job; the clock has one a few seconds after the start.
        name = "main" if point.thread == "any" else point.thread
        thread = wait_for(lambda: self.threads().get(name), "the thread " + name)
        whom = ["-f"] * (point.thread == "any") + ["-p", thread]
        self.trace("-e", "trace=" + point.call, "-e",
                   "inject=%s:%s:when=%s" % (point.call, fault, point.number), *whom)

    def untrace(self):
        """Takes strace away; waits first when the program it looked at is dead."""
        if self.tracer is None:
            return
        if self.alive():
            self.tracer.terminate()
        try:
            self.tracer.wait(TRACER_WAIT_S)
        except subprocess.TimeoutExpired:  # it missed the death of a thread
            self.tracer.kill()
            self.tracer.wait()
        self.tracer.stderr.close()
        self.tracer = None

    def calls(self, act):
        """The points that its threads pass while ACT() runs, in the order of each thread."""
        with tempfile.TemporaryDirectory(prefix="trace") as folder:
            names = {thread: name for name, thread in self.threads().items()}
            self.trace("-ff", "-o", folder + "/t", "-p", str(self.process.pid))
            act()
            names.update({thread: name for name, thread in self.threads().items()})
            self.untrace()
            return [point for path in sorted(glob.glob(folder + "/t.*"))
                    for point in read_trace(path, names.get(path.rsplit(".", 1)[1], "other"))]

    def calls_for(self, letter):
        """The points that its threads pass while LETTER is brought."""
        session = self.session()

        def bring():
            assert letter.bring(session) == 250, letter.code
            self.end(session)
        return self.calls(bring)


def read_trace(path, thread):
    """The points in the file that strace -ff wrote for THREAD."""
    counts, points = collections.Counter(), []
    with open(path, encoding="utf-8", errors="replace") as file:
        for line in file:
            call = line.split("(", 1)[0]
            if call in CALLS:
                counts[call] += 1
                points.append(Point(thread, call, counts[call]))
    return points


def anywhere(points, without="relay"):
    """POINTS in whatever thread comes there first, each once, and those of WITHOUT not at all.

    How often the relay looks for events is a matter of time, not of what is brought.
    """
    seen = {(point.call, point.number): None for point in points if point.thread != without}
    return [Point("any", call, number) for call, number in seen]


# ---- One fault -----------------------------------------------------------------------

def strike(deliver, letter, point, fault="signal=KILL"):
    """Brings LETTER with FAULT at POINT; whether zegel-deliver died of it."""
    if point.thread == "any":  # also what comes before there is a session
        deliver.inject(point, fault)
    try:
        session = deliver.session()
    except (smtplib.SMTPException, OSError):
        session = None
    if session is not None:
        if point.thread != "any":
            deliver.inject(point, fault)
        letter.bring(session)
        deliver.end(session)
    return settle(deliver, letter)


def settle(deliver, letter):
    """After a try: whether the program died; then LETTER counts a crash more."""
    if letter.code is None:  # the session broke, most likely because the program ends
        try:
            deliver.process.wait(harness.patience(10))
        except subprocess.TimeoutExpired:
            pass
    deliver.untrace()
    if deliver.alive():
        return False
    assert deliver.process.returncode == -signal.SIGKILL, deliver.process.returncode
    letter.crashes += 1
    return True


def repeat(deliver, letter):
    """What Postfix's queue does: LETTER comes again until it is taken."""
    for _ in range(TRIES_MAX):
        if letter.code == 250:
            return
        session = deliver.session()
        letter.bring(session)
        deliver.end(session)
    assert letter.code == 250, "%s: still %s" % (letter.queue_id, letter.code)


def warm_up(deliver, letter):
    """Starts the program and brings LETTER, also again: all its threads are there."""
    deliver.start()
    letter.code = None
    repeat(deliver, letter)


def strike_all(deliver, letters, points, spare, fault="signal=KILL"):
    """One of POINTS for each of LETTERS, every letter until it is taken; counts the deaths.

    SPARE is a letter that was taken: to warm up with after a death.
    """
    deaths, number = 0, trail.last()
    for letter, point in zip(letters, points):
        if strike(deliver, letter, point, fault):
            deaths += 1
            outbox.check_both(letter, number)
            warm_up(deliver, spare)
        repeat(deliver, letter)
    return deaths


# ---- Afterwards ----------------------------------------------------------------------

def check_rows(letters, mark):
    """Each of LETTERS is in the store once, and its notification is recorded.

    When that could not be recorded the log says so.
    """
    path = os.path.join(ENV["LAB_STATEDIR"], "store", "store.db")
    with sqlite3.connect("file:%s?mode=ro" % path, uri=True) as database:
        rows = database.execute("SELECT queue_id, notified IS NOT NULL FROM entry").fetchall()
    counts = collections.Counter(queue_id for queue_id, _ in rows)
    told = {queue_id for queue_id, notified in rows if notified}
    told |= {re.search(r"(\w+): ref=", line).group(1)
             for line in harness.log_lines("notified, but not recorded", mark)}
    wrong = {letter.queue_id: counts[letter.queue_id] for letter in letters
             if counts[letter.queue_id] != 1 or letter.queue_id not in told}
    assert not wrong, "rows: %s" % wrong


def all_mail():
    """{recipient: [Received]} of the outsider's mailbox."""
    found = collections.defaultdict(list)
    folder = os.path.join(ENV["LAB_MAILDIRS"], part("outsider"), "all", "new")
    for name in os.listdir(folder):
        received = harness.Received(os.path.join(folder, name))
        found[received.message["Delivered-To"].lower()].append(received)
    return found


def check_notifications(letters):
    """Each of LETTERS was told once, or once more for a crash with the same id and link.

    Returns {recipient: link}, and how many repeats there were.
    """
    wait_for(lambda: not [entry for entry in harness.queue()
                          if entry["queue_name"] in ("incoming", "active")], "empty queue", 60)
    boxes, links, repeats = all_mail(), {}, 0
    for letter in letters:
        told = boxes[letter.to]
        assert 1 <= len(told) <= 1 + letter.crashes, (letter.to, len(told), letter.crashes)
        assert len({one.message["Message-ID"] for one in told}) == 1, letter.to
        found = {link_in(one) for one in told}
        assert len(found) == 1, (letter.to, found)
        links[letter.to] = found.pop()
        repeats += len(told) - 1
    return links, repeats


def check_contents(letters, links):
    """The store gives back each of LETTERS as it came."""
    store = os.path.join(ENV["LAB_STATEDIR"], "store")
    secrets = "".join(links[letter.to].rsplit("/", 1)[1] + "\n" for letter in letters)
    told = command("setpriv", "--reuid=zegel-viewer", "--regid=zegel-viewer", "--init-groups",
                   ENV["LAB_BUILD"] + "/tests/system/read_store", store + "/store.db",
                   store + "/messages", ENV["LAB_SYSCONFDIR"] + "/zegel/keys/viewer/store",
                   "praktijk", data=secrets.encode()).decode().splitlines()
    wanted = [hashlib.sha256(letter.content).hexdigest() for letter in letters]
    wrong = [(letter.queue_id, got) for letter, got, want in zip(letters, told, wanted)
             if got != want]
    assert len(told) == len(letters) and not wrong, wrong


def check_viewer(letter, link):
    """A recipient reads LETTER byte for byte."""
    sent = type("Sent", (), {"number": letter.number, "to": letter.to, "link": link})
    browser, page = walk.log_in(sent)
    original = browser.get(page.url + "/original")
    assert original.status == 200, original.status
    assert hashlib.sha256(original.body).digest() == hashlib.sha256(letter.content).digest()


def sms_count():
    """How many files the SMS gateway has."""
    return sum(len(names) for _, _, names in os.walk(ENV["LAB_SMS"]))


def check_all(letters, mark, texts, number):
    """All of it: LETTERS after their faults; MARK, TEXTS (sms_count) and NUMBER (trail.last)
    are from before. zegel-deliver runs.
    """
    assert all(letter.code == 250 for letter in letters)
    check_rows(letters, mark)
    outbox.check_once(letters, number)
    links, repeats = check_notifications(letters)
    check_contents(letters, links)
    assert sms_count() == texts, "an SMS nobody asked for"
    assert not harness.log_lines("status=bounced", mark)
    for letter in spread(letters, 2):
        check_viewer(letter, links[letter.to])
    return repeats


def stored_again(letters, mark):
    """How many of LETTERS were found stored when they came again: killed after the COMMIT."""
    lines = harness.log_lines(r"event=stored.*again=yes", mark)
    again = {re.search(r"(\w+): event=", line).group(1) for line in lines}
    return sum(letter.queue_id in again for letter in letters)
