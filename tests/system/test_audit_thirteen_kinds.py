"""A1 A3 A4: each of the thirteen kinds of event of NTA 7516 6.4.2 is made by the real programs,
and stands with equal values in syslog, in the table of the trail, in CSV and in JSON.

The fields are those that NEN 7513 asks for: when, who, for whom, what, which message, where from,
and with what result.
"""
import csv
import functools
import io
import json
import os
import re
import sqlite3
import urllib.parse

import harness
import outbox
import told
import trail
import walk
from browser import Browser
from harness import ENV, command, mail, part, wait_for
from test_forward import BASE, Forwarder
from test_number import answer as mail_number
from test_status import recall, status_url
from visitor import SENDER, wrong_codes

CTL = os.path.join(ENV["LAB_SBINDIR"], "zegelctl")
ROLES = os.path.join(ENV["LAB_SYSCONFDIR"], "zegel", "roles")
COMMITMENT = re.compile(r"sha256:[0-9a-f]{64}")
RFC3339_UTC = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z")
# Of every event: when, what, by what program, as what kind, by what sort of actor, with what result.
ALWAYS = {"at", "event", "id", "program", "source", "nta", "action", "actor", "outcome"}
ACTIONS = set("CRUDE")  # NEN 7513: create, read, update, delete, execute
PERSONAL = {"from", "to", "by", "for", "about", "client", "message-id", "number"}


def zegelctl(*words):
    return command(CTL, *words).decode()


def ref(sent):
    return outbox.query("SELECT reference FROM entry WHERE queue_id = '%s'" % sent.queue_id)[0][0]


def secure():
    return walk.Sent(lambda typed, to: mail("SMS %s Uitslag" % typed, "Geheime tekst\n", to=to))


# ---- The way through all thirteen kinds ----------------------------------------------

class Way:
    """What was done: its messages by what became of them, and all that is to be found then."""

    def __init__(self):
        self.mark, self.number = harness.log_mark(), trail.last()
        self.names = {}
        self.send()
        self.read()
        self.administer()
        self.look_and_erase()
        self.logged = wait_for(self._settled, "all kinds in the log")

    def _settled(self):
        """The events in the log, once all thirteen kinds are there and none waits."""
        events = trail.logged(self.mark)
        kinds = {event.get("nta") for event in events}
        return events if kinds >= {str(n) for n in range(1, 14)} and outbox.is_empty() else None

    def send(self):
        """1 sending, 5 receipt, 9 account; 2 recall by the sender, 3 change."""
        harness.refused(harness.send, mail("veilig mailen: Uitslag", to="x@" + part("outsider")),
                        SENDER, "x@" + part("outsider"))
        harness.wait_delivered(harness.send(mail("Dag", to=SENDER, sender="els@" + part("outsider")),
                                            "els@" + part("outsider"), SENDER, login=None,
                                            source=ENV["LAB_OUTSIDER_ADDR"]))
        for name in ("recalled", "called", "changed", "kept", "removed", "bounced", "erased",
                     "expired"):
            setattr(self, name, secure())
        browser = Browser()
        page = browser.get(status_url(self.recalled.message))
        recall(browser, page, next(link for link in page.links if "/recall?ref=" in link))
        confirmation = told.wait_letter(self.changed.message, "confirm")
        mail_number("SMS " + walk.new_number()[0],
                    confirmation.message["Reply-To"].addresses[0].addr_spec)
        told.withdraw(self.bounced)

    def read(self):
        """6 reading, 7 removal by the reader, 8 forwarding, 11 authentication."""
        reader = Forwarder()
        self.read_one = reader.sent
        harness.wait_log("event=number-changed", self.mark)
        reader.browser.get(BASE + "/m/original")
        self.other = walk.new_outsider()
        assert reader.forward(self.other).status == 200
        page = reader.browser.get(BASE + "/m/delete")
        assert reader.browser.submit(page, page.form("/m/delete")).status == 200
        browser = Browser()
        page, code = walk.ask_code(browser, self.kept)
        browser.submit(page, page.form("/code"), code=wrong_codes(code, 1)[0])

    def administer(self):
        """2 recall, 3 change and 4 removal by an administrator, 10 rights."""
        zegelctl("message", "recall", ref(self.called))
        zegelctl("message", "extend", ref(self.kept), "--days", "120")
        zegelctl("message", "remove", ref(self.removed), "--yes")
        harness.pass_time(self.expired.queue_id, 91 * 86400)
        zegelctl("expire")
        try:
            zegelctl("role", "grant", "root", "administrator")
            zegelctl("role", "grant", "daemon", "help-desk")
            zegelctl("role", "withdraw", "daemon")
        finally:
            os.unlink(ROLES)

    def look_and_erase(self):
        """12 access to the log, 13 change of the log."""
        outbox.wait_empty()
        zegelctl("audit", "show", "--person", self.read_one.to)
        zegelctl("message", "search", self.read_one.to)
        zegelctl("audit", "erase", "praktijk", self.erased.to, "--yes")

    def line(self, event, **pairs):
        """The one event of that name in the log with these PAIRS (_ for -)."""
        wanted = {key.replace("_", "-"): value for key, value in pairs.items()}
        found = [one for one in self.logged if one["event"] == event
                 and all(one.get(key) == value for key, value in wanted.items())]
        assert len(found) == 1, (event, pairs, found or sorted(
            {one["event"] for one in self.logged}))
        return found[0]

    @functools.cached_property
    def json(self):
        """{id: attributes} as audit export --format json has them."""
        lines = zegelctl("audit", "export", "--format", "json").splitlines()
        return {one["id"]: one for one in map(json.loads, lines)}

    @functools.cached_property
    def csv(self):
        """The same of --format csv; "'" in front of a formula is for spreadsheets."""
        text = zegelctl("audit", "export", "--format", "csv")
        rows = csv.DictReader(io.StringIO(text, newline=""))
        return {row["id"]: {key: re.sub(r"^'", "", value) for key, value in row.items()}
                for row in rows}

    @functools.cached_property
    def table(self):
        """{id: (number, nta, event, attributes)} as the table has them, without any key."""
        with sqlite3.connect("file:%s?mode=ro" % trail.DATABASE, uri=True) as database:
            rows = database.execute("SELECT hex(id), number, nta, event, text FROM record")
            return {one.lower(): (number, nta, event, attributes(text, number))
                    for one, number, nta, event, text in rows}

    @functools.cached_property
    def opened(self):
        """{id: attributes}, opened with the key."""
        return {record["id"]: {key: value for key, value in record.items() if key != "record"}
                for record in trail.records()}


