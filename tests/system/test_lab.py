"""The lab itself: names, ordinary mail, TLS. When these fail, look at no other test."""
import base64
import re
import subprocess
import time

import harness
from harness import command, mail, part, send, wait_delivered, wait_mail
from sink import Sink


def answer(domain, kind="MX"):
    """(status, whether AD is set) of the resolver for DOMAIN."""
    text = command("drill", "-D", "@127.0.0.1", domain, kind).decode()
    status = re.search(r"rcode: (\w+)", text).group(1)
    flags = re.search(r"flags: ([\w ]+);", text).group(1).split()
    return status, "ad" in flags


def test_a_ready_domain_validates():
    for name in ("ready", "own", "own2", "community", "outsider"):
        assert answer(part(name)) == ("NOERROR", True), name
    assert answer("_25._tcp.mail." + part("ready"), "TLSA") == ("NOERROR", True)
    text = command("drill", "@127.0.0.1", part("ready"), "TXT").decode()
    assert "v=NTA7516-1;startdate=" in text


def test_wrong_signatures_do_not_validate():
    for kind in ("MX", "TXT"):
        assert answer(part("bogus"), kind) == ("SERVFAIL", False)


def test_expired_signatures_do_not_validate():
    assert answer(part("expired")) == ("SERVFAIL", False)


def test_an_unsigned_domain_is_insecure():
    assert answer(part("unsigned")) == ("NOERROR", False)


def records(domain, kind="TXT"):
    """What the resolver says of DOMAIN, as drill prints it."""
    return command("drill", "@127.0.0.1", domain, kind).decode()


def test_our_domain_publishes_what_readiness_asks():
    """Own has an NTA record, TLSA, SPF, DMARC and the DKIM key that lies here; own2 has not."""
    own = part("own")
    for name, kind in ((own, "TXT"), ("_25._tcp.mail." + own, "TLSA"), ("_dmarc." + own, "TXT"),
                       ("zegel._domainkey." + own, "TXT")):
        assert answer(name, kind) == ("NOERROR", True), name
    assert "ntamx=10 mail." + own in records(own) and "v=spf1 mx -all" in records(own)
    assert "p=quarantine" in records("_dmarc." + own)
    key = command("openssl", "pkey", "-pubin", "-outform", "DER", "-in",
                  "%s/zegel/dkim/%s/zegel.pub" % (harness.ENV["LAB_SYSCONFDIR"], own))
    published = re.search(r"p=(.*)\n", records("zegel._domainkey." + own)).group(1)
    assert base64.b64decode(re.sub('[" ]', "", published)) == key
    assert "NTA7516" not in records(part("own2"))


def test_what_misses_one_thing_has_all_else():
    """Each partner that is not ready has a signed record and lacks the one thing it is there for"""
    year = time.gmtime().tm_year
    for name, words in (("notyet", "startdate=%d-01" % (year + 1)),
                        ("ended", "enddate=%d-12" % (year - 1)), ("alias", part("unsigned")),
                        ("nomx", "provider=Voorbeeld\""), ("weak", "ntamx="),
                        ("mismatch", "ntamx="), ("down", "ntamx="), ("stripped", "ntamx=")):
        assert answer(part(name), "TXT") == ("NOERROR", True), name
        assert words in records(part(name)), name
    assert records(part("two")).count("v=NTA7516-1;") == 2
    assert "TLSA\t1 1 1" in records("_25._tcp.mail." + part("weak"), "TLSA")
    alias = "_25._tcp.mx." + part("unsigned")
    assert answer(alias, "TLSA") == ("NOERROR", False)
    assert "CNAME" in records(alias, "TLSA") and "TLSA\t3 1 1" in records(alias, "TLSA")


def finger(level, domain):
    """How far TLS of LEVEL comes with the mail server of DOMAIN: "Verified" or "Untrusted"."""
    # With an authority "dane-only" would do with its signature where there is no TLSA.
    authority = ["-F", "/etc/ssl/certs/ca-certificates.crt"] if level == "secure" else []
    text = command("posttls-finger", "-c", "-l", level, "-L", "summary", *authority, domain,
                   status=None).decode()
    found = re.search(r"(\w+) TLS connection established", text)
    return found.group(1) if found else "none"


def test_the_tls_of_the_partners():
    """DANE holds for ready and nomx; for weak, mismatch and partner only the name does"""
    for name, dane, pkix in (("ready", "Verified", "Verified"), ("nomx", "Verified", "Untrusted"),
                             ("weak", "Untrusted", "Verified"),
                             ("mismatch", "Untrusted", "Verified"),
                             ("partner", "Untrusted", "Verified"), ("down", "none", "none")):
        assert finger("dane-only", part(name)) == dane, name
        assert finger("secure", part(name)) == pkix, name


