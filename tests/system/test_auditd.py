"""zegel-auditd: what milter and policyd decide is in the audit trail at once and once, whatever
dies or is stuck, and no mail waits for it (A1, A2)."""
import contextlib
import os
import re
import signal
import socket
import statistics
import subprocess
import threading
import time

import crash
import harness
import trail
import walk
from harness import ENV, command, mail, part, unique, wait_for

SENDER = "janssen@" + part("own")
PROGRAMS = "zegel-(milter|policyd)"
AT_ONCE_S = 1.0
MESSAGES = 12
SLOWER = 3           # what a message may take more, in times and in seconds
SLOWER_S = 0.5
NEVER_S = 4.0        # what no message may take: zegel would wait 5 s for auditd
EVENTS_AT_A_KILL = 3
ZEGELCTL = os.path.join(ENV["LAB_SBINDIR"], "zegelctl")


def secure(typed, to):
    return mail("SMS %s Uitslag" % typed, to=to)


def send_secure():
    """A message for the viewer to somebody new; (queue id, how long its sender waited)."""
    typed, _ = walk.new_number()
    to = walk.new_outsider()
    before = time.monotonic()
    queue_id = harness.send(secure(typed, to), SENDER, to, login=None,
                            source=ENV["LAB_SYSTEM_ADDR"])
    return queue_id, time.monotonic() - before


def send_many(count=MESSAGES):
    """How long each of COUNT messages took, and their queue ids."""
    sent = [send_secure() for _ in range(count)]
    return [seconds for _, seconds in sent], [queue_id for queue_id, _ in sent]


def wait_routed(queue_ids, mark):
    """The events of milter and policyd after MARK, all those of the messages QUEUE_IDS too."""
    for queue_id in queue_ids:
        harness.wait_delivered(queue_id)
    events = trail.logged(mark, PROGRAMS)
    routed = {event["queue-id"] for event in events if event["event"] == "routed"}
    assert routed >= set(queue_ids), queue_ids
    return events


def check_speed(before, now):
    """Messages went NOW as they did BEFORE."""
    was, is_now = statistics.median(before), statistics.median(now)
    print("# %.0f ms a message before, %.0f ms now, %.0f ms the slowest" %
          (was * 1000, is_now * 1000, max(now) * 1000), flush=True)
    assert is_now < was * SLOWER + harness.patience(SLOWER_S), (was, is_now)
    assert max(now) < harness.patience(NEVER_S), max(now)


# ---- All goes well -------------------------------------------------------------------

def test_events_are_in_the_trail_within_a_second():
    """A1 A2: events of milter and policyd are records within a second, with the same values"""
    mark, number = harness.log_mark(), trail.last()
    sent = walk.Sent(secure)
    wait_for(lambda: {"routed", "phone-learned"} <= {
        event["event"] for event in trail.logged(mark, PROGRAMS)}, "events")
    events = trail.logged(mark, PROGRAMS)
    time.sleep(harness.patience(AT_ONCE_S))
    trail.check_each_once(events, number, seconds=0)
    records = trail.records(number)
    sources = {record["program"]: record["source"] for record in records}
    assert sources["zegel-milter"] == "zegel-milter", sources
    assert sources["zegel-policyd"] == "zegel-policyd", sources
    routed = next(record for record in records if record["event"] == "routed")
    assert (routed["to"], routed["queue-id"], routed["org"], routed["nta"]) == \
        (sent.to, sent.queue_id, "praktijk", "1"), routed


def test_what_comes_in_is_in_the_trail():
    """A1 A2: so are the events of the instance of port 25, as another user's"""
    mark, number = harness.log_mark(), trail.last()
    sender, to = unique("p") + "@" + part("outsider"), unique("p") + "@" + part("own")
    harness.send(mail("Vraag", sender=sender, to=to), sender, to, login=None,
                 source=ENV["LAB_OUTSIDER_ADDR"])
    harness.wait_log(r"zegel-milter\[\d+\]: \w+: event=verified", mark)
    events = trail.logged(mark, "zegel-milter")
    trail.check_each_once(events, number)
    record = trail.wait_record(events[0]["id"], number)
    assert record["source"] == "zegel-mx" and record["nta"] == "5", record


