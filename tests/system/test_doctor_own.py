"""What zegelctl doctor finds wrong in zegel itself, its files, the viewer and the SMS (issue 7).

Each mistake is planted, named with its cure, taken away again, and then not found any more.
"""
import contextlib
import glob
import grp
import gzip
import json
import os
import pwd
import re
import shutil
import signal
import sqlite3
import subprocess
import time

import harness
import visitor
import walk
from doctor import main
from harness import (ENV, command, configured, control, log_lines, log_mark, mail, part,
                     program_pid, unique, wait_for, without, zone)
from test_watch_domains import months
from test_webservers import port_is_free, served_by

ZEGELCTL = os.path.join(ENV["LAB_SBINDIR"], "zegelctl")
STATE = ENV["LAB_STATEDIR"]
KEYS = os.path.join(ENV["LAB_SYSCONFDIR"], "zegel", "keys")
TRAIL = os.path.join(STATE, "audit", "audit.db")
ROUTES = os.path.join(STATE, "routes", "routes.db")
STORE = os.path.join(STATE, "store", "store.db")
OWN = ("daemon-running", "daemon-current", "key-there", "key-rights", "key-web", "key-copies",
       "key-store", "state-rights", "state-private", "routes-db", "disk-space", "audit-chain",
       "audit-waiting", "clock", "clock-kept", "nta-ends", "viewer-https", "viewer-headers",
       "viewer-certificate", "viewer-log", "sms-command", "sms-silent")
PROGRAMS = ("auditd", "policyd", "milter", "milter-mx", "deliver", "viewer")
GOOD, FOUND, LATER = 0, 1, 75


def doctor(*ids, wrapper=()):
    """What the checks IDS say, but for what is good or absent: [finding]; and the status fits."""
    done = subprocess.run([*wrapper, ZEGELCTL, "doctor", "--json", *ids], capture_output=True,
                          check=False)
    said = json.loads(done.stdout)
    assert {one["id"] for one in said} == set(ids), said
    found = [one for one in said if one["state"] not in ("good", "absent")]
    states = {one["state"] for one in found}
    status = FOUND if states & {"wrong", "warning"} else LATER if states else GOOD
    assert done.returncode == status, (done.returncode, said, done.stderr)
    for one in found:
        assert one["what"] and (one["cure"] or one["state"] == "unknown"), one
    return found


def one_finding(check, state, what, cure, wrapper=()):
    """The check says one thing, as STATE, with WHAT and CURE in it (patterns)."""
    found = doctor(check, wrapper=wrapper)
    assert len(found) == 1, found
    assert found[0]["state"] == state, found
    assert re.search(what, found[0]["what"]), found
    assert re.search(cure, found[0]["cure"]), found
    return found[0]


def nothing(*checks):
    found = doctor(*checks)
    assert found == [], found


@contextlib.contextmanager
def moved(path):
    """The file at PATH is not there."""
    os.rename(path, path + ".away")
    try:
        yield
    finally:
        os.rename(path + ".away", path)


@contextlib.contextmanager
def rights(path, mode=None, user=None, group=None):
    """PATH has another mode, user or group."""
    before = os.stat(path)
    os.chown(path, pwd.getpwnam(user).pw_uid if user else -1,
             grp.getgrnam(group).gr_gid if group else -1)
    if mode is not None:
        os.chmod(path, mode)
    try:
        yield
    finally:
        os.chown(path, before.st_uid, before.st_gid)
        os.chmod(path, before.st_mode & 0o7777)


@contextlib.contextmanager
def edited(path, pattern, replacement):
    """The file at PATH with REPLACEMENT for PATTERN."""
    with open(path, encoding="utf-8") as file:
        before = file.read()
    text, count = re.subn(pattern, replacement, before)
    assert count, (path, pattern)
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    try:
        yield
    finally:
        with open(path, "w", encoding="utf-8") as file:
            file.write(before)


def another_key(purpose, path):
    """A new key for PURPOSE in the file at PATH, in the place of those there."""
    status = os.stat(path)
    os.unlink(path)
    command(ZEGELCTL, "key", "generate", purpose, path)
    os.chown(path, status.st_uid, status.st_gid)


