"""The lab itself: names, ordinary mail, TLS. When these fail, look at no other test."""
import re
import time

import harness
from harness import command, mail, part, send, wait_delivered, wait_mail


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
    before = len(harness.mailbox("devries@" + part("own")))
    to = "onbekend@" + part("outsider")
    send(mail("Afspraak", to=to), "devries@" + part("own"), to)
    bounce = wait_mail("devries@" + part("own"), before + 1)
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
