"""The events that wait in the store for zegel-auditd, and where each event of a letter is."""
import collections
import os
import sqlite3
import urllib.parse

import trail
from harness import ENV, command, wait_for

STORE = os.path.join(ENV["LAB_STATEDIR"], "store")
DATABASE = os.path.join(STORE, "store.db")


def waiting():
    """The events that wait, in their order: [{key: value}]."""
    text = command("setpriv", "--reuid=zegel-deliver", "--regid=zegel-deliver", "--init-groups",
                   ENV["LAB_BUILD"] + "/tests/system/read_outbox", DATABASE, STORE + "/messages",
                   ENV["LAB_SYSCONFDIR"] + "/zegel/keys/deliver/store").decode()
    return [{name: urllib.parse.unquote(value) for name, value in
             (line.split("=", 1) for line in block.split("\n") if line)}
            for block in text.split("\n\n") if block]


def query(sql):
    """The rows that SQL finds in the store."""
    with sqlite3.connect("file:%s?mode=ro" % DATABASE, uri=True) as database:
        return database.execute(sql).fetchall()


def is_empty():
    """Whether all events are in the trail."""
    return query("SELECT count(*) FROM outbox") == [(0,)]


def wait_empty():
    """Waits until they are."""
    wait_for(is_empty, "an empty outbox")


def recorded(after=0):
    """{(queue id, event): [reference]} of what the trail has behind number AFTER or will have.

    Only first times: what Postfix asked a second time says so.
    """
    found = collections.defaultdict(dict)
    for event in trail.records(after) + waiting():
        if "again" not in event:
            key = (event.get("queue-id"), event["event"])
            found[key][event["id"]] = event.get("ref")  # in both while it is being brought
    return {key: list(references.values()) for key, references in found.items()}


def check_both(letter, after):
    """LETTER and its events are both there or both not: zegel-deliver must be dead."""
    found = recorded(after)
    rows = query("SELECT queue_id, reference, notified IS NOT NULL FROM entry")
    mine = [row for row in rows if row[0] == letter.queue_id]
    stored = [reference for _, reference, _ in mine]
    told = [reference for _, reference, notified in mine if notified]
    assert found.get((letter.queue_id, "stored"), []) == stored, (letter.queue_id, stored, found)
    assert found.get((letter.queue_id, "notified"), []) == told, (letter.queue_id, told, found)


def check_once(letters, after):
    """What the store knows of LETTERS is in the trail once each, behind number AFTER."""
    wait_empty()
    counts = collections.Counter((record.get("queue-id"), record["event"], record.get("ref"),
                                  record.get("as"))
                                 for record in trail.records(after) if "again" not in record)
    ids = collections.Counter(record["id"] for record in trail.records(after))
    assert set(ids.values()) <= {1}, [one for one in ids if ids[one] > 1]
    rows = {row[0]: row for row in query("SELECT queue_id, reference, notified FROM entry")}
    for letter in letters:
        _, reference, notified = rows[letter.queue_id]
        assert counts[letter.queue_id, "stored", reference, None] == 1, (letter.queue_id, counts)
        if notified is not None:
            assert counts[letter.queue_id, "notified", reference, notified] == 1, (
                letter.queue_id, counts)
