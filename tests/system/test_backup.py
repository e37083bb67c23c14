"""Backup and restore: while mail flows, onto an empty host, and never with keys of another day."""
import base64
import contextlib
import glob
import hashlib
import os
import pwd
import shutil
import sqlite3
import stat
import subprocess
import threading
import time

import harness
import trail
import walk
from harness import ENV, command, control, mail, part

ZEGELCTL = os.path.join(ENV["LAB_SBINDIR"], "zegelctl")
CONF = os.path.join(ENV["LAB_SYSCONFDIR"], "zegel")
STATE = ENV["LAB_STATEDIR"]
KEYS = os.path.join(CONF, "keys")
PROGRAMS = ("auditd", "policyd", "deliver", "milter", "milter-mx", "viewer")
PARTS = ("store", "audit", "phone", "routes", "seen", "watch")
LARGE = 400000
REFUSED = 78
LOAD = 12


def directory():
    """A new path that no program of zegel can reach."""
    base = os.path.join(ENV["LAB"], "backups")
    os.makedirs(base, mode=0o700, exist_ok=True)
    return os.path.join(base, harness.unique("backup"))


def zegelctl(*argv, status=0):
    """(output, errors) of zegelctl."""
    done = subprocess.run((ZEGELCTL,) + argv, capture_output=True, check=False)
    assert done.returncode == status, (argv, done.returncode, done.stderr)
    return done.stdout.decode(), done.stderr.decode()


def backup(keys=None):
    path = directory()
    zegelctl("backup", path, *(("--keys", keys) if keys else ()))
    return path


