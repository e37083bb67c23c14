"""Direct or viewer, decided by DNS: every route with real DNS, TLS and servers (R1-R6, N1, N2).

No test here lets a protected message reach anybody without the TLS that was promised, and
ordinary mail flows in all of them: guard.py looks after both.
"""
import contextlib
import json
import os
import re
import sqlite3
import time

import harness
import walk
from guard import SENDER, guard
from harness import configured, control, mail, part, send, without, zone

ZEGELCTL = os.path.join(harness.ENV["LAB_SBINDIR"], "zegelctl")
LATER = "Z-R6-LATER"
ANSWER_LIMIT_S = 15  # I7: policyd answers within 5 s; the session goes on until then
NOT_READY = ("organisation praktijk", "nta_declaration", "", "policyd")
RECHECK = ("policyd", "recheck_s", "1", "policyd")


def tls_to(host, mark, transport="direct"):
    """The line of zegel-TRANSPORT about its TLS connection with HOST after MARK."""
    return harness.wait_log(r"postfix/zegel-%s/smtp.* TLS connection established to %s\[" % (
        transport, re.escape(host)), mark)


def route(sender, recipient, *options):
    """What zegelctl route says: (route, code, reason), or None when it is not known now."""
    text = harness.command(ZEGELCTL, "route", "--json", *options, sender, recipient, status=None)
    if not text:
        return None
    answer = json.loads(text)["recipients"][0]
    return answer["route"], answer["code"], answer["reason"]


def known_route(*words):
    """The same, asked until it is known: a resolver that has just begun may fail once."""
    return harness.wait_for(lambda: route(*words), "a route")


def wait_ready(name="ready"):
    """Waits until part NAME counts as ready again."""
    harness.wait_for(lambda: (route(SENDER, "jan@" + part(name)) or "-")[0] == "direct",
                     "readiness of " + name)


def transport_of(name, label="direct"):
    """What routes.db says for LABEL of part NAME, or None."""
    path = os.path.join(harness.ENV["LAB_STATEDIR"], "routes", "routes.db")
    with contextlib.closing(sqlite3.connect("file:%s?mode=ro" % path, uri=True)) as database:
        row = database.execute("SELECT transport FROM route WHERE key = ?", (
            "%s.%s.zegel.internal" % (part(name), label),)).fetchone()
    return row[0] if row else None


def without_nta(text):
    """Zone TEXT without its NTA record."""
    return "".join(line for line in text.splitlines(True) if "v=NTA7516" not in line)


# ---- The guard itself ----------------------------------------------------------------

def test_the_guard_finds_a_leak():
    """The proof of all these tests fails when a canary lies in the mailbox of somebody else"""
    leaked = None
    try:
        with guard() as watch:
            message, to = watch.secure("own"), walk.new_outsider()
            send(mail("gewoon", message.body, to=to), SENDER, to)
            harness.wait_mail(to)
            watch.flows()
    except AssertionError as found:
        leaked = found
    assert leaked and to in str(leaked), leaked


# ---- Every route ---------------------------------------------------------------------

def test_every_route():
    """R1: own, community, NTA with ntamx and without, partner with PKIX, and viewer"""
    with guard() as watch:
        sent = {name: watch.secure(name) for name in ("own", "community", "ready", "nomx",
                                                      "partner")}
        sent["outsider"] = watch.secure("outsider", number=True)
        codes = {name: message.routed() for name, message in sent.items()}
        assert codes == {"own": ("own", "Z-R1-OWN"), "community": ("direct", "Z-R1-COMMUNITY"),
                         "ready": ("direct", "Z-R1-NTA"), "nomx": ("direct", "Z-R1-NTA"),
                         "partner": ("direct", "Z-R1-NTA"),
                         "outsider": ("viewer", "Z-R1-VIEWER")}, codes
        harness.wait_mail(sent["own"].to)
        for name in ("community", "ready", "nomx", "partner"):
            sent[name].arrived()
            assert "status=sent" in sent[name].tried()
        sent["outsider"].notified()
        for host in ("ready", "community", "partner"):
            line = tls_to("mail." + part(host), sent["own"].mark)
            assert "Verified TLS" in line and "TLSv1.3" in line, line
        watch.flows()
    assert transport_of("ready") == "zegel-direct:[mail.%s]" % part("ready")
    assert transport_of("nomx") == "zegel-direct:" + part("nomx")
    assert transport_of("partner") == "zegel-direct:[mail.%s]:25" % part("partner")