@contextlib.contextmanager
def other_keys(purpose, *paths):
    """The first of PATHS has another key than before, and the rest copies of it."""
    for path in paths:
        shutil.copy2(path, path + ".away")
    another_key(purpose, paths[0])
    for path in paths[1:]:
        with open(paths[0], "rb") as new:
            text = new.read()
        os.chmod(path, 0o600)
        with open(path, "wb") as file:
            file.write(text)
        os.chmod(path, 0o400)
    try:
        yield
    finally:
        for path in paths:
            status = os.stat(path)
            os.rename(path + ".away", path)
            os.chown(path, status.st_uid, status.st_gid)


def tree(folder):
    """{path: (owner, group, mode)} of all that lies in FOLDER."""
    found = {}
    for place, folders, names in os.walk(folder):
        for name in folders + names:
            path = os.path.join(place, name)
            with contextlib.suppress(FileNotFoundError):
                status = os.lstat(path)
                found[path] = (status.st_uid, status.st_gid, status.st_mode)
    return found


def by_clock(offset):
    """What lets a program live at a time that is off by OFFSET."""
    library = glob.glob("/usr/lib/*/faketime/libfaketime.so.1")
    assert library, "faketime is not installed"
    # Under sanitizers: theirs need not be the first library, and nothing is looked for at the end.
    return ("env", "LD_PRELOAD=" + library[0], "FAKETIME=" + offset,
            "FAKETIME_DONT_FAKE_MONOTONIC=1",
            "ASAN_OPTIONS=verify_asan_link_order=0:detect_leaks=0")


# ---- As it should be -----------------------------------------------------------------

def test_a_good_installation_has_no_finding():
    """the lab as it is has no finding, and looking changes nothing and is not in the log"""
    for program in PROGRAMS:  # tests before may have left them with settings of theirs
        control("stop", program)
        control("start", program)
    walk.log_in(visitor.secure())  # and the gateway silent
    wait_for(lambda: doctor("audit-waiting") == [], "the trail")
    places = (STATE, os.path.join(ENV["LAB_SYSCONFDIR"], "zegel"), "/etc/postfix")
    before, mark = [tree(place) for place in places], log_mark()
    found = doctor(*OWN)
    # Only the machine itself knows whether somebody keeps its clock.
    assert [one for one in found if one["id"] != "clock-kept"] == [], found
    assert [tree(place) for place in places] == before
    assert log_lines(r" zegel(ctl)?\[", mark) == []


# ---- Programs ------------------------------------------------------------------------

def test_a_program_that_does_not_run():
    """each of the six programs that does not run is named, with what that means"""
    for program, name, unit, means in (
            ("auditd", "zegel-auditd", "zegel-auditd", "events wait"),
            ("policyd", "zegel-policyd", "zegel-policyd", "try again"),
            ("milter", "zegel-milter does", "zegel-milter", "mail that is sent"),
            ("milter-mx", "zegel-milter --mx", "zegel-milter-mx", "mail that comes in"),
            ("deliver", "zegel-deliver", "zegel-deliver", "queue"),
            ("viewer", "zegel-viewer", "zegel-viewer", "nobody can read")):
        with without(program):
            said = one_finding("daemon-running", "wrong", "^" + name,
                               '"systemctl restart %s"' % unit)
            assert means in said["what"], said
    nothing("daemon-running")


def test_a_program_that_hangs():
    """a program that takes connections and does not answer is named"""
    pid = int(program_pid("deliver"))
    os.kill(pid, signal.SIGSTOP)
    try:
        one_finding("daemon-running", "wrong", "zegel-deliver.*does not answer", "zegel-deliver")
    finally:
        os.kill(pid, signal.SIGCONT)
    nothing("daemon-running")


def test_a_viewer_without_a_daemon():
    """a viewer that the web server starts for each request is not missed"""
    with without("viewer"):
        with contextlib.suppress(FileNotFoundError):
            os.unlink("/run/zegel/viewer.sock")
        with served_by("lighttpd-cgi"):
            nothing("daemon-running", "viewer-https", "viewer-headers", "key-web")
        one_finding("daemon-running", "wrong", "zegel-viewer", "zegel-viewer")
    nothing("daemon-running")


