"""zegelctl audit and zegelctl role: the trail is shown to who may see it, and proves itself (A1,
A4, NEN 7513)."""
import contextlib
import csv
import io
import json
import os
import re
import shutil
import sqlite3
import subprocess

import harness
import trail
import walk
from harness import configured, log_mark, mail, part, wait_for, wait_log, wait_mail, without

DOCTOR = "janssen@" + part("own")
ROLES = os.path.join(harness.ENV["LAB_SYSCONFDIR"], "zegel", "roles")
KEPT = os.path.join(harness.ENV["LAB_STATEDIR"], "audit-checkpoint")
NOBODY = "65534"
TEMPFAIL, NOPERM, DATAERR, WRONG = 75, 77, 65, 1


def zegelctl(*words, data=None, as_user=None):
    """(status, standard output, standard error); AS_USER is who is behind sudo."""
    env = dict(os.environ)
    env.pop("SUDO_UID", None)
    if as_user is not None:
        env["SUDO_UID"] = as_user
    done = subprocess.run(["zegelctl", *words], input=data, capture_output=True, check=False,
                          timeout=60, env=env)
    return done.returncode, done.stdout.decode(), done.stderr.decode()


def good(*words, **keywords):
    """Standard output of zegelctl WORDS, which must succeed."""
    status, text, errors = zegelctl(*words, **keywords)
    assert status == 0, (words, status, text, errors)
    return text


def records(*words):
    """What zegelctl audit export finds, as JSON has it."""
    return [json.loads(line) for line in
            good("audit", "export", "--format", "json", *words).splitlines()]


def names(found):
    return [record["event"] for record in found]


def secure(typed, to):
    return mail("SMS %s Uitslag" % typed, to=to)


def sent_and_read():
    """A message that its reader opened; (walk.Sent, its reference)."""
    sent = walk.Sent(secure)
    walk.log_in(sent)
    reference = wait_for(lambda: next((record["ref"] for record in
                                       records("--message", sent.queue_id, "--event", "stored")),
                                      None), "record of stored")
    wait_for(lambda: "opened" in names(records("--message", reference)), "record of opened")
    wait_for(lambda: "routed" in names(records("--message", sent.queue_id)), "record of routed")
    return sent, reference


def last_look():
    """The newest audit-read, as it stands in the trail."""
    return [one for one in trail.records() if one["event"] == "audit-read"][-1]


# ---- Looking -------------------------------------------------------------------------

def test_a_message_is_found_by_each_of_its_names():
    """A4: reference, queue id and Message-ID lead to the records of a message; newest last"""
    sent, reference = sent_and_read()
    stored = records("--message", sent.queue_id, "--event", "stored")[0]
    by_queue = names(records("--message", sent.queue_id))
    assert "routed" in by_queue and "stored" in by_queue, by_queue
    by_id = names(records("--message", stored["message-id"].strip("<>")))
    assert "routed" in by_id and "stored" in by_id, by_id
    by_reference = records("--message", reference)
    assert {"stored", "notified", "code-sent", "login", "opened"} <= set(names(by_reference))
    numbers = [record["record"] for record in by_reference]
    assert numbers == sorted(numbers), numbers
    last = records("--message", reference, "--last", "2")
    assert names(last) == ["audit-read", "audit-read"], last  # this look, and the one before
    assert last[0]["record"] < last[1]["record"]


def test_records_are_found_by_person_event_organisation_and_time():
    """A4: each condition leaves out what it should, and all of them hold together"""
    sent, _ = sent_and_read()
    of_reader = records("--person", sent.to.upper())
    assert {"routed", "stored", "opened"} <= set(names(of_reader)), of_reader
    for record in of_reader:
        named = [record.get(key, "").lower() for key in ("from", "to", "by", "for", "about")]
        assert sent.to in named, record
    assert set(names(records("--person", sent.to, "--event", "opened"))) == {"opened"}
    # But for the look itself: what it asked for stands in it.
    assert names(records("--person", sent.to, "--org", "kliniek")) == ["audit-read"]
    assert records("--person", sent.to, "--since", "2h", "--until", "1h") == []
    assert names(records("--person", sent.to, "--since", "1h"))[:len(of_reader)] \
        == names(of_reader)
    for words in (["--event", "open"], ["--since", "yesterday"], ["--message", "a b"]):
        status, text, errors = zegelctl("audit", "show", *words)
        assert status == DATAERR and not text and words[1] in errors, (status, text, errors)


