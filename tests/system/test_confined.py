"""Point 4 of the installation: what each program may do is little, whether a service manager says so
or not. /proc is read, and intrude.c makes running programs do what somebody would who took
them over.
"""
import collections
import contextlib
import glob
import grp
import os
import pwd
import re
import resource
import signal
import socket
import struct
import subprocess
import time

import harness
import walk
from harness import ENV, control, mail, part, send, wait_delivered, wait_for

USERS = {"auditd": "zegel-auditd", "policyd": "zegel-policyd", "deliver": "zegel-deliver",
         "viewer": "zegel-viewer", "milter": "zegel-milter", "milter-mx": "zegel-mx"}
INTRUDE = os.path.join(ENV["LAB_BUILD"], "tests", "system", "intrude")
CONFIG = os.path.join(ENV["LAB_SYSCONFDIR"], "zegel", "zegel.conf")
SANITIZED = ENV["LAB_SANITIZERS"] == "yes"
OUTSIDE = "/srv"
AT_FDCWD = -100
EPERM, EACCES, ENOSYS, EAFNOSUPPORT = -1, -13, -38, -97
WATCH_S = 0.6


def secure():
    """A message with an attachment that was read: every program has done its work."""
    def make(typed, to):
        message = mail("SMS %s Uitslag" % typed, to=to)
        message.add_attachment(b"x", maintype="application", subtype="pdf", filename="x.pdf")
        return message
    walk.log_in(walk.Sent(make))


# ---- What /proc says -----------------------------------------------------------------

def pid_of(program):
    return int(harness.program_pid(program))


def children(pid):
    """The processes that PID started, and those that they started."""
    found = []
    for path in glob.glob("/proc/%d/task/*/children" % pid):
        with contextlib.suppress(FileNotFoundError, ProcessLookupError), \
                open(path, encoding="ascii") as file:
            for child in map(int, file.read().split()):
                found += [child] + children(child)
    return found


def status_of(path):
    """The fields of the status file below PATH, of a process or a thread."""
    with open(path + "/status", encoding="utf-8") as file:
        return dict(line.rstrip("\n").split(":\t", 1) for line in file if ":\t" in line)


def check_thread(path, user):
    status = status_of(path)
    entry = pwd.getpwnam(user)
    what = (path, status["Name"], user)
    assert status["Uid"].split() == [str(entry.pw_uid)] * 4, (what, status["Uid"])
    assert status["Gid"].split() == [str(entry.pw_gid)] * 4, (what, status["Gid"])
    groups = {grp.getgrgid(int(gid)).gr_name for gid in status["Groups"].split()}
    assert groups <= {user, "postfix", "zegel-store", "gammu"}, (what, groups)
    assert status["NoNewPrivs"] == "1" and status["Seccomp"] == "2", (what, status)
    for kind in ("CapInh", "CapPrm", "CapEff", "CapAmb"):
        assert int(status[kind], 16) == 0, (what, kind, status[kind])


def check_process(pid, user):
    """It runs as USER, and cannot be looked into, nor become anything else; nor any thread."""
    path = "/proc/%d" % pid
    threads = glob.glob(path + "/task/*")
    assert threads
    for thread in threads:
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):  # it has just ended
            check_thread(thread, user)
    # Files in /proc of a process that is not dumpable are root's (proc(5)).
    assert os.stat(path + "/environ").st_uid == 0, path
    with open(path + "/limits", encoding="ascii") as file:
        core = re.search(r"(?m)^Max core file size +(\d+) +(\d+)", file.read())
    assert core and core.groups() == ("0", "0"), (path, core)


def test_processes():
    """own user, no privileges now or later, a filter, not dumpable, no core: all, and all threads"""
    seen = collections.Counter()
    for program, user in USERS.items():
        pid = pid_of(program)
        for process in [pid] + children(pid):
            with contextlib.suppress(FileNotFoundError, ProcessLookupError):
                check_process(process, user)
                seen[program] += 1
    assert all(seen[program] >= 1 for program in USERS), seen
    assert seen["viewer"] > 4, seen  # with its workers
    assert len({pwd.getpwnam(user).pw_uid for user in USERS.values()}) == len(USERS)


def filters_of(program, name):
    """How many filters the processes called NAME have that PROGRAM started: a set."""
    found = set()
    for pid in children(pid_of(program)):
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            status = status_of("/proc/%d" % pid)
            if status["Name"] == name:
                found.add(int(status["Seccomp_filters"]))
    return found


