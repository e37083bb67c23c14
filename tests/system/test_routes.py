"""Routes: who decides what way mail takes, and that it holds when programs are dead (R1-R9)."""
import contextlib
import os
import re
import signal
import subprocess

import harness as lab

TRANSPORT = "/etc/postfix/transport"
BOOK = os.path.join(lab.ENV["LAB_SYSCONFDIR"], "zegel", "domains")
STATE = os.path.join(lab.ENV["LAB_STATEDIR"], "routes")
OUR_PROGRAMS = ("policyd", "deliver", "viewer")


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


@contextlib.contextmanager
def content(path, text, after):
    """PATH holds TEXT meanwhile; AFTER is called when it was written and when it is back."""
    before = read(path)
    try:
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        after()
        yield
    finally:
        with open(path, "w", encoding="utf-8") as file:
            file.write(before)
        after()


def reload_policyd():
    """SIGHUP, and waits until the book counts or was refused."""
    mark = lab.log_mark()
    os.kill(int(lab.command(os.path.join(lab.ENV["LAB_HERE"], "lab-ctl"), "pid", "policyd")),
            signal.SIGHUP)
    lab.wait_log(r"event=book,.* result=", mark)


def book(*lines):
    return content(BOOK, "\n".join(lines) + "\n", reload_policyd)


def look_up(key, table, user="postfix"):
    """What Postfix finds for KEY in TABLE as USER without any further group, or None."""
    done = subprocess.run(["setpriv", "--reuid", user, "--regid", user, "--clear-groups",
                           "postmap", "-q", key, table], capture_output=True, check=False)
    assert done.stderr == b"", done.stderr.decode()
    return done.stdout.decode().strip() or None


def promise_of(domain):
    """The promise for DOMAIN, which must be the same for Postfix directly and by proxymap."""
    key = "x@%s.direct.zegel.internal" % domain
    plain = look_up(key, "sqlite:/etc/postfix/zegel-routes.cf")
    by_proxy = look_up(key, "proxy:sqlite:/etc/postfix/zegel-routes.cf")
    assert plain == by_proxy, (plain, by_proxy)
    return plain


def send_secure(domain, subject="veilig mailen: afspraak"):
    """Sends a secure message to somebody at DOMAIN; returns (queue id, address)."""
    address = "%s@%s" % (lab.unique("r"), domain)
    sender = "janssen@" + lab.part("own")
    return lab.send(lab.mail(subject, to=address), sender, address), address


def submit_labelled(address):
    """Puts mail for ADDRESS, which has a label, into the queue without any milter."""
    server = lab.smtplib.SMTP(lab.ENV["LAB_MAIL_ADDR"], 10587, timeout=30,
                              source_address=(lab.ENV["LAB_MAIL_ADDR"], 0))
    sender = "janssen@" + lab.part("own")
    server.sendmail(sender, address, lab.mail("x").as_bytes())
    server.quit()


def wait_line(address, mark):
    """The first line about a delivery, tried or done, to ADDRESS."""
    return lab.wait_log(r"to=<%s>.* status=" % re.escape(address), mark)


# ---- What is the administrator's stays the administrator's ---------------------------

ENTRIES = """\
%(address)s                discard:by-address
table-voorbeeld.nl         discard:by-domain
.parent-voorbeeld.nl       discard:by-parent
*                          discard:by-star
"""


def expect_ordinary(address, text, label=""):
    mark = lab.log_mark()
    lab.send(lab.mail("gewoon", to=address), "janssen@" + lab.part("own"), address)
    line = wait_line(address, mark)
    assert "status=sent (%s)" % text in line, line
    assert label in line


def expect_entries(address):
    expect_ordinary(address, "by-address")
    expect_ordinary("jan@table-voorbeeld.nl", "by-domain")
    expect_ordinary("jan@a.b.parent-voorbeeld.nl", "by-parent")
    expect_ordinary("jan@anything-voorbeeld.nl", "by-star")


def test_transport_entries_of_the_administrator_keep_working():
    """R9: entries for an address, a domain, a parent domain and * work, zegel dead or alive.

    Not those for a domain that ordinary mail goes to directly (R3), see test_prefer.
    """
    address = "arts@" + lab.part("outsider")
    with content(TRANSPORT, ENTRIES % {"address": address}, lab.reload_postfix):
        expect_entries(address)
        with lab.without(*OUR_PROGRAMS, kill=True):
            expect_entries(address)