def test_another_configuration_than_the_running_one():
    """programs that run with another zegel.conf are named, after a reload that was refused too"""
    def named():
        return {one["cure"].rpartition("zegel-")[2] for one in doctor("daemon-current")}
    with configured("policyd", "recheck_s", "299"):
        assert named() == set(PROGRAMS)
        assert {one["state"] for one in doctor("daemon-current")} == {"warning"}
        command(ZEGELCTL, "reload")
        wait_for(lambda: named() == set(), "the reload")
    command(ZEGELCTL, "reload")
    wait_for(lambda: named() == set(), "the reload")
    with edited(configured.PATH, r"\A", "# a remark\n"):
        nothing("daemon-current")
    missing = "ticket_key = /nowhere"
    with edited(configured.PATH, r"(?m)^\[deliver\]$", "[deliver]\n" + missing):
        subprocess.run([ZEGELCTL, "reload"], capture_output=True, check=False)
        wait_for(lambda: named() == {"deliver"}, "the reload that deliver refuses")
    command(ZEGELCTL, "reload")
    wait_for(lambda: named() == set(), "the reload")


def test_a_program_of_before():
    """a program that was installed anew and not started again is named"""
    path = os.path.join(ENV["LAB_SBINDIR"], "zegel-deliver")
    shutil.copy2(path, path + ".new")
    os.rename(path + ".new", path)
    one_finding("daemon-current", "warning", "zegel-deliver was installed anew",
                "systemctl restart zegel-deliver")
    control("stop", "deliver")
    control("start", "deliver")
    nothing("daemon-current")


# ---- Keys ----------------------------------------------------------------------------

def test_a_key_that_is_missing():
    """a key that is not there, or is no key, is named, with the backup as its cure"""
    path = os.path.join(KEYS, "viewer", "store")
    with moved(path):
        one_finding("key-there", "wrong", "zegel-viewer has no store key: " + path, "backup")
        with open(path, "w", encoding="ascii") as file:
            file.write("nothing\n")
        os.chmod(path, 0o400)
        one_finding("key-there", "wrong", "zegel-viewer cannot read its store key", "backup")
        os.unlink(path)
    nothing("key-there")


def test_a_key_that_others_can_read():
    """a key, or a password beside it, that others can read, or that is another's, is named"""
    path = os.path.join(KEYS, "deliver", "link")
    with rights(path, mode=0o644):
        one_finding("key-rights", "wrong", path + " has mode 0644", '"chmod 0400 ' + path)
    with rights(path, user="root"):
        one_finding("key-rights", "wrong", path + " belongs to root",
                    "^chown zegel-deliver " + path)
    with rights(os.path.join(KEYS, "auditd"), mode=0o700, user="root"):
        one_finding("key-rights", "wrong", "zegel-auditd, .* cannot read .*auditd/audit: Perm",
                    '"namei -l ')
    beside = os.path.join(KEYS, "viewer", "gateway")
    with open(beside, "w", encoding="ascii") as file:
        file.write("geheim\n")
    os.chmod(beside, 0o440)
    one_finding("key-rights", "wrong", beside + " has mode 0440", "new password")
    os.unlink(beside)
    nothing("key-rights")


def test_a_key_that_the_web_server_can_read():
    """a key or a database that the web server's user can read is named"""
    path = os.path.join(KEYS, "viewer", "store")
    with rights(path, user="www-data"):
        one_finding("key-web", "wrong", "www-data.*can read " + path, '"namei -l ' + path)
    with edited("/etc/group", r"(?m)^(zegel-store:.*)$", r"\1,www-data"):
        found = doctor("key-web")
        assert len(found) == 1 and STORE in found[0]["what"], found
        assert '"id www-data"' in found[0]["cure"], found
    nothing("key-web")


def test_copies_of_a_key_that_differ():
    """a copy of a key that is not like the other is named with both programs"""
    with other_keys("ticket", os.path.join(KEYS, "milter", "ticket")):
        one_finding("key-copies", "wrong", "deliver/ticket and .*milter/ticket are not alike",
                    "restart zegel-deliver and zegel-milter")
    nothing("key-copies")


