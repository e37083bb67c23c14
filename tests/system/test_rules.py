"""Sender rules, as a client sees them: what is sensitive (S1, S5), methods (S6), limits (S9)."""
import contextlib
import re

import harness as lab
import walk
from harness import part
from test_milter import part_name, raw
from test_routes import read

SENDER = "janssen@" + part("own")
COLLEAGUE = "devries@" + part("own")
ORDINARY, SENSITIVE = "ordinary", "sensitive"


@contextlib.contextmanager
def settled(section, **keys):
    """SECTION of zegel.conf has these keys meanwhile, and the milter runs with them. It is
    killed: libmilter takes seconds to stop."""
    def restart():
        lab.control("kill", "milter")
        lab.control("start", "milter")

    with contextlib.ExitStack() as stack:
        stack.callback(restart)
        for key, value in keys.items():
            stack.enter_context(lab.configured(section, key, value))
        restart()
        yield


def rules(**keys):
    """The same for the organisation of SENDER."""
    return settled("organisation " + part_name(), **keys)


def submit(header=(), subject="Afspraak", sender=SENDER, to=None, login=SENDER):
    """Sends a message with HEADER lines to an outsider (TO); returns (kind, code): what it was
    taken for, and the code that says why. Nobody knows the number of an outsider, so a sensitive
    one is refused; it leaves as ordinary mail only when it is."""
    to = to or walk.new_outsider()
    message = raw(["From: " + (sender or SENDER), "Subject: " + subject, *header])
    try:
        lab.send(message, sender, to, login=login)
    except lab.Refused as refusal:
        assert refusal.code == 550 and "(Z-S7-NUMBER)" in refusal.text, refusal
        assert not lab.mailbox(to)
        return SENSITIVE, reason(header, subject, sender, login)
    assert lab.wait_mail(to)
    return ORDINARY, None


def reason(header, subject, sender, login):
    """Sends the same to a mailbox of our own, which needs no number; the reason in the log."""
    mark = lab.log_mark()
    message = raw(["From: " + (sender or SENDER), "Subject: " + subject, *header])
    queue_id = lab.send(message, sender, COLLEAGUE, login=login)
    line = lab.wait_log(r" %s: event=routed,.* to=%s," % (queue_id, COLLEAGUE), mark)
    return re.search(r"reason=([\w-]+)", line).group(1)


# ---- 003 table 2 ----

# (button "not secure", group that is not secure, group that is, is it sent securely)
TABLE_2 = ((False, False, False, True), (False, False, True, True), (False, True, False, False),
           (True, False, False, False), (True, True, False, False), (True, False, True, False))


def table_2_rows(default, groups):
    """The rows whose groups are GROUPS hold with that default for everybody else."""
    keys = {"default": default}
    if groups[0]:
        keys["plain_senders"] = SENDER
    if groups[1]:
        keys["secure_senders"] = SENDER
    with rules(**keys):
        for button, plain_group, secure_group, secure in TABLE_2:
            if (plain_group, secure_group) != groups:
                continue
            header = ["x-ezorg-secbypass: true"] if button else []
            kind, _ = submit(header)
            assert (kind == SENSITIVE) == secure, (default, button, groups, kind)


def test_table_2_with_the_default_that_setup_chooses():
    """S5 003 table 2: all six rows with default secure"""
    for groups in ((False, False), (False, True), (True, False)):
        table_2_rows("secure", groups)


def test_table_2_with_another_default():
    """S5 003 table 2: the rows with a group hold with default on-request too"""
    for groups in ((False, True), (True, False)):
        table_2_rows("on-request", groups)


# ---- S1 ----

FIELDS = {"sensitive_headers": "X-Label: Geheim; X-Dossier: *", "plain_headers": "X-Label: "
          "Openbaar; X-News: *"}
SECURE, PLAIN = "x-ezorg-secbypass: false", "x-ezorg-secbypass: true"
PRIVATE, YES, NO = "Sensitivity: Private", "x-label: geheim", "X-News: 7"


