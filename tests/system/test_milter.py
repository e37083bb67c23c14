"""What zegel-milter does to mail at submission, seen in Postfix's queue and at the far side."""
import contextlib
import json
import os
import re
import smtplib
import subprocess

import harness
import walk
from harness import configured, control, mail, part, send, unique, wait_delivered

SENDER = "janssen@" + part("own")
CLINIC = "bakker@" + part("own2")
SUCCESS, FAILURE, DELAY = 2, 4, 8  # notify_flags in Postfix's queue file


def raw(header, body=b"x\r\n"):
    """A message of HEADER lines."""
    return "\r\n".join(header).encode("utf-8", "surrogateescape") + b"\r\n\r\n" + body


def session(sender, recipient_lines, message, mail_line=""):
    """A transaction with RCPT lines as they are; the answer (code, lines) of the last step."""
    server = harness.connect(SENDER)
    try:
        server.ehlo_or_helo_if_needed()
        answer = server.docmd("MAIL FROM:<%s>%s" % (sender, mail_line))
        for line in recipient_lines:
            if answer[0] == 250:
                answer = server.docmd("RCPT TO:" + line)
        return server.data(message) if answer[0] == 250 else answer
    finally:
        server.close()


# ---- S7: the words of a refusal ----

def test_a_refusal_is_two_lines_that_name_who_lacks_a_number():
    """S7: a refusal is two lines, Dutch and English, cure first, and names at most three"""
    names = [unique("p") + "@" + part("outsider") for _ in range(5)]
    code, text = session(SENDER, ["<%s>" % name for name in names],
                         mail("veilig mailen: x").as_bytes())
    lines = text.decode("ascii").split("\n")
    assert code == 550 and len(lines) == 2, (code, lines)
    assert lines[0].startswith("5.7.1 Stuur") and lines[1].startswith("5.7.1 Send"), lines
    for line in lines:
        assert len(line) <= 406 and line.endswith("(Z-S7-NUMBER)"), line
        assert all(name in line for name in names[:3]) and names[3] not in line, line
    assert not any(harness.mailbox(name) for name in names)


def test_a_percent_sign_in_an_address_stays_one():
    """S7: a percent sign in an address stays one"""
    name = "a%b" + unique("p") + "@" + part("outsider")
    _, text = session(SENDER, ["<%s>" % name], mail("veilig mailen: x").as_bytes())
    assert name in text.decode(), text


def test_mail_of_the_command_line_bounces_with_one_clean_text():
    """S7: a refusal of sendmail(1) comes back as a bounce that can be read"""
    network = harness.ENV["LAB_SYSTEM_NET"] + " 127.0.0.1"
    with configured("organisation " + part_name(), "networks", network, "milter"):
        mark, before = harness.log_mark(), len(harness.reports(SENDER))
        subprocess.run(["sendmail", "-f", SENDER, "x@" + part("outsider")], check=True,
                       input=raw(["From: " + SENDER, "Subject: veilig mailen"]))
        bounce = harness.wait_report(SENDER, before)
    text = re.sub(r"\s+", " ", bounce.text())
    assert "(Z-S7-NUMBER) Put SMS" in text and "__550" not in text, text
    assert harness.log_lines("event=refused.*from=%s, about=x@" % SENDER, mark)


def part_name():
    """The name of the organisation that SENDER is of, in zegel.conf."""
    with open(configured.PATH, encoding="utf-8") as file:
        return re.search(r"\[organisation (\S+)\]\n(?:[^\[]*\n)?domains *= *%s" %
                         re.escape(part("own")), file.read()).group(1)


# ---- O3: who may send ----

def test_senders_of_another_organisation_are_refused():
    """O3: envelope sender, each From and Sender must be of the organisation of the login"""
    to = walk.new_outsider()
    for sender, header in ((CLINIC, ["From: " + SENDER]),
                           (SENDER, ["From: " + CLINIC]),
                           (SENDER, ["From: %s, %s" % (SENDER, CLINIC)]),
                           (SENDER, ["From: " + SENDER, "From: " + CLINIC]),
                           (SENDER, ["From: " + SENDER, "Sender: " + CLINIC]),
                           (SENDER, ["From: %s@%s" % (SENDER, part("own2"))])):
        for subject in ("Afspraak", "SMS 0612345678 x"):
            code, text = session(sender, ["<%s>" % to], raw(header + ["Subject: " + subject]))
            assert code in (550, 554) and b"Z-O3-SENDER" in text, (sender, header, code,
                                                                          text)
    assert not harness.mailbox(to)