def test_a_checkpoint_goes_to_the_log():
    """A2: what a checkpoint vouches for is written to the log, and signed when it ends"""
    answer = trail.bring("request=checkpoint\n\n")
    text = re.fullmatch(r"checkpoint=(zegel-checkpoint 1 [0-9a-f]{8} (\d+) [0-9a-f]{64} \S+ \S+)"
                        r"\n\n", answer)
    assert text and int(text.group(2)) == trail.last(), answer
    harness.wait_log(r"zegel-auditd\[\d+\]: checkpoint " + re.escape(text.group(1)))
    mark = harness.log_mark()
    trail.bring(trail.block(trail.new_id()))
    harness.control("stop", "auditd")
    lines = harness.log_lines(r"zegel-auditd\[\d+\]: checkpoint ", mark)
    harness.control("start", "auditd")
    assert len(lines) == 1 and " %d " % trail.last() in lines[0], lines


def test_checkpoints_come_by_themselves():
    """A2: there is one within the time of zegel.conf when there is news, and else none"""
    with harness.configured("audit", "checkpoint_s", "1", "auditd"):
        mark = harness.log_mark()
        time.sleep(2)
        assert not harness.log_lines(r"zegel-auditd\[\d+\]: checkpoint ", mark)
        trail.bring(trail.block(trail.new_id()))
        harness.wait_log(r"zegel-auditd\[\d+\]: checkpoint ", mark, 10)


def test_zegelctl_brings_its_events():
    """A1: what zegelctl changes is in the trail as root's; without auditd it says so and goes on"""
    mark, number = harness.log_mark(), trail.last()
    domain = unique("d") + ".example"
    command(ZEGELCTL, "domain", "add", domain, "smtp.%s" % domain, "dane-only")
    done = None
    with harness.without("auditd"):
        done = subprocess.run([ZEGELCTL, "domain", "remove", domain], capture_output=True,
                              text=True, check=True)
    assert "not in the audit trail, only in the log" in done.stderr, done.stderr
    added, removed = trail.logged(mark, "zegelctl")
    trail.check_each_once([added], number)
    record = trail.wait_record(added["id"], number)
    assert record["source"] == "root" and record["change"] == "added", record
    assert removed["id"] not in {one["id"] for one in trail.records(number)}


def test_a_new_key_counts_after_sighup():
    """A2: the trail goes on under a new key, and says so; a key file that is wrong changes nothing"""
    number, pid = trail.last(), int(harness.program_pid("auditd"))
    command(ZEGELCTL, "key", "generate", "audit")
    os.kill(pid, signal.SIGHUP)
    changed = wait_for(lambda: next((record for record in trail.records(number)
                                     if record["event"] == "audit-key"), None), "record of the key")
    with open(trail.KEY, encoding="ascii") as file:
        assert file.readline().split()[3] == changed["key"], changed
    mark, event_id = harness.log_mark(), trail.new_id()
    os.chmod(trail.KEY, 0o644)
    try:
        os.kill(pid, signal.SIGHUP)
        harness.wait_log(r"crit zegel-auditd\[\d+\]: .* the keys stay as they were", mark)
    finally:
        os.chmod(trail.KEY, 0o400)
    trail.bring(trail.block(event_id))
    trail.wait_record(event_id, number)


# ---- Who may come --------------------------------------------------------------------

