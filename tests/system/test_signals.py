"""F29, point 5 of the installation: HUP, TERM and USR1 for every program, while mail and visitors
come; the order of start; sockets that a killed program left behind.
"""
import collections
import contextlib
import glob
import os
import re
import shutil
import signal
import smtplib
import subprocess
import threading
import time

import harness
import peer
import walk
from browser import Browser
from harness import (ENV, command, configured, control, log_mark, mail, mailbox, part, refused,
                     send, unique, wait_delivered, wait_for, wait_log, wait_mail)

PROGRAMS = ("auditd", "policyd", "deliver", "viewer", "milter", "milter-mx")
SENDER = "janssen@" + part("own")
SYSTEM = {"login": None, "source": ENV["LAB_SYSTEM_ADDR"]}
KEYS = os.path.join(ENV["LAB_SYSCONFDIR"], "zegel", "keys")
ZEGELCTL = os.path.join(ENV["LAB_SBINDIR"], "zegelctl")
READ_AGAIN = "the configuration was read again"
REFUSED = "the configuration and the keys stay as they were: "
OUTWARD, INWARD, VISITORS = 3, 1, 1  # threads of the load
HUP_S = 6
DRAIN_S = 10  # F29
SLACK_S = 10  # to be scheduled, to tell auditd the last events, and to end


def pid_of(program):
    return int(harness.program_pid(program))


def from_program(program, text):
    """The pattern of a line that PROGRAM, as it runs now, logs."""
    return r"\[%d\]: %s" % (pid_of(program), text)


def hup(*programs):
    """SIGHUP to each of PROGRAMS, which reads its configuration again."""
    for program in programs:
        mark = log_mark()
        os.kill(pid_of(program), signal.SIGHUP)
        wait_log(from_program(program, READ_AGAIN), mark)


@contextlib.contextmanager
def zegel_conf(change):
    """zegel.conf is what CHANGE makes of its text; gives the text of before."""
    with open(configured.PATH, encoding="utf-8") as file:
        before = file.read()
    assert change(before) != before
    try:
        with open(configured.PATH, "w", encoding="utf-8") as file:
            file.write(change(before))
        yield before
    finally:
        with open(configured.PATH, "w", encoding="utf-8") as file:
            file.write(before)


@contextlib.contextmanager
def reloaded(program, section, line):
    """PROGRAM has LINE ("key = value") in that section meanwhile, and is not restarted."""
    def change(text):
        head, section_on = text.split("[%s]\n" % section) if "[%s]\n" % section in text else (
            text, "")
        body, bracket, rest = section_on.partition("\n[")
        body = re.sub(r"(?m)^%s = .*\n?" % line.split(" = ")[0], "", body)
        return "%s[%s]\n%s\n%s%s%s" % (head, section, line, body, bracket, rest)
    try:
        with zegel_conf(change):
            hup(program)
            yield
    finally:
        hup(program)


def sensitive(to=None):
    """(message for the viewer, its recipient)"""
    to = to or walk.new_outsider()
    return mail("SMS %s Uitslag" % walk.new_number()[0], "Geheim\n", to=to), to


# ---- A load --------------------------------------------------------------------------