def holds(cases):
    """CASES are (header, subject, what comes out)."""
    for header, subject, expected in cases:
        seen = submit(header, subject)
        assert seen == expected, (header, subject, seen, expected)


def test_precedence_with_senders_that_are_not_secure():
    """S1: subject, bypass, headers and Sensitivity speak before a table that says no"""
    with rules(plain_senders=part("own"), default="secure", **FIELDS):
        holds((
            ([NO, PLAIN], "veilig mailen x", (SENSITIVE, "Z-S2-TRIGGER")),
            ([NO], "Veiligmailen: x", (SENSITIVE, "Z-S2-TRIGGER")),
            ([NO, SECURE], "x", (SENSITIVE, "Z-S5-BYPASS")),
            ([SECURE, PLAIN], "x", (SENSITIVE, "Z-S5-BYPASS")),
            ([NO, YES], "x", (SENSITIVE, "Z-S1-CONFIGURED")),
            (["X-Dossier: 123"], "x", (SENSITIVE, "Z-S1-CONFIGURED")),
            ([NO, PRIVATE], "x", (SENSITIVE, "Z-S1-SENSITIVITY")),
            (["X-Label: geheimzinnig"], "x", (ORDINARY, None)),
            ([], "onveilig mailen", (ORDINARY, None)),
        ))


def test_precedence_with_senders_that_are_secure():
    """S1: a header of the client that says no is not overruled by a table that says yes"""
    with rules(secure_senders=part("own"), plain_senders=COLLEAGUE, default="on-request",
               **FIELDS):
        holds((
            ([], "x", (SENSITIVE, "Z-S5-SENDER")),
            ([PLAIN], "x", (ORDINARY, None)),
            ([PLAIN, YES, PRIVATE], "x", (ORDINARY, None)),
            ([NO], "x", (ORDINARY, None)),
            (["X-Label: =?utf-8?q?Openbaar?="], "x", (ORDINARY, None)),
        ))
        # The address counts before its domain.
        assert submit([], sender=COLLEAGUE, login=COLLEAGUE) == (ORDINARY, None)


def test_who_is_in_both_tables_is_secure():
    """S5: a sender in both tables is secure"""
    with rules(secure_senders=SENDER, plain_senders=SENDER, default="on-request"):
        assert submit() == (SENSITIVE, "Z-S5-SENDER")


def test_machines_are_sensitive_only_when_the_message_says_so():
    """S5: <>, Auto-Submitted and listed senders need an explicit trigger, whatever the tables"""
    machines = ((dict(sender=""), []), (dict(), ["Auto-Submitted: auto-replied"]),
                (dict(sender=COLLEAGUE, login=COLLEAGUE), []))
    with rules(machine_senders=COLLEAGUE, secure_senders=part("own"), default="secure", **FIELDS):
        assert submit() == (SENSITIVE, "Z-S5-SENDER")
        assert submit(["Auto-Submitted: no"]) == (SENSITIVE, "Z-S5-SENDER")
        for who, header in machines:
            assert submit(header, **who) == (ORDINARY, None), (who, header)
            for extra, subject, code in (([], "veilig mailen", "Z-S2-TRIGGER"),
                                         ([SECURE], "x", "Z-S5-BYPASS"),
                                         ([YES], "x", "Z-S1-CONFIGURED"),
                                         ([PRIVATE], "x", "Z-S1-SENSITIVITY")):
                seen = submit(header + extra, subject, **who)
                assert seen == (SENSITIVE, code), (who, header, extra, subject, seen)


# ---- S6 ----