def test_ordinary_mail_prefers_the_direct_way():
    """R3: what is not sensitive goes over verified TLS to a ready domain, and without to others"""
    with guard() as watch:
        watch.flows()
        to = "%s@%s" % (harness.unique("p"), part("ready"))
        mark = harness.log_mark()
        send(mail("gewoon", to=to), SENDER, to)
        harness.wait_mail(to)
        assert "Verified TLS" in tls_to("mail." + part("ready"), mark, "(direct|prefer)")
        assert transport_of("ready", "prefer"), "no promise"


# ---- The sixteen rows of seed 002, 5.1.1.2 -------------------------------------------

# part: (route and code when we are ready, the same when we are not)
OUTWARD = {
    "own": (("own", "Z-R1-OWN"), ("own", "Z-R1-OWN")),
    "community": (("direct", "Z-R1-COMMUNITY"), ("direct", "Z-R1-COMMUNITY")),
    "ready": (("direct", "Z-R1-NTA"), ("viewer", "Z-R1-VIEWER")),
    "outsider": (("viewer", "Z-R1-VIEWER"), ("viewer", "Z-R1-VIEWER")),
}
INWARD = {
    "ready": (("direct", "Z-R1-NTA"), ("ordinary", "Z-R2-PORTAL")),
    "outsider": (("ordinary", "Z-R2-PORTAL"), ("ordinary", "Z-R2-PORTAL")),
    "own": (("own", "Z-R1-OWN"), ("own", "Z-R1-OWN")),
    "community": (("direct", "Z-R1-COMMUNITY"), ("direct", "Z-R1-COMMUNITY")),
}


def rows_hold(watch, ready):
    """The eight rows for our side READY or not, by real mail out and in, and by zegelctl route."""
    side = 0 if ready else 1
    sent = []
    for name, routes in OUTWARD.items():
        viewer = routes[side][0] == "viewer"
        assert known_route(SENDER, "jan@" + part(name))[:2] == routes[side], name
        if viewer:
            assert "Z-S7-NUMBER" in watch.refused(name).text
        message = watch.secure(name, number=viewer)
        assert message.routed() == routes[side], name
        sent.append((message, routes[side][0]))
    for name, routes in INWARD.items():
        login = "--login=" + part("community")  # by which its line in the book knows it (O4)
        assert known_route("jan@" + part(name), SENDER, "--inward", login)[:2] == routes[side], name
        to = "%s@%s" % (harness.unique("p"), part("own"))
        source = harness.ENV["LAB_SYSTEM_ADDR" if name == "own" else "LAB_%s_ADDR" % name.upper()]
        send(mail("inward", sender="jan@" + part(name), to=to), "jan@" + part(name), to,
             login=None, source=source)
        harness.wait_mail(to)
    for message, way in sent:
        if way == "viewer":
            message.notified()
        elif way == "direct":
            message.arrived()


def test_the_eight_rows_when_we_are_ready():
    """R2: outward and inward, our side NTA-ready"""
    with guard() as watch:
        rows_hold(watch, True)
        watch.flows()


def test_the_eight_rows_when_we_are_not_ready():
    """R2: outward and inward, our side without its declaration; and ready again afterwards"""
    with guard() as watch:
        with configured(*NOT_READY):
            rows_hold(watch, False)
            watch.flows()
        assert watch.secure("ready").routed() == ("direct", "Z-R1-NTA")


# ---- What is not ready, and what cannot be known --------------------------------------

# part: the check line that says why
NOT_READY_PARTS = {
    "unsigned": "Z-N1-DNSSEC",
    "notyet": "Z-N1-DATES",
    "ended": "Z-N1-DATES",
    "two": "Z-N1-TWO",
    "alias": "Z-N1-HOSTS",
    "weak": "Z-N1-TLSA",
    "outsider": "Z-N1-RECORD",
}


def test_what_is_not_ready_goes_to_the_viewer():
    """N1: unsigned, not yet or no longer valid, two records, alias, TLSA of usage 1: viewer"""
    with guard() as watch:
        reasons = {name: known_route(SENDER, "jan@" + part(name)) for name in NOT_READY_PARTS}
        assert reasons == {name: ("viewer", "Z-R1-VIEWER", code)
                           for name, code in NOT_READY_PARTS.items()}, reasons
        for name in NOT_READY_PARTS:
            assert "Z-S7-NUMBER" in watch.refused(name).text, name
        for message in [watch.secure(name, number=True) for name in NOT_READY_PARTS]:
            assert message.routed() == ("viewer", "Z-R1-VIEWER"), message.to
            message.notified()
        watch.flows()
    assert not any(transport_of(name) for name in NOT_READY_PARTS)