class Load:
    """Messages and visitors from several threads as long as the block lasts.

    .taken: [(queue id, recipient)]; .refusals: what was not taken at first; .failures: what a
    visitor met. A sender whose message is refused for now tries it again, as servers do.
    """

    def __init__(self):
        self.taken, self.refusals, self.failures, self.visits = [], [], [], 0
        self.over = threading.Event()
        self.threads = [threading.Thread(target=target) for target, count in (
            (self._send_out, OUTWARD), (self._send_in, INWARD), (self._visit, VISITORS))
                        for _ in range(count)]

    def _send(self, once, to):
        """ONCE() gives a queue id, again and again until it does."""
        while True:
            try:
                self.taken.append((once(), to))
                return
            except harness.Refused as refusal:
                assert 400 <= refusal.code < 500, refusal
                self.refusals.append(refusal)
            except (smtplib.SMTPServerDisconnected, OSError) as error:
                self.refusals.append(error)
            time.sleep(0.2)

    def _send_out(self):
        while not self.over.is_set():
            message, to = sensitive()
            self._send(lambda: send(message, SENDER, to, **SYSTEM), to)

    def _send_in(self):
        while not self.over.is_set():
            to = "%s@%s" % (unique("p"), part("own"))
            raw = peer.message("patient@" + part("outsider"), to)
            self._send(lambda: peer.bring(raw, "patient@" + part("outsider"), to,
                                          ENV["LAB_OUTSIDER_ADDR"]), to)

    def _visit(self):
        while not self.over.is_set():
            try:
                status = Browser().get(ENV["LAB_VIEWER_URL"]).status
            except OSError as error:
                status = error
            self.visits += 1
            if status != 200:
                self.failures.append(status)
            time.sleep(0.02)

    def __enter__(self):
        self.mark = log_mark()
        for thread in self.threads:
            thread.start()
        wait_for(lambda: len(self.taken) >= 3, "first messages")
        return self

    def __exit__(self, *_):
        self.over.set()
        for thread in self.threads:
            thread.join()

    def check_all_came_once(self, key=None):
        """Every message that was taken is in its mailbox, once but for those with the same KEY."""
        ids = {queue_id for queue_id, _ in self.taken}
        wait_for(lambda: ids <= removed(self.mark), "end of all messages", 90)
        expected = collections.Counter(to for _, to in self.taken)
        wait_for(lambda: not expected - delivered(expected), "mail of all recipients", 90)
        found = delivered(expected, key)
        assert found == expected, found - expected
        print("# %d messages, %d tries refused, %d visits" %
              (len(self.taken), len(self.refusals), self.visits), flush=True)


def removed(mark):
    """The queue ids of all messages that left the queue."""
    return {line.split(": removed")[0].split()[-1]
            for line in harness.log_lines(": removed$", mark)}


def delivered(wanted, key=None):
    """How many messages each of WANTED has: by address, from one look at all mailboxes. Those with
    the same header KEY count as one."""
    found = set()
    for path in glob.glob(os.path.join(ENV["LAB_MAILDIRS"], "*", "*", "new", "*")):
        with open(path, "rb") as file:
            head = file.read(4096)
        to = re.search(rb"(?m)^Delivered-To: (\S+)", head)
        if to and to.group(1).decode() in wanted:
            same = re.search(rb"(?mi)^%s:\s+(\S+)" % key, head).group(1) if key else path
            found.add((to.group(1).decode(), same))
    return collections.Counter(to for to, _ in found)


# ---- SIGHUP --------------------------------------------------------------------------

def test_f29_hup_while_mail_comes():
    """F29: HUP and USR1 in a storm to every program while mail comes: nothing refused or deferred"""
    before = {program: pid_of(program) for program in PROGRAMS}

    def read_often():
        """Whether each has read its configuration often; what comes meanwhile counts as one."""
        return all(len(harness.log_lines(r"\[%d\]: %s" % (pid, READ_AGAIN), load.mark)) > 5
                   for pid in before.values())
    with Load() as load:
        end = time.monotonic() + HUP_S
        while time.monotonic() < end or not read_often():
            for pid in before.values():
                os.kill(pid, signal.SIGUSR1)
                os.kill(pid, signal.SIGHUP)
            time.sleep(0.1)
    load.check_all_came_once()
    assert not load.refusals and not load.failures, (load.refusals, load.failures)
    assert not harness.log_lines("status=deferred|milter-reject", load.mark)
    assert not harness.log_lines(r" crit zegel", load.mark), harness.log_lines(" crit zegel",
                                                                                load.mark)
    for program, pid in before.items():
        assert pid_of(program) == pid and os.path.exists("/proc/%d" % pid), program