def test_the_star_of_the_administrator_does_not_catch_labels():
    """R4: with an entry for * a label still leads to zegel-store, zegel-direct or retry."""
    name = lab.unique("r")
    expected = {
        name + "@x-voorbeeld.nl.viewer.zegel.internal": "zegel-store/lmtp",
        name + "@x-voorbeeld.nl.direct.zegel.internal": "no secure route is known",
        name + "@x-voorbeeld.nl.other.zegel.internal": "unknown label",
    }
    entries = ENTRIES % {"address": "a@table-voorbeeld.nl"} + "internal discard:by-tld\n"
    with content(TRANSPORT, entries, lab.reload_postfix):
        for address, text in expected.items():
            mark = lab.log_mark()
            submit_labelled(address)
            line = wait_line(address, mark)
            assert text in line, line
            assert "discard" not in line, line


def test_a_table_that_answers_everything_does_not_catch_labels():
    """R4: a regexp of the administrator that matches every address gets only ordinary mail."""
    name = lab.unique("r")
    value = lab.command("postconf", "-h", "transport_maps").decode().strip()
    with content("/etc/postfix/main.cf", read("/etc/postfix/main.cf"), lab.reload_postfix):
        with open("/etc/postfix/everything", "w", encoding="utf-8") as file:
            file.write("/^.*$/ discard:by-regexp\n")
        lab.command("postconf", "-e", "transport_maps = " + value.replace(
            "texthash:" + TRANSPORT, "regexp:/etc/postfix/everything texthash:" + TRANSPORT))
        lab.reload_postfix()
        expect_ordinary(name + "@x-voorbeeld.nl", "by-regexp")
        for label, text in (("viewer", "zegel-store/lmtp"),
                            ("direct", "no secure route is known"), ("other", "unknown label")):
            mark = lab.log_mark()
            address = "%s@x-voorbeeld.nl.%s.zegel.internal" % (name, label)
            submit_labelled(address)
            line = wait_line(address, mark)
            assert text in line and "discard" not in line, line


def test_ordinary_mail_flows_when_zegel_is_dead():
    """R9: policyd, deliver and viewer killed: ordinary mail goes out and comes in."""
    with lab.without(*OUR_PROGRAMS, kill=True):
        out = "%s@%s" % (lab.unique("r"), lab.part("outsider"))
        lab.send(lab.mail("gewoon", to=out), "janssen@" + lab.part("own"), out)
        lab.wait_mail(out)
        word = lab.unique()
        own = "devries@" + lab.part("own")
        lab.send(lab.mail(word, sender=out, to=own), out, own, login=None)
        lab.wait_for(lambda: any(word in one for one in lab.mailbox(own)), "mail inward")


# ---- Promises ------------------------------------------------------------------------

def test_a_promise_outlives_policyd():
    """R4: Postfix reads the promise with policyd alive, ended and killed, as itself and by proxymap."""
    domain = lab.part("community")
    send_secure(domain)
    expected = "zegel-direct:[mail.%s]:25" % domain
    assert promise_of(domain) == expected
    with lab.without("policyd"):
        assert promise_of(domain) == expected
    with lab.without("policyd", kill=True):
        assert promise_of(domain) == expected
    assert sorted(os.listdir(STATE)) == ["routes.db", "routes.db-shm", "routes.db-wal"]


def test_nobody_else_reads_the_promises():
    """K1: routes.db tells partners apart only to Postfix and policyd."""
    done = subprocess.run(["setpriv", "--reuid", "nobody", "--regid", "nogroup",
                           "--clear-groups", "cat", os.path.join(STATE, "routes.db")],
                          capture_output=True, check=False)
    assert done.returncode != 0 and b"Permission denied" in done.stderr