# ---- R4: recipients that Postfix could read otherwise ----

def test_addresses_that_postfix_could_read_otherwise_are_refused():
    """R4: source routes, comments and the like are refused when sensitive"""
    there = part("outsider")
    for line in ("<@%s:jan@%s>" % (part("ready"), there), "<(x)jan@%s>" % there,
                 "<jan@%s.>" % there, "<jan@[203.0.113.25]>"):
        code, text = session(SENDER, [line], raw(["From: " + SENDER, "Subject: SMS 0612345678"]))
        assert code // 100 == 5 and (b"Z-R4-ADDRESS" in text or code != 550), (line, code, text)
        assert b"queued" not in text, (line, text)


def test_a_local_part_with_a_way_on_does_not_leave_in_the_clear():
    """R4: jan%elsewhere@own leaves with a label or not at all"""
    to = "jan%%%s@%s" % (part("outsider"), part("own"))
    typed, _ = walk.new_number()
    with harness.without("deliver"):
        code, text = session(SENDER, ["<%s>" % to],
                             raw(["From: " + SENDER, "Subject: SMS %s x" % typed]))
        if code == 250:
            queue_id = re.search(rb"queued as (\w+)", text).group(1).decode()
            file = harness.queue_file(queue_id).decode()
            assert re.findall(r"(?m)^recipient: (.*)", file) == [
                to + ".viewer.zegel.internal"], file
        else:
            assert code // 100 == 5, (code, text)


def test_a_login_of_no_organisation_sends_nothing_in_the_clear():
    """O3: what such a login asks to protect is refused; its ordinary mail goes as always"""
    with harness.configured("organisation praktijk", "logins", "iemand@elders.example", "milter"):
        to = walk.new_outsider()
        typed, _ = walk.new_number()
        refusal = harness.refused(harness.send, harness.mail("SMS %s x" % typed, to=to), SENDER, to)
        assert "Z-O3-LOGIN" in refusal.text, refusal
        harness.send(harness.mail("Afspraak", to=to), SENDER, to)
        harness.wait_mail(to)


def test_a_computer_of_no_organisation_sends_nothing_in_the_clear():
    """O3: nor does a computer that Postfix relays for and zegel.conf does not know"""
    there = harness.ENV["LAB_SYSTEM_ADDR"]
    with harness.configured("organisation praktijk", "networks", "192.0.2.250/32",
                            "milter", "milter-mx"):
        to = walk.new_outsider()
        typed, _ = walk.new_number()
        refusal = harness.refused(harness.send, harness.mail("SMS %s x" % typed, to=to), SENDER,
                                  to, login=None, source=there)
        assert "Z-O3-LOGIN" in refusal.text, refusal
        harness.send(harness.mail("Afspraak", to=to), SENDER, to, login=None, source=there)
        harness.wait_mail(to)


# ---- S12: what the sender asked for and what always holds ----

def test_notify_orcpt_ret_and_envid():
    """S12: NOTIFY has FAILURE and DELAY, RET is HDRS, ORCPT and ENVID stay"""
    typed, _ = walk.new_number()
    to, other = walk.new_outsider(), unique("jan") + "@" + part("community")
    with harness.without("deliver", "community"):
        code, text = session(
            SENDER, ["<%s> NOTIFY=NEVER" % to,
                     "<%s> NOTIFY=SUCCESS ORCPT=rfc822;x+2By@example.nl" % other],
            raw(["From: " + SENDER, "Subject: SMS %s x" % typed]), " RET=FULL ENVID=a+3Db")
        assert code == 250, (code, text)
        queue_id = re.search(rb"queued as (\w+)", text).group(1).decode()
        file = harness.queue_file(queue_id).decode(errors="replace")
    assert re.search(r"(?m)^named_attribute: envelope_id=a=b$", file), file
    assert re.search(r"(?m)^named_attribute: ret_flags=2$", file), file
    wishes = re.findall(r"notify_flags=(\d+)\n.*dsn_orig_rcpt=(\S+)\noriginal_.*\nrecipient: "
                        r"(\S+)", file)
    assert wishes == [(str(FAILURE | DELAY), "rfc822;" + to, to + ".viewer.zegel.internal"),
                      (str(SUCCESS | FAILURE | DELAY), "rfc822;x+y@example.nl",
                       other + ".direct.zegel.internal")], file
    harness.queue_flush()