def test_new_values_count_in_the_milter():
    """HUP: another default counts for the next message, in a session that was there before too"""
    to = walk.new_outsider()
    message = mail("Afspraak", to=to)  # without a number
    server = harness.connect(source=ENV["LAB_SYSTEM_ADDR"])
    with contextlib.closing(server):
        server.sendmail(SENDER, to, message.as_bytes())
        with reloaded("milter", "organisation praktijk", "default = secure"):
            refusal = refused(send, message, SENDER, to, **SYSTEM)
            assert "Z-S7" in refusal.text, refusal
            try:
                server.sendmail(SENDER, to, message.as_bytes())
                raise AssertionError("it was taken")
            except smtplib.SMTPDataError as error:
                assert b"Z-S7" in error.smtp_error, error
        server.sendmail(SENDER, to, message.as_bytes())


def test_new_values_count_in_the_milter_of_port_25():
    """HUP: another host name stands in Authentication-Results of the next message"""
    def results():
        to = "%s@%s" % (unique("p"), part("own"))
        peer.bring(peer.message("patient@" + part("outsider"), to),
                   "patient@" + part("outsider"), to, ENV["LAB_OUTSIDER_ADDR"])
        return str(wait_mail(to).message["Authentication-Results"])
    with reloaded("milter-mx", "postfix", "hostname = nieuw.example"):
        assert results().startswith("nieuw.example;")
    assert results().startswith("mail.%s;" % part("own"))


def test_new_values_count_in_policyd():
    """HUP: a domain that an organisation got is its own from now on"""
    new = unique("d") + ".example"

    def route():
        return command(ZEGELCTL, "route", SENDER, "x@" + new, status=None).decode()
    before = wait_for(route, "a route")
    assert " own" not in before, before
    with reloaded("policyd", "organisation praktijk",
                  "domains = %s %s %s" % (part("own"), ENV["LAB_LOCAL"], new)):
        wait_for(lambda: " own" in route(), "a route inside")
    wait_for(lambda: route() == before, "the route of before")


def test_new_values_count_in_the_viewer():
    """HUP: another name of the organisation stands on the page, and as many workers as are asked"""
    def text():
        """What those who began after the last HUP show: who serves still does so to the end."""
        wait_for(lambda: not old & set(workers()), "the end of workers of before")
        return Browser().get(ENV["LAB_VIEWER_URL"]).text
    name = unique("Praktijk")
    old = set(workers())
    with reloaded("viewer", "organisation praktijk", "display_name = " + name):
        assert name in text()
        old = set(workers())
    assert name not in text()
    with reloaded("viewer", "viewer", "workers = 3"):
        wait_for(lambda: len(workers()) == 3, "three workers")
    wait_for(lambda: len(workers()) > 3, "more workers")


def workers():
    with open("/proc/%d/task/%d/children" % ((pid_of("viewer"),) * 2), encoding="ascii") as file:
        return file.read().split()


def test_new_values_count_in_auditd():
    """HUP: a checkpoint is signed as often as is asked"""
    with reloaded("auditd", "audit", "checkpoint_s = 1"):
        mark = log_mark()
        send(*sensitive_to())
        wait_log(from_program("auditd", "checkpoint "), mark)


def sensitive_to():
    message, to = sensitive()
    return message, SENDER, to


def test_a_message_ends_as_it_began():
    """HUP: what zegel-deliver is in the middle of is served as before, the next as it is now"""
    long = b"Subject: x\r\n\r\n" + b"x" * 70 + b"\r\n"
    to = "%s.viewer.zegel.internal" % walk.new_outsider()
    begun = harness.Lmtp()
    assert begun.server.mail(SENDER)[0] == 250
    assert begun.server.rcpt(to)[0] == 250
    assert begun.server.docmd("DATA")[0] == 354
    begun.server.send(long)
    with reloaded("deliver", "deliver", "message_max_bytes = 1048576"):
        begun.server.send(long * 20000 + b".\r\n")  # 1.7 MB
        code, text = begun.server.getreply()
        assert code >= 500 and b"TOO" not in text and b"TICKET" in text, (code, text)
        code, text = begun.server.mail(SENDER, ["SIZE=1700000"])
        assert code == 552, (code, text)
    assert begun.server.mail(SENDER, ["SIZE=1700000"])[0] == 250
    begun.close()