def test_csv_and_json_hold_what_the_trail_holds():
    """A4: every attribute of every record, with equal values, and nothing that computes"""
    sent_and_read()
    table = list(csv.reader(io.StringIO(good("audit", "export", "--format", "csv"), newline="")))
    head = table[0]
    lines = [dict(zip(head, row)) for row in table[1:]]
    as_json = {record["record"]: record for record in records()}
    there = {int(record["record"]): record for record in trail.records()}
    assert lines[-1]["event"] == "audit-read" and len(lines) > 10
    for line in lines:
        more = dict(pair.split("=", 1) for pair in line.pop("more").split())
        assert not more or line["program"] == "test", (line, more)  # what other tests brought
        assert all(not value.startswith(tuple("=+-@\t")) for value in line.values()), line
        values = {key: re.sub("^'", "", value) for key, value in line.items() if value}
        values.update(more)
        number = int(values.pop("record"))
        assert values.pop("erased") == ("yes" if as_json[number]["erased"] else "no")
        wanted = {key: value for key, value in as_json[number].items()
                  if key not in ("record", "erased") and value != ""}
        assert values == wanted, (values, wanted)
        raw = {key: value for key, value in there[number].items()
               if key != "record" and value != ""}
        assert values == raw, (values, raw)


def test_each_look_stands_in_the_trail():
    """A1: who looked, with which command, and at whom, which only the key opens"""
    sent, _ = sent_and_read()
    for words, view in ((["show", "--person", sent.to], "show"),
                        (["export", "--person", sent.to], "export"),
                        (["patient", "praktijk", sent.to], "patient"),
                        (["employee", "praktijk", sent.to], "employee")):
        good("audit", *words)
        look = last_look()
        assert (look["by"], look["view"], look["about"]) == ("root", view, sent.to), look
        assert look["nta"] == "12" and look["action"] == "R", look
    for view in ("verify", "key"):
        good("audit", view)
        assert last_look()["view"] == view
    with sqlite3.connect("file:%s?mode=ro" % trail.DATABASE, uri=True) as db:
        dump = "\n".join(db.iterdump())
    assert sent.to not in dump and "audit-read" in dump


def test_nobody_looks_without_a_record():
    """A1: while zegel-auditd is away, nothing is shown, and it is said what to do"""
    sent, _ = sent_and_read()
    with without("auditd"):
        for words in (["show"], ["export"], ["patient", "praktijk", sent.to],
                      ["employee", "praktijk", DOCTOR], ["verify"], ["key"],
                      ["erase", "praktijk", sent.to, "--yes"]):
            status, text, errors = zegelctl("audit", *words)
            assert status == TEMPFAIL and text == "", (words, status, text)
            assert "zegel-auditd" in errors and "try again" in errors, errors


# ---- Overviews -----------------------------------------------------------------------

def overview(kind, person, *options):
    """The overview of PERSON in one line: where a line breaks says nothing."""
    return " ".join(good("audit", kind, "praktijk", person, *options).split())


def test_a_patient_reads_who_did_what():
    """NEN 7513 9: in plain words, and without the address of any other recipient"""
    first = walk.Sent(secure)
    other = walk.Sent(secure)
    walk.log_in(first)
    walk.log_in(other)
    wait_for(lambda: "opened" in names(records("--person", first.to)), "record of opened")
    text = overview("patient", first.to)
    for words in ("Wie deed wat met berichten aan en van " + first.to,
                  "Organisatie: Huisartsenpraktijk Voorbeeld",
                  "Een bericht is verstuurd Door: " + DOCTOR,
                  "Een toegangscode is verstuurd", "Het bericht is geopend Door: " + first.to,
                  "Iemand heeft in dit logboek gekeken Door: root"):
        assert words in text, (words, text)
    assert other.to not in text
    assert set(re.findall(r"[\w.-]+@[\w.-]+", text)) <= {first.to, DOCTOR}, text
    english = overview("patient", first.to, "--language", "en")
    assert "The message was opened By: " + first.to in english, english