def test_keys_and_store_of_different_days():
    """a store that was written with other keys is found, and new keys are no cure"""
    visitor.secure()
    stores = [os.path.join(KEYS, program, "store") for program in ("deliver", "viewer")]
    with other_keys("store", *stores):
        one_finding("key-store", "wrong", "not of the same day: store key [0-9a-f]{8} is not in",
                    "same backup.*do not make new keys")
        nothing("key-there", "key-rights", "key-copies")
    with other_keys("link", os.path.join(KEYS, "deliver", "link")):
        one_finding("key-store", "wrong", "link key [0-9a-f]{8} is not in", "same backup")
    # The same id with another key: nothing that is stored would be found.
    shutil.copy2(stores[0], stores[0] + ".away")
    with open(stores[0], encoding="ascii") as file:
        words = file.read().split()
    words[4] = "A" + words[4][1:] if words[4][0] != "A" else "B" + words[4][1:]
    with open(stores[0], "w", encoding="ascii") as file:
        file.write(" ".join(words) + "\n")
    one_finding("key-store", "wrong", "is another than the database was written with", "restore")
    status = os.stat(stores[0])
    os.rename(stores[0] + ".away", stores[0])
    os.chown(stores[0], status.st_uid, status.st_gid)
    nothing("key-store")


def test_key_and_trail_of_different_days():
    """a trail whose key is not in the key file is named"""
    with other_keys("audit", os.path.join(KEYS, "auditd", "audit")):
        one_finding("audit-chain", "wrong", "not of the same day: .*key [0-9a-f]{8}",
                    "of the same day")
    nothing("audit-chain")


# ---- Files ---------------------------------------------------------------------------

def test_files_of_others():
    """files and directories that do not belong to their program are named"""
    with rights(STORE, user="root", group="root", mode=0o600):
        found = doctor("state-rights")
        assert {one["what"].split(",")[0] for one in found} == {"zegel-deliver", "zegel-viewer"}
        assert all('"chown -R zegel-deliver:zegel-store ' in one["cure"] for one in found), found
    for folder, program, owners in (
            ("audit", "zegel-auditd", "zegel-auditd:zegel-auditd"),
            ("phone", "zegel-policyd", "zegel-policyd:zegel-policyd"),
            ("seen", "zegel-policyd", "zegel-policyd:zegel-policyd"),
            ("routes", "zegel-policyd", "zegel-policyd:postfix")):
        with rights(os.path.join(STATE, folder), user="root", mode=0o700):
            one_finding("state-rights", "wrong", "%s, .*%s/%s" % (program, STATE, folder),
                        '"chown -R %s %s/%s"' % (owners, STATE, folder))
    folder = os.path.join(STATE, "store", "messages", "zz")  # as "ab" of a message
    message = os.path.join(folder, unique("file"))
    os.mkdir(folder)
    shutil.chown(folder, "zegel-deliver", "zegel-store")
    os.chmod(folder, 0o2770)
    with open(message, "w", encoding="ascii"):
        os.chmod(message, 0o600)
    found = doctor("state-rights")
    assert len(found) == 2 and all(message in one["what"] for one in found), found
    shutil.rmtree(folder)
    nothing("state-rights")


def test_files_for_everybody():
    """directories and databases that everybody can read are named, and a top that is not root's"""
    with rights(os.path.join(STATE, "store"), mode=0o2775):
        one_finding("state-private", "wrong", STATE + "/store has mode 2775",
                    "^chmod o= %s/store$" % STATE)
    with rights(TRAIL, mode=0o604):
        one_finding("state-private", "wrong", TRAIL + " has mode 0604", "^chmod o= " + TRAIL)
    with rights(STATE, user="zegel-viewer"):
        one_finding("state-private", "wrong", STATE + " has owner", "chown root:root " + STATE)
    nothing("state-private")


def test_routes_that_postfix_cannot_read():
    """routes.db without its log, with wrong rights, in another mode or at another place is named"""
    with without("policyd"):  # which mends what it can
        nothing("routes-db")
        with rights(ROUTES, mode=0o600):
            one_finding("routes-db", "wrong", "cannot open %s: Permission" % ROUTES,
                        "chown -R zegel-policyd:postfix.*restart zegel-policyd")
        with moved(ROUTES + "-wal"):
            one_finding("routes-db", "wrong", "cannot open %s-wal: No such" % ROUTES,
                        "systemctl restart zegel-policyd")
        with rights(os.path.dirname(ROUTES), group="root"):
            assert len(doctor("routes-db")) == 3
    with edited("/etc/postfix/zegel-tls.cf", r"(?m)^dbpath = .*$", "dbpath = /old/routes.db"):
        one_finding("routes-db", "wrong", "zegel-tls.cf reads /old/routes.db",
                    '"dbpath = %s"' % ROUTES)
    nothing("routes-db")