def test_new_keys_count():
    """HUP: the milter seals under a new key, and zegel-deliver opens that when it was told too"""
    command(ZEGELCTL, "key", "generate", "ticket")
    hup("milter")
    message, to = sensitive()
    mark = log_mark()
    queue_id = send(message, SENDER, to, **SYSTEM)
    wait_log(r"%s: .*status=deferred.*Z-DELIVER-KEY" % queue_id, mark)
    hup("deliver")
    harness.queue_flush()
    wait_mail(to)
    assert len(mailbox(to)) == 1


def test_a_new_store_key_counts():
    """HUP: what is filed under a new key of the store opens in the viewer, and so does the rest"""
    def sent():
        return walk.Sent(lambda typed, to: mail("SMS %s Uitslag" % typed, "Geheim\n", to=to))
    old = sent()
    command(ZEGELCTL, "key", "generate", "store")
    hup("viewer", "deliver")
    for one in (old, sent()):
        _, page = walk.log_in(one)
        assert page.status == 200


# ---- What is wrong -------------------------------------------------------------------

def faulty_config():
    """zegel.conf has a last line that is wrong; gives the text of before."""
    return zegel_conf(lambda text: text + "no_such_key = 1\n")


def test_a_wrong_configuration_is_refused():
    """HUP: each program says what is wrong, in an alarm, and goes on as it was; then HUP works"""
    with faulty_config() as before:
        for program in PROGRAMS:
            mark = log_mark()
            os.kill(pid_of(program), signal.SIGHUP)
            line = wait_log(from_program(program, REFUSED), mark)
            assert " crit " in line and "zegel.conf:%d:" % (before.count("\n") + 1) in line, line
        message, to = sensitive()
        wait_delivered(send(message, SENDER, to, **SYSTEM))
        wait_mail(to)
        assert Browser().get(ENV["LAB_VIEWER_URL"]).status == 200
    hup(*PROGRAMS)


def test_a_wrong_key_is_refused():
    """HUP: a key file that others can read is named, and the keys that were there go on"""
    for program, path in (("milter", "milter/ticket"), ("deliver", "deliver/link"),
                          ("viewer", "viewer/store"), ("policyd", "policyd/phone"),
                          ("auditd", "auditd/audit")):
        path = os.path.join(KEYS, path)
        mark = log_mark()
        os.chmod(path, 0o444)
        try:
            os.kill(pid_of(program), signal.SIGHUP)
            line = wait_log(from_program(program, REFUSED), mark)
            assert path in line, line
            message, to = sensitive()
            wait_delivered(send(message, SENDER, to, **SYSTEM))
        finally:
            os.chmod(path, 0o400)
        hup(program)


def test_files_that_were_given_up():
    """HUP: a key where the program cannot look any more is refused with the cure; a restart helps"""
    elsewhere = os.path.join(ENV["LAB_SYSCONFDIR"], unique("keys"))
    shutil.copytree(os.path.join(KEYS, "policyd"), elsewhere)
    shutil.chown(elsewhere, "zegel-policyd")
    shutil.chown(elsewhere + "/phone", "zegel-policyd")
    try:
        with configured("policyd", "phone_key", elsewhere + "/phone"):
            mark = log_mark()
            os.kill(pid_of("policyd"), signal.SIGHUP)
            line = wait_log(from_program("policyd", REFUSED), mark)
            assert elsewhere + "/phone lies where" in line and "restart it" in line, line
            message, to = sensitive()
            wait_delivered(send(message, SENDER, to, **SYSTEM))
            control("stop", "policyd")
            control("start", "policyd")
            hup("policyd")
        control("stop", "policyd")
        control("start", "policyd")
    finally:
        shutil.rmtree(elsewhere)