def test_what_an_administrator_did_belongs_to_the_patient_too():
    """NEN 7513 9: what was done to his message without his name"""
    sent, reference = sent_and_read()
    good("message", "recall", reference)
    wait_for(lambda: "recalled" in names(records("--message", reference)), "record of recalled")
    text = overview("patient", sent.to)
    assert "Het bericht is teruggehaald Door: root" in text, text


def test_of_an_employee_what_he_did_and_what_was_done():
    """A1: what an employee did, and what was done with messages that he answers for"""
    sent, reference = sent_and_read()
    text = overview("employee", DOCTOR, "--since", "1h", "--language", "nl")
    did, others = text.split("Wat anderen deden, of het systeem")
    assert "Een bericht is verstuurd Door: %s; voor of over: %s" % (DOCTOR, sent.to) in did
    opened = "Het bericht is geopend Door: %s; voor of over: %s;" % (sent.to, DOCTOR)
    assert opened in others and opened not in did, text
    assert reference in others
    status, _, errors = zegelctl("audit", "employee", "praktyk", DOCTOR)
    assert status == DATAERR and "praktyk" in errors, errors


# ---- Proof ---------------------------------------------------------------------------

@contextlib.contextmanager
def copied():
    """A copy of the trail that anybody may read: its path."""
    directory = os.path.join(harness.ENV["LAB"], harness.unique("copy"))
    os.mkdir(directory, 0o755)
    path = os.path.join(directory, "audit.db")
    with sqlite3.connect("file:%s?mode=ro" % trail.DATABASE, uri=True) as db, \
            contextlib.closing(sqlite3.connect(path)) as copy:
        db.backup(copy)
    os.chmod(path, 0o644)
    try:
        yield path
    finally:
        shutil.rmtree(directory)


def change(path, statement, *values):
    with contextlib.closing(sqlite3.connect(path)) as db, db:
        assert db.execute(statement, values).rowcount == 1


def write(path, text):
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    return path


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def checkpoint():
    """A checkpoint of now, as zegel-auditd logs it."""
    mark = log_mark()
    trail.bring("request=checkpoint\n\n")
    return wait_log(r"checkpoint zegel-checkpoint 1 ", mark)


def test_verify_says_where_and_what():
    """A4: a changed record is named, with the key and with the public key alone"""
    sent_and_read()
    key = good("audit", "key")
    checkpoint()
    with copied() as path:
        pem = write(path + ".pem", key)
        assert "are what was written" in good("audit", "verify", "--database", path)
        assert "are what was written" in good("audit", "verify", "--database", path,
                                              "--public-key", pem)
        change(path, "UPDATE record SET text = replace(text, 'outcome=ok', 'outcome=no') "
                     "WHERE number = 3")
        status, text, _ = zegelctl("audit", "verify", "--database", path)
        assert status == WRONG and re.match(r"WRONG at record 3: (?!record)", text), (status, text)
        # Between two signatures the public key cannot tell one record from the other.
        status, text, _ = zegelctl("audit", "verify", "--database", path, "--public-key", pem)
        assert status == WRONG and re.match(r"WRONG at record [123]: .*not what was signed",
                                            text), (status, text)


def test_a_cut_tail_shows_against_a_checkpoint():
    """A4: a trail that ends earlier than a checkpoint that was kept is not good"""
    with copied() as path:
        pem = write(path + ".pem", good("audit", "key"))
        sent_and_read()
        line = checkpoint()
        status, text, _ = zegelctl("audit", "verify", "--database", path, "--public-key", pem,
                                   "--checkpoint", "-", data=line.encode())
        assert status == WRONG and "WRONG" in text, (status, text)
    assert "1 checkpoint" in good("audit", "verify", "--checkpoint", "-", data=line.encode())
    status, text, errors = zegelctl("audit", "verify", "--checkpoint", "-", data=b"nothing\n")
    assert status == DATAERR and "no checkpoint" in errors, (status, text, errors)


