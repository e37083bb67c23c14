"""routes.db removed, damaged, unreadable, locked or replaced while mail flows (R4, F9, F11, F12).

Whatever is done to it: nothing protected goes plain, ordinary mail flows, and what was promised
is there again within seconds, without a hand.
"""
import contextlib
import os
import re
import shutil
import sqlite3
import stat
import time

import harness
from guard import guard
from harness import part, without
from test_routes import STATE, promise_of

PATH = os.path.join(STATE, "routes.db")
FILES = [PATH + suffix for suffix in ("", "-wal", "-shm")]
BACK_S = 60  # I6; policyd looks every second, Postfix's proxymap ends and starts again


def start_afresh():
    """policyd and Postfix with an empty routes.db."""
    with without("policyd"):
        for path in FILES:
            os.unlink(path)
    harness.reload_postfix()


def eventually(function, *arguments):
    """FUNCTION, tried again while it is put off: for at most BACK_S."""
    end = time.monotonic() + BACK_S
    while True:
        try:
            return function(*arguments)
        except harness.Refused as refusal:
            assert 400 <= refusal.code <= 499, refusal
            if time.monotonic() > end:
                raise
        time.sleep(0.2)


def wait_promises(*names):
    """Waits until Postfix finds a direct route to all parts NAMES again."""
    for name in names:
        harness.wait_for(lambda name=name: re.match("zegel-direct:", promise_of(part(name)) or ""),
                         "promise for " + name, BACK_S)


def harmed(harm, alarm):
    """Mail waits and mail comes while HARM is done to routes.db; ALARM is in the log then."""
    with guard() as watch:
        start_afresh()
        with without("ready"):
            waiting = watch.secure("ready")
            waiting.tried()
            watch.secure("community").arrived()
            mark = harness.log_mark()
            harm()
            harness.wait_log(r"crit zegel-policyd.*" + alarm, mark, BACK_S)
            watch.flows()
            eventually(watch.secure, "partner").arrived()  # promised only now
            eventually(watch.secure, "community").arrived()
        wait_promises("ready", "community", "partner")
        harness.queue_flush()
        waiting.arrived()


# ---- Removed, damaged, unreadable -------------------------------------------------------

def test_routes_db_is_removed():
    """F9: routes.db removed while mail waits: it is back, with all that was promised"""
    def remove():
        for path in FILES:
            os.unlink(path)
    harmed(remove, "was removed: it is put back")


def test_routes_db_is_damaged():
    """F12: garbage written into routes.db and its -wal"""
    def overwrite():
        for path in FILES[:2]:
            with open(path, "r+b") as file:
                file.write(os.urandom(20000))
    harmed(overwrite, "was damaged .*: it is put back")
    assert os.path.exists(PATH + ".damaged")


def test_routes_db_is_replaced_by_garbage():
    """F9: another file, of root and no database, in the place of routes.db"""
    def replace():
        with open(PATH + ".tmp", "wb") as file:
            file.write(os.urandom(5000))
        os.rename(PATH + ".tmp", PATH)
    harmed(replace, "it is put back")


def test_routes_db_cannot_be_read():
    """F9: the rights of routes.db, and then of its directory, taken away"""
    def modes():
        return [stat.S_IMODE(os.stat(path).st_mode) for path in (STATE, *FILES)]
    before = modes()
    harmed(lambda: os.chmod(PATH, 0), "rights of .*routes.db were taken away: they are mended")
    assert modes() == before
    try:
        harmed(lambda: os.chmod(STATE, 0), "rights of .*routes were taken away: they are mended")
    finally:
        os.chmod(STATE, before[0])  # only who is in its group can give setgid back
    assert modes() == before


def test_routes_db_is_replaced_by_an_old_copy():
    """F31: a copy from before the last promises: they hold all the same"""
    def replace():
        shutil.copy(PATH + ".copy", PATH + ".tmp")
        os.rename(PATH + ".tmp", PATH)
    with contextlib.closing(sqlite3.connect(PATH)) as database:
        database.execute("VACUUM INTO ?", (PATH + ".copy",))
    try:
        harmed(replace, "was replaced: it is put back")
    finally:
        os.unlink(PATH + ".copy")


# ---- Locked ----------------------------------------------------------------------------

@contextlib.contextmanager
def locked():
    """Somebody else writes in routes.db, and does not come to an end."""
    database = sqlite3.connect(PATH, isolation_level=None)
    database.execute("BEGIN EXCLUSIVE")
    try:
        yield
    finally:
        database.execute("ROLLBACK")
        database.close()


def test_routes_db_is_locked():
    """F11: while routes.db is locked only new promises are put off, and nobody waits for that"""
    with guard() as watch:
        start_afresh()
        watch.secure("community").arrived()
        with locked():
            begin = time.monotonic()
            for _ in range(5):
                refusal = watch.refused("partner")
                assert 400 <= refusal.code <= 499, refusal
            assert time.monotonic() - begin < harness.patience(15), "somebody waited for the lock"
            watch.secure("community").arrived()
            watch.flows()
        watch.secure("partner").arrived()


# ---- policyd comes back ------------------------------------------------------------------

def test_everything_is_looked_at_again_after_a_restart():
    """R4: what was promised before policyd was killed is rechecked when it is back"""
    def without_nta(text):
        return "".join(line for line in text.splitlines(True) if "v=NTA7516" not in line)
    with guard() as watch, harness.configured("policyd", "recheck_s", "2", "policyd"):
        start_afresh()
        watch.secure("ready").arrived()
        mark = harness.log_mark()
        with without("policyd", kill=True):
            assert promise_of(part("ready")).startswith("zegel-direct:")
            gone = harness.zone("ready", without_nta)
            gone.__enter__()
        try:
            harness.wait_log(r"event=promised, change=withdrawn, domain=%s, reason=Z-N1-RECORD" %
                             re.escape(part("ready")), mark, BACK_S)
            harness.wait_for(lambda: promise_of(part("ready")).startswith("zegel-store:"),
                             "the way to the viewer", BACK_S)
            watch.flows()
        finally:
            gone.__exit__()
        harness.wait_for(lambda: not harness.queue(), "empty queue")
        eventually(watch.secure, "ready").arrived()
        assert promise_of(part("ready")).startswith("zegel-direct:")