def test_others_are_refused():
    """A2: a foreign user brings no event; the programs' users bring no requests; root does"""
    mark, number, event_id = harness.log_mark(), trail.last(), trail.new_id()
    assert "code=refused" in trail.bring_as("balie", trail.block(event_id))
    assert "code=refused" in trail.bring_as("postfix", trail.block(event_id))
    harness.wait_log(r"warning zegel-auditd\[\d+\]: user \d+ may bring no events", mark)
    answer = trail.bring_as("zegel-mx", trail.block(event_id) + "request=checkpoint\n\n")
    assert answer.startswith("id=%s\n\n" % event_id), answer
    assert "code=refused" in answer and "checkpoint=" not in answer, answer
    found = [record for record in trail.records(number) if record["id"] == event_id]
    assert len(found) == 1 and found[0]["source"] == "zegel-mx", found
    with open("/proc/%s/status" % harness.program_pid("auditd"), encoding="ascii") as file:
        uid = re.search(r"(?m)^Uid:\t(\d+)\t", file.read()).group(1)
    assert command("id", "-u", "zegel-auditd").decode().strip() == uid
    folder = os.stat(os.path.dirname(trail.DATABASE))
    assert folder.st_mode & 0o777 == 0o700 and str(folder.st_uid) == uid


def test_nonsense_harms_nobody():
    """A2: what is no event is answered so, and keeps no other from the trail"""
    number, ids = trail.last(), [trail.new_id() for _ in range(3)]
    blocks = [trail.block(ids[0]), "nonsense\n\n", trail.block(ids[1], event="no-such-event"),
              trail.block("short"), "\n", trail.block(ids[0]), trail.block(ids[2])]
    answers = trail.bring("".join(blocks), answers=len(blocks)).split("\n\n")
    assert answers[0] == answers[5] == "id=" + ids[0], answers
    assert answers[6] == "id=" + ids[2], answers
    assert all("code=unknown" in answer for answer in answers[1:5]), answers
    found = [record["id"] for record in trail.records(number)]
    assert found == [ids[0], ids[2]], found
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as link:  # a block without an end
        link.connect(trail.SOCKET)
        link.settimeout(harness.WAIT_S)
        link.sendall(b"event=login\n")
        before = time.monotonic()
        assert link.recv(10) == b""
        assert time.monotonic() - before > 4


# ---- It is down ----------------------------------------------------------------------

def test_mail_goes_on_without_auditd():
    """A2 I7: while it is down mail goes as fast; afterwards each event is there once"""
    send_many(2)
    mark = harness.log_mark()
    before, queue_ids = send_many()
    trail.check_each_once(wait_routed(queue_ids, mark))
    mark = harness.log_mark()
    with harness.without("auditd", kill=True):
        number = trail.last()
        now, queue_ids = send_many()
        for program in ("zegel-milter", "zegel-policyd"):
            harness.wait_log(r"crit %s\[\d+\]: events wait for the audit trail" % program, mark)
        events = wait_routed(queue_ids, mark)
        assert trail.last() == number
    check_speed(before, now)
    trail.check_each_once(events, number)
    harness.wait_log(r"zegel-milter\[\d+\]: events reach the audit trail again", mark)
    alarms = harness.log_lines(r"zegel-milter\[\d+\]: events wait", mark)
    assert len(alarms) == 1, alarms


def test_programs_start_without_auditd():
    """A2: milter and policyd start, work and end without it, and say what they could not bring"""
    number = trail.last()
    with harness.without("auditd"):
        mark = harness.log_mark()
        with harness.without("policyd", "milter"):
            pass
        queue_id, _ = send_secure()
        wait_routed([queue_id], mark)
        harness.control("stop", "milter")
        harness.wait_log(r"crit zegel-milter\[\d+\]: \d+ events never reached", mark)
        harness.control("start", "milter")
    book = [event for event in trail.logged(mark, "zegel-policyd")]
    trail.check_each_once(book, number)


# ---- It is killed --------------------------------------------------------------------

class Bringer(threading.Thread):
    """Brings events until each was answered, as the programs do; .ids are those."""

    def __init__(self, count):
        super().__init__()
        self.ids = [trail.new_id() for _ in range(count)]
        self.left = list(self.ids)
        self.start()

    def run(self):
        end = time.monotonic() + harness.WAIT_S
        while self.left and time.monotonic() < end:
            answers = ""
            with contextlib.suppress(OSError):
                answers = trail.bring("".join(map(trail.block, self.left)),
                                      answers=len(self.left))
            done = set(re.findall(r"id=(\w{32})\n\n", answers))
            self.left = [one for one in self.left if one not in done]
            time.sleep(0.02)


