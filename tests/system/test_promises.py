"""routes.db taken away, locked, replaced or spoiled: nothing secure leaves in the clear (R4, R9).

Ordinary mail may wait meanwhile (4xx) only while Postfix cannot read the file; it flows again by
itself when zegel-policyd has put the file back.
"""
import contextlib
import glob
import os
import shutil
import sqlite3
import time

import harness
from guard import guard
from harness import part, without
from test_routes import book

ROUTES = os.path.join(harness.ENV["LAB_STATEDIR"], "routes", "routes.db")
FILES = (ROUTES, ROUTES + "-wal", ROUTES + "-shm")
PUT_BACK_S = 5


def rows():
    """What routes.db promises: {key: transport}; None while it cannot be read."""
    try:
        with contextlib.closing(sqlite3.connect("file:%s?mode=ro" % ROUTES, uri=True)) as database:
            return dict(database.execute("SELECT key, transport FROM route"))
    except sqlite3.Error:
        return None


def wait_put_back(before):
    """Waits until routes.db has all the rows BEFORE again."""
    harness.wait_for(lambda: before.items() <= (rows() or {}).items(), "routes.db", PUT_BACK_S)


def flows_again(watch):
    """Ordinary mail flows, at the latest now that routes.db is back, without a hand."""
    def once():
        try:
            watch.flows()
            return True
        except harness.Refused as refusal:
            assert 400 <= refusal.code <= 499, refusal
            return False
    harness.wait_for(once, "ordinary mail")


def remove():
    """routes.db and its companions are gone."""
    for path in FILES:
        os.unlink(path)


def spoil():
    """Every octet of routes.db is another."""
    with open(ROUTES, "r+b") as file:
        size = len(file.read())
        file.seek(0)
        file.write(os.urandom(size))


def empty():
    """routes.db has no octets."""
    os.truncate(ROUTES, 0)


def replace():
    """Another database is there, which leads our secure mail to a server without TLS."""
    with contextlib.closing(sqlite3.connect(ROUTES + ".other")) as database, database:
        database.execute("CREATE TABLE route (key TEXT PRIMARY KEY, transport TEXT)")
        database.execute("CREATE TABLE tls (nexthop TEXT PRIMARY KEY, policy TEXT)")
        database.execute("INSERT INTO route VALUES (?, ?)", (
            part("ready") + ".direct.zegel.internal",
            "zegel-direct:[mail.%s]:25" % part("stripped")))
    shutil.chown(ROUTES + ".other", "zegel-policyd", "postfix")
    os.chmod(ROUTES + ".other", 0o640)
    os.rename(ROUTES + ".other", ROUTES)


def lock_away():
    """Nobody may read routes.db."""
    for path in FILES:
        os.chmod(path, 0)


def test_what_is_done_to_the_file_is_undone():
    """R4 R9: routes.db removed, emptied, spoiled, replaced or unreadable: policyd puts it back

    A message that waits keeps its way, and a new one gets its own.
    """
    for harm in (remove, empty, spoil, replace, lock_away):
        with guard() as watch:
            with without("ready"):
                waits = watch.secure("ready")
                waits.tried()
                before = rows()
                harm()
                harness.queue_flush()
                wait_put_back(before)
                flows_again(watch)
            harness.queue_flush()
            waits.arrived()
            watch.secure("ready").arrived()


def test_a_new_promise_is_seen_after_the_file_was_put_back():
    """R4: what is promised first after that leads Postfix too, though it had the old file open"""
    with guard() as watch:
        before = rows()
        remove()
        wait_put_back(before)
        with book("%s [mail.%s]:25 secure" % (part("two"), part("ready"))):
            message = watch.secure("two")
            assert message.routed() == ("direct", "Z-R1-COMMUNITY")

            def again():
                harness.queue_flush()
                return harness.mailbox(message.to)
            harness.wait_for(again, "direct mail")
            message.arrived()
        watch.flows()


def test_without_policyd_too():
    """R4 R9: routes.db removed while policyd is dead: nothing leaves in the clear; it flows again"""
    with guard() as watch:
        with without("ready"):
            waits = watch.secure("ready")
            waits.tried()
            with without("policyd", kill=True):
                remove()
                harness.queue_flush()
                time.sleep(1)
            flows_again(watch)
        harness.queue_flush()
        message = watch.secure("ready")
        message.arrived()
        waits.drop()


def test_the_file_is_locked():
    """R4 R9: somebody locks routes.db: what was promised is kept, what is new waits at its sender"""
    with guard() as watch:
        watch.secure("ready").arrived()
        with contextlib.closing(sqlite3.connect(ROUTES, isolation_level=None)) as database:
            database.execute("BEGIN EXCLUSIVE")
            watch.secure("ready").arrived()
            with book("%s [mail.%s]:25 secure" % (part("ended"), part("ready"))):
                refusal = watch.refused("ended")
                assert 400 <= refusal.code <= 499, refusal
            watch.flows()
            database.execute("ROLLBACK")
        watch.secure("community").arrived()
        assert not glob.glob(ROUTES + "*corrupt*")