def test_what_counts_after_a_restart():
    """HUP: a path that counts only at the start is named, and what works goes on"""
    with configured("milter", "socket", "/var/spool/postfix/zegel/other.sock"):
        mark = log_mark()
        hup("milter")
        wait_log(r"warning zegel-milter\[%d\]: \[milter\] socket is another now" %
                 pid_of("milter"), mark)
        message, to = sensitive()
        wait_delivered(send(message, SENDER, to, **SYSTEM))
    hup("milter")


def test_zegelctl_reload():
    """zegelctl reload tells every program that runs; of a wrong configuration it tells nobody"""
    mark = log_mark()
    said = command(ZEGELCTL, "reload").decode()
    assert said.count("was told") == len(PROGRAMS), said
    for program in PROGRAMS:
        wait_log(from_program(program, READ_AGAIN), mark)
    mark = log_mark()
    with faulty_config():
        done = subprocess.run([ZEGELCTL, "reload", "zegel-milter"], capture_output=True,
                              text=True, check=False)
    assert done.returncode == 78 and "zegel.conf:" in done.stderr, done
    command(ZEGELCTL, "reload", "zegel-nothing", status=64)
    with harness.without("milter-mx"):
        said = command(ZEGELCTL, "reload", "zegel-milter-mx", "zegel-milter").decode()
    assert "zegel-milter-mx is not running" in said and said.count("was told") == 1, said
    wait_log(from_program("milter", READ_AGAIN), mark)
    assert not harness.log_lines(REFUSED, mark)


# ---- SIGTERM -------------------------------------------------------------------------

def stop_in_time(program):
    """SIGTERM; fails when PROGRAM takes longer to end than it may."""
    began = time.monotonic()
    control("stop", program)
    took = time.monotonic() - began
    assert took < harness.patience(DRAIN_S + SLACK_S), (program, took)
    return took


def flushed(load):
    """Has Postfix try again what it could not bring meanwhile, until nothing waits."""
    def is_empty():
        harness.queue_flush()
        time.sleep(0.5)
        waiting = {entry["queue_id"] for entry in harness.queue()}
        return not waiting & {queue_id for queue_id, _ in load.taken}
    wait_for(is_empty, "an empty queue", 90)


def test_f29_term_while_mail_comes():
    """F29: TERM to each program while mail comes: all of it arrives, once, and it ends in 10 s"""
    took = {}
    with Load() as load:
        for program in PROGRAMS:
            took[program] = stop_in_time(program)
            time.sleep(0.5)
            control("start", program)
            time.sleep(1)
    print("# ended after " + ", ".join("%s %.1f s" % one for one in took.items()), flush=True)
    flushed(load)
    load.check_all_came_once()
    assert load.refusals, "nobody noticed that the milter was away"


def test_f29_term_storm():
    """F29: TERM and HUP again and again to a program that drains: it ends, and nothing is lost"""
    with Load() as load:
        for program in PROGRAMS:
            pid = pid_of(program)
            end = time.monotonic() + harness.patience(DRAIN_S + SLACK_S)
            with contextlib.suppress(ProcessLookupError):
                while time.monotonic() < end:
                    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1):
                        os.kill(pid, number)
                    time.sleep(0.01)
            wait_for(lambda pid=pid: not os.path.exists("/proc/%d" % pid), "end of " + program)
            control("start", program)
    flushed(load)
    load.check_all_came_once()


def takes_nothing():
    """Whether a message is told to come again."""
    message, to = sensitive()
    try:
        send(message, SENDER, to, **SYSTEM)
        return False
    except harness.Refused as refusal:
        return 400 <= refusal.code < 500


