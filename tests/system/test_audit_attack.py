"""What a clumsy administrator or a hostile program does to zegel-auditd and its file: mail goes on,
alarm lines say what is wrong, and in the end each event is in the trail once (A2, I7, I8)."""
import contextlib
import json
import os
import pwd
import re
import shutil
import socket
import subprocess
import time

import harness
import trail
from harness import ENV, command, control, wait_for, wait_log
from test_auditd import send_secure, wait_routed

CTL = os.path.join(ENV["LAB_SBINDIR"], "zegelctl")
FOLDER = os.path.dirname(trail.DATABASE)
CONNECTIONS = 1000
KILLS = 50
ALARM = r"crit zegel-auditd\[\d+\]: "


def count_of(ids):
    """How often each of IDS is in the trail: {id: times}."""
    there = [record["id"] for record in trail.records()]
    return {one: there.count(one) for one in ids}


def verify(status=0):
    return command(CTL, "audit", "verify", status=status).decode()


def bring_events(count):
    """Brings COUNT events as root; (all ids, ids that were acknowledged)."""
    ids = [trail.new_id() for _ in range(count)]
    answers = trail.bring("".join(map(trail.block, ids)), answers=count)
    return ids, re.findall(r"id=(\w{32})\n\n", answers)


def check_acknowledged(ids):
    """What was acknowledged is there, once; the chain is good."""
    counts = count_of(ids)
    assert set(counts.values()) <= {1}, {one: n for one, n in counts.items() if n != 1}
    verify()


# ---- The file ------------------------------------------------------------------------

@contextlib.contextmanager
def moved_away():
    """The trail's files are elsewhere meanwhile."""
    away = os.path.join(ENV["LAB_STATEDIR"], harness.unique("away"))
    os.mkdir(away)
    names = [name for name in os.listdir(FOLDER) if name.startswith("audit.db")]
    for name in names:
        os.rename(os.path.join(FOLDER, name), os.path.join(away, name))
    try:
        yield
    finally:
        for name in os.listdir(FOLDER):
            os.unlink(os.path.join(FOLDER, name))
        for name in names:
            os.rename(os.path.join(away, name), os.path.join(FOLDER, name))
        os.rmdir(away)


def test_the_file_is_moved_away_while_it_runs():
    """A2 I8: nothing is acknowledged into a file that nobody will find, and no new trail is begun"""
    mark = harness.log_mark()
    with moved_away():
        _, acknowledged = bring_events(3)
        assert not acknowledged, acknowledged
        queue_id, _ = send_secure()
        events = wait_routed([queue_id], mark)
        wait_log(ALARM + "the audit trail cannot be written", mark)
    trail.check_each_once(events)
    wait_log(r"zegel-auditd\[\d+\]: the audit trail is written again", mark)
    check_acknowledged([])


@contextlib.contextmanager
def put_in_place(older):
    """The trail's directory is what OLDER was, meanwhile."""
    newer = FOLDER + ".newer"
    control("stop", "auditd")
    os.rename(FOLDER, newer)
    shutil.copytree(older, FOLDER)
    command("chown", "-R", "zegel-auditd:", FOLDER)
    os.chmod(FOLDER, 0o700)
    control("start", "auditd")
    try:
        yield
    finally:
        control("stop", "auditd")
        shutil.rmtree(FOLDER)
        os.rename(newer, FOLDER)
        control("start", "auditd")


def checkpoint():
    """The line in the log about a new checkpoint."""
    mark = harness.log_mark()
    trail.bring("request=checkpoint\n\n")
    return wait_log("checkpoint zegel-checkpoint 1 ", mark)


def test_an_older_file_is_put_back():
    """A2: a copy of yesterday is written on, and even so differs from the checkpoint in the log"""
    older = os.path.join(ENV["LAB"], harness.unique("older"))
    control("stop", "auditd")
    shutil.copytree(FOLDER, older)
    control("start", "auditd")
    ids, acknowledged = bring_events(3)
    line = checkpoint()
    try:
        with put_in_place(older):
            bring_events(10)
            checkpoint()
            verify()  # nothing in it is wrong
            done = subprocess.run([CTL, "audit", "verify", "--checkpoint", "-"],
                                  input=line.encode(), capture_output=True, check=False)
            assert done.returncode == 1 and b"WRONG" in done.stdout, done
    finally:
        shutil.rmtree(older)
    assert acknowledged == ids
    command(CTL, "audit", "verify", "--checkpoint", "-", data=line.encode())
    check_acknowledged(ids)


