"""zegelctl message and zegelctl expire: what an administrator does to stored messages."""
import os
import sqlite3
import subprocess

import harness
import walk
from harness import ENV, pass_time, sms_texts
from visitor import COOLDOWN_S, DAY_S, reads, secure


def zegelctl(*words):
    """(status, standard output, standard error) of zegelctl WORDS."""
    done = subprocess.run(["zegelctl", *words], capture_output=True, check=False, timeout=60)
    return done.returncode, done.stdout.decode(), done.stderr.decode()


def reference_of(sent):
    """The reference of what was filed, as Postfix logged it."""
    stored = [line for line in sent.log if " stored)" in line]
    assert len(stored) == 1, sent.log
    return stored[0].rsplit("(250 2.0.0 ", 1)[1].split()[0]


def store_rows(sql, *values):
    path = os.path.join(ENV["LAB_STATEDIR"], "store", "store.db")
    database = sqlite3.connect(path, timeout=30)
    try:
        return database.execute(sql, values).fetchall()
    finally:
        database.close()


def test_another_number():
    """T31: the old session is dead, and the next code goes to the new number alone."""
    sent = secure()
    browser, _ = walk.log_in(sent)
    assert reads(browser)
    old, (typed, number) = sent.number, walk.new_number()
    mark = harness.log_mark()
    status, text, errors = zegelctl("message", "number", reference_of(sent), typed)
    assert status == 0, errors
    assert number not in text and number[-2:] in text, text
    line = harness.wait_log(r"zegelctl.*event=number-changed", mark)
    assert "ref=" + reference_of(sent) in line and "by=root" in line and number not in line, line
    assert not reads(browser)
    pass_time(sent.queue_id, 2 * COOLDOWN_S)
    sent.number = number
    assert reads(walk.log_in(sent)[0])
    assert len(sms_texts(old)) == 1 and len(sms_texts(number)) == 1


def test_a_number_that_is_none():
    """T5: a number to which no code may go, or a message that is not there, changes nothing."""
    sent = secure()
    for reference, number in ((reference_of(sent), "0201234567"), (reference_of(sent), "+19005551234"),
                              (reference_of(sent), "0612345678;id"), ("0" * 16, "0612345678")):
        status, _, errors = zegelctl("message", "number", reference, number)
        assert status == 65 and errors.startswith("zegelctl: "), (reference, number, errors)
    assert reads(walk.log_in(sent)[0])


def test_recall():
    """S13: recalled, it is gone for its reader at once; the second time it was over already."""
    sent = secure()
    browser, _ = walk.log_in(sent)
    mark = harness.log_mark()
    status, text, errors = zegelctl("message", "recall", reference_of(sent))
    assert (status, text) == (0, reference_of(sent) + ": recalled\n"), errors
    assert "by=root" in harness.wait_log(r"zegelctl.*event=recalled", mark)
    page = browser.request("GET", sent.link.rsplit("/l/", 1)[0] + "/m")
    assert page.status != 200, page.text
    assert store_rows("SELECT message_key FROM entry WHERE reference = ?",
                      reference_of(sent)) == [(None,)]
    status, text, errors = zegelctl("message", "recall", reference_of(sent))
    assert (status, text) == (0, reference_of(sent) + ": was over already\n"), errors


def test_expire():
    """V7, K4: what is past its time is gone, what is not is not; the files stay deliver's."""
    old, young = secure(), secure()
    assert zegelctl("expire")[0] == 0
    pass_time(old.queue_id, 91 * DAY_S)
    status, text, errors = zegelctl("expire")
    assert status == 0 and "removed 1 messages that were past their time\n" in text, errors
    assert store_rows("SELECT message_key FROM entry WHERE reference = ?",
                      reference_of(old)) == [(None,)]
    assert reads(walk.log_in(young)[0])
    directory = os.path.join(ENV["LAB_STATEDIR"], "store")
    owners = {os.stat(os.path.join(directory, name)).st_uid
              for name in os.listdir(directory) if name.startswith("store.db")}
    assert 0 not in owners, owners