def later(watch, name, numbers=(False, True)):
    """What is secure for part NAME is put off, in time, with a number and without."""
    for number in numbers:
        begin = time.monotonic()
        mark = harness.log_mark()
        refusal = watch.refused(name, number)
        assert 400 <= refusal.code <= 499 and LATER in refusal.text, (name, refusal)
        assert time.monotonic() - begin < harness.patience(ANSWER_LIMIT_S), name
        harness.wait_log(r"policyd.* no route can be given now: Z-R6-UNKNOWN: .* \(Z-N\d-\w+\)",
                         mark)


def test_what_cannot_be_known_waits_at_its_sender():
    """R6 F15: signatures that expired, are wrong or begin later, and a silent name server: 451"""
    with guard() as watch:
        for name in ("expired", "bogus"):
            later(watch, name)
        later(watch, "silent", (False,))
        with zone("ready", lambda text: text, "-i", "20300101", "-e", "20310101"):
            later(watch, "ready")
        watch.flows()
        wait_ready()
        # Ordinary mail to such a domain is taken as without zegel.
        to = "%s@%s" % (harness.unique("p"), part("silent"))
        harness.command("postsuper", "-d", send(mail("gewoon", to=to), SENDER, to))


def test_a_resolver_that_says_nothing_of_dnssec_makes_nobody_ready():
    """F15: a resolver on loopback that does not validate: no AD, so nobody is ready"""
    address = harness.ENV["LAB_PLAIN_RESOLVER"]
    control("start", "unbound-plain")
    try:
        with guard() as watch, configured("policyd", "resolver", address, "policyd"):
            assert known_route(SENDER, "jan@" + part("ready"))[0] == "viewer"
            assert "Z-S7-NUMBER" in watch.refused("ready").text
            watch.flows()
    finally:
        control("stop", "unbound-plain")


# ---- Next hops without the promised TLS -----------------------------------------------

def test_a_next_hop_without_the_promised_tls_gets_nothing():
    """R5 F16: wrong TLSA, nobody there, no STARTTLS: it waits; by hand the sink does get it"""
    with guard() as watch:
        sent = {name: watch.secure(name) for name in ("mismatch", "down", "stripped")}
        for name, reason in (("mismatch", "not verified|certificate"), ("down", "refused"),
                             ("stripped", "TLS is required, but was not offered")):
            assert sent[name].routed() == ("direct", "Z-R1-NTA"), name
            line = sent[name].tried()
            assert "status=deferred" in line and re.search(reason, line), line
        watch.flows()
        assert harness.queued(sent["stripped"].queue_id), "it left the queue"
        waits = harness.queue_message(sent["stripped"].queue_id)
    by_hand(waits, sent["stripped"])


def by_hand(waits, message):
    """The positive control: WAITS, as postcat shows MESSAGE, sent on to its plain address. Then
    the server of stripped has it, and its canary is found where a Guard looks for it."""
    with guard() as watch:
        server = harness.smtplib.SMTP(harness.ENV["LAB_MAIL_ADDR"], 10587, timeout=30,
                                      source_address=(harness.ENV["LAB_MAIL_ADDR"], 0))
        server.sendmail(SENDER, message.to, waits)
        server.quit()
        harness.wait_for(lambda: watch.sink.has(message.body), "the canary in the sink")
        assert watch.sink.has(message.subject)
        watch.flows()


def test_starttls_that_is_offered_and_refused():
    """F16: a server, or who stands before it, that takes STARTTLS back gets nothing"""
    with guard(offer=True) as watch:
        line = watch.secure("stripped").tried()
        assert "status=deferred" in line and "TLS" in line, line
        assert watch.sink.has("STARTTLS")
        watch.flows()


def test_the_next_hop_comes_back():
    """R4: what waits for a next hop that is down leaves when it is back, by verified TLS"""
    with guard() as watch:
        with without("ready"):
            message = watch.secure("ready")
            assert "status=deferred" in message.tried()
            watch.flows()
        harness.queue_flush()
        message.arrived()


# ---- DNS and policyd away --------------------------------------------------------------

def test_the_resolver_is_down():
    """F14 R6: without the resolver nothing secure is taken but for the domain book"""
    with guard() as watch:
        with without("unbound"):
            time.sleep(zone.ANSWERS_KEPT_S)
            for name in ("ready", "outsider"):
                later(watch, name)
            message = watch.secure("community")
            assert "status=deferred" in message.tried()
            watch.flows(names=False)
        wait_ready()
        harness.queue_flush()
        message.arrived()
        watch.secure("ready").arrived()