def attributes(text, number):
    """The attributes of a record's TEXT, but for its NUMBER, which comes first."""
    pairs = [line.split("=", 1) for line in text.split("\n") if line]
    assert pairs.pop(0) == ["record", str(number)], text
    return {key: urllib.parse.unquote(value) for key, value in pairs}


@functools.cache
def way():
    return Way()


# ---- One event in all its places -----------------------------------------------------

def check_log(line, record):
    """All of the record stands in the log, and the other way round."""
    for key, value in line.items():
        if (key, value) != ("queue-id", "NOQUEUE"):
            assert record.get(key) == value, (key, line, record)
    assert set(record) - set(line) <= trail.OF_THE_TRAIL | {"places"}, (line, record)


def check_table(row, record):
    """The chained text has what is open as it is, and of persons commitments alone."""
    _, nta, event, pairs = row
    assert (str(nta), event) == (record["nta"], record["event"]), (row, record)
    assert set(pairs) == set(record), (pairs, record)
    closed = {key for key, value in pairs.items() if value != record[key]}
    assert all(COMMITMENT.fullmatch(pairs[key]) for key in closed), (pairs, record)
    assert closed >= PERSONAL & set(pairs), (closed, pairs)


def check_exports(number, in_json, in_csv, record):
    """Both have exactly what the record has, under its number."""
    assert in_json.pop("record") == int(in_csv.pop("record")) == number, in_json
    assert in_json.pop("erased") is False and in_csv.pop("erased") == "no", in_json
    more = dict(pair.split("=", 1) for pair in in_csv.pop("more").split(" ") if pair)
    assert in_json == record, (in_json, record)
    assert {key: value for key, value in in_csv.items() if value} | more == record, (
        in_csv, record)


def check(nta, event, has, **pairs):
    """EVENT with PAIRS is of kind NTA, has the fields HAS, and is the same everywhere."""
    line = way().line(event, **pairs)
    record = way().opened[line["id"]]
    assert line["nta"] == str(nta), line
    missing = (ALWAYS | set(has.split())) - set(record)
    assert not missing, (missing, record)
    assert RFC3339_UTC.fullmatch(record["at"]) and record["action"] in ACTIONS, record
    check_log(line, record)
    row = way().table[line["id"]]
    check_table(row, record)
    check_exports(row[0], dict(way().json[line["id"]]), dict(way().csv[line["id"]]), record)
    return record


# ---- The thirteen --------------------------------------------------------------------

MESSAGE = "org message-id from"  # which message, whose