def is_gone(pid):
    return not os.path.exists("/proc/" + pid)


@contextlib.contextmanager
def traced(*arguments):
    """zegel-auditd under strace with ARGUMENTS; its process id."""
    pid = harness.program_pid("auditd")
    tracer = subprocess.Popen(["strace", "-f", "-o", "/dev/null", *arguments, "-p", pid],
                              stderr=subprocess.PIPE)
    line = tracer.stderr.readline()
    assert b"attached" in line, line
    try:
        yield pid
    finally:
        tracer.terminate()
        tracer.wait()
        tracer.stderr.close()


def kill_at(call, number):
    """Events come while auditd is killed in front of its NUMBER-th CALL; (their ids, whether it
    died of that)."""
    with traced("-e", "trace=" + call, "-e",
                "inject=%s:signal=KILL:when=%d" % (call, number)) as pid:
        bringers = [Bringer(EVENTS_AT_A_KILL) for _ in range(2)]
        end = time.monotonic() + 10
        while not is_gone(pid) and time.monotonic() < end and \
                any(one.is_alive() for one in bringers):
            time.sleep(0.005)
        died = is_gone(pid)
        with contextlib.suppress(ProcessLookupError):
            os.kill(int(pid), signal.SIGKILL)
    wait_for(lambda: is_gone(pid), "end of auditd")
    harness.control("start", "auditd")
    for one in bringers:
        one.join()
        assert not one.left, one.left
    return [event_id for one in bringers for event_id in one.ids], died


POINTS = [(call, number) for call, count in
          (("accept4", 3), ("recvfrom", 5), ("pwrite64", 14), ("fdatasync", 3), ("sendto", 4))
          for number in range(1, count + 1)]


def test_killed_at_many_moments():
    """A2: killed in front of each call while events come, each is in the trail once"""
    mark, number = harness.log_mark(), trail.last()
    ids, deaths, queue_ids = [], 0, []
    for call, count in crash.fewer(POINTS):
        if count == 1:
            queue_ids.append(send_secure()[0])
        found, died = kill_at(call, count)
        ids += found
        deaths += died
    print("# killed %d times at %d points" % (deaths, len(crash.fewer(POINTS))), flush=True)
    assert deaths > len(crash.fewer(POINTS)) // 2, deaths
    trail.check_each_once(wait_routed(queue_ids, mark), number)
    records = trail.records(number)
    times = {event_id: 0 for event_id in ids}
    for record in records:
        if record["id"] in times:
            times[record["id"]] += 1
    assert set(times.values()) == {1}, times
    numbers = [int(record["record"]) for record in records]
    assert numbers == list(range(number + 1, number + 1 + len(records))), numbers


# ---- The disk ------------------------------------------------------------------------

def expect_recovery(mark, database, mend):
    """An event of the milter waits while the trail cannot be written, until MEND()."""
    queue_id, seconds = send_secure()
    assert seconds < harness.patience(NEVER_S), seconds
    harness.wait_log(r"crit zegel-auditd\[\d+\]: the audit trail cannot be written", mark)
    harness.wait_log(r"crit zegel-milter\[\d+\]: events wait for the audit trail", mark)
    events = wait_routed([queue_id], mark)
    mend()
    wait_for(lambda: {event["id"] for event in events} <=
             {record["id"] for record in trail.records(database=database)}, "all events")
    harness.wait_log(r"zegel-auditd\[\d+\]: the audit trail is written again", mark)
    ids = [record["id"] for record in trail.records(database=database)]
    assert len(ids) == len(set(ids)), ids


def test_the_disk_is_full():
    """A2 I8: on a full disk events wait, alarm lines say so, and it goes on by itself"""
    folder = os.path.join(ENV["LAB"], unique("small"))
    database, filler = folder + "/audit.db", folder + "/filler"
    os.mkdir(folder)
    command("mount", "-t", "tmpfs", "-o", "size=1m", "small", folder)
    command("chown", "zegel-auditd:", folder)
    os.chmod(folder, 0o700)
    try:
        with harness.configured("audit", "database", database, "auditd"):
            trail.bring(trail.block(trail.new_id()))
            mark = harness.log_mark()
            with open(filler, "wb", buffering=0) as file, contextlib.suppress(OSError):
                while True:
                    file.write(bytes(4096))
            expect_recovery(mark, database, lambda: os.unlink(filler))
    finally:
        command("umount", "-l", folder)