def test_a_disk_that_is_nearly_full():
    """a file system with little room is named, with what lies on it; and memory for uploads"""
    full = os.path.join(STATE, "tmp", unique("full"))
    room = os.statvfs(STATE)
    free = room.f_bavail * room.f_frsize
    with open(full, "wb") as file:
        os.posix_fallocate(file.fileno(), 0, free - 90 * 1024 * 1024)
        one_finding("disk-space", "warning", r"/store \(the store\) has (8[5-9]|90) MB left of",
                    "make room")
        os.posix_fallocate(file.fileno(), 0, free - 30 * 1024 * 1024)
        one_finding("disk-space", "wrong", r"a message may need 75 MB", "make room")
    os.unlink(full)
    command("mount", "-t", "tmpfs", "-o", "size=8m", "small", "/dev/shm")
    one_finding("disk-space", "wrong", "/dev/shm .* has 8 MB left: .* 72 MB", "make room")
    command("mount", "-o", "remount,ro", "/dev/shm")
    one_finding("disk-space", "wrong", "/dev/shm .* is mounted read-only", "dmesg")
    command("umount", "/dev/shm")
    nothing("disk-space")


# ---- The audit trail -----------------------------------------------------------------

@contextlib.contextmanager
def trail_kept():
    """What is done to the trail meanwhile is undone."""
    kept = tree(os.path.dirname(TRAIL))
    with without("auditd"):
        for path in kept:
            shutil.copy2(path, path + ".away")
        yield
        for path, (user, group, _) in kept.items():
            os.rename(path + ".away", path)
            os.chown(path, user, group)


def test_a_chain_that_is_broken():
    """a record that was changed is found and named with its number; a trail that is gone too"""
    with trail_kept():
        with contextlib.closing(sqlite3.connect(TRAIL)) as database, database:
            number, = database.execute("SELECT max(number) - 3 FROM record").fetchone()
            database.execute("UPDATE record SET text = replace(text, 'actor', 'actos')"
                             " WHERE number = ?", (number,))
        one_finding("audit-chain", "wrong", "not what was written: record %d:" % number,
                    "checkpoints")
        os.rename(TRAIL, TRAIL + ".aside")
        one_finding("audit-chain", "wrong", "no audit trail at " + TRAIL, "backup")
        os.rename(TRAIL + ".aside", TRAIL)
    nothing("audit-chain")


def test_events_that_wait():
    """events that wait in the store because zegel-auditd does not take them are counted"""
    with without("auditd"):
        visitor.secure()
        found = one_finding("audit-waiting", "wrong", r"^\d+ events wait", "daemon-running")
        assert int(found["what"].split()[0]) >= 2, found
    wait_for(lambda: doctor("audit-waiting") == [], "the events")


# ---- The clock -----------------------------------------------------------------------

def test_a_clock_that_is_off():
    """a clock that is days off is found by the DNS, one that went back by the trail"""
    def at(offset):
        return doctor("clock", wrapper=by_clock(offset))
    ahead = at("+40d")
    assert len(ahead) == 1 and "ahead by at least" in ahead[0]["what"], ahead
    assert ahead[0]["state"] == "wrong" and "timedatectl" in ahead[0]["cure"], ahead
    behind = at("-3d")
    assert len(behind) == 2, behind
    assert "behind by at least" in behind[1]["what"] and "2 days" in behind[1]["what"], behind
    visitor.secure()
    wait_for(lambda: doctor("audit-waiting") == [], "the trail")
    back = at("-10m")
    assert any("audit trail lies" in one["what"] and "ahead" in one["what"] for one in back), back
    nothing("clock")


# ---- NTA 7516 ------------------------------------------------------------------------

def test_a_record_that_ends():
    """an NTA 7516 record of ours that ends, or ended, is named with what to publish"""
    with zone("own", months(-12, 0)):
        one_finding("nta-ends", "warning", part("own") + ": .* ends on ", "publish before ")
    with zone("own", months(-30, -1)):
        one_finding("nta-ends", "wrong", part("own") + ": .* ended on ", "publish now: ")
    nothing("nta-ends")
    with without("policyd"):
        one_finding("nta-ends", "unknown", "could not be found out", "daemon-running")


