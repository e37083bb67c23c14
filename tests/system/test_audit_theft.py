"""Who steals files learns nothing of persons from the trail and from events that wait; and who has
the keys of viewer and deliver, and may write the trail's file, changes nothing unseen (A1, A2, T18).
"""
import contextlib
import hashlib
import hmac
import json
import os
import re
import shutil
import sqlite3
import subprocess

import harness
import image
import outbox
import trail
import walk
from harness import ENV, command, control, mail, part, unique, wait_for

CTL = os.path.join(ENV["LAB_SBINDIR"], "zegelctl")
KEYS = os.path.join(ENV["LAB_SYSCONFDIR"], "zegel", "keys")


def secure(typed, to):
    return mail("SMS %s Uitslag" % typed, "Geheime tekst\n", sender="janssen@" + part("own"), to=to)


def read_it():
    """A message that its reader opened; ended, so that its events are logged."""
    sent = walk.Sent(secure)
    browser, page = walk.log_in(sent)
    page = browser.get(page.url)
    assert browser.submit(page, page.form("/logout")).status == 200
    return sent


# ---- Reading -------------------------------------------------------------------------

def persons_in(events):
    """What EVENTS say of persons: values that nobody may find, without those of few letters."""
    return {value for event in events for key, value in event.items()
            if key in ("from", "to", "for", "by", "about", "message-id", "client")
            and len(value) > 8}


def guesses(value):
    """What a thief who guesses VALUE would look for, if it stood there without a key or salt."""
    for text in (value, value.lower(), value.strip("<>")):
        for name in ("sha256", "sha1", "md5"):
            digest = hashlib.new(name, text.encode()).digest()
            mac = hmac.new(b"", text.encode(), name).digest()
            yield from (digest[:16], mac[:16], digest.hex()[:32].encode(), mac.hex()[:32].encode())


def check_silent(folder, values):
    """No file of FOLDER has one of VALUES, in any disguise, or a digest that could be guessed."""
    found = image.find_in_tree(folder, sorted(values))
    assert not found, found
    wanted = {guess: value for value in values for guess in guesses(value)}
    paths = (os.path.join(top, name) for top, _, names in os.walk(folder) for name in names)
    for path in filter(os.path.isfile, paths):
        with open(path, "rb") as file:
            data = file.read()
        hits = [wanted[guess] for guess in wanted if guess in data]
        assert not hits, (path, hits)


def test_the_search_finds_what_can_be_guessed():
    """T18: control: an address, or its bare hash, in a file is found"""
    value = unique("jan") + "@example.com"
    folder = os.path.join(ENV["LAB"], unique("theft"))
    os.mkdir(folder)
    try:
        for text in (value.encode(), hashlib.sha256(value.encode()).digest()):
            with open(os.path.join(folder, "audit.db"), "wb") as file:
                file.write(b"x" + text + b"y")
            with contextlib.suppress(AssertionError):
                check_silent(folder, {value})
                raise RuntimeError("%r was not found" % text)
    finally:
        shutil.rmtree(folder)


def test_without_keys_nothing_says_who():
    """T18 A1: neither the trail nor what waits in the store says who wrote, read or looked"""
    number = trail.last()
    control("stop", "auditd")
    try:
        sent = read_it()
        waiting = wait_for(lambda: (lambda found: found if {"logout", "notified"} <= {
            event["event"] for event in found} else None)(outbox.waiting()), "events that wait")
        values = persons_in(waiting) | {sent.to, sent.number}
        assert sent.to in values and sent.sender in values, values
        # The domain is in zegel.conf and in routes; the store is about this message.
        check_silent(os.path.join(ENV["LAB_STATEDIR"], "store"), values)
    finally:
        control("start", "auditd")
    outbox.wait_empty()
    command(CTL, "audit", "show", "--person", sent.to)
    # The milter tries again on its own account.
    records = wait_for(lambda: (lambda found: found if {"opened", "routed", "audit-read"} <= {
        record["event"] for record in found} else None)(trail.records(number)), "the records")
    values |= persons_in(records)
    check_silent(os.path.join(ENV["LAB_STATEDIR"], "audit"), values)


# ---- Changing ------------------------------------------------------------------------

class Loot:
    """with Loot() as loot: a copy of the trail that may be written, and a checkpoint of it that was
    in the log; .path, .last (the number of its last record)."""

    def __enter__(self):
        outbox.wait_empty()
        mark = harness.log_mark()
        trail.bring("request=checkpoint\n\n")
        self.checkpoint = harness.wait_log("checkpoint zegel-checkpoint 1 ", mark)
        self.folder = os.path.join(ENV["LAB"], unique("loot"))
        os.mkdir(self.folder)
        self.path = os.path.join(self.folder, "audit.db")
        with contextlib.closing(sqlite3.connect("file:%s?mode=ro" % trail.DATABASE, uri=True)) \
                as source, contextlib.closing(sqlite3.connect(self.path)) as copy:
            source.backup(copy)
        self.last = int(re.search(r"zegel-checkpoint 1 \w+ (\d+) ", self.checkpoint).group(1))
        self.good = self.path + ".good"
        shutil.copy(self.path, self.good)
        return self

    def __exit__(self, *_):
        shutil.rmtree(self.folder)

    def sql(self, *statements):
        """The copy as it was, after STATEMENTS, which must change something."""
        shutil.copy(self.good, self.path)
        with contextlib.closing(sqlite3.connect(self.path)) as database, database:
            before = database.total_changes
            for statement in statements:
                database.execute(statement)
            assert database.total_changes > before, statements

    def verify(self):
        """(status, what it says), against the checkpoint from the log."""
        done = subprocess.run([CTL, "audit", "verify", "--database", self.path, "--checkpoint", "-"],
                              input=self.checkpoint.encode(), capture_output=True, check=False)
        return done.returncode, (done.stdout + done.stderr).decode()

    def check_told(self, what):
        status, text = self.verify()
        assert status == 1 and "WRONG" in text, (what, status, text)