def test_policyd_is_killed_with_mail_in_the_queue():
    """R4: what was promised is kept without policyd, and when it comes back"""
    with guard() as watch:
        with without("ready"):
            message = watch.secure("ready")
            message.tried()
            with without("policyd", kill=True):
                refusal = watch.refused("ready")
                assert 400 <= refusal.code <= 499, refusal
                mark = harness.log_mark()
                harness.queue_flush()
                assert "zegel-direct/smtp" in message.tried(mark=mark)
                watch.flows()
                control("start", "ready")
                harness.queue_flush()
                message.arrived()
                control("stop", "ready")
            other = watch.secure("ready")
            other.tried()
        harness.queue_flush()
        other.arrived()


# ---- Readiness that goes and comes back ------------------------------------------------

def wait_transport(name, expected):
    """Waits until routes.db says EXPECTED (a pattern) for part NAME."""
    harness.wait_for(lambda: re.match(expected, transport_of(name) or ""), "promise for " + name)


def flush_past_cache():
    """Tries all that waits once more; qmgr keeps the answer for the address it asked last."""
    harness.wait_delivered(send(mail("Afspraak"), SENDER, "jan@" + part("outsider")))
    harness.queue_flush()


def test_readiness_is_lost_while_mail_waits():
    """R4: mail that waits goes to the viewer or back when its domain is not ready any more

    To the viewer when the number is known. When the domain is ready again, mail goes direct.
    """
    bounces = len(harness.reports(SENDER))
    with guard() as watch, configured(*RECHECK):
        with without("ready"):
            numbered, bare = watch.secure("ready", number=True), watch.secure("ready")
            for message in (numbered, bare):
                assert message.label() == "direct"
                message.tried()
            with zone("ready", without_nta):
                wait_transport("ready", "zegel-store:")
                flush_past_cache()
                assert "status=sent" in numbered.tried("zegel-store")
                notice = harness.wait_report(SENDER, bounces)
                assert bare.to in notice and bare.body not in notice, notice.raw
                assert "Z-S7-NUMBER" in watch.refused("ready").text
                watch.flows()
        harness.queue_flush()
        numbered.notified()
        watch.secure("ready").arrived()
        assert transport_of("ready").startswith("zegel-direct:")


def test_our_own_readiness_is_lost_while_mail_waits():
    """N2 R4: our own domain stops being ready: no new direct mail, what was promised goes on"""
    def edit(text):
        return text.replace("p=quarantine", "p=none")
    with guard() as watch, configured(*RECHECK):
        with zone("own", edit):
            assert "Z-S7-NUMBER" in watch.refused("ready").text
            assert known_route(SENDER, "jan@" + part("ready"))[0] == "viewer"
            watch.flows()
        watch.secure("ready").arrived()


def unbound(*command):
    """unbound-control COMMAND."""
    harness.command("unbound-control", "-c", harness.ENV["LAB"] + "/dns/unbound.conf", *command)


def test_a_dns_failure_leaves_promises_as_they_are():
    """R4 R6: when it cannot be found out whether a domain is ready, what waits keeps its way"""
    with guard() as watch, configured(*RECHECK):
        with without("ready"):
            message = watch.secure("ready")
            message.tried()
            with without("nsd"):
                unbound("flush_zone", ".")
                time.sleep(4)  # rechecked several times meanwhile
                assert transport_of("ready").startswith("zegel-direct:")
                later(watch, "ready")
                watch.flows(names=False)
            unbound("flush_infra", "all")
        wait_ready()
        harness.queue_flush()
        message.arrived()


# ---- The sender hears --------------------------------------------------------------------

def test_the_sender_hears_of_a_next_hop_that_fails():
    """S12 NTA 6.1.4: a delay notice, without the content, while a secure message waits"""
    before = harness.command("postconf", "-h", "delay_warning_time").decode().strip()
    notices = len(harness.reports(SENDER))
    try:
        set_delay("1s")
        with guard() as watch:
            message = watch.secure("down")
            message.tried()
            time.sleep(1.1)
            harness.queue_flush()
            notice = harness.wait_report(SENDER, notices)
            assert message.to in notice and message.body not in notice, notice.raw
            assert "Action: delayed" in notice and "zegel.internal" in notice, notice.raw
            watch.flows()
    finally:
        set_delay(before)


def set_delay(value):
    harness.command("postconf", "-e", "delay_warning_time = " + value)
    harness.reload_postfix()