# ---- The viewer ----------------------------------------------------------------------

@contextlib.contextmanager
def other_lighttpd(edit):
    """lighttpd runs with what EDIT makes of its configuration."""
    with open(os.path.join(ENV["LAB"], "lighttpd.conf"), encoding="utf-8") as file:
        text = file.read()
    path = "/run/zegel-test-lighttpd.conf"
    with open(path, "w", encoding="utf-8") as file:
        file.write(edit(text))
    assert edit(text) != text
    control("stop", "lighttpd")
    wait_for(port_is_free, "the end of lighttpd")
    with subprocess.Popen(["lighttpd", "-D", "-f", path], stdout=subprocess.DEVNULL,
                          stderr=subprocess.DEVNULL) as server:
        try:
            wait_for(lambda: server.poll() is None and not port_is_free(), "lighttpd")
            yield
        finally:
            server.terminate()
    wait_for(port_is_free, "the end of lighttpd")
    control("start", "lighttpd")
    wait_for(lambda: not port_is_free(), "lighttpd")


def found_for_both(check, state, what, cure):
    """The check says the same of both organisations."""
    found = doctor(check)
    assert [one["what"].count("https://veilig." + part(name)) for one, name in
            zip(found, ("own", "own2"))] == [1, 1] and len(found) == 2, found
    for one in found:
        assert one["state"] == state and re.search(what, one["what"]), one
        assert re.search(cure, one["cure"]), one


def test_a_viewer_without_https():
    """a viewer that is not reached, has no HTTPS, or shows its pages without it too, is named"""
    with without("lighttpd"):
        found_for_both("viewer-https", "wrong", "nobody answers", "start the web server")
    wait_for(lambda: not port_is_free(), "lighttpd")
    with other_lighttpd(lambda text: re.sub(r"(?m)^ *ssl\..*\n", "", text)):
        found_for_both("viewer-https", "wrong", "no page comes over HTTPS", "TLS 1.2")
    with without("viewer"):
        found_for_both("viewer-https", "wrong", "answers 503", "daemon-running")
    with other_lighttpd(lambda text: text.replace('== "http" {', '== "never" {')):
        found = doctor("viewer-https")
        assert len(found) == 2 and all("without HTTPS" in one["what"] and
                                       "redirect" in one["cure"] for one in found), found
    with edited(configured.PATH, "https://veilig.%s/" % part("own2"), "http://127.0.0.1:8081/"):
        one_finding("viewer-https", "wrong", "viewer_url of kliniek.*in the clear", "https://")
    nothing("viewer-https")


def test_a_viewer_without_our_headers():
    """headers that the web server changes are named, and those of another site"""
    def changed(text):
        return text + ('server.modules += ( "mod_setenv" )\nsetenv.set-response-header = '
                       '( "Referrer-Policy" => "origin", "Strict-Transport-Security" => '
                       '"max-age=60" )\n')
    with other_lighttpd(changed):
        found_for_both("viewer-headers", "wrong",
                       "referrer-policy is origin, not no-referrer; strict-transport",
                       "hand on all headers")
    nothing("viewer-headers")


def test_a_certificate_that_ends():
    """a certificate that ended, ends soon or is not valid is named"""
    def at(offset):
        found = doctor("viewer-certificate", wrapper=by_clock(offset))
        assert len(found) == 2, found
        return found[0]
    soon, over = at("+25d"), at("+40d")
    assert soon["state"] == "warning" and " ends on 20" in soon["what"], soon
    assert over["state"] == "wrong" and " ended on 20" in over["what"], over
    assert "certbot renew" in soon["cure"] and "certbot renew" in over["cure"]
    stranger = os.path.join(ENV["LAB"], "pki", "stranger.pem")
    with other_lighttpd(lambda text: re.sub(r'(ssl.pemfile *= ).*', r'\1"%s"' % stranger, text)):
        found_for_both("viewer-certificate", "wrong", "is not valid: self", "fullchain.pem")
    nothing("viewer-certificate")


