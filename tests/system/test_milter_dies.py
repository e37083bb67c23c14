"""F3: kill -9 of zegel-milter at each stage of a message. The client hears 4xx, sends it again,
and it arrives once, protected; nothing leaves in the clear.

strace kills it in front of its N-th call of one kind: each reading of a packet, each answer
and change that it writes, its question to policyd and its line in the log.
"""
import contextlib
import glob
import os
import re
import signal
import smtplib
import subprocess

import harness
import walk
from crash import fewer
from harness import ENV, mail, part, send, unique, wait_delivered, wait_for, wait_mail

SENDER = "janssen@" + part("own")
READS = range(1, 80, 4)
WRITES = range(1, 14)
SENDS = range(1, 4)
TRY_AGAIN = range(400, 500)


def is_traced(pid):
    """Whether every thread of PID has a tracer, or it was killed already."""
    for path in glob.glob("/proc/%s/task/*/status" % pid):
        with contextlib.suppress(FileNotFoundError, ProcessLookupError), \
                open(path, encoding="ascii") as file:
            if re.search(r"(?m)^TracerPid:\t0$", file.read()):
                return False
    return True


@contextlib.contextmanager
def dies_at(call, number):
    """with dies_at("writev", 3): a thread of the milter that makes its third such call kills it;
    it runs again afterwards."""
    pid = harness.program_pid("milter")
    tracer = subprocess.Popen(["strace", "-f", "-qq", "-o", "/dev/null", "-e", "trace=" + call,
                               "-e", "inject=%s:signal=KILL:when=%d" % (call, number), "-p", pid])
    try:
        wait_for(lambda: is_traced(pid), "strace")
        yield
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.kill(int(pid), signal.SIGKILL)
        tracer.wait()
        wait_for(lambda: not os.path.exists("/proc/" + pid), "end of the milter")
        harness.control("start", "milter")


class Tried:
    """A sensitive message for the viewer: .code of its first try (250: it was taken)."""

    def __init__(self, call, number):
        typed, self.number = walk.new_number()
        self.to, self.word, self.point = walk.new_outsider(), unique(), (call, number)
        self.message = mail("SMS %s Uitslag" % typed, self.word + "\n", to=self.to)
        self.queue_id, self.code = None, None
        with dies_at(call, number):
            try:
                self.queue_id, self.code = self.once(), 250
            except harness.Refused as refusal:
                self.code = refusal.code
            except smtplib.SMTPServerDisconnected:
                self.code = 421

    def once(self):
        return send(self.message, SENDER, self.to, login=None, source=ENV["LAB_SYSTEM_ADDR"])

    def check(self):
        """Taken now or before, it is filed once; its recipient sees no word of it."""
        assert self.code == 250 or self.code in TRY_AGAIN, (self.point, self.code)
        if self.code != 250:
            assert not harness.mailbox(self.to), self.point
            self.queue_id = self.once()
        log = wait_delivered(self.queue_id)
        assert sum("zegel-store" in line and "status=sent" in line for line in log) == 1, log
        assert self.word not in wait_mail(self.to), self.point
        assert len(harness.mailbox(self.to)) == 1, self.point


def kill_at_each(call, numbers):
    tried = [Tried(call, number) for number in fewer(list(numbers))]
    for one in tried:
        one.check()
    died = sum(one.code != 250 for one in tried)
    print("# %s: %d of %d messages had to come again" % (call, died, len(tried)), flush=True)
    assert died >= len(tried) / 3, "the milter did not die"


def test_f3_while_it_reads():
    """F3 I1 I2 I5: killed in front of a packet, from the first to the last: 4xx, then filed once"""
    kill_at_each("read", READS)


def test_f3_while_it_answers():
    """F3 I1 I2 I5: killed in front of each reply and each change: 4xx, then filed once"""
    kill_at_each("writev", WRITES)


def test_f3_while_it_asks_and_logs():
    """F3 I1 I2 I5: killed in front of its question to policyd, or its log: 4xx, then filed once"""
    kill_at_each("sendto", SENDS)
