"""zegelctl message: what became of each message, and what an administrator does to it (M1, S14)."""
import datetime
import gzip
import json
import os
import re
import shutil
import tempfile

import harness as lab
import trail
import walk
from browser import Browser, link_in
from harness import mail, part, send, wait_delivered, wait_for
from told import postfix, query, status_link, wait_letter
from visitor import HOST, SENDER, new_code, reads
from test_zegelctl import zegelctl, zegelctl_json

OWN, DIRECT, COMMUNITY = "devries@" + part("own"), "jan@" + part("ready"), "piet@" + part(
    "community")
DAY_S = 86400


def secure():
    return walk.Sent(lambda typed, to: mail("SMS %s Uitslag" % typed, "Geheime tekst\n", to=to))


def shown(word):
    """What message show says of WORD, by recipient."""
    status, rows = zegelctl_json("message", "show", word)
    assert status == 0, rows
    return {row["to"]: row for row in rows}


def wait_shown(word, ready, what):
    """The same, once READY of it is true: events take a moment to the trail."""
    def probe():
        status, text, _ = zegelctl("message", "show", word, "--json")
        if status != 0:
            return None
        found = {row["to"]: row for row in json.loads(text)}
        return found if ready(found) else None
    return wait_for(probe, what)


def listed(*words):
    status, rows = zegelctl_json("message", "list", *words)
    assert status == 0, rows
    return rows


def history(row):
    return [line["what"] for line in row["history"]]


def reference_of(sent):
    return wait_shown(sent.queue_id, lambda rows: rows.get(sent.to, {}).get("reference"),
                      "reference")[sent.to]["reference"]


def send_to_all():
    """One message to all kinds of recipients: (message, queue id, who reads it in the viewer)."""
    first = secure()
    message = mail("veilig mailen: Uitslag", to=", ".join([first.to, OWN, DIRECT, COMMUNITY]))
    queue_id = send(message, SENDER, [first.to, OWN, DIRECT, COMMUNITY])
    wait_delivered(queue_id)
    return message, queue_id, first.to


# ---- What became of it ---------------------------------------------------------------

def test_each_recipient_with_his_own_way():
    """M1: viewer, direct and own recipients: route and why, and the last hop as Postfix logged it"""
    message, queue_id, reader = send_to_all()
    rows = wait_shown(queue_id, lambda found: len(found) == 4 and all(
        row["status"] in ("sent", "notified") for row in found.values()) and
        len(found[reader].get("history", ())) == 2 and
        [one["status"] for one in found[reader]["notification"]] == ["sent"], "all four")
    assert rows[reader]["route"] == "viewer" and history(rows[reader]) == ["stored", "notified"]
    assert rows[reader]["number"].count("*") > 4, rows[reader]["number"]
    for to, route, code in ((OWN, "own", "Z-R1-OWN"), (DIRECT, "direct", "Z-R1-NTA"),
                            (COMMUNITY, "direct", "Z-R1-COMMUNITY")):
        row = rows[to]
        assert (row["route"], row["code"], row["status"]) == (route, code, "sent"), row
        [hop] = row["delivery"]
        line = lab.log_lines(r"postfix/.* %s: to=<%s" % (hop["queue_id"], re.escape(to)))[-1]
        for key in ("relay", "dsn", "delay", "status"):
            assert ", %s=%s" % (key, hop[key]) in line, (key, hop, line)
        assert hop["reply"] in line
        at = datetime.datetime.fromisoformat(hop["at"].replace("Z", "+00:00"))
        logged = datetime.datetime.fromisoformat(line.split()[0].replace("Z", "+00:00"))
        assert at == logged.replace(microsecond=0), (hop, line)
    # Own mail passes Postfix three times: the mailbox counts, not the first pass.
    assert rows[OWN]["delivery"][0]["queue_id"] != queue_id
    assert rows[OWN]["delivery"][0]["relay"] == "virtual"
    # The other side's server logs into the same file here: its queue is not ours.
    assert rows[DIRECT]["delivery"][0]["queue_id"] == queue_id
    # Also by the queue id of that later pass.
    assert shown(rows[OWN]["delivery"][0]["queue_id"]).keys() == rows.keys()
    text = zegelctl("message", "show", message["Message-ID"])[1]
    for word in (reader, OWN, DIRECT, "Z-R1-NTA", "virtual", "dsn 2.0.0", message["Message-ID"]):
        assert word in text, (word, text)
    for secret in ("Uitslag", "Dit is een bericht"):
        assert secret not in text