def test_01_sending():
    """NTA 1: a message that was sent, and one that was refused"""
    sent = way().kept
    check(1, "routed", MESSAGE + " queue-id to route number", to=sent.to, queue_id=sent.queue_id,
          outcome="ok", **{"from": SENDER, "message_id": str(sent.message["Message-ID"])})
    refused = check(1, "refused", MESSAGE + " code", about="x@" + part("outsider"))
    assert refused["outcome"] == "refused" and refused["from"] == SENDER, refused


def test_02_recall():
    """NTA 2: recalled by the sender on his page, and by an administrator"""
    by_page = check(2, "recalled", "org ref from to client", to=way().recalled.to)
    assert (by_page["actor"], by_page["from"]) == ("sender", SENDER), by_page
    by_hand = check(2, "recalled", "org ref from by", to=way().called.to)
    assert (by_hand["actor"], by_hand["by"]) == ("admin", "root"), by_hand


def test_03_change():
    """NTA 3: another number, and another end"""
    number = check(3, "number-changed", MESSAGE + " ref to", to=way().changed.to)
    assert "*" in number["number"] and number["from"] == SENDER, number
    end = check(3, "extended", "org ref until", ref=ref(way().kept))
    assert end["by"] == "root" and end["actor"] == "admin", end


def test_04_removal():
    """NTA 4: removed by an administrator, and by its time"""
    removed = check(4, "removed", "org", ref=ref(way().removed))
    assert removed["by"] == "root" and removed["actor"] == "admin", removed
    check(4, "expired", "org ref from", ref=ref(way().expired), to=way().expired.to)


def test_05_receipt():
    """NTA 5: a message was stored for its reader; one came in from outside"""
    check(5, "stored", "org ref message-id to sha256", to=way().kept.to,
          queue_id=way().kept.queue_id)
    check(5, "verified", "message-id queue-id secure", **{"from": "els@" + part("outsider")})


def test_06_reading():
    """NTA 6: the reader opened the message, and fetched it"""
    for event in ("opened", "downloaded"):
        record = check(6, event, "org ref client", to=way().read_one.to)
        assert record["for"] == SENDER and record["actor"] == "reader", record


def test_07_removal_by_the_reader():
    """NTA 7: the reader deleted his message"""
    record = check(7, "deleted", "org ref client", to=way().read_one.to)
    assert record["for"] == SENDER and record["actor"] == "reader", record


def test_08_forwarding():
    """NTA 8: the reader let somebody else read it"""
    check(8, "forwarded", "org ref client way new", to=way().other,
          **{"from": way().read_one.to})


def test_09_account():
    """NTA 9: a link was issued, and withdrawn when its notification came back"""
    check(9, "notified", "org ref as", to=way().kept.to)
    bounced = check(9, "bounced", "org ref message-id status", to=way().bounced.to)
    assert bounced["outcome"] == "failed", bounced


def test_10_rights():
    """NTA 10: a role was granted, and withdrawn"""
    for event in ("role-granted", "role-withdrawn"):
        record = check(10, event, "role", about="daemon")
        assert (record["by"], record["role"]) == ("root", "help-desk"), record


def test_11_authentication():
    """NTA 11: a code was sent; a wrong one was typed, and the right one"""
    check(11, "code-sent", "org ref client for", to=way().kept.to)
    wrong = check(11, "code-wrong", "org ref client for", to=way().kept.to)
    assert wrong["outcome"] == "failed", wrong
    right = check(11, "login", "org ref client for", to=way().read_one.to)
    assert right["outcome"] == "ok", right


def test_12_access_to_the_log():
    """NTA 12: somebody looked into the trail, and at who wrote to whom"""
    record = check(12, "audit-read", "view", about=way().read_one.to, view="show")
    assert record["by"] == "root", record
    assert check(12, "messages-shown", "", about=way().read_one.to)["by"] == "root"


def test_13_change_of_the_log():
    """NTA 13: a person was erased"""
    record = check(13, "audit-erased", "org by count places")  # the trail alone says which
    assert record["by"] == "root" and int(record["count"]) > 0, record
    erased = way().line("stored", to=way().erased.to)
    assert way().json[erased["id"]]["erased"] is True
    assert way().json[erased["id"]]["to"] == "" and way().csv[erased["id"]]["to"] == ""


def test_no_kind_is_missing():
    """A1: the thirteen numbers are those of the trail, and the chain is good afterwards"""
    assert {record["nta"] for record in way().opened.values() if "nta" in record} == {
        str(number) for number in range(1, 14)}
    zegelctl("audit", "verify")