def test_postfix_certificate_that_ends():
    """Postfix's own certificate, in each of its parameters, is named when it ended or ends soon"""
    chain = command("postconf", "-h", "smtpd_tls_chain_files").decode().strip()
    for offset, state, words in (("+25d", "warning", " ends on 20"), ("+40d", "wrong", " ended on 20")):
        (found,) = doctor("tls-expiry", wrapper=by_clock(offset))
        assert found["state"] == state and chain + words in found["what"], found
        assert "certbot renew" in found["cure"], found
    with main("smtpd_tls_chain_files=", "smtpd_tls_cert_file=" + chain):
        (found,) = doctor("tls-expiry", wrapper=by_clock("+40d"))
        assert found["state"] == "wrong", found
    nothing("tls-expiry")


def test_a_link_in_a_log():
    """a link in a log of a web server, also an old one, is counted and not shown"""
    token = unique("")[:16] + "AbCd-_"
    line = ('192.0.2.1 - - [22/Nov/2026:10:00:00 +0000] "GET /l/%s HTTP/1.1" 200 512\n' % token
            + '192.0.2.1 - - [22/Nov/2026:10:00:01 +0000] "GET /l/short HTTP/1.1" 404 5\n')
    for folder, name in (("nginx", "access.log.1"), ("apache2", "other.log.2.gz"),
                         ("lighttpd", "access.log")):
        os.makedirs("/var/log/" + folder, exist_ok=True)
        path = os.path.join("/var/log", folder, name)
        kept = os.path.exists(path) and path + ".away"
        if kept:
            os.rename(path, kept)
        with (gzip.open if name.endswith(".gz") else open)(path, "wb") as file:
            file.write(b"GET / HTTP/1.1\n" * 9000 + line.encode() * 2)
        found = one_finding("viewer-log", "wrong", "%s has 2 requests" % path, "log format.*shred")
        assert token not in json.dumps(found), "it is shown"
        os.unlink(path)
        if kept:
            os.rename(kept, path)
    nothing("viewer-log")


# ---- SMS -----------------------------------------------------------------------------

def test_an_sms_gateway_that_is_not_there():
    """an adapter that is missing, a gateway that cannot be reached, a modem that takes nothing"""
    with configured("sms", "command", "/usr/libexec/zegel/sms-nowhere"):
        one_finding("sms-command", "wrong", "sms-nowhere cannot be run", r"\[sms\]")
    with without("gammu-smsd"):
        one_finding("sms-command", "wrong", "gammu-smsd does not run",
                    '"systemctl restart gammu-smsd"')
        stale = os.path.join(ENV["LAB_SMS"], "outbox", "OUTA20260101_00_0_zegel0.txt")
        with open(stale, "w", encoding="ascii"):
            os.utime(stale, (time.time() - 600,) * 2)
        one_finding("sms-command", "wrong", "takes? .*1 wait in", "gammu-smsd")
        os.unlink(stale)
    settings = os.path.join(ENV["LAB_SYSCONFDIR"], "zegel", "sms-http.conf")
    adapter = os.path.join(ENV["LAB_LIBEXECDIR"], "zegel", "sms-http")
    with configured("sms", "command", adapter):
        one_finding("sms-command", "wrong", settings, r"sms-http\(8\)")
        with open(settings, "w", encoding="ascii") as file:
            file.write("[sms-http]\nurl = https://veilig.%s:8444/send?to={digits}\n"
                       "credentials = /nowhere\n" % part("own"))
        found = doctor("sms-command")
        os.unlink(settings)
    assert len(found) == 2 and "/nowhere" in found[0]["what"], found
    assert "port 8444, cannot be reached: Connection refused" in found[1]["what"], found
    nothing("sms-command")


def test_an_sms_gateway_that_is_silent():
    """codes that the gateway refused, and none that went out since, are a finding"""
    walk.log_in(visitor.secure())
    wait_for(lambda: doctor("audit-waiting") == [], "the trail")
    nothing("sms-silent")
    with configured("sms", "command", visitor.adapter("silent", "exit 1"), "viewer"):
        for count, state in ((1, "warning"), (2, "warning"), (3, "wrong")):
            sent = visitor.secure()
            browser = visitor.Browser()
            page = browser.get(sent.link)
            browser.submit(page, page.form("/send"))
            wait_for(lambda: doctor("audit-waiting") == [], "the trail")
            one_finding("sms-silent", state, " %d codes were refused" % count, "sms-command")
    walk.log_in(visitor.secure())
    wait_for(lambda: doctor("audit-waiting") == [], "the trail")
    nothing("sms-silent")