def test_a_domain_that_left_the_book_goes_to_the_viewer():
    """R4: mail that waits for a domain goes to zegel-store when the domain leaves the book."""
    domain = lab.part("outsider")  # has no TLS
    nexthop = "[mail.%s]:25" % domain
    mark = lab.log_mark()
    with book("%s %s secure" % (domain, nexthop)):
        _, address = send_secure(domain)
        labelled = address + ".direct.zegel.internal"
        line = wait_line(labelled, mark)
        assert "zegel-direct/smtp" in line and "TLS is required" in line, line
        assert promise_of(domain) == "zegel-direct:" + nexthop
        assert look_up(nexthop, "proxy:sqlite:/etc/postfix/zegel-tls.cf") == "secure"
    assert promise_of(domain) == "zegel-store:unix:zegel/deliver.sock"
    assert look_up(nexthop, "proxy:sqlite:/etc/postfix/zegel-tls.cf") is None
    # qmgr keeps the answer for the address it asked last for 30 s (resolve_clnt.c): ask another.
    lab.wait_delivered(lab.send(lab.mail("Afspraak"), "janssen@" + lab.part("own"),
                                "jan@" + domain))
    mark = lab.log_mark()
    lab.queue_flush()
    assert "zegel-store/lmtp" in wait_line(labelled, mark)
    assert not lab.mailbox(address)


def test_a_bad_book_is_refused_and_the_old_one_stays():
    """M4: a wrong line is named with its number, and yesterday's routes hold."""
    domain = lab.part("community")
    before = read(BOOK)
    mark = lab.log_mark()
    with content(BOOK, before + "partner.nl [partner.nl] may\n", reload_policyd):
        lab.wait_log(r"stay as they were: .*domains:%d: " % (before.count("\n") + 1), mark)
        mark = lab.log_mark()
        queue_id, _ = send_secure(domain)
        lab.wait_log(r"%s: event=routed,.*Z-R1-COMMUNITY" % queue_id, mark)


def test_the_partner_sees_the_plain_address_and_no_ticket():
    """R8: label and ticket stay behind; the original recipient goes along."""
    _, address = send_secure(lab.part("community"))
    received = lab.wait_mail(address)
    assert "X-Zegel-Ticket" not in received
    assert "zegel.internal" not in received
    assert received.message["X-Original-To"] == address


def test_every_rule_of_the_book_lets_the_right_server_have_mail():
    """R5: each TLS rule for which the server has what it asks, one that wants TLS 1.3 among them"""
    domain = lab.part("community")
    certificate = os.path.join(lab.ENV["LAB"], "pki", "community.crt")
    print_ = lab.command("openssl", "x509", "-in", certificate, "-noout", "-fingerprint",
                         "-sha256").decode().strip().split("=")[1]
    wrong = ":".join(["00"] * 32)
    for rule in ("secure", "secure match=mail." + domain, "fingerprint=" + print_,
                 "fingerprint=%s|%s" % (wrong, print_), "secure protocols=TLSv1.3"):
        with book("%s [mail.%s] %s" % (domain, domain, rule)):
            lab.wait_mail(send_secure(domain)[1])


def test_a_next_hop_with_older_tls_gets_nothing():
    """R5: a server that stops at TLS 1.2 gets nothing when the book asks 1.3, and at 1.1 never"""
    domain, config = lab.part("community"), "/etc/postfix-community"
    main = config + "/main.cf"

    def reload_community():
        lab.reload_postfix(config)
    for newest, rule in (("TLSv1.2", "secure protocols=TLSv1.3"), ("TLSv1.1", "secure")):
        with content(main, read(main) + "smtpd_tls_protocols = <=%s\n" % newest,
                     reload_community), book("%s [mail.%s] %s" % (domain, domain, rule)):
            mark = lab.log_mark()
            queue_id, address = send_secure(domain)
            line = wait_line(address + ".direct.zegel.internal", mark)
            assert "status=deferred" in line and "TLS" in line, line
            assert not lab.mailbox(address)
            lab.command("postsuper", "-d", queue_id)


def test_a_next_hop_without_the_promised_certificate_gets_nothing():
    """R5: a name or a fingerprint that is not the server's stops the message."""
    domain = lab.part("community")
    nexthop = "[mail.%s]:25" % domain
    wrong = ":".join(["00"] * 32)
    for rule, reason in (("secure match=mail.elders-voorbeeld.nl", "not verified"),
                         ("fingerprint=" + wrong, "not verified"),
                         ("dane-only", "TLSA|DNSSEC")):
        with book("%s %s %s" % (domain, nexthop, rule)):
            mark = lab.log_mark()
            queue_id, address = send_secure(domain)
            line = wait_line(address + ".direct.zegel.internal", mark)
            assert "status=deferred" in line and re.search(reason, line), line
            assert not lab.mailbox(address)
            lab.command("postsuper", "-d", queue_id)