# ---- S4: what must not leave ----

def test_a_number_leaves_by_no_header():
    """S4: Thread-Topic and X-Zegel-SMS do not carry the number on"""
    typed, number = walk.new_number()
    to = unique("jan") + "@" + part("community")
    wait_delivered(send(raw(["From: " + SENDER, "Subject: SMS %s recept" % typed,
                             "Thread-Topic: SMS %s recept" % typed,
                             "X-ZEGEL-SMS : %s %s" % (to, number),
                             "X-Zegel-Other: 1", "x-zegel-other: 2"]), SENDER, to))
    got = harness.wait_mail(to)
    assert got.message["Subject"] == got.message["Thread-Topic"] == "recept", got.raw
    assert b"x-zegel" not in got.raw.lower() and number.encode() not in got.raw, got.raw
    assert typed not in got, got.raw


def test_marks_are_taken_off_ordinary_mail_too():
    """T27: an X-Zegel header or results in our name that a client wrote never leave"""
    ours = "mail." + part("own")
    to = walk.new_outsider()
    wait_delivered(send(raw(["From: " + SENDER, "Subject: Afspraak", "X-Zegel-Ticket: a",
                             "Received: x", "x-zegel-ticket: b", "X-Zegel-Ticket: c",
                             "Authentication-Results: %s; dkim=pass" % ours,
                             "Authentication-Results: elsewhere.test; none",
                             "authentication-results : (x) %s; dmarc=pass" % ours.upper()]),
                        SENDER, to))
    got = harness.wait_mail(to)
    assert b"x-zegel" not in got.raw.lower(), got.raw
    assert got.message.get_all("Authentication-Results") == ["elsewhere.test; none"], got.raw


# ---- S5: observe ----

def test_observe_changes_nothing():
    """S5: observe changes nothing and says what would have happened"""
    to = walk.new_outsider()
    header = ["From: " + SENDER, "Subject: SMS 0612345678 recept", "Message-ID: <1@x.nl>"]
    with configured("organisation " + part_name(), "default", "observe", "milter"):
        mark = harness.log_mark()
        for count, lines in enumerate((header, header[:1] + ["Subject: SMS"]), 1):
            wait_delivered(send(raw(lines), SENDER, to))
            harness.wait_mail(to, count)
    got = harness.mailbox(to)
    assert got[0].message["Subject"] == "SMS 0612345678 recept" and len(got) == 2
    seen = harness.log_lines("event=observed", mark)
    assert "would=seal" in seen[0] and "would=refuse" in seen[1], seen
    assert "code=Z-S2-NO-NUMBER" in seen[1] and not harness.log_lines("0612345678", mark)


# ---- the session ----

def test_each_message_of_a_session_is_looked_at():
    """R4: the second and third message of a session are looked at like the first"""
    server = harness.connect(SENDER)
    to = walk.new_outsider()
    server.ehlo_or_helo_if_needed()
    for subject, expected in (("Afspraak", 250), ("veilig mailen", 550), ("Afspraak", 250),
                              ("SMS", 550), ("veilig mailen", 550)):
        server.docmd("MAIL FROM:<%s>" % SENDER)
        server.docmd("RCPT TO:<%s>" % to)
        server.docmd("RSET")  # and the one that was broken off leaves nothing behind
        server.docmd("MAIL FROM:<%s>" % SENDER)
        server.docmd("RCPT TO:<%s>" % to)
        code, text = server.data(raw(["From: " + SENDER, "Subject: " + subject]))
        assert code == expected, (subject, code, text)
    server.close()


def test_without_the_milter_mail_waits_at_its_sender():
    """F3: with the milter killed all mail gets 451, and goes when it is back"""
    to = walk.new_outsider()
    with harness.without("milter", kill=True):
        for subject in ("Afspraak", "SMS 0612345678 x"):
            not_now(mail(subject, to=to), SENDER, to)
    wait_delivered(send(mail("Afspraak", to=to), SENDER, to))
    harness.wait_mail(to)
    assert len(harness.mailbox(to)) == 1