def test_the_disk_is_broken():
    """A2 I8: while the disk gives errors events wait, and it goes on by itself"""
    mark = harness.log_mark()
    with contextlib.ExitStack() as stack:
        stack.enter_context(traced("-e", "trace=fdatasync,fsync,pwrite64", "-e",
                                   "inject=fdatasync,fsync:error=EIO"))
        expect_recovery(mark, trail.DATABASE, stack.close)


# ---- The system's log ----------------------------------------------------------------

def restart(program, *wrapper):
    harness.control("stop", program)
    harness.control("start", program, *wrapper)


class OwnLog:
    """with OwnLog("milter") as log: the program has a /dev/log of its own, ours to read."""

    def __init__(self, program):
        self.program = program
        self.path = os.path.join(ENV["LAB"], unique("log"))
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)

    def __enter__(self):
        self.socket.bind(self.path)
        self.socket.settimeout(harness.WAIT_S)
        os.chmod(self.path, 0o666)
        restart(self.program, "sh", "-c", 'mount --bind "$0" /dev/log && exec "$@"', self.path)
        return self

    def __exit__(self, *_):
        restart(self.program)
        self.socket.close()
        os.unlink(self.path)

    def fill(self):
        """Nobody reads it: it takes no line any more."""
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK) as other:
            other.connect(self.path)
            with contextlib.suppress(BlockingIOError):
                while True:
                    other.send(b"<22>full")
        return self

    def read(self, pattern):
        """The first line that comes with PATTERN."""
        while True:
            line = self.socket.recv(65536).decode()
            if re.search(pattern, line):
                return line

    def drain(self):
        """Takes what there is."""
        self.socket.setblocking(False)
        with contextlib.suppress(BlockingIOError):
            while True:
                self.socket.recv(65536)
        self.socket.settimeout(harness.WAIT_S)


def test_a_stuck_log_holds_up_no_mail():
    """A3 I7: nobody reads /dev/log: mail goes as fast, the trail has all, lost lines are counted"""
    send_many(2)
    before, _ = send_many()
    number = trail.last()
    with OwnLog("milter") as log:
        log.fill()
        now, queue_ids = send_many()
        log.drain()
        send_secure()
        assert int(re.search(r": (\d+) lines were lost", log.read("lines were lost")).group(1)) \
            >= MESSAGES
    check_speed(before, now)
    wait_for(lambda: {record.get("queue-id") for record in trail.records(number)
                      if record["event"] == "routed"} >= set(queue_ids), "all events")


NAME = r'[!#-<>-\\^-~]{1,32}'
STRUCTURED = re.compile(
    r"<(?P<pri>\d{1,3})>1 \d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{1,6}Z (?P<host>[!-~]{1,255}) "
    r"(?P<app>[!-~]{1,48}) (?P<pid>[!-~]{1,128}) (?P<msgid>[!-~]{1,32}) "
    r"\[(?P<id>%s)(?P<pairs>(?: %s=\"(?:[^\"\\\]]|\\[\"\\\]])*\")*)\] (?P<text>.*)" % (NAME, NAME))


def test_the_structured_form():
    """A3: as RFC 5424 6 has it, with the same pairs as the text, and without who it was if so set"""
    try:
        with harness.configured("log", "format", "structured"), \
                harness.configured("log", "addresses", "domain"), OwnLog("milter") as log:
            number = trail.last()
            queue_id, _ = send_secure()
            line = log.read("event=routed")
    finally:
        restart("milter")
    match = STRUCTURED.fullmatch(line)
    assert match, line
    assert (match["pri"], match["app"], match["msgid"]) == ("22", "zegel-milter", "routed"), line
    assert re.fullmatch(r"[\w-]+@\d+", match["id"]), line
    pairs = dict(re.findall(r' (%s)="((?:[^"\\\]]|\\["\\\]])*)"' % NAME, match["pairs"]))
    text = "%s: %s" % (queue_id, ", ".join("%s=%s" % pair for pair in pairs.items()
                                           if pair[0] != "queue-id"))
    assert pairs["queue-id"] == queue_id and match["text"] == text, (text, line)
    assert pairs["to"] == "*@" + part("outsider") and SENDER not in line, line
    record = trail.wait_record(pairs["id"], number)
    assert record["to"].endswith("@" + part("outsider")) and "*" not in record["to"], record