def test_an_auditor_needs_neither_root_nor_key():
    """A4: with a copy and the public key, as a user without rights, and without a record"""
    key = good("audit", "key")
    before = trail.last()
    with copied() as path:
        pem = write(path + ".pem", key)
        os.chown(os.path.dirname(path), int(NOBODY), int(NOBODY))
        done = subprocess.run(["setpriv", "--reuid", NOBODY, "--clear-groups", "zegelctl", "audit",
                               "verify", "--database", path, "--public-key", pem],
                              capture_output=True, check=False, timeout=60)
        assert done.returncode == 0 and b"good: " in done.stdout, done
    assert "audit-read" not in {record["event"] for record in trail.records(before)}


def test_openssl_reads_the_public_key():
    """A4: the key is PEM, and signs the checkpoints: openssl says so too"""
    with copied() as path:
        pem = write(path + ".pem", good("audit", "key"))
        line = re.search(r"(zegel-checkpoint 1 .*) (\S+)$", checkpoint())
        write(path + ".txt", line.group(1))
        with open(path + ".sig", "wb") as file:
            file.write(harness.command("base64", "-d", data=line.group(2).encode()))
        harness.command("openssl", "pkeyutl", "-verify", "-pubin", "-inkey", pem, "-rawin", "-in",
                        path + ".txt", "-sigfile", path + ".sig")


def test_the_timer_alarms_and_mails():
    """A4: a good trail brings a checkpoint by mail; a bad one an alarm in the log and by mail"""
    watcher = walk.new_outsider()
    with configured("audit", "mail", watcher):
        good("audit", "verify", "--alarm", "--remember")
        letter = wait_mail(watcher, 1)
        line = re.search(r"(?m)^zegel-checkpoint 1 .*$", letter.text()).group(0)
        assert letter.message["Subject"] == "Logboek is in orde", letter.message["Subject"]
        assert "1 checkpoint" in good("audit", "verify", "--checkpoint", "-", data=letter.raw)
        assert read(KEPT).strip() == line
        mark = log_mark()
        change(trail.DATABASE, "UPDATE record SET at_us = at_us + 1 WHERE number = 2")
        try:
            status, text, _ = zegelctl("audit", "verify", "--alarm")
            assert status == WRONG and "at record 2: " in text, (status, text)
            status, _, _ = zegelctl("audit", "verify", "--remember")
            assert status == WRONG and line in read(KEPT)
            wait_log(r"zegelctl\[.*audit trail is not what was written: record 2", mark)
            letter = wait_mail(watcher, 2)
            assert letter.message["Subject"].startswith("ALARM"), letter.raw
            assert "Regel 2" in letter.text(), letter.text()
        finally:
            change(trail.DATABASE, "UPDATE record SET at_us = at_us - 1 WHERE number = 2")
        with without("auditd"):
            mark = log_mark()
            status, _, _ = zegelctl("audit", "verify", "--alarm")
            assert status == TEMPFAIL
            wait_log(r"zegelctl\[.*audit trail could not be verified", mark)
            wait_mail(watcher, 3)
        assert "2 checkpoints" in good("audit", "verify", "--remember", "--checkpoint", KEPT)


def test_a_person_is_erased():
    """A4: what names him is gone for good, that it was done is there, and the chain holds"""
    sent, reference = sent_and_read()
    status, _, errors = zegelctl("audit", "erase", "praktijk", sent.to)
    assert status == 64 and "--yes" in errors, (status, errors)
    assert records("--person", sent.to)
    text = good("audit", "erase", "praktijk", sent.to, "--yes")
    assert int(re.search(r"erased from (\d+) records", text).group(1)) > 4, text
    assert [one["event"] for one in records("--person", sent.to) if one["event"] != "audit-read"] \
        == []
    opened = [one for one in records("--message", reference) if one["event"] == "opened"][0]
    assert opened["erased"] and opened["to"] == "", opened
    assert "to=(erased)" in good("audit", "show", "--message", reference)
    assert "erased, which is recorded" in good("audit", "verify")
    erased = records("--event", "audit-erased")[-1]
    assert erased["by"] == "root" and erased["nta"] == "13", erased


# ---- Roles ---------------------------------------------------------------------------

@contextlib.contextmanager
def roles():
    """Root is administrator and nobody nothing, and afterwards there are no roles."""
    good("role", "grant", "root", "administrator")
    try:
        yield
    finally:
        os.unlink(ROLES)