def test_a_zone_changes_while_the_lab_runs():
    def edit(text):
        return text.replace("p=quarantine", "p=none")
    name = "_dmarc." + part("ready")
    assert "p=quarantine" in records(name)
    with harness.zone("ready", edit):
        assert "p=none" in records(name) and answer(name, "TXT") == ("NOERROR", True)
    assert "p=quarantine" in records(name) and answer(name, "TXT") == ("NOERROR", True)


def test_a_resolver_that_does_not_validate_never_says_so():
    harness.control("start", "unbound-plain")
    try:
        text = command("drill", "-D", "@" + harness.ENV["LAB_PLAIN_RESOLVER"], part("ready"),
                       "TXT").decode()
        assert "v=NTA7516-1" in text and not re.search(r"flags:[^;]* ad\b", text), text
    finally:
        harness.control("stop", "unbound-plain")


def test_the_server_of_silent_takes_questions_and_says_nothing():
    done = subprocess.run(["timeout", "1", "drill", "@" + harness.ENV["LAB_SILENT_ADDR"],
                           part("silent"), "TXT"], capture_output=True, check=False)
    assert done.returncode == 124, done.stdout + done.stderr


def test_a_sink_takes_mail_in_the_clear():
    """The server without TLS that tests have gets ordinary mail for stripped, every byte"""
    word = harness.unique()
    to = "jan@" + part("stripped")
    with Sink(harness.ENV["LAB_STRIPPED_ADDR"]) as sink:
        send(mail("Afspraak", word + "\n", to=to), "janssen@" + part("own"), to)
        harness.wait_for(lambda: sink.has(word), "the message in the sink")
        assert sink.has("RCPT TO:<%s>" % to)


def test_the_name_of_a_part():
    lab = harness.ENV["LAB_HERE"] + "/lab"
    assert command(lab, "name", "own").decode() == part("own") + "\n"
    command(lab, "name", "nobody", status=64)


def test_ordinary_mail_reaches_an_outsider():
    to = harness.unique("jan") + "@" + part("outsider")
    word = harness.unique()
    wait_delivered(send(mail("Afspraak", word + "\n", to=to), "janssen@" + part("own"), to))
    got = wait_mail(to)
    assert word in got and got.message["Subject"] == "Afspraak"


def test_mail_to_the_community_goes_over_trusted_tls():
    to = harness.unique("jan") + "@" + part("community")
    log = wait_delivered(send(mail("Afspraak", to=to), "janssen@" + part("own"), to))
    assert any("status=sent" in line for line in log)
    assert "TLSv1." in wait_mail(to).raw.decode()


def test_a_password_that_is_wrong_does_not_submit():
    server = harness.connect()
    server.close()
    server = harness.smtplib.SMTP("mail." + part("own"), 587)
    server.starttls(context=harness.tls_context())
    try:
        server.login("janssen@" + part("own"), "niet-dit")
        raise AssertionError("logged in")
    except harness.smtplib.SMTPAuthenticationError as error:
        assert error.smtp_code == 535
    finally:
        server.close()


def test_an_outsider_cannot_relay():
    refusal = harness.refused(send, mail("Reclame"), "x@" + part("outsider"),
                              "y@" + part("community"), login=None,
                              source=harness.ENV["LAB_OUTSIDER_ADDR"])
    assert refusal.code == 554


def test_an_address_that_does_not_exist_bounces():
    before = len(harness.reports("devries@" + part("own")))
    to = "onbekend@" + part("outsider")
    send(mail("Afspraak", to=to), "devries@" + part("own"), to)
    bounce = harness.wait_report("devries@" + part("own"), before)
    assert "5.1.1" in bounce


def test_the_gateway_sends_an_sms_once():
    number = "+31687654321"
    adapter = harness.ENV["LAB_LIBEXECDIR"] + "/zegel/sms-gammu"
    command("setpriv", "--reuid=zegel-viewer", "--regid=zegel-viewer", "--init-groups", adapter,
            data=(number + "\nUw code is 123456. Één keer.\n").encode())
    assert harness.wait_sms(number) == "Uw code is 123456. Één keer."
    time.sleep(3)  # the gateway looks at its outbox each second
    with open(harness.ENV["LAB"] + "/gammu-smsd.log", encoding="utf-8") as file:
        sent = [line for line in file if "Transmitted" in line and "to " + number in line]
    assert len(sent) == 1, sent


def test_the_adapter_refuses_what_is_no_number():
    adapter = harness.ENV["LAB_LIBEXECDIR"] + "/zegel/sms-gammu"
    for number in ("0612345678", "+31 6", "+", "", "+3161234567x", "+31/../6"):
        command(adapter, data=(number + "\nx\n").encode(), status=65)
