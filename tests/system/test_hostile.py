"""Clients that mean harm, on the sockets of both milters and of policyd, while mail goes on.

Only root and the group of Postfix can connect at all; this is what is left when somebody of
those does. Always: the same processes live afterwards, with no more descriptors and threads
than before.
"""
import contextlib
import os
import random
import resource
import socket
import stat
import struct
import threading
import time

import crash
import harness
import walk
from harness import mail, part, send, unique, wait_delivered, wait_for

FOLDER = "/var/spool/postfix/zegel/"
SOCKETS = {"milter.sock": "milter", "milter-mx.sock": "milter-mx", "ask.sock": "policyd",
           "policy.sock": "policyd"}
SENDER = "janssen@" + part("own")
CONNECTIONS = 200
SLOW = 500
MANY = 1200
SLOW_S = 15
MAIL_S = 25          # what a message may take while others do harm
KEPT_FILES = 40      # of hundreds that each test opens
# Of memory, which allocators keep; sanitizers hold 256 MB of what was freed.
GROWN_BYTES = (512 if crash.sanitized() else 64) << 20
NEVER_ENDING_BYTES = 8 << 20
SEED = 7516

_, _most = resource.getrlimit(resource.RLIMIT_NOFILE)
resource.setrlimit(resource.RLIMIT_NOFILE, (_most, _most))


# ---- The milter's protocol ---------------------------------------------------------------

def packet(command, data=b""):
    return struct.pack(">I", len(data) + 1) + command + data


NEGOTIATE = packet(b"O", struct.pack(">III", 6, 0x1ff, 0x1fffff))
CONNECT = packet(b"C", b"name\x004\x12\x34192.0.2.1\0")
HELO = packet(b"H", b"name\0")
MAIL = packet(b"M", b"<a@b.test>\0")
RCPT = packet(b"R", b"<c@d.test>\0")
FIELD = packet(b"L", b"Subject\0 text\0")
EOH, EOM = packet(b"N"), packet(b"E")
BODY = packet(b"B", b"x" * 65535)
BEGUN = NEGOTIATE + CONNECT + HELO + MAIL + RCPT
ALL = [NEGOTIATE, CONNECT, HELO, MAIL, RCPT, FIELD, EOH, BODY, EOM, packet(b"A"), packet(b"Q"),
       packet(b"D", b"Mi\0x\0"), packet(b"T"), packet(b"U", b"x\0"), packet(b"K")]

PROBES = [
    b"", b"\0", NEGOTIATE[:7], BEGUN[:-3],
    b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
    b"\x16\x03\x01\x00\xc8\x01\x00\x00\xc4\x03\x03" + b"\x5a" * 193,
    b"EHLO scanner\r\n", b"\r\n\r\n\r\n", b"\n\n\n", b"request=\n\n",
    b"SSH-2.0-scanner\r\n", b"\xff" * 64,
]
BAD = [
    struct.pack(">I", 0), struct.pack(">I", 0) * 100,
    struct.pack(">I", 0xffffffff) + b"O", struct.pack(">I", 0x7fffffff) + b"O",
    struct.pack(">I", 0x80000000) + b"O" + b"x" * 1000,
    NEGOTIATE + packet(b"C", b"n" * 65536 + b"\x004\x12\x34192.0.2.1\0"),
    NEGOTIATE + packet(b"C", b"no end"), NEGOTIATE + packet(b"C", b"n\x006"),
    NEGOTIATE + CONNECT + packet(b"H", b"no end"), NEGOTIATE + CONNECT + packet(b"M", b"<a"),
    NEGOTIATE + CONNECT + packet(b"M"), NEGOTIATE + CONNECT + packet(b"M", b"\0\0\0"),
    BEGUN + packet(b"L", b"n" * 65535), BEGUN + packet(b"L", b"n" * 65000 + b"\0v\0"),
    BEGUN + packet(b"L", b"\0\0"), BEGUN + packet(b"L"), BEGUN + packet(b"R"),
    BEGUN + FIELD * 5000 + EOH + EOM, NEGOTIATE + packet(b"D", b"M{a\0"),
    NEGOTIATE + packet(b"D", b"\xff"), NEGOTIATE * 50, packet(b"O"), packet(b"O", b"\0" * 11),
    EOM * 100, BODY + EOM, MAIL + EOM, NEGOTIATE + EOM, BEGUN + EOM + EOM + BODY,
]
POLICYD_BAD = [
    b"request=route\n\n", b"request=route\nversion=3\n\n", b"=\n\n", b"a\n\n",
    b"request=smtpd_access_policy\n\n", b"a=b\n" * 5000 + b"\n", b"a=" + b"x" * 70000 + b"\n\n",
    b"request=verify\nversion=3\nclient_address=\xff\xfe\n\n", b"\0" * 5000 + b"\n\n",
    b"request=client\nversion=99999999999999999999\n\n", b"a=%zz\n\n",
]