def sealed(to, subject, header=()):
    """Sends a sensitive message to TO while nobody takes it; {recipient: number in the log}."""
    whom = {one.lower() for one in ([to] if isinstance(to, str) else to)}
    with lab.without("deliver", "community"):
        mark = lab.log_mark()
        queue_id = lab.send(raw(["From: " + SENDER, "Subject: " + subject, *header]), SENDER, to)
        lines = lab.wait_for(lambda: (lambda found: found if len(found) >= len(whom) else None)(
            lab.log_lines(r" %s: event=routed," % queue_id, mark)), "the routes")
        entry = lab.queued(queue_id)  # None: all were our own, and have it
        labels = {one["address"] for one in entry["recipients"]} if entry else ()
        lab.command("postsuper", "-d", queue_id)
    assert all(re.search(r"\.(viewer|direct|own)\.zegel\.internal$", label)
               for label in labels), labels
    return dict(re.search(r" to=([^,]+),.* number=([^,]+)", line).groups() for line in lines)


def masked(number):
    return number[:4] + "*" * (len(number) - 6) + number[-2:]


def refusal_of(to, subject, header=()):
    message = raw(["From: " + SENDER, "Subject: " + subject, *header])
    refusal = lab.refused(lab.send, message, SENDER, to)
    assert refusal.code == 550, refusal
    return re.search(r"\((Z-[\w-]+)\)", refusal.text).group(1)


def test_a_number_is_required():
    """S6 method number: only what holds a number satisfies it; the words alone do not (S2)"""
    to, other = walk.new_outsider(), walk.new_outsider()
    typed, number = walk.new_number()
    with rules(method="number"):
        for subject in ("veilig mailen x", "Veiligmailen"):
            assert refusal_of(to, subject) == "Z-S7-NUMBER"
        assert refusal_of(to, "SMS") == "Z-S2-NO-NUMBER"
        for subject in ("SMS %s x", "x @sms %s"):
            assert sealed(to, subject % typed) == {to: masked(number)}
        assert refusal_of([to, other], "SMS %s x" % typed) == "Z-S7-ONE-NUMBER"
        assert sealed([to, other], "SMS %s x" % typed, ["X-Zegel-SMS: %s +31687654321" % other]
                      ) == {to: masked(number), other: masked("+31687654321")}


def without_number(method):
    """What holds of optional and email alike."""
    to, other = walk.new_outsider(), walk.new_outsider()
    typed, number = walk.new_number()
    with rules(method=method):
        assert sealed(to, "veilig mailen x") == {to: "by-mail"}
        assert sealed([to, other], "veilig mailen x") == {to: "by-mail", other: "by-mail"}
        assert sealed(to, "SMS %s x" % typed) == {to: masked(number)}
        assert sealed([to, other], "veilig mailen", ["X-Zegel-SMS: %s %s" % (to, number)]
                      ) == {to: masked(number), other: "by-mail"}
        assert refusal_of([to, other], "SMS %s x" % typed) == "Z-S7-ONE-NUMBER"
        assert refusal_of(to, "SMS") == "Z-S2-NO-NUMBER"


def test_a_number_is_optional():
    """S6 method optional: without a number the code goes by e-mail, with one by SMS"""
    without_number("optional")


def test_the_code_goes_by_mail():
    """S6 method email: the code goes by e-mail, and a typed number is still used"""
    without_number("email")


def test_no_viewer():
    """S6 method none: who is not reached direct is refused, and who is, is reached"""
    to, partner = walk.new_outsider(), lab.unique("p") + "@" + part("community")
    typed, _ = walk.new_number()
    with rules(method="none"):
        for subject in ("veilig mailen", "SMS %s x" % typed):
            assert refusal_of(to, subject) == "Z-S6-NO-VIEWER"
            assert refusal_of([partner, to], subject) == "Z-S6-NO-VIEWER"
        assert refusal_of(to, "SMS") == "Z-S2-NO-NUMBER"
        assert sealed([partner, COLLEAGUE], "veilig mailen") == {partner: "-", COLLEAGUE: "-"}


# ---- S9 ----