def test_helpers_have_both_filters():
    """zegel-reader and zegel-spf have the walls of who started them, and their own"""
    secure()
    send(mail("Gewoon", sender="a@" + part("outsider"), to="janssen@" + part("own")),
         "a@" + part("outsider"), "janssen@" + part("own"), login=None, source=ENV["LAB_OUTSIDER_ADDR"])
    for program, name in (("milter", "zegel-reader"), ("policyd", "zegel-spf")):
        # One that has just begun has only those of who started it.
        wait_for(lambda program=program, name=name: filters_of(program, name) == {2},
                 "%s of %s with both filters" % (name, program))
    assert not children(pid_of("milter-mx")) and not children(pid_of("auditd"))


# ---- What somebody could do who took one over ----------------------------------------

def intrude(pid, *words):
    """What the kernel answers when PID makes that system call: a number, or the signal."""
    done = subprocess.run([INTRUDE, str(pid)] + [str(word) for word in words],
                          capture_output=True, text=True, check=False)
    assert done.returncode == 0, (words, done)
    return done.stdout.strip()


def opens(pid, path, flags=os.O_RDONLY):
    """0, or -errno, of an open by process PID; what it opened is closed again."""
    answer = int(intrude(pid, "openat", AT_FDCWD, path, flags, 0o600))
    if answer >= 0:
        assert intrude(pid, "close", answer) == "0"
    return min(answer, 0)


def as_user(user, *argv):
    """The exit status of ARGV as USER, without walls."""
    return subprocess.run(["setpriv", "--reuid", user, "--regid", user, "--init-groups"] +
                          list(argv), capture_output=True, check=False).returncode


@contextlib.contextmanager
def everybodys(path):
    """A file at PATH that anybody may read and write."""
    with open(path, "w", encoding="ascii") as file:
        file.write("for all\n")
    os.chmod(path, 0o666)
    try:
        yield path
    finally:
        os.unlink(path)


def test_landlock():
    """a file that all may read and write: not outside its paths; in those of its settings to read"""
    outside = everybodys(OUTSIDE + "/zegel-outside")
    inside = everybodys(os.path.join(os.path.dirname(CONFIG), "zegel-inside"))
    with outside as there, inside as here:
        for program, user in USERS.items():
            pid = pid_of(program)
            assert as_user(user, "sh", "-c", "cat %s && echo >>%s" % (there, there)) == 0
            assert opens(pid, here) == 0, program
            assert opens(pid, here, os.O_WRONLY) == EACCES, program
            assert opens(pid, there) == EACCES, program
            assert opens(pid, there, os.O_WRONLY) == EACCES, program
            assert opens(pid, "/etc/hostname") == EACCES, program
            assert opens(pid, OUTSIDE + "/zegel-new", os.O_WRONLY | os.O_CREAT) == EACCES, program
            assert opens(pid, "/usr/share/common-licenses/GPL-3") == 0, program


def test_landlock_of_workers():
    """the same holds for each worker of the viewer, and not for its store"""
    with everybodys(OUTSIDE + "/zegel-outside") as there:
        workers = children(pid_of("viewer"))
        assert len(workers) > 3
        for pid in workers:
            assert opens(pid, there) == EACCES
            assert opens(pid, ENV["LAB_STATEDIR"] + "/store/store.db", os.O_RDWR) == 0


def test_state_of_others():
    """T19: nobody's program opens what another keeps, also when the rights of files would let it"""
    others = {"auditd": "store/store.db", "policyd": "store/store.db", "milter": "store/store.db",
              "milter-mx": "store/store.db", "deliver": "phone/phone.db",
              "viewer": "audit/audit.db"}
    for program, name in others.items():
        path = os.path.join(ENV["LAB_STATEDIR"], name)
        folder = os.path.dirname(path)
        modes = [(item, os.stat(item).st_mode) for item in (folder, path)]
        try:
            for item, mode in modes:
                os.chmod(item, mode | 0o007)
            assert as_user(USERS[program], "head", "-c", "1", path) == 0, path
            assert opens(pid_of(program), path) == EACCES, (program, path)
        finally:
            for item, mode in modes:
                os.chmod(item, mode)


def sockaddr(address, port):
    packed = struct.pack("=HH", socket.AF_INET, socket.htons(port)) + socket.inet_aton(address)
    return "hex:" + (packed + b"\0" * 8).hex()