def test_the_milter_stops_when_it_is_told():
    """F29: SIGTERM ends the milter, and its socket can be taken over after SIGKILL"""
    control("stop", "milter")
    control("start", "milter")
    control("kill", "milter")
    control("start", "milter")
    to = walk.new_outsider()
    wait_delivered(send(mail("Afspraak", to=to), SENDER, to))


def test_the_body_that_was_hashed_is_the_one_that_is_filed():
    """K3: the hash in the ticket holds for bodies of every shape"""
    to = walk.new_outsider()
    typed, _ = walk.new_number()
    for body in (b"", b"\r\n", b"x" * 70000 + b"\r\n", b"a\rb\x00c\r\n", b"..\r\n\r\n\r\n",
                 b"caf\xe9 \xff\r\n", b"no line end"):
        message = raw(["From: " + SENDER, "Subject: SMS %s x" % typed], body)
        lines = wait_delivered(send(message, SENDER, to))
        assert any("status=sent" in line and "zegel-store" in line for line in lines), lines


# ---- two instances (O4) ----

KEYS = os.path.join(harness.ENV["LAB_SYSCONFDIR"], "zegel", "keys")
ZEGEL_MILTER = os.path.join(harness.ENV["LAB_SBINDIR"], "zegel-milter")


def open_files(program):
    """What the process of PROGRAM has open or mapped."""
    pid = harness.program_pid(program)
    paths = []
    for name in os.listdir("/proc/%s/fd" % pid):
        try:
            paths.append(os.readlink("/proc/%s/fd/%s" % (pid, name)))
        except FileNotFoundError:
            pass  # closed meanwhile
    with open("/proc/%s/maps" % pid, encoding="utf-8") as file:
        return paths + re.findall(r"(/\S+)\n", file.read())


def files_opened_at_start(program, wanted):
    """The trace of what PROGRAM opens from its first step until it has served a client, and has
    opened WANTED."""
    trace = os.path.join(os.environ["LAB"], program + ".trace")

    def opened():
        with open(trace, encoding="utf-8", errors="replace") as file:
            text = file.read()
        return wanted in text and text
    control("kill", program)
    control("start", program, "strace", "-f", "-e", "trace=open,openat", "-o", trace)
    try:
        harness.connect(source=harness.ENV["LAB_OUTSIDER_ADDR"]).close()
        return harness.wait_for(opened, wanted + " in the trace of " + program)
    finally:
        control("kill", program)
        control("start", program)


def test_the_instance_of_port_25_holds_no_key():
    """O4: it has no key file open, opens none, and its user can read none"""
    with open("/proc/%s/status" % harness.program_pid("milter-mx"), encoding="ascii") as file:
        running = re.search(r"(?m)^Uid:\t(\d+)\t", file.read()).group(1)
    assert harness.command("id", "-u", "zegel-mx").decode().strip() == running
    assert not [path for path in open_files("milter-mx") if path.startswith(KEYS)]
    assert files_opened_at_start("milter", KEYS)
    opened = files_opened_at_start("milter-mx", "zegel.conf")
    assert KEYS not in opened, opened
    found = [os.path.join(folder, name) for folder, _, names in os.walk(KEYS) for name in names]
    assert found
    for path in found:
        harness.command("setpriv", "--reuid", "zegel-mx", "--regid", "zegel-mx",
                        "--init-groups", "cat", path, status=1)


def not_now(*arguments, **keywords):
    """Sending with these ARGUMENTS must get 4xx, at whatever step."""
    try:
        send(*arguments, **keywords)
        raise AssertionError("taken")
    except harness.Refused as refusal:
        assert refusal.code // 100 == 4, refusal
    except smtplib.SMTPResponseException as refusal:  # at EHLO or STARTTLS already
        assert refusal.smtp_code // 100 == 4, refusal


def test_one_instance_lives_without_the_other():
    """O4: each of the two killed: port 25, or submission, is as it was"""
    to = unique("p") + "@" + part("own")
    sender = unique("p") + "@" + part("outsider")
    source = harness.ENV["LAB_OUTSIDER_ADDR"]
    with harness.without("milter", kill=True):
        wait_delivered(send(mail("Vraag", sender=sender, to=to), sender, to, login=None,
                            source=source))
        not_now(mail("Vraag", to=to), SENDER, to)
    with harness.without("milter-mx", kill=True):
        wait_delivered(send(mail("Vraag", to=to), SENDER, to))
        not_now(mail("Vraag", sender=sender, to=to), sender, to, login=None, source=source)
    harness.wait_mail(to, 2)