@contextlib.contextmanager
def file_as(path, owner, mode):
    """PATH belongs to OWNER with MODE meanwhile."""
    before = os.stat(path)
    os.chown(path, pwd.getpwnam(owner).pw_uid, -1)
    os.chmod(path, mode)
    try:
        yield
    finally:
        os.chown(path, before.st_uid, before.st_gid)
        os.chmod(path, before.st_mode & 0o7777)


def start_fails():
    """Starts zegel-auditd, and waits until it has ended by itself."""
    subprocess.run([ENV["LAB_HERE"] + "/lab-ctl", "start", "auditd"], capture_output=True,
                   check=False)  # it listens before it has looked at key and trail
    pid = harness.program_pid("auditd")
    wait_for(lambda: not os.path.exists("/proc/%s" % pid), "the end of zegel-auditd")


def test_wrong_rights_are_told():
    """I8: with a trail or key that it may not read, or that others may, it says so and ends"""
    mark = harness.log_mark()
    control("stop", "auditd")
    try:
        for path, owner, mode in ((trail.DATABASE, "root", 0o600), (FOLDER, "root", 0o700),
                                  (trail.KEY, "root", 0o600), (trail.KEY, "zegel-auditd", 0o644)):
            with file_as(path, owner, mode):
                start = harness.log_mark()
                start_fails()
                line = wait_log(r"zegel-auditd\[\d+\]: ", start)
                assert os.path.dirname(path) in line, (path, line)
        queue_id, _ = send_secure()
        events = wait_routed([queue_id], mark)
    finally:
        control("start", "auditd")
    trail.check_each_once(events)


# ---- The key -------------------------------------------------------------------------

@contextlib.contextmanager
def key_text(text):
    """The key file says TEXT meanwhile; None: it is not there."""
    with open(trail.KEY, encoding="ascii") as file:
        before = file.read()
    status = os.stat(trail.KEY)
    try:
        if text is None:
            os.unlink(trail.KEY)
        else:
            with open(trail.KEY, "w", encoding="ascii") as file:
                file.write(text)
        yield
    finally:
        with open(trail.KEY, "w", encoding="ascii",
                  opener=lambda path, flags: os.open(path, flags, 0o600)) as file:
            file.write(before)
        os.chown(trail.KEY, status.st_uid, status.st_gid)
        os.chmod(trail.KEY, status.st_mode & 0o7777)


OTHER_KEY = "zegel-key 1 audit 0badc0de %s\n" % ("A" * 43 + "=")


def test_the_key_is_missing_or_another():
    """A2: without its key, or with one of another day, the trail is not touched"""
    number = trail.last()
    for text in (None, "", "nonsense\n", OTHER_KEY):
        control("stop", "auditd")
        try:
            with key_text(text):
                mark = harness.log_mark()
                start_fails()
                wait_log(r"zegel-auditd\[\d+\]: .*(key|%s)" % re.escape(trail.KEY), mark)
        finally:
            control("start", "auditd")
    assert trail.last() == number
    verify()


def test_a_reload_with_another_key():
    """A2: asked to read a key file that does not open the trail, it goes on under the one it has"""
    mark = harness.log_mark()
    pid = int(harness.program_pid("auditd"))
    with key_text(OTHER_KEY):
        os.kill(pid, 1)
        wait_log(r"crit zegel-auditd\[\d+\]: .* the keys stay as they were", mark)
        meanwhile, acknowledged = bring_events(1)
        assert acknowledged == meanwhile
    os.kill(pid, 1)
    wait_log(r"zegel-auditd\[\d+\]: the configuration was read again", mark)
    ids, acknowledged = bring_events(2)
    assert acknowledged == ids
    check_acknowledged(meanwhile + ids)


# ---- Two of them ---------------------------------------------------------------------

def second_config():
    """The path of a configuration with the same trail and another socket, and that socket."""
    with open(harness.configured.PATH, encoding="utf-8") as file:
        text = file.read()
    path, other = ENV["LAB"] + "/second.conf", ENV["LAB_STATEDIR"] + "/second.sock"
    line = "socket = %s\n" % other
    text = (text.replace("[audit]\n", "[audit]\n" + line) if "[audit]" in text
            else text + "\n[audit]\n" + line)
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    return path, other