def test_term_lets_a_message_end():
    """TERM to the milter: a message that has begun is taken, another is told to come again"""
    message, to = sensitive()
    other, other_to = sensitive()
    server = harness.connect(source=ENV["LAB_SYSTEM_ADDR"])
    server.ehlo()
    assert server.mail(SENDER)[0] == 250 and server.rcpt(to)[0] == 250
    assert server.docmd("DATA")[0] == 354
    pid, mark = pid_of("milter"), log_mark()
    try:
        os.kill(pid, signal.SIGTERM)
        wait_for(takes_nothing, "refusal of what is new", DRAIN_S / 2)
        assert 400 <= refused(send, other, SENDER, other_to, **SYSTEM).code < 500
        assert os.path.exists("/proc/%d" % pid), "it did not wait"
        server.send(message.as_bytes().replace(b"\n", b"\r\n") + b"\r\n.\r\n")
        code, text = server.getreply()
        assert code == 250, (code, text)
        wait_log(r"\[%d\]: stopped, 0 messages cut off" % pid, mark)
        wait_for(lambda: not os.path.exists("/proc/%d" % pid), "end of the milter")
    finally:
        server.close()
        if os.path.exists("/proc/%d" % pid):
            control("stop", "milter")
        control("start", "milter")
    harness.queue_flush()  # its notification had to come again as well
    wait_mail(to)
    wait_delivered(send(other, SENDER, other_to, **SYSTEM))
    wait_mail(other_to)
    assert len(mailbox(to)) == len(mailbox(other_to)) == 1


# ---- SIGUSR1 -------------------------------------------------------------------------

def statistics(program):
    """The statistics line of PROGRAM as a dict."""
    mark = log_mark()
    os.kill(pid_of(program), signal.SIGUSR1)
    line = wait_log(from_program(program, "statistics: "), mark)
    return dict(pair.split("=", 1) for pair in line.split("statistics: ")[1].split(", "))


def number(values, name):
    return int(values.get(name, "0"))


def grew(program, before, name):
    """Waits until NAME of PROGRAM is more than it was BEFORE."""
    return wait_for(lambda: number(statistics(program), name) > number(before[program], name),
                    "%s of %s" % (name, program))


def test_usr1_says_what_was_done():
    """USR1: one line with age, version, configuration and counts, which are those of what came"""
    before = {program: statistics(program) for program in PROGRAMS}
    version = command(os.path.join(ENV["LAB_SBINDIR"], "zegel-milter"), "-V").decode().split()[1]
    for program, values in before.items():
        assert list(values)[:3] == ["age", "version", "config"], values
        assert values["version"] == version, values
        assert re.fullmatch(r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ", values["config"]), values
        for name, value in values.items():
            assert name in ("version", "config") or value.isdigit(), (program, name, value)
        for name in ("sessions", "messages", "warnings", "alarms", "reloads", "reloads-refused"):
            assert name in values, (program, name)
    sent = walk.Sent(lambda typed, to: mail("SMS %s Uitslag" % typed, "Geheim\n", to=to))
    walk.log_in(sent)
    to = "%s@%s" % (unique("p"), part("own"))
    peer.bring(peer.message("patient@" + part("outsider"), to), "patient@" + part("outsider"), to,
               ENV["LAB_OUTSIDER_ADDR"])
    for program in PROGRAMS:
        grew(program, before, "messages")
        grew(program, before, "sessions")
    for program, name in (("milter", "event.routed"), ("milter", "route.viewer"),
                          ("deliver", "event.stored"), ("deliver", "event.notified"),
                          ("viewer", "event.opened"), ("milter-mx", "event.verified")):
        grew(program, before, name)
    time.sleep(1.1)
    hup(*PROGRAMS)
    for program in PROGRAMS:
        after = statistics(program)
        assert number(after, "reloads") == number(before[program], "reloads") + 1, program
        assert after["config"] > before[program]["config"], program
        assert number(after, "age") > number(before[program], "age"), program


# ---- Start ---------------------------------------------------------------------------

def test_any_order_of_start():
    """Killed, with their sockets left behind, and started in the wrong order, all work together"""
    with Load() as load:
        for program in PROGRAMS:
            control("kill", program)
        for program in reversed(PROGRAMS):
            control("start", program)
            time.sleep(0.3)
    flushed(load)
    # Who is killed between handing a notification in and noting that may do it again.
    load.check_all_came_once(b"Message-ID")