def test_the_life_of_a_message():
    """S14: notified, code sent, opened, downloaded, deleted: with the times of the store"""
    sent = secure()
    reference = reference_of(sent)

    def status():
        return shown(reference)[sent.to]["status"]

    assert status() == "notified"
    browser, page, code = new_code(sent)
    assert status() == "code-sent"
    browser.submit(page, page.form("/code"), code=code)
    assert status() == "opened"
    browser.get(HOST + "/m/original")
    wait_for(lambda: status() == "downloaded", "status downloaded")
    row = shown(reference)[sent.to]
    for what in ("stored", "notified", "code-sent", "opened", "downloaded"):
        line = next(one for one in row["history"] if one["what"] == what)
        assert line["count"] == 1 and line["first"].endswith("Z"), line
    assert zegelctl("message", "recall", reference)[0] == 0
    row = wait_shown(reference, lambda rows: rows[sent.to]["history"][-1]["by"] == "root",
                     "who recalled")[sent.to]
    assert row["status"] == "recalled"
    # Nothing of a message that was taken back is in the store, and still it is found.
    assert [one["to"] for one in listed("--recipient", sent.to)] == [sent.to]


def test_what_postfix_tries_again():
    """M1: deferred with the number of tries, and sent when it went"""
    with postfix(defer_transports="zegel-direct"):
        message = mail("veilig mailen", to=DIRECT)
        queue_id = send(message, SENDER, DIRECT)
        rows = wait_shown(queue_id, lambda found: DIRECT in found and
                          found[DIRECT]["status"] == "deferred", "deferred")
        [hop] = rows[DIRECT]["delivery"]
        assert hop["relay"] == "none" and hop["dsn"].startswith("4."), hop
        assert queue_id in [row["queue_id"] for row in listed("--status", "deferred")]
    lab.queue_flush()
    wait_delivered(queue_id)
    row = shown(queue_id)[DIRECT]
    assert row["status"] == "sent" and row["delivery"][0]["attempts"] >= 2, row
    assert queue_id not in [one["queue_id"] for one in listed("--status", "deferred")]


def test_what_comes_out_of_an_expansion():
    """R7: who reads it behind a list of ours stands with the message, once"""
    team, outsider = "team@" + part("own"), "team@" + part("outsider")
    message = mail("veilig mailen", to=team)
    message["X-Zegel-SMS"] = "%s %s" % (outsider, walk.new_number()[1])
    queue_id = send(message, SENDER, team)
    rows = wait_shown(queue_id, lambda found: outsider in found and
                      found[outsider]["status"] == "notified", outsider)
    assert rows[outsider]["route"] == "viewer" and rows[outsider]["queue_id"] != queue_id
    assert rows[team]["route"] == "own"
    assert shown(rows[outsider]["reference"]).keys() == rows.keys()
    found = [row["to"] for row in listed("--sender", SENDER, "--limit", "10")
             if row["message_id"] == message["Message-ID"]]
    assert sorted(found) == sorted(rows), found


# ---- Looking for it ------------------------------------------------------------------

def test_search_finds_by_every_name():
    """M1: by address, domain, reference, queue id and Message-ID; each word must fit"""
    message, queue_id, reader = send_to_all()
    reference = wait_shown(queue_id, lambda rows: reader in rows and rows[reader]["reference"],
                           "reference")[reader]["reference"]

    def found(*words):
        status, rows = zegelctl_json("message", "search", *words)
        assert status == 0
        return {row["to"] for row in rows if row["queue_id"] == queue_id}

    everybody = {reader, OWN, DIRECT, COMMUNITY}
    number = message["Message-ID"]
    assert found(queue_id) == everybody == found(number) == found(number[1:-1])
    assert found(reader) == found(reader.upper()) == found(reference) == {reader}
    assert found(part("ready")) == found("@" + part("ready")) == {DIRECT}
    assert found(SENDER) == everybody
    assert found(SENDER, DIRECT) == found(DIRECT, SENDER) == {DIRECT}
    assert found(DIRECT, reader) == found("nobody@example.com") == set()