def test_two_at_once():
    """A2: a second one on the same trail breaks no chain, and loses nothing that it acknowledged"""
    config, other = second_config()
    second = subprocess.Popen([ENV["LAB_SBINDIR"] + "/zegel-auditd", "-c", config],
                              stderr=subprocess.DEVNULL)
    try:
        wait_for(lambda: os.path.exists(other) or second.poll() is not None, "the second one")
        ids = []
        for turn in range(10):
            mine = [trail.new_id() for _ in range(5)]
            for _ in range(20):  # who is told of the other's work tries again
                answers = trail.bring("".join(map(trail.block, mine)), answers=5,
                                      path=other if turn % 2 and second.poll() is None
                                      else trail.SOCKET)
                if answers.count("id=") == 5:
                    break
                time.sleep(0.05)
            ids += re.findall(r"id=(\w{32})\n\n", answers)
        assert len(set(ids)) >= 25, len(ids)
    finally:
        second.terminate()
        second.wait()
    more, acknowledged = bring_events(3)
    for _ in range(20):
        if acknowledged == more:
            break
        more, acknowledged = bring_events(3)
    assert acknowledged == more
    check_acknowledged(ids + more)


# ---- The socket ----------------------------------------------------------------------

def test_a_thousand_connections():
    """A2: who holds a thousand connections keeps only his own user waiting"""
    held = []
    mark, number = harness.log_mark(), trail.last()
    try:
        for _ in range(CONNECTIONS):
            link = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            link.settimeout(5)
            with contextlib.suppress(OSError):
                link.connect(trail.SOCKET)
                link.sendall(b"event=login\n")  # never ends
            held.append(link)
        queue_id, _ = send_secure()
        trail.check_each_once(wait_routed([queue_id], mark), number)
        wait_log(r"zegel-auditd\[\d+\]: user 0 has too many connections", mark)
    finally:
        for link in held:
            link.close()
    ids, acknowledged = bring_events(2)
    assert ids == acknowledged


def test_a_block_cannot_forge_a_record():
    """A1: what a program sends as if the trail had said it stands there as that program's word"""
    number = trail.last()
    ids = [trail.new_id() for _ in range(4)]
    texts = [trail.block(ids[0], source=":trail"), trail.block(ids[1], record="1", erased="yes"),
             trail.block(ids[2], event="audit-erased", places="1.1;2.2", count="2"),
             trail.block(ids[3], event="audit-expired", through=str(number))]
    trail.bring("".join(texts), answers=4)
    lines = command(CTL, "audit", "export", "--format", "json").decode().splitlines()
    added = [record for record in map(json.loads, lines) if record["id"] in ids]
    assert len(added) == len(ids), added
    assert all(record["source"] == "root" and record["record"] > number
               and record["erased"] is False for record in added), added
    verify()


def test_a_clock_that_leaps():
    """A2: events of long ago and of years to come stand in their order, and take nothing with them"""
    number = trail.last()
    times = ["2001-01-01T00:00:00.000000Z", "2035-06-01T12:00:00.000000Z",
             "1970-01-01T00:00:00.000000Z", "2020-02-29T23:59:59.999999Z"]
    ids = [trail.new_id() for _ in times]
    trail.bring("".join(trail.block(one, at=at) for one, at in zip(ids, times)), answers=len(ids))
    added = [(record["id"], record["at"]) for record in trail.records(number)
             if record["id"] in ids]
    assert added == list(zip(ids, times)), added
    answer = trail.bring("request=expire\nbefore=1600000000\n\n")
    assert "count=0" in answer, answer
    nonsense = [trail.block(trail.new_id(), at=at) for at in ("", "now", "2026-13-01T00:00:00Z",
                                                              "99999-01-01T00:00:00.000000Z")]
    assert trail.bring("".join(nonsense), answers=len(nonsense)).count("code=unknown") == len(
        nonsense)
    check_acknowledged(ids)


# ---- It is killed --------------------------------------------------------------------

def begin_load():
    """Connections that have sent 40 events each and did not wait for answers."""
    links = []
    for _ in range(3):
        link = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        link.connect(trail.SOCKET)
        link.settimeout(harness.WAIT_S)
        link.sendall("".join(trail.block(trail.new_id()) for _ in range(40)).encode())
        links.append(link)
    return links


def end_load(links):
    """The ids that were acknowledged, when nothing more comes."""
    ids = []
    for link in links:
        got = b""
        with contextlib.suppress(OSError):
            link.shutdown(socket.SHUT_WR)
            while piece := link.recv(65536):
                got += piece
        ids += re.findall(r"id=(\w{32})\n\n", got.decode())
        link.close()
    return ids


def test_killed_fifty_times_under_load():
    """A2 I7: killed at any moment, nothing that it acknowledged is lost, nothing stands there twice"""
    begin = time.monotonic()
    ids = end_load(begin_load())
    took = time.monotonic() - begin
    assert len(ids) == 120, len(ids)
    undisturbed = len(ids)
    for turn in range(KILLS):
        links = begin_load()
        time.sleep(turn % 10 * took / 5)
        control("kill", "auditd")
        ids += end_load(links)
        control("start", "auditd")
    assert len(ids) > undisturbed, "it was always killed too early"
    check_acknowledged(ids)