# ---- logcheck ------------------------------------------------------------------------

TOP = os.path.join(ENV["LAB_HERE"], "../..")
RULES = os.path.join(TOP, "contrib/logcheck/ignore.d.server/zegel")


def left_over(lines):
    """What logcheck(8) would mail of LINES of the mail log."""
    with open(RULES, encoding="ascii") as file:
        patterns = "".join(line for line in file if not re.match(r"\s*(#|$)", line))
    path = os.path.join(ENV["LAB"], unique("rules"))
    with open(path, "w", encoding="ascii") as file:
        file.write(patterns)
    left = []
    for stamp in (time.strftime("%b %e %H:%M:%S"), "2026-11-22T10:11:12.123456+01:00"):
        text = "".join("%s mail %s\n" % (stamp, line.split(" ", 2)[2]) for line in lines)
        left += command("grep", "-Evf", path, data=text.encode(), status=None).decode().splitlines()
    return left


def test_logcheck_is_silent():
    """A3: of normal work logcheck mails no line, of an alarm and a forged ticket it does"""
    mark = harness.log_mark()
    walk.log_in(walk.Sent(secure))
    trail.check_each_once(trail.logged(mark))
    sender, to = unique("p") + "@" + part("outsider"), unique("p") + "@" + part("own")
    harness.wait_delivered(harness.send(mail("Vraag", sender=sender, to=to), sender, to,
                                        login=None, source=ENV["LAB_OUTSIDER_ADDR"]))
    harness.refused(send_refused)
    domain = unique("d") + ".example"
    command(ZEGELCTL, "domain", "add", domain, "smtp.%s" % domain, "dane-only")
    command(ZEGELCTL, "domain", "remove", domain)
    with harness.without("viewer", "milter", "milter-mx", "deliver", "policyd"), \
            harness.without("auditd"):
        pass
    lines = harness.log_lines(r" zegel[\w-]*\[\d+\]: ", mark)
    seen = set(re.findall(r"event=([\w-]+)", "\n".join(lines)))
    assert {"routed", "stored", "notified", "login", "opened", "verified", "refused",
            "book"} <= seen, seen
    wrong = [line for line in left_over(lines)]
    assert not wrong, "\n".join(wrong)
    loud = ["T crit zegel-milter[7]: events wait for the audit trail, 3 now: no",
            "T info zegel-deliver[7]: 4X: event=ticket, org=linden, id=00"]
    assert len(left_over(loud)) == 2 * len(loud)


def test_logcheck_knows_each_event():
    """A3: each event that there is is one that logcheck mails, or one that it does not"""
    with open(RULES, encoding="ascii") as file:
        text = file.read()
    quiet = set(re.search(r"event=\(([^)]*)\)", text).group(1).split("|"))
    loud = set(re.findall(r"[a-z][a-z-]+", re.search(r"the events (.*?)\.\n", text.replace(
        "\n# ", " ")).group(1))) - {"but", "for", "ready", "yes", "and", "outcome",
                                                      "ok"}
    with open(os.path.join(TOP, "common/base/event.c"), encoding="utf-8") as file:
        events = set(re.findall(r'\[EVENT_\w+\] = \{"([\w-]+)"', file.read()))
    assert quiet | loud == events and not quiet & loud, (quiet | loud) ^ events


def send_refused():
    """A message without the number that it needs."""
    to = walk.new_outsider()
    harness.send(mail("veiligmailen Uitslag", to=to), SENDER, to)