# ---- Clients -----------------------------------------------------------------------------

def connect(name):
    client = socket.socket(socket.AF_UNIX)
    client.settimeout(harness.patience(MAIL_S))
    wait_for(lambda: not client.connect_ex(FOLDER + name), "place at " + name)
    return client


def throw(name, data):
    """Sends DATA, reads what comes at once, and is gone."""
    with connect(name) as client, contextlib.suppress(OSError):
        client.sendall(data)
        client.settimeout(0.01)
        client.recv(65536)


def never_ending(name):
    """A message whose body has no end, until NEVER_ENDING_BYTES of it were sent."""
    with connect(name) as client, contextlib.suppress(OSError):
        client.sendall(BEGUN + FIELD + EOH)
        client.settimeout(1)
        for _ in range(NEVER_ENDING_BYTES // len(BODY)):
            client.sendall(BODY)
            with contextlib.suppress(BlockingIOError):
                client.recv(65536, socket.MSG_DONTWAIT)


def garbage(chance):
    """One client's bytes: random, in the wrong order, damaged, or wrong in a known way."""
    kind = chance.randrange(4)
    if kind == 0:
        return chance.randbytes(chance.randrange(1, 20000))
    if kind == 1:
        return b"".join(chance.choices(ALL, k=chance.randrange(1, 30)))
    if kind == 2:
        data = bytearray(BEGUN + FIELD + EOH + BODY + EOM)
        for _ in range(chance.randrange(1, 10)):
            data[chance.randrange(200)] = chance.randrange(256)
        return bytes(data)
    return chance.choice(BAD + POLICYD_BAD + PROBES)


# ---- What must stay ----------------------------------------------------------------------

class State:
    """What PROGRAM has now."""

    def __init__(self, program):
        self.pid = harness.program_pid(program)
        proc = "/proc/" + self.pid
        self.files = len(os.listdir(proc + "/fd"))
        self.threads = len(os.listdir(proc + "/task"))
        with open(proc + "/statm", encoding="ascii") as file:
            self.bytes = int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")

    def __str__(self):
        return "%d files, %d threads, %.1f MB" % (self.files, self.threads, self.bytes / 1e6)


def is_back(before, now):
    """Whether NOW is no more than BEFORE: connections and threads are kept for later, those of each
    new smtpd(8) at zegel-policyd for a minute."""
    return (now.files <= before.files + KEPT_FILES and now.threads <= before.threads + 8 and
            now.bytes <= before.bytes + GROWN_BYTES)


@contextlib.contextmanager
def unharmed():
    """Afterwards every process is the same, and has given back what it took."""
    mail_goes()
    before = {name: State(name) for name in set(SOCKETS.values())}
    yield
    mail_goes()
    for name, state in before.items():
        wait_for(lambda name=name, state=state: is_back(state, State(name)),
                 "rest of %s, which had %s and has %s" % (name, state, State(name)), 90)
        now = State(name)
        print("# %s: %s, then %s" % (name, state, now), flush=True)
        assert now.pid == state.pid, "%s died" % name


def mail_goes():
    """Ordinary and sensitive mail goes out, and mail comes in; returns how long each took."""
    took = []
    for message, to in ((mail("Afspraak"), walk.new_outsider()),
                        (mail("veilig mailen: recept"), unique("p") + "@" + part("ready"))):
        begin = time.monotonic()
        log = wait_delivered(send(message, SENDER, to))
        took.append(time.monotonic() - begin)
        assert any("status=sent" in line for line in log), log
        assert ("zegel-direct" in "".join(log)) == to.endswith(part("ready")), log
    begin = time.monotonic()
    outsider = "jan@" + part("outsider")
    wait_delivered(send(mail("Vraag", sender=outsider, to=SENDER), outsider, SENDER, login=None,
                        source=harness.ENV["LAB_OUTSIDER_ADDR"]))
    took.append(time.monotonic() - begin)
    assert max(took) < harness.patience(MAIL_S), took
    return took


def connects(name, *rights):
    """Whether who has RIGHTS (of setpriv) may connect to the socket NAME."""
    done = int(harness.command("setpriv", *rights, "python3", "-c", "import socket\n"
                               "print(socket.socket(socket.AF_UNIX).connect_ex(%r))"
                               % (FOLDER + name)))
    assert done in (0, 13), (name, done)  # EACCES
    return done == 0


def test_only_postfix_may_connect():
    """The sockets are for root and Postfix; anybody else is turned away"""
    for name in SOCKETS:
        mode = os.stat(FOLDER + name).st_mode
        assert stat.S_IMODE(mode) & 0o007 == 0, (name, oct(mode))
        assert connects(name, "--reuid=postfix", "--regid=postfix", "--init-groups"), name
        assert not connects(name, "--reuid=nobody", "--regid=nogroup", "--clear-groups"), name


def test_the_milter_of_port_25_cannot_use_the_one_with_keys():
    """Who takes zegel-mx over asks policyd, and has nothing signed or sealed"""
    rights = "--reuid=zegel-mx", "--regid=zegel-mx", "--init-groups"
    assert connects("ask.sock", *rights)
    assert not connects("milter.sock", *rights)


def test_a_port_scanner_and_garbage():
    """200 connections of garbage to each socket, and a scanner's probes, harm nothing"""
    chance = random.Random(SEED)
    with unharmed():
        for name in SOCKETS:
            for probe in PROBES + BAD + POLICYD_BAD:
                throw(name, probe)
            never_ending(name)
            threads = [threading.Thread(target=throw, args=(name, garbage(chance)))
                       for _ in range(CONNECTIONS)]
            for thread in threads:
                thread.start()
            mail_goes()
            for thread in threads:
                thread.join()


def drip(clients, end):
    """Each of CLIENTS (socket, bytes) sends one byte a second until END."""
    step = 0
    while time.monotonic() < end:
        for client, data in clients:
            with contextlib.suppress(OSError):
                client.send(data[step % len(data):][:1], socket.MSG_DONTWAIT)
        step += 1
        time.sleep(1)


def test_more_clients_than_a_service_gets_descriptors():
    """1200 half packets at a milter that was started with 1024 descriptors: mail goes on"""
    harness.control("stop", "milter")
    harness.control("start", "milter", "prlimit", "--nofile=1024:")
    with unharmed(), contextlib.ExitStack() as stack:
        for _ in range(MANY):
            stack.enter_context(connect("milter.sock")).sendall(BEGUN[:-3])
        wait_for(lambda: State("milter").files > MANY, "place for all")
        mail_goes()


def test_500_slow_clients_at_the_milters():
    """500 clients of each milter that send one byte a second hold up nobody else"""
    slow_at("milter.sock", "milter-mx.sock")


def test_500_slow_clients_at_policyd():
    """500 clients of each socket of policyd that send one byte a second hold up nobody else"""
    slow_at("ask.sock", "policy.sock")


def slow_at(*names):
    long_question = b"request=route\nversion=3\nsender=" + b"x" * 1000
    with unharmed(), contextlib.ExitStack() as stack:
        clients = []
        for name in names:
            data = BEGUN if SOCKETS[name] != "policyd" else long_question
            clients += [(stack.enter_context(connect(name)), data) for _ in range(SLOW)]
        dripping = threading.Thread(target=drip, args=(clients, time.monotonic() + SLOW_S))
        dripping.start()
        for name in names:
            wait_for(lambda: State(SOCKETS[name]).files > SLOW, "place for all at " + name)
        while dripping.is_alive():
            took = mail_goes()
        print("# among slow clients: %.2f s ordinary, %.2f s sensitive, %.2f s inward"
              % tuple(took), flush=True)