def test_how_many_recipients_a_sensitive_message_may_have():
    """S9: unique recipients of To, Cc and Bcc count; of a sensitive message only"""
    inside = [COLLEAGUE, "dossier@" + part("own"), SENDER]
    with rules(recipients_max="2"):
        assert refusal_of(inside, "veilig mailen") == "Z-S9-RECIPIENTS"
        assert set(sealed(inside[:2] + [COLLEAGUE.upper().replace("DEVRIES", "devries")],
                          "veilig mailen")) == set(inside[:2])
        lab.send(raw(["From: " + SENDER, "Subject: x"]), SENDER, inside)


# ---- S12 ----

@contextlib.contextmanager
def parameter(name, value):
    """Our main.cf has NAME = VALUE meanwhile."""
    path = "/etc/postfix/main.cf"
    before = read(path)
    try:
        lab.command("postconf", "-e", "%s = %s" % (name, value))
        lab.reload_postfix()
        yield
    finally:
        with open(path, "w", encoding="utf-8") as file:
            file.write(before)
        lab.reload_postfix()


def told_of_delay(to, subject, program):
    """A sensitive message to TO waits without PROGRAM, and its sender hears of it; what he reads,
    and the word that nobody outside may read."""
    word = lab.unique()
    message = raw(["From: " + SENDER, "Subject: " + subject], word.encode() + b"\r\n")
    before = len(lab.reports(SENDER))
    assert lab.command("postconf", "-h", "delay_warning_time") == b"4h\n"
    with parameter("delay_warning_time", "1s"), lab.without(program):
        server = lab.connect(SENDER)
        server.ehlo_or_helo_if_needed()
        server.mail(SENDER, ["RET=FULL"])
        server.rcpt(to, ["NOTIFY=NEVER"])
        code, text = server.data(message)
        server.close()
        assert code == 250, (code, text)
        queue_id = re.search(rb"queued as (\w+)", text).group(1).decode()
        lab.wait_for(lambda: lab.log_lines(r" %s: to=.*status=deferred" % queue_id), "a try")
        notice = lab.wait_for(lambda: delay_notice(queue_id, before), "a delay notice", 60)
    assert word not in notice and to in notice, notice.raw
    assert "Delayed Mail" in notice.message["Subject"], notice.raw
    lab.queue_flush()
    return notice, word


def test_a_delayed_message_is_told_of_without_its_content():
    """S12: what waits is told to the sender, with the header alone, whatever NOTIFY asked"""
    to = lab.unique("p") + "@" + part("community")
    _, word = told_of_delay(to, "veilig mailen x", "community")
    assert word in lab.wait_mail(to, seconds=60)


def test_a_delayed_viewer_message_is_told_of_without_its_number():
    """S12 S4: the same for the viewer; the notice holds neither content nor number"""
    to = walk.new_outsider()
    typed, number = walk.new_number()
    notice, word = told_of_delay(to, "SMS %s x" % typed, "deliver")
    assert typed not in notice and number not in notice, notice.raw
    assert word not in lab.wait_mail(to, seconds=60)


def delay_notice(queue_id, before):
    """The newest report to SENDER beyond the first BEFORE; QUEUE_ID is tried again for it."""
    if lab.queued(queue_id):
        lab.command("postqueue", "-i", queue_id)
    new = lab.reports(SENDER)[before:]
    return new[-1] if new else None


def test_success_is_told_when_it_was_asked_for():
    """S12: with NOTIFY=SUCCESS the sender hears of delivery, without the content"""
    word, to = lab.unique(), lab.unique("p") + "@" + part("community")
    message = raw(["From: " + SENDER, "Subject: veilig mailen x"], word.encode() + b"\r\n")
    before = len(lab.reports(SENDER))
    server = lab.connect(SENDER)
    server.ehlo_or_helo_if_needed()
    server.mail(SENDER, ["RET=FULL"])
    server.rcpt(to, ["NOTIFY=SUCCESS"])
    assert server.data(message)[0] == 250
    server.close()
    notice = lab.wait_report(SENDER, before)
    assert to in notice and word.encode() not in notice.raw, notice.raw
    assert "Successful" in notice.message["Subject"], notice.raw