@contextlib.contextmanager
def milter_clients(text):
    """with milter_clients(TEXT): that is the table by which port 25 chooses the milter."""
    def write(words):
        with open(table, "w", encoding="utf-8") as file:
            file.write(words)
        harness.reload_postfix()
    table = "/etc/postfix/zegel_milter_clients"
    with open(table, encoding="utf-8") as file:
        before = file.read()
    write(text)
    try:
        yield
    finally:
        write(before)


def test_a_client_of_ours_at_the_wrong_instance_waits():
    """O4: a network of ours that zegel_milter_clients lacks: 451, an alarm with the cure"""
    source = harness.ENV["LAB_SYSTEM_ADDR"]
    to = walk.new_outsider()
    with milter_clients("# nobody\n"):
        mark = harness.log_mark()
        refusal = harness.refused(send, mail("Afspraak", to=to), SENDER, to, login=None,
                                  source=source)
        assert refusal.code == 451 and "Z-O4-INSTANCE" in refusal.text, refusal
        harness.wait_log(r"crit zegel-milter.*organisation praktijk.*%s to zegel_milter_clients"
                         % re.escape(source), mark)
    wait_delivered(send(mail("Afspraak", to=to), SENDER, to, login=None, source=source))


def by_certificate(name, sender, subject):
    """Port 25, without login: the client at an address of nobody shows certificate NAME. The
    answer to a message to one of our own users, and the mark before it."""
    mark = harness.log_mark()
    server = harness.connect(source=harness.ENV["LAB_DESK_ADDR"])
    try:
        context = harness.tls_context()
        context.load_cert_chain(os.path.join(os.environ["LAB"], "pki", name + ".pem"))
        server.starttls(context=context)
        server.ehlo()
        server.mail(sender)
        server.rcpt("devries@" + part("own"))
        code, text = server.data(raw(["From: " + sender, "Subject: " + subject]))
        return code, text.decode(), mark
    finally:
        server.close()


def test_a_client_known_by_its_certificate():
    """O4: a certificate makes a client an organisation's, by fingerprint or by names"""
    path = os.path.join(os.environ["LAB"], "pki", "system.crt")
    print_ = harness.command("openssl", "x509", "-in", path, "-noout", "-fingerprint", "-sha256")
    rules = ("sha256:" + print_.decode().split("=")[1].strip(),
             "cn:epd.%s/Lab%%20CA" % part("own"))
    desk = "%s { unix:zegel/milter.sock, default_action=tempfail }\n" % (
        harness.ENV["LAB_DESK_ADDR"])
    for rule in rules:
        with configured("organisation praktijk", "certificates", rule, "milter", "milter-mx"):
            code, text, _ = by_certificate("system", SENDER, "Afspraak")
            assert code == 451 and "Z-O4-INSTANCE" in text, (rule, code, text)
            with milter_clients(desk):
                code, text, mark = by_certificate("system", SENDER, "veilig mailen")
                assert code == 250, (rule, code, text)
                harness.wait_log("event=routed, org=praktijk.*route=own", mark)
                code, text, _ = by_certificate("system", CLINIC, "Afspraak")
                assert code in (550, 554) and "Z-O3-SENDER" in text, (rule, code, text)
                code, text, mark = by_certificate("community", CLINIC, "veilig mailen")
                assert code == 250 and not harness.log_lines("event=routed.*from=" + CLINIC, mark)
                harness.wait_log("event=verified.*from=" + CLINIC, mark)
    with configured("organisation praktijk", "certificates", rules[0], "milter", "milter-mx"), \
            milter_clients(desk), harness.without("policyd"):
        code, text, _ = by_certificate("system", SENDER, "Afspraak")
        assert code == 451 and "Z-R6-TROUBLE" in text, (code, text)


# ---- -t ----

def tried(message, recipients, *options, status=0):
    """What zegel-milter -t says of MESSAGE (bytes), as JSON and as text."""
    path = os.path.join(os.environ["LAB"], "try.eml")
    with open(path, "wb") as file:
        file.write(message)
    arguments = ["-t", path, "--sender", SENDER, *options]
    for recipient in recipients:
        arguments += ["--recipient", recipient]
    found = json.loads(harness.command(ZEGEL_MILTER, "--json", *arguments, status=status))
    return found, harness.command(ZEGEL_MILTER, *arguments, status=status).decode()