def secure(size=100):
    """A secure message of SIZE octets that somebody can read."""
    word = harness.unique("canary")
    body = word + "\n" + ("x" * 70 + "\n") * (size // 71)
    sent = walk.Sent(lambda typed, to: mail("SMS %s Uitslag" % typed, body, to=to))
    sent.word = word
    return sent


def rights(paths):
    """{path: (owner, group, mode)} of PATHS and all below."""
    found = {}
    for path in paths:
        for base, names, files in os.walk(path):
            for name in [base] + [os.path.join(base, one) for one in names + files]:
                with contextlib.suppress(FileNotFoundError):  # a program has just taken it away
                    status = os.lstat(name)
                    if stat.S_ISREG(status.st_mode) or stat.S_ISDIR(status.st_mode):
                        found[name] = (status.st_uid, status.st_gid, oct(status.st_mode))
    return found


def of_the_databases(path):
    return path.endswith(("-wal", "-shm"))


@contextlib.contextmanager
def empty_host():
    """Nothing of zegel is here but its programs and their users; put back as it was afterwards."""
    for name in reversed(PROGRAMS):
        control("stop", name)
    taken = [path for path in places() if os.path.exists(path)]
    for path in taken:
        os.rename(path, path + ".aside")
    try:
        yield
    finally:
        for name in reversed(PROGRAMS):
            with contextlib.suppress(AssertionError):
                control("stop", name)
        wipe()
        for path in taken:
            os.rename(path + ".aside", path)
        start()
        harness.reload_postfix()


def places():
    return [CONF] + [os.path.join(STATE, name) for name in PARTS]


def wipe():
    for path in places():
        shutil.rmtree(path, ignore_errors=True)


def start():
    for name in PROGRAMS:
        control("start", name)


class Load:
    """Messages come in and are recalled by expiry all the time."""

    def __init__(self):
        self.sent, self.errors, self.stop = [], [], threading.Event()
        self.threads = [threading.Thread(target=self._send), threading.Thread(target=self._end)]

    def _send(self):
        while not self.stop.is_set():
            typed, _ = walk.new_number()
            to = walk.new_outsider()
            try:
                message = mail("SMS %s Uitslag" % typed, "y" * 60 + "\n" * LARGE, to=to)
                self.sent.append(harness.send(message, "janssen@" + part("own"), to))
            except Exception as error:  # pylint: disable=broad-except
                self.errors.append(error)

    def _end(self):
        """The oldest message is past its time, and goes with its file."""
        path = os.path.join(STATE, "store", "store.db")
        while not self.stop.is_set():
            with contextlib.closing(sqlite3.connect(path, timeout=60)) as database, database:
                database.execute(
                    "UPDATE entry SET expires_s = 1 WHERE id = (SELECT min(id) FROM entry WHERE"
                    " queue_id IN (%s) AND message_key IS NOT NULL)" %
                    ",".join("'%s'" % one for one in self.sent[:-3]))
            command(ZEGELCTL, "expire")
            time.sleep(0.05)

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        harness.wait_for(lambda: len(self.sent) >= LOAD // 2, "load")
        return self

    def __exit__(self, *_):
        self.stop.set()
        for thread in self.threads:
            thread.join()
        assert not self.errors, self.errors


def check_store(path):
    """Every file that the store in the backup PATH needs is there, and no other."""
    base = os.path.join(path, "tree") + STATE + "/store/"
    with contextlib.closing(sqlite3.connect("file:%sstore.db?immutable=1" % base, uri=True)) as store:
        assert store.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        needed = {row[0] for row in store.execute("SELECT file FROM message WHERE file NOT NULL")}
    there = {os.path.basename(name) for name in glob.glob(base + "messages/*/*")}
    assert needed == there, (needed - there, there - needed)
    return needed


def test_restored_onto_an_empty_host():
    """What was backed up under load is read on an empty host with the old link, and is proven"""
    small, large = secure(), secure(LARGE)
    keys = directory()
    with Load() as load:
        path = backup(keys)
        sent = len(load.sent)
    assert sent > 0 and len(check_store(path)) > 0
    before = rights(places())
    with empty_host():
        out, _ = zegelctl("restore", path, "--keys", keys)
        assert "Restored" in out, out
        after = rights(places())
        for name, found in after.items():
            if not of_the_databases(name):
                assert before.get(name, found) == found, (name, before[name], found)
        assert {name for name in before if name.startswith(CONF)} <= set(after)
        for name in ("store/store.db", "audit/audit.db", "phone/phone.db", "routes/routes.db"):
            assert os.path.join(STATE, name) in after, name
        start()
        for sent in (small, large):
            _, page = walk.log_in(sent)
            assert sent.word in page.text, page.text
        events = harness.wait_for(lambda: [record for record in trail.records()
                                           if record["event"] == "restored"], "the event")
        assert len(events) == 1 and events[0]["backup"] in open_text(path), events
        zegelctl("audit", "verify")
        again = secure()
        assert again.word in walk.log_in(again)[1].text


def open_text(path):
    with open(os.path.join(path, "manifest"), encoding="utf-8") as file:
        return file.read()


def key_texts():
    """Every key of the lab as it stands in its file, and in what base64 makes of that."""
    for base, _, names in os.walk(KEYS):
        for name in names:
            with open(os.path.join(base, name), "rb") as file:
                for line in file.read().splitlines():
                    if len(line.split()[-1]) > 30:
                        yield line.split()[-1]
                        yield base64.b64encode(line)[:40]


def test_no_key_in_a_backup():
    """A backup has no key unless it is asked, and then in the file of the keys alone"""
    keys, before = directory(), trail.last()
    paths = [backup(), backup(keys)]
    texts = set(key_texts())
    assert len(texts) >= 12
    for path in paths:
        status = os.stat(path)
        assert status.st_mode & 0o777 == 0o700 and status.st_uid == 0
        for base, _, names in os.walk(path):
            for name in names:
                with open(os.path.join(base, name), "rb") as file:
                    content = file.read()
                assert not [text for text in texts if text in content], os.path.join(base, name)
    status = os.stat(keys)
    assert status.st_mode & 0o777 == 0o400 and status.st_uid == 0
    events = [record for record in trail.records(before) if record["event"] == "backup"]
    assert [event["scope"] for event in events] == ["data", "keys"], events
    assert events[0]["backup"] in open_text(paths[0]) and events[0]["by"] == "root", events


def test_not_where_something_is():
    """Programs that run, and files that are there, are never written over"""
    keys = directory()
    path = backup(keys)
    _, errors = zegelctl("restore", path, "--keys", keys, status=REFUSED)
    assert "zegel runs here" in errors, errors
    before = {name: os.stat(name).st_mtime for name in glob.glob(CONF + "/**", recursive=True)}
    with empty_host():
        os.mkdir(os.path.join(STATE, "routes"))
        with open(os.path.join(STATE, "routes", "routes.db-wal"), "wb") as file:
            file.write(b"x")
        _, errors = zegelctl("restore", path, "--keys", keys, status=REFUSED)
        assert "not empty" in errors and "routes.db-wal" in errors, errors
        wipe()
        os.makedirs(os.path.join(STATE, "store", "messages", "ab"))
        left = os.path.join(STATE, "store", "messages", "ab", "ab" * 16)
        with open(left, "wb") as file:
            file.write(b"x")
        _, errors = zegelctl("restore", path, "--keys", keys, status=REFUSED)
        assert "not empty" in errors and left in errors, errors
        assert not os.path.exists(CONF)
        # A logo or the like that is there already, and the same.
        wipe()
        os.makedirs(CONF)
        shutil.copy(path + "/tree" + CONF + "/domains", CONF)
        shutil.copy(path + "/tree" + CONF + "/zegel.conf", CONF)
        with open(CONF + "/zegel.conf", "a", encoding="utf-8") as file:
            file.write("# another\n")
        _, errors = zegelctl("restore", path, "--keys", keys, status=REFUSED)
        assert CONF + "/zegel.conf;" in errors, errors
        os.unlink(CONF + "/zegel.conf")
        # A step that fails at last: zegel-deliver cannot open the store. All is taken back.
        os.mkdir(os.path.join(STATE, "store"), 0o700)
        _, errors = zegelctl("restore", path, "--keys", keys, status=75)
        assert "nothing was restored" in errors, errors
        assert os.listdir(CONF) == ["domains"] and not os.listdir(STATE + "/store"), errors
        assert not os.path.exists(os.path.join(STATE, "audit"))
        os.rmdir(os.path.join(STATE, "store"))
        zegelctl("restore", path, "--keys", keys)
    assert before == {name: os.stat(name).st_mtime
                      for name in glob.glob(CONF + "/**", recursive=True)}


def test_keys_of_another_day():
    """A backup and keys that do not belong together are refused, and a later backup tells which"""
    first_keys, other_keys = directory(), directory()
    first = backup(first_keys)
    with empty_host():
        zegelctl("restore", first, "--keys", first_keys)
        zegelctl("key", "generate", "store")
        control("start", "auditd")  # or no key leaves
        second = backup(other_keys)
        plain = backup()
        control("stop", "auditd")
        wipe()
        _, errors = zegelctl("restore", second, "--keys", first_keys, status=REFUSED)
        assert "different days" in errors and "store key" in errors, errors
        assert not os.path.exists(CONF) and not os.path.exists(os.path.join(STATE, "store"))
        # The later file has the old key too; with the keys here none need be brought.
        zegelctl("restore", first, "--keys", other_keys)
        wipe()
        zegelctl("restore", plain, "--keys", other_keys)
        kept = directory()
        shutil.copytree(KEYS, kept, copy_function=copy_all)
        wipe()
        os.mkdir(CONF)
        shutil.copytree(kept, KEYS, copy_function=copy_all)
        zegelctl("restore", second)
        wipe()
        os.mkdir(CONF)
        shutil.copytree(kept, KEYS, copy_function=copy_all)
        for name in glob.glob(KEYS + "/*/store"):
            os.unlink(name)
        _, errors = zegelctl("restore", second, status=REFUSED)
        assert "store" in errors and not os.path.exists(os.path.join(STATE, "store")), errors


def test_keys_bring_nothing_else():
    """The file with the keys brings keys and what its owner alone may read, and no other file"""
    secret = os.path.join(CONF, "adapter.secret")
    with open(secret, "w", encoding="ascii") as file:
        os.chmod(secret, 0o400)
        file.write("geheim\n")
    keys = directory()
    path = backup(keys)
    text = base64.b64encode(b"x\n").decode()
    line = "file %%s root root 2 %s %%s\ndata %s\n" % (hashlib.sha256(b"x\n").hexdigest(), text)
    with open(keys, encoding="ascii") as file:
        good = file.read()
    os.chmod(keys, 0o600)
    with empty_host():
        for mode, place, status, words in (
                ("0400", "/etc/cron.d/zegel-test", REFUSED, "is no key"),
                ("0400", CONF + "/zegel.conf", REFUSED, "is no key"),
                ("0644", CONF + "/other", REFUSED, "is no key"),
                ("0422", CONF + "/keys/milter/other", REFUSED, "is no key"),
                ("4400", CONF + "/keys/milter/other", REFUSED, "is no key"),
                ("0400", CONF + "/keys/../../cron.d/zegel-test", 65, "no backup of zegel")):
            with open(keys, "w", encoding="ascii") as file:
                file.write(good + line % (mode, place))
            _, errors = zegelctl("restore", path, "--keys", keys, status=status)
            assert words in errors, (place, errors)
            assert not os.path.exists(CONF) and not os.path.exists("/etc/cron.d/zegel-test")
        with open(keys, "w", encoding="ascii") as file:
            file.write(good)
        zegelctl("restore", path, "--keys", keys)
        with open(secret, encoding="ascii") as file:
            assert file.read() == "geheim\n"
    os.unlink(secret)


def copy_all(source, target):
    shutil.copy2(source, target)
    status = os.stat(source)
    os.chown(target, status.st_uid, status.st_gid)


def test_a_changed_backup():
    """A backup in which anything was changed, is cut off or is missing is refused"""
    keys = directory()
    path = backup(keys)
    manifest = os.path.join(path, "manifest")
    store = os.path.join(path, "tree") + STATE + "/store/store.db"
    with empty_host():
        def refused(words, status):
            _, errors = zegelctl("restore", path, "--keys", keys, status=status)
            assert words in errors, errors
            assert not os.path.exists(CONF) and not os.path.exists(os.path.join(STATE, "store"))
        with open(store, "r+b") as file:
            file.seek(5000)
            octet = file.read(1)
            file.seek(5000)
            file.write(bytes([octet[0] ^ 1]))
        refused("not what was backed up", 65)
        with open(store, "r+b") as file:
            file.seek(5000)
            file.write(octet)
        text = open_text(path)
        os.chmod(manifest, 0o600)
        for changed, words, status in (
                (text.replace(" 0400 ", " 0644 ").replace("file 0640", "file 0666"), "was changed",
                 75),
                (text.replace("root root /etc", "root root /tmp", 1) + "", "was changed", 75),
                (text[:text.rindex("mac ")], "no seal", 75),
                (text[:len(text) // 2], "no backup of zegel", 65)):
            assert changed != text
            with open(manifest, "w", encoding="utf-8") as file:
                file.write(changed)
            refused(words, status)
        with open(manifest, "w", encoding="utf-8") as file:
            file.write(text)
        os.rename(store, store + ".away")
        _, errors = zegelctl("restore", path, "--keys", keys, status=75)
        assert "store.db" in errors, errors
        os.rename(store + ".away", store)
        zegelctl("restore", path, "--keys", keys)
    assert pwd.getpwnam("zegel-deliver").pw_uid == os.stat(os.path.join(STATE, "store")).st_uid