def test_sockets():
    """who talks to nobody outside has no internet; the resolver's port is all of TCP to policyd"""
    for program in USERS:
        pid = pid_of(program)
        internet = int(intrude(pid, "socket", int(socket.AF_INET), int(socket.SOCK_STREAM), 0))
        if program in ("auditd", "milter", "milter-mx"):
            assert internet == ENOSYS, (program, internet)
        else:
            assert internet >= 0, (program, internet)
            mail_port = int(intrude(pid, "connect", internet, sockaddr(ENV["LAB_MAIL_ADDR"], 25), 16))
            assert mail_port == (EACCES if program == "policyd" else 0), (program, mail_port)
            assert intrude(pid, "close", internet) == "0"
        packets = int(intrude(pid, "socket", int(socket.AF_PACKET), int(socket.SOCK_RAW), 0))
        assert packets == ENOSYS, (program, packets)


def test_programs():
    """auditd and the milter of port 25 start nothing; others no shell but the viewer, for adapters"""
    for program in ("auditd", "milter-mx", "milter", "policyd", "deliver"):
        answer = int(intrude(pid_of(program), "execve", "/bin/sh", 0, 0))
        assert answer == (ENOSYS if program in ("auditd", "milter-mx") else EACCES), (program, answer)


def test_memory():
    """no memory can be written and run"""
    wx, anonymous = 7, 0x22  # PROT_READ|WRITE|EXEC, MAP_PRIVATE|ANONYMOUS
    for program in USERS:
        pid = pid_of(program)
        assert int(intrude(pid, "mmap", 0, 4096, wx, anonymous, -1, 0)) == ENOSYS, program
        page = int(intrude(pid, "mmap", 0, 4096, 3, anonymous, -1, 0))
        assert page > 0 and int(intrude(pid, "mprotect", page, 4096, 5)) == ENOSYS, program
        assert intrude(pid, "munmap", page, 4096) == "0"


def test_signals_to_others():
    """a process of the same user that is not its own cannot be killed, where the kernel knows that"""
    if tuple(map(int, os.uname().release.split(".")[:2])) < (6, 12):
        return
    for program, user in USERS.items():
        with subprocess.Popen(["setpriv", "--reuid", user, "--regid", user, "--clear-groups",
                               "sleep", "60"]) as sleeper:
            wait_for(lambda: status_of("/proc/%d" % sleeper.pid)["Name"] == "sleep", "sleep")
            try:
                assert int(intrude(pid_of(program), "kill", sleeper.pid, 9)) == EPERM, program
                assert as_user(user, "kill", "-0", str(sleeper.pid)) == 0
            finally:
                sleeper.kill()


def is_gone(path):
    try:
        return status_of(path)["State"].startswith("Z")
    except FileNotFoundError:
        return True


def wait_gone(program):
    """Waits until PROGRAM has ended, and what it started: workers of a viewer still listen."""
    argv = ("pgrep", "-r", "D,R,S,T", "-u", USERS[program])
    wait_for(lambda: not harness.command(*argv, status=None), "the end of " + program)


def test_deadly_calls():
    """what only an intruder does kills the program, which leaves no core and starts again"""
    for program in USERS:
        calls = [("unshare", 0x10000000)]
        if not SANITIZED:
            calls.append(("ptrace", 16, 1, 0, 0))
        for words in calls:
            answer = intrude(pid_of(program), *words)
            assert answer == "killed %d" % signal.SIGSYS, (program, words, answer)
            wait_gone(program)
            control("start", program)
    wait_delivered(send(mail("Gewoon"), "janssen@" + part("own"), "p@" + part("outsider")))
    secure()


# ---- The service manager -------------------------------------------------------------

class Manager:
    """What systemd is to a service: the socket of sd_notify(3)."""

    PATH = "/run/zegel-test-notify"

    def __enter__(self):
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self.PATH)
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(self.PATH)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
        os.chmod(self.PATH, 0o666)
        return self

    def __exit__(self, *_):
        self.socket.close()
        os.unlink(self.PATH)

    def wrapper(self):
        return ("env", "NOTIFY_SOCKET=" + self.PATH, "WATCHDOG_USEC=%d" % (WATCH_S * 1e6))

    def heard(self, seconds):
        """What was said in SECONDS, as (process id, words)."""
        told, end = [], time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            self.socket.settimeout(left)
            try:
                words, extra, _, _ = self.socket.recvmsg(4096, 256)
            except TimeoutError:
                break
            pid = struct.unpack("=i", extra[0][2][:4])[0]
            told.append((pid, words.decode()))
        return told

    def forget(self):
        """What was said until now is heard by nobody."""
        self.socket.setblocking(False)
        with contextlib.suppress(BlockingIOError):
            while True:
                self.socket.recv(4096)


@contextlib.contextmanager
def managed(program):
    """PROGRAM runs under a Manager, which comes with its process id."""
    with Manager() as manager:
        control("stop", program)
        control("start", program, *manager.wrapper())
        try:
            yield manager, pid_of(program)
        finally:
            control("stop", program)
            control("start", program)