def newest(event):
    return [one for one in trail.records() if one["event"] == event][-1]


def test_without_roles_root_may_everything():
    """A1: nobody is locked out of a new installation"""
    assert not os.path.exists(ROLES)
    assert "root may do everything" in good("role", "list")
    good("audit", "show", "--last", "1", as_user=NOBODY)
    status, _, errors = zegelctl("role", "grant", "nobody", "help-desk")
    assert status == DATAERR and "nobody would be administrator" in errors, errors
    assert not os.path.exists(ROLES)


def test_a_role_says_what_somebody_may():
    """A1: who is behind sudo may run what his role allows, and no other configuration"""
    with roles():
        for role, may, may_not in (
                (None, [], [["audit", "show"], ["phone", "show", "praktijk", "a@b.nl"]]),
                ("help-desk", [["phone", "show", "praktijk", "a@b.nl"]],
                 [["audit", "show"], ["role", "grant", "nobody", "administrator"],
                  ["phone", "forget", "praktijk", "a@b.nl"]]),
                ("log-manager", [["audit", "show", "--last", "1"], ["role", "list"]],
                 [["phone", "show", "praktijk", "a@b.nl"], ["role", "withdraw", "root"]])):
            if role:
                good("role", "grant", "nobody", role)
            for words in may:
                good(*words, as_user=NOBODY)
                status, _, _ = zegelctl("-c", "/etc/zegel/./zegel.conf", *words, as_user=NOBODY)
                assert status == NOPERM, words
            for words in may_not:
                mark = log_mark()
                status, text, errors = zegelctl(*words, as_user=NOBODY)
                assert status == NOPERM and not text and "nobody" in errors, (words, errors)
                wait_log(r"zegelctl\[.* %s refused, by=nobody" % words[1], mark)
        good("schema", as_user=NOBODY)


def test_who_looks_is_who_is_behind_sudo():
    """A2: the trail has the name of him, not root's"""
    with roles():
        good("role", "grant", "nobody", "log-manager")
        good("audit", "show", "--last", "1", as_user=NOBODY)
        assert last_look()["by"] == "nobody"


def test_roles_are_events():
    """A1: granting, changing and withdrawing stand in the trail and in the log, with both names"""
    mark = log_mark()
    with roles():
        good("role", "grant", "nobody", "help-desk")
        granted = newest("role-granted")
        assert (granted["about"], granted["role"], granted["by"]) \
            == ("nobody", "help-desk", "root"), granted
        good("role", "grant", "nobody", "log-manager")
        changed = newest("role-changed")
        assert (changed["role"], changed["was"]) == ("log-manager", "help-desk"), changed
        assert good("role", "list").split() == ["root", "administrator", "nobody", "log-manager"]
        good("role", "withdraw", "nobody")
        assert newest("role-withdrawn")["about"] == "nobody"
    trail.check_each_once([one for one in trail.logged(mark, "zegelctl")
                           if one["event"].startswith("role-")])
    assert len([one for one in trail.logged(mark, "zegelctl")
                if one["event"].startswith("role-")]) == 4


def test_the_last_administrator_stays():
    """A1: nobody takes the last administrator away, and without a record nobody changes a role"""
    with roles():
        before = read(ROLES)
        for words in (["withdraw", "root"], ["grant", "root", "help-desk"]):
            status, _, errors = zegelctl("role", *words)
            assert status == DATAERR and "administrator" in errors, (status, errors)
        status, _, errors = zegelctl("role", "grant", "no-such-user", "help-desk")
        assert status == DATAERR and "no user" in errors, errors
        assert read(ROLES) == before
        with without("auditd"):
            status, _, errors = zegelctl("role", "grant", "nobody", "help-desk")
            assert status == TEMPFAIL and "zegel-auditd" in errors, (status, errors)
        assert read(ROLES) == before


def test_a_file_that_others_may_write_gives_no_rights():
    """A1: the roles come from root"""
    with roles():
        os.chmod(ROLES, 0o666)
        status, text, errors = zegelctl("audit", "show")
        assert status == 78 and not text and "chmod go-w" in errors, (status, errors)