def test_list_chooses():
    """M1: by sender, recipient, route, status, organisation and time, the newest first"""
    _, queue_id, reader = send_to_all()
    wait_shown(queue_id, lambda rows: len(rows) == 4 and rows[reader]["status"] == "notified",
               "all four")

    def of(*words):
        return {row["to"] for row in listed(*words) if row["queue_id"] == queue_id}

    assert of("--route", "viewer") == {reader} and of("--route", "own") == {OWN}
    assert of("--status", "notified") == {reader}
    assert of("--sender", SENDER, "--recipient", part("community")) == {COMMUNITY}
    assert of("--org", "praktijk") and not of("--org", "kliniek")
    assert of("--since", "1h") and not of("--until", "2020-01-01", "--since", "2019-01-01")
    times = [row["at"] for row in listed()]
    assert times == sorted(times, reverse=True) and len(listed("--limit", "3")) == 3
    assert zegelctl("message", "list", "--status", "dancing")[0] == 65
    head, first = zegelctl("message", "list", "--limit", "1")[1].splitlines()
    assert head.split()[:2] == ["came", "in"] and first.index(SENDER) == head.index("from")


def test_a_refused_message_is_found():
    """M1: why a message was refused"""
    to = walk.new_outsider()
    message = mail("veilig mailen", to=to)
    lab.refused(send, message, SENDER, to)
    row = wait_for(lambda: next((one for one in listed("--status", "refused") if
                                 one["message_id"] == message["Message-ID"]), None), "refusal")
    assert row["code"] == "Z-S7-NUMBER" and row["route"] == "-", row


def test_rotated_logs_are_read():
    """M1: also from yesterday's log, packed, and in the traditional form with its own zone"""
    message = mail("veilig mailen", to=DIRECT)
    queue_id = send(message, SENDER, DIRECT)
    wait_delivered(queue_id)
    wait_shown(queue_id, lambda rows: rows[DIRECT]["status"] == "sent", "status")
    lines = [line.split(" ", 1) for line in lab.log_lines("postfix/")]
    local = [datetime.datetime.fromisoformat(at.replace("Z", "+00:00")).astimezone().strftime(
        "%b %e %H:%M:%S ") + rest for at, rest in lines]
    folder = tempfile.mkdtemp()
    try:
        path = os.path.join(folder, "mail.log")
        with open(path, "w", encoding="utf-8") as file:
            file.write("")
        with lab.configured("log", "mail_log", path):
            assert shown(queue_id)[DIRECT]["status"] == "unknown"
            with gzip.open(path + ".2.gz", "wt") as file:
                file.write("\n".join(local) + "\n")
            assert shown(queue_id)[DIRECT]["status"] == "sent"
    finally:
        shutil.rmtree(folder)


def test_nobody_looks_unseen():
    """A1: who looks is in the trail before he sees anything; without it he sees nothing"""
    sent = secure()
    reference = reference_of(sent)
    number = trail.last()
    zegelctl("message", "show", reference)
    zegelctl("message", "search", sent.to)
    zegelctl("message", "list")
    found = [one for one in trail.records(number) if one["event"] == "messages-shown"]
    assert [one["request"] for one in found] == ["message-show", "message-search",
                                                 "message-list"], found
    assert all(one["by"] == "root" and one["nta"] == "12" for one in found), found
    assert found[0]["about"] == reference and found[1]["about"] == sent.to
    lab.control("stop", "auditd")
    try:
        for words in (["show", reference], ["search", sent.to], ["list"]):
            status, text, errors = zegelctl("message", *words)
            assert status == 75 and not text and "audit trail" in errors, (words, text, errors)
    finally:
        lab.control("start", "auditd")


# ---- Doing something -----------------------------------------------------------------