def test_watchdog():
    """each program says once that it is ready, and then in time that it works, itself, to the end"""
    for program in USERS:
        with managed(program) as (manager, pid):
            told = manager.heard(harness.patience(WATCH_S) * 6)
            words = [word for who, word in told]
            assert words.count("READY=1") == 1, (program, told)
            assert words.count("WATCHDOG=1") >= 5, (program, told)
            assert {who for who, word in told} == {pid}, (program, pid, told)
            os.kill(pid, signal.SIGSTOP)
            try:
                wait_for(lambda pid=pid: status_of("/proc/%d" % pid)["State"].startswith("T"),
                         "stop")
                manager.forget()
                silent = manager.heard(WATCH_S)
            finally:
                os.kill(pid, signal.SIGCONT)
            assert not silent, (program, silent)
            wait_for(lambda manager=manager: manager.heard(WATCH_S), "%s again" % program)


def limit_files(pid, soft, hard):
    limits = "hex:" + struct.pack("=QQ", soft, hard).hex()
    assert intrude(pid, "prlimit64", 0, resource.RLIMIT_NOFILE, limits, 0) == "0"


def test_watchdog_of_a_library():
    """the milter's loop is libmilter's: when that takes no connection, nothing says that it works"""
    with managed("milter-mx") as (manager, pid):
        wait_for(lambda: manager.heard(WATCH_S), "a sign of life")
        with open("/proc/%d/limits" % pid, encoding="ascii") as file:
            soft, hard = map(int, re.search(r"Max open files +(\d+) +(\d+)", file.read()).groups())
        limit_files(pid, 3, hard)
        with socket.socket(socket.AF_UNIX) as client:
            client.connect("/var/spool/postfix/zegel/milter-mx.sock")
            manager.heard(1)  # until the milter has looked again
            silent = manager.heard(WATCH_S * 2)
            limit_files(pid, soft, hard)
        assert not silent, silent
        wait_for(lambda: manager.heard(WATCH_S), "a sign of life")


HANDED_DOWN = r"""
import grp, os, socket, sys
user, *words = sys.argv[1:]
paths = words[:words.index("--")]
argv = words[words.index("--") + 1:]
for number, word in enumerate(paths):
    path, group = word.split(",")
    if os.path.exists(path):
        os.unlink(path)
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(path)
    os.chown(path, 0, grp.getgrnam(group).gr_gid)
    os.chmod(path, 0o666 if group == "root" else 0o660)
    listener.listen()
    fd = listener.detach()
    if fd != 3 + number:
        os.dup2(fd, 3 + number)
    os.set_inheritable(3 + number, True)
os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS=str(len(paths)))
os.execvp("setpriv", ["setpriv", "--reuid", user, "--regid", user, "--init-groups",
                      "--no-new-privs", "--bounding-set=-all"] + argv)
"""
LISTENERS = {
    "auditd": (ENV["LAB_STATEDIR"] + "/audit.sock,root",),
    "policyd": ("/var/spool/postfix/zegel/ask.sock,postfix",
                "/var/spool/postfix/zegel/policy.sock,postfix",
                ENV["LAB_STATEDIR"] + "/store/phone.sock,zegel-store"),
    "deliver": ("/var/spool/postfix/zegel/deliver.sock,postfix",),
    "viewer": ("/run/zegel/viewer.sock,www-data",)}


def handed_down(program, listeners):
    return ("python3", "-c", HANDED_DOWN, USERS[program]) + listeners + ("--",)


def test_never_root():
    """as the units start them, with their sockets from outside, four programs are never root"""
    try:
        for program, listeners in LISTENERS.items():
            control("stop", program)
            control("start", program, *handed_down(program, listeners))
            assert int(status_of("/proc/%d" % pid_of(program))["CapBnd"], 16) == 0, program
        secure()
    finally:
        for program in LISTENERS:
            control("stop", program)
            control("start", program)


def test_socket_of_another_group():
    """a socket that was handed down with another group than zegel.conf has is refused, in words"""
    mark = harness.log_mark()
    control("stop", "viewer")
    wrong = ("/run/zegel/viewer.sock,zegel-store",)
    try:
        # Somebody listens there before it looks, so whether it started is not known at once.
        harness.command(os.path.join(ENV["LAB_HERE"], "lab-ctl"), "start", "viewer",
                        *handed_down("viewer", wrong), status=None)
        harness.wait_log(r"viewer\.sock is not of group www-data: SocketGroup=", mark)
        wait_for(lambda: is_gone("/proc/%d" % pid_of("viewer")), "its end")
    finally:
        control("start", "viewer")