def test_trying_a_message_says_what_sending_it_does():
    """-t: routes, labels, header and reply are those of a real message; nothing happens"""
    typed, number = walk.new_number()
    recipients = [walk.new_outsider(), unique("p") + "@" + part("ready"), "devries@" + part("own")]
    message = raw(["From: " + SENDER, "Subject: SMS %s recept" % typed, "X-Zegel-A: 1",
                   "x-zegel-a: 2", "X-NTA7516: 7"])
    mark = harness.log_mark()
    found, text = tried(message, recipients, "--login", SENDER)
    assert not harness.log_lines("zegel-milter.*event=|event=promised", mark)
    with harness.without("deliver", "ready"):
        queue_id = send(message, SENDER, recipients)
        file = harness.queue_file(queue_id).decode(errors="replace")
        head = harness.queue_message(queue_id).decode(errors="replace")
    harness.queue_flush()
    real = set(re.findall(r"(?m)^(?:done_)?recipient: (.*\.zegel\.internal)$", file))
    added = {re.search("<(.*)>", change["name"]).group(1) for change in found["changes"]
             if change["change"] == "add-recipient"}
    assert added == real and len(real) == 3, (added, real)
    events = harness.log_lines(" %s: event=routed" % queue_id)
    for one in found["recipients"]:
        expected = "to=%s, route=%s, code=%s, detail=%s" % (
            one["recipient"], one["route"], one["code"], one["detail"])
        assert any(expected in line for line in events), (expected, events)
        assert one["recipient"] + ", route=" + one["route"] in text, text
    for change in found["changes"]:
        if change["change"] in ("set", "insert"):
            line = "%s: %s" % (change["name"], change.get("value", ""))
            assert line in head, (line, head)
    assert not re.search("(?mi)^x-zegel-a", head), head
    assert (found["verdict"], found["sensitive"], found["why"]) == ("take", True,
                                                                    "Z-S2-TRIGGER"), found
    assert "verdict       take" in text and "X-Zegel-Ticket: (sealed)" in text, text
    for secret in (typed, number):
        assert secret not in text and secret not in json.dumps(found), (secret, text)


def test_trying_a_refused_message_says_the_reply():
    """-t: the reply is the one that a client gets; the exit status says which kind"""
    to = [walk.new_outsider(), walk.new_outsider()]
    message = raw(["From: " + SENDER, "Subject: veilig mailen"])
    found, text = tried(message, to, "--login", SENDER, status=1)
    code, said = session(SENDER, ["<%s>" % one for one in to], message)
    reply = found["reply"]
    lines = ["%s %s" % (reply["enhanced"], reply[language]) for language in ("nl", "en")]
    assert reply["code"] == str(code) and said.decode().split("\n") == lines, (found, said)
    assert all(reply["code"] + " " + line in text for line in lines), text
    with harness.without("policyd"):
        found, _ = tried(message, to, "--login", SENDER, status=75)
    assert found["verdict"] == "try-again" and "Z-R6-LATER" in found["reply"]["en"], found


def test_trying_as_anybody_shows_no_secret():
    """-t: who may not read the keys is told so; who forgets an option hears which"""
    path = os.path.join(os.environ["LAB"], "try.eml")
    with open(path, "wb") as file:
        file.write(raw(["From: " + SENDER, "Subject: Afspraak"]))
    os.chmod(path, 0o644)
    arguments = ["-t", path, "--sender", SENDER, "--recipient", walk.new_outsider()]
    text = harness.command("setpriv", "--reuid", "nobody", "--regid", "nogroup",
                           "--groups", harness.command("getent", "group", "postfix")
                           .decode().split(":")[2], ZEGEL_MILTER, *arguments,
                           "--login", SENDER).decode()
    assert "note          no right to read the keys" in text and "verdict       take" in text, text
    for wrong, status in ((["-t", path], 64), (["-t", "/nonexistent"] + arguments[2:], 66),
                          (arguments + ["--client", "x"], 64)):
        assert subprocess.run([ZEGEL_MILTER, *wrong], capture_output=True,
                              check=False).returncode == status, wrong