def test_the_notification_again():
    """M1: the same link, another Message-ID, within seconds; the trail says who asked"""
    sent = secure()
    reference = reference_of(sent)
    number = trail.last()
    assert zegelctl("message", "notify", reference)[0] == 0
    again = lab.wait_mail(sent.to, 2)
    assert link_in(again) == sent.link
    assert again.message["Message-ID"] != sent.notification.message["Message-ID"]
    assert again.message["Subject"] == sent.notification.message["Subject"]
    event = wait_for(lambda: next((one for one in trail.records(number)
                                   if one["event"] == "notified"), None), "event")
    assert (event["by"], event["to"], event["ref"], event["actor"]) == (
        "root", sent.to, reference, "admin"), event
    row = shown(reference)[sent.to]
    assert row["status"] == "notified-again" and row["history"][-1]["by"] == "root", row
    assert row["notification"][0]["queue_id"] == event["as"], row
    browser, _ = walk.log_in(sent)
    assert reads(browser)
    assert zegelctl("message", "recall", reference)[0] == 0
    assert zegelctl("message", "notify", reference)[0] == 65
    assert zegelctl("message", "notify", "0000000000000000")[0] == 65


def test_another_end():
    """A1: the reader has another end, and it is an event; not what is over, nor without limit"""
    sent = secure()
    reference = reference_of(sent)
    number = trail.last()
    wait_letter(sent.message, "confirm")
    until = (datetime.date.today() + datetime.timedelta(days=200)).isoformat()
    assert zegelctl("message", "extend", reference, "--until", until)[0] == 0
    lab.pass_time(sent.queue_id, 100 * DAY_S)  # beyond the first end
    browser, page = walk.log_in(sent)
    assert reads(browser)
    event = wait_for(lambda: next((one for one in trail.records(number)
                                   if one["event"] == "extended"), None), "event")
    assert (event["nta"], event["by"], event["to"], event["from"]) == (
        "3", "root", sent.to, SENDER), event
    end = datetime.datetime.fromisoformat(event["until"].replace("Z", "+00:00")).astimezone()
    assert end.strftime("%Y-%m-%d %H:%M:%S") == until + " 23:59:59"
    for words in (["--until", "2020-01-01"], ["--days", "-1"], ["--days", "99999"], [],
                  ["--days", "3", "--until", until], ["--until", "tomorrow"]):
        status, _, errors = zegelctl("message", "extend", reference, *words)
        assert status in (64, 65) and errors, (words, status)
    lab.pass_time(sent.queue_id, 101 * DAY_S)
    assert zegelctl("message", "extend", reference, "--days", "9")[0] == 65
    assert Browser().request("GET", sent.link).status == 410


def test_removal():
    """A1: --yes is asked for; key and content go at once; reader and sender are told"""
    sent = secure()
    reference = reference_of(sent)
    page = status_link(wait_letter(sent.message, "confirm"))
    browser, _ = walk.log_in(sent)
    assert reads(browser)
    number = trail.last()
    status, _, errors = zegelctl("message", "remove", reference)
    assert status == 64 and "--yes" in errors and reads(browser)
    assert zegelctl("message", "remove", reference, "--yes")[0] == 0
    assert query("SELECT count(*) FROM entry WHERE reference = ? AND message_key IS NULL AND"
                 "  message IS NULL AND address IS NULL", reference) == 1
    assert browser.request("GET", HOST + "/m").status == 410
    gone = Browser().request("GET", sent.link)
    assert gone.status == 410 and "ingetrokken" in gone.text, gone.text
    assert "Verwijderd door uw organisatie" in Browser().get(page).text
    event = wait_for(lambda: next((one for one in trail.records(number)
                                   if one["event"] == "removed"), None), "event")
    assert (event["nta"], event["by"], event["to"], event["from"], event["ref"]) == (
        "4", "root", sent.to, SENDER, reference), event
    assert shown(reference)[sent.to]["status"] == "removed"
    assert "over already" in zegelctl("message", "remove", reference, "--yes")[1]
    assert zegelctl("message", "remove", "0000000000000000", "--yes")[0] == 65