CUTS = ("DELETE FROM record WHERE number = %(last)d",
        "DELETE FROM record WHERE number > %(last)d / 2",
        "DELETE FROM record WHERE number <= %(last)d / 2",
        "DELETE FROM record WHERE number = %(middle)d",
        "DELETE FROM record",
        "DELETE FROM checkpoint",
        "DELETE FROM tail")


def changes_of(loot):
    """What somebody who may write the file could do, as lists of SQL."""
    at = {"last": loot.last, "middle": loot.last // 2}
    yield from ([cut % at] for cut in CUTS)
    yield ["DELETE FROM record WHERE number > %(middle)d" % at,
           "DELETE FROM checkpoint WHERE count > %(middle)d" % at]
    # A record twice, at the end; two that change places; one that is another's.
    yield ["INSERT INTO record SELECT number + %d, key, at_us, nta, randomblob(16), organisation, "
           "event, queue_id, reference, text, mac, sealed FROM record WHERE number = %d"
           % (loot.last - at["middle"] + 1, at["middle"])]
    yield ["UPDATE record SET number = -1 WHERE number = %(middle)d" % at,
           "UPDATE record SET number = %(middle)d WHERE number = %(middle)d + 1" % at,
           "UPDATE record SET number = %(middle)d + 1 WHERE number = -1" % at]
    for change in ("text = replace(text, 'outcome=ok', 'outcome=failed')",
                   "event = 'opened'", "at_us = at_us + 1", "nta = nta + 1", "mac = zeroblob(32)",
                   "sealed = NULL", "organisation = 'kliniek'", "reference = 'x'",
                   "id = randomblob(16)", "queue_id = 'x'"):
        yield ["UPDATE record SET %s WHERE number = (SELECT max(number) FROM record WHERE event = "
               "'stored')" % change]
    # Somebody is not found any more, or somebody else instead.
    yield ["DELETE FROM mention WHERE record = (SELECT max(record) FROM mention)"]
    yield ["UPDATE mention SET value = randomblob(16) WHERE record = "
           "(SELECT max(record) FROM mention)"]


def test_no_change_stays_unseen():
    """A2: whatever is changed, added or cut in the file, verify tells of it"""
    read_it()
    with Loot() as loot:
        status, text = loot.verify()
        assert status == 0, text
        for change in changes_of(loot):
            loot.sql(*change)
            loot.check_told(change)


def secret_of(path):
    """The secret in the key file at PATH, base64."""
    with open(path, encoding="ascii") as file:
        return file.read().split("\n")[0].split(" ")[4]


def audit_key_id():
    with open(trail.KEY, encoding="ascii") as file:
        return file.read().split(" ")[3]


def test_a_trail_written_with_other_programs_keys():
    """A2: all keys of viewer, deliver, milter and policyd do not make a trail that verifies"""
    stolen = [os.path.join(top, name) for top, _, names in os.walk(KEYS) for name in names
              if "auditd" not in top and name in ("link", "store", "ticket", "phone", "origin")]
    assert {"link", "store"} <= {os.path.basename(path) for path in stolen}, stolen
    with Loot() as loot:
        for path in stolen:
            forged = os.path.join(loot.folder, "forged.db")
            key = os.path.join(loot.folder, "key")
            with open(key, "w", encoding="ascii") as file:
                file.write("zegel-key 1 audit %s %s\n" % (audit_key_id(), secret_of(path)))
            os.chmod(key, 0o600)
            made = json.loads(command(os.path.join(ENV["LAB_BUILD"], "tests", "bench", "audit_fill"),
                                      "--trail=" + forged, "--key=" + key,
                                      "--events=%d" % (loot.last + 5), "--verify"))
            assert made["verify_good"] is True  # with the key that it was made with
            os.rename(forged, loot.path)
            loot.check_told(path)


def test_an_older_file_put_back():
    """A2: the trail's file of an earlier moment, whole, does not pass as all there is"""
    with Loot() as early:
        read_it()
        with Loot() as late:
            shutil.copy(early.good, late.path)
            late.check_told("an older file")


def test_an_auditor_needs_no_secret():
    """A2: with the public key alone, against the checkpoint from the log, cuts are told as well"""
    key = command(CTL, "audit", "key")
    with Loot() as loot:
        pem = os.path.join(loot.folder, "key.pem")
        with open(pem, "wb") as file:
            file.write(key)

        def verify():
            return subprocess.run([CTL, "audit", "verify", "--database", loot.path, "--public-key",
                                   pem, "--checkpoint", "-"], input=loot.checkpoint.encode(),
                                  capture_output=True, check=False)
        assert verify().returncode == 0, verify()
        for cut in CUTS:
            loot.sql(cut % {"last": loot.last, "middle": loot.last // 2})
            assert verify().returncode == 1, (cut, verify())
