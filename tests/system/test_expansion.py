"""R7: what aliases, lists, .forward files and copies make of a sensitive message.

The lab has an address of ours for each way in which Postfix sends mail on (tests/lab/mail.sh).
"""
import base64
import contextlib
import os
import re
import smtplib
import time

import harness as lab
import image
import walk
from browser import link_in

OWN, LOCAL = lab.part("own"), lab.ENV["LAB_LOCAL"]
OUT, COMMUNITY = lab.part("outsider"), lab.part("community")
SENDER = "janssen@" + OWN
MAIN, MASTER = "/etc/postfix/main.cf", "/etc/postfix/master.cf"
OUTSIDE = (os.path.join(lab.ENV["LAB_MAILDIRS"], OUT), "/var/spool/postfix-outsider")
EXPAND, AGAIN = 10028, 10027  # ports of master.cf.zegel


class Way:
    """An address of ours that sends mail on: to NAME at the outsider's, and to others."""

    def __init__(self, name, domain, *others):
        self.address = "%s@%s" % (name, domain)
        self.outsider = "%s@%s" % (name, OUT)
        self.others = others  # who may read it: mailboxes of ours, the community's


WAYS = (
    Way("alias", OWN),
    Way("keten", OWN),
    Way("team", OWN, "devries@" + OWN, "team@" + COMMUNITY),
    Way("unix", LOCAL),
    Way("lijst", LOCAL, "devries@" + OWN, "balie@" + LOCAL, "lijst@" + COMMUNITY),
    Way("bestand", LOCAL),
    Way("reiziger", LOCAL, "reiziger@" + LOCAL),
    Way("dossier", OWN, "dossier@" + OWN),
)


class Sent:
    """A message on WAY: .canary is its body, .told how much mail the outsider had before."""

    def __init__(self, way, subject="veilig mailen: afspraak", number=True, to=(), body=""):
        self.way = way
        self.canary = lab.unique()
        self.told = len(lab.mailbox(way.outsider))
        self.mark, self.begin_s = lab.log_mark(), int(time.time())
        message = lab.mail(subject, body=self.canary + "\n" + body, to=way.address)
        if number:
            self.number = walk.new_number()[1]
            message["X-Zegel-SMS"] = "%s %s" % (way.outsider, self.number)
        self.message_id = message["Message-ID"]
        self.queue_id = lab.send(message, SENDER, [way.address, *to])

    def _has(self, address):
        return any(self.canary in one for one in lab.mailbox(address))

    def wait_others(self):
        """Everybody but the outsider has the message as it was written."""
        for address in self.way.others:
            lab.wait_for(lambda whom=address: self._has(whom), "mail for " + address)

    def wait_sealed(self):
        """The outsider has a notification, and nowhere a trace of the content."""
        told = lab.wait_mail(self.way.outsider, self.told + 1)
        assert link_in(told), told.raw
        self.wait_others()
        self.nothing_outside()

    def nothing_outside(self):
        for tree in OUTSIDE:
            assert not image.find_in_tree(tree, [self.canary]), (self.way.address, tree)

    def wait_plain(self):
        lab.wait_for(lambda: self._has(self.way.outsider), "mail for " + self.way.outsider)
        self.wait_others()


def secure(*ways):
    return [Sent(way) for way in ways or WAYS]


def waiting(messages):
    """The entries of the queue that are as young as MESSAGES."""
    begin_s = min(message.begin_s for message in messages)
    return [entry for entry in lab.queue() if entry["arrival_time"] >= begin_s]


def wait_gone(*messages):
    """Until nothing of MESSAGES waits any more."""
    lab.wait_for(lambda: not waiting(messages), "the end of the queue")


@contextlib.contextmanager
def master(change):
    """master.cf as the function CHANGE makes it, meanwhile."""
    with open(MASTER, encoding="utf-8") as file:
        before = file.read()
    after = change(before)
    assert after != before
    try:
        with open(MASTER, "w", encoding="utf-8") as file:
            file.write(after)
        lab.reload_postfix()
        yield
    finally:
        with open(MASTER, "w", encoding="utf-8") as file:
            file.write(before)
        lab.reload_postfix()


def closed(port):
    """master.cf without the service at PORT."""
    return master(lambda text: re.sub(r"(?m)^127\.0\.0\.1:%d .*\n(?:[ \t].*\n)*" % port, "", text))


@contextlib.contextmanager
def settings(*values):
    """main.cf with VALUES (name=value) as well, meanwhile."""
    with open(MAIN, encoding="utf-8") as file:
        before = file.read()
    try:
        lab.command("postconf", "-e", *values)
        lab.reload_postfix()
        yield
    finally:
        with open(MAIN, "w", encoding="utf-8") as file:
            file.write(before)
        lab.reload_postfix()


def recipients():
    """{address: why it waits} of all that is in the queue."""
    return {one["address"]: one.get("delay_reason", "")
            for entry in lab.queue() for one in entry["recipients"]}


def wait_waiting(label, reason, count):
    """Until COUNT recipients with LABEL, and nobody else outside, wait for REASON."""
    def enough():
        found = recipients()
        labelled = [address for address, why in found.items()
                    if address.endswith(".%s.zegel.internal" % label) and reason in why]
        return len(labelled) >= count
    lab.wait_for(enough, "%d recipients that wait with .%s" % (count, label))
    bare = [address for address in recipients() if address.endswith("@" + OUT)]
    assert not bare, bare


def start_anew():
    """postsuper -r ALL: every message passes cleanup again, and no milter."""
    before = {entry["queue_id"] for entry in lab.queue()}
    lab.command("postsuper", "-r", "ALL")

    def anew():
        # pickup looks every 60 s by itself; one that is busy closes the fifo.
        lab.command("postkick", "public", "pickup", "W", status=None)
        return before.isdisjoint(entry["queue_id"] for entry in lab.queue())
    lab.wait_for(anew, "new queue ids")


def drain(messages):
    """The queue's next tries deliver all of MESSAGES; .forward and the like need more than one."""
    end = time.monotonic() + lab.patience(40)
    while waiting(messages):
        assert time.monotonic() < end, recipients()
        lab.queue_flush()
        time.sleep(0.5)


def wait_all_sealed(messages):
    drain(messages)
    for message in messages:
        message.wait_sealed()


# ---- Every way -----------------------------------------------------------------------

def test_sensitive_mail_is_sealed_however_it_is_sent_on():
    """R7: virtual alias, team, chain, aliases(5), list, :include:, .forward and bcc: sealed outside, read inside"""
    messages = secure()
    for message in messages:
        message.wait_sealed()
    wait_gone(*messages)


def test_ordinary_mail_is_sent_on_as_before():
    """R9: ordinary mail takes the same ways in the clear, also when all of zegel but the milter is dead"""
    for dead in ((), ("policyd", "deliver", "viewer")):
        with lab.without(*dead, kill=True):
            messages = [Sent(way, "Afspraak", number=False) for way in WAYS]
            for message in messages:
                message.wait_plain()
            for message in messages:
                got = [one for one in lab.mailbox(message.way.outsider) if message.canary in one]
                assert len(got) == 1 and b"X-Zegel" not in got[0].raw, got
            wait_gone(*messages)


def test_a_recipient_of_an_alias_reads_the_message():
    """R7: the link and code of somebody behind an alias open the message, byte for byte"""
    message = Sent(WAYS[0])
    message.wait_sealed()
    told = lab.mailbox(message.way.outsider)[-1]
    sent = type("Sent", (), {"number": message.number, "link": link_in(told)})
    _, page = walk.log_in(sent)
    assert message.canary in page.text


def test_bodies_of_every_shape_come_through_all_passes():
    """K3: long lines, bare CR, NUL, 8-bit bytes and lone dots are the same after three passes"""
    way = WAYS[3]
    number = walk.new_number()[1]
    for body in (b"", b"x" * 70000 + b"\r\n", b"a\rb\x00c\r\n", b"..\r\n\r\n\r\n", b"From x\r\n",
                 b"caf\xe9 \xff\r\n", b"no line end"):
        before = len(lab.mailbox(way.outsider))
        head = "From: %s\r\nSubject: veilig mailen\r\nX-Zegel-SMS: %s %s\r\n\r\n" % (
            SENDER, way.outsider, number)
        lab.send(head.encode() + body, SENDER, way.address)
        lab.wait_mail(way.outsider, before + 1)


def test_the_largest_message_comes_through_all_passes():
    """S11: a message as large as Postfix takes it does not grow too large on its way"""
    limit = int(lab.command("postconf", "-h", "message_size_limit"))
    line = "x" * 75 + "\n"
    message = Sent(WAYS[2], body=line * ((limit - 10000) // 78))  # 78 of 77 in a queue file
    lab.wait_mail(message.way.outsider, message.told + 1, lab.patience(60))
    message.wait_others()


# ---- Faults --------------------------------------------------------------------------

def test_without_the_second_pass_everything_waits():
    """R7 I5: port 10027 closed, postsuper -r ALL: what came out waits with .seal, and is sealed later"""
    with closed(AGAIN):
        messages = secure()
        for _ in range(2):
            lab.queue_flush()
            wait_waiting("seal", "refused", 5)
            start_anew()
        for message in messages:
            message.nothing_outside()
    wait_all_sealed(messages)


def test_what_local_sends_on_waits_without_the_second_pass():
    """R7 I5: 10027 closes after a message passed it for local(8), postsuper -r ALL: what aliases(5), :include: and .forward made of it waits with .seal"""
    ways = [way for way in WAYS if way.address.endswith(LOCAL)]
    with settings("defer_transports=local"):
        messages = secure(*ways)
        lab.wait_for(lambda: sum("deferred transport" in why
                                 for why in recipients().values()) >= len(ways), "local mail")
        with closed(AGAIN):
            lab.command("postconf", "-X", "defer_transports")
            lab.reload_postfix()
            for _ in range(2):
                lab.queue_flush()
                for way in ways:
                    lab.wait_for(lambda name=way.outsider + ".seal.zegel.internal":
                                 "refused" in recipients().get(name, ""), way.outsider)
                start_anew()
            for message in messages:
                message.nothing_outside()
    wait_all_sealed(messages)


def test_header_checks_of_the_site_leave_the_ticket():
    """R4: with zegel_header_keep first, tables that drop every X- header drop no ticket, also after postsuper -r ALL"""
    drop = "/etc/postfix/drop"
    with open(drop, "w", encoding="ascii") as file:
        file.write("/^X-/ IGNORE\n")
    tables = "=regexp:$config_directory/zegel_header_keep, regexp:" + drop
    with settings("header_checks" + tables, "milter_header_checks" + tables):
        with closed(AGAIN):
            messages = secure()
            wait_waiting("seal", "refused", 5)
            start_anew()
            lab.queue_flush()
            wait_waiting("seal", "refused", 5)
        wait_all_sealed(messages)


def test_without_the_expansion_everything_waits():
    """R7 I5: port 10028 closed, postsuper -r ALL: own recipients wait with .own, and are sealed later"""
    with closed(EXPAND):
        messages = secure()
        for _ in range(2):
            lab.queue_flush()
            wait_waiting("own", "refused", 8)
            start_anew()
        for message in messages:
            message.nothing_outside()
    wait_all_sealed(messages)


def test_without_the_milter_the_second_pass_waits():
    """R7 I4: the milter dies between the passes, postsuper -r ALL: all wait, and are sealed later"""
    with closed(AGAIN):
        messages = secure()
        wait_waiting("seal", "refused", 5)
    with lab.without("milter", kill=True):
        lab.queue_flush()
        wait_waiting("seal", "4.7.1", 5)
        start_anew()
        lab.queue_flush()
        wait_waiting("seal", "4.7.1", 5)
        for message in messages:
            message.nothing_outside()
    wait_all_sealed(messages)
    assert not lab.log_lines("status=bounced", messages[0].mark)


def test_without_policyd_the_second_pass_waits():
    """R6: policyd dies between the passes: all wait, and are sealed later"""
    with closed(AGAIN):
        messages = secure()
        wait_waiting("seal", "refused", 5)
    with lab.without("policyd", kill=True):
        lab.queue_flush()
        wait_waiting("seal", "Z-R6-LATER", 5)
        for message in messages:
            message.nothing_outside()
    wait_all_sealed(messages)


def test_ordinary_mail_waits_for_the_second_pass_too():
    """R9: port 10027 closed: an ordinary forward of local(8) waits and then goes"""
    with closed(AGAIN):
        message = Sent(WAYS[3], "Afspraak", number=False)
        wait_waiting("seal", "refused", 1)
    lab.queue_flush()
    message.wait_plain()


def test_lost_transport_entries_send_nothing_to_the_relayhost():
    """R4: without our entries in transport_maps labelled mail comes back, and a relayhost gets nothing"""
    mark = lab.log_mark()
    with settings("transport_maps=", "relayhost=[mail.%s]" % OUT):
        for label in ("viewer", "direct", "own", "seal", "prefer"):
            address = "%s@%s.%s.zegel.internal" % (lab.unique("p"), OUT, label)
            submit(lab.mail("x", to=address).as_bytes(), address)
            line = lab.wait_log(r"to=<%s>.* status=" % re.escape(address), mark)
            assert "status=bounced" in line and "relay=virtual" in line, line
    assert not lab.log_lines(r"outsider/smtpd.*zegel\.internal", mark)


# ---- The sink would get it -----------------------------------------------------------

def submit(message, address, port=10587):
    """Gives MESSAGE (bytes) to a port of ours that no milter of the first pass guards."""
    host = lab.ENV["LAB_MAIL_ADDR"] if port == 10587 else "127.0.0.1"
    server = smtplib.SMTP(host, port, timeout=60, source_address=(host, 0))
    try:
        server.sendmail(SENDER, address, message)
    finally:
        server.close()


def test_control_without_a_label_the_outsider_gets_it():
    """R7 control: the same message without a label, and one past zegel-seal, do reach the outsider"""
    canary, to = lab.unique(), walk.new_outsider()
    submit(lab.mail("veilig mailen", body=canary, to=to).as_bytes(), to)
    assert canary in lab.wait_mail(to)
    with master(lambda text: text.replace("  -o cleanup_service_name=zegel-seal\n", "", 1)):
        message = Sent(WAYS[3])
        message.wait_plain()
    assert image.find_in_tree(OUTSIDE[0], [message.canary])


# ---- Numbers -------------------------------------------------------------------------

def test_no_number_of_an_alias_comes_back_with_the_cure():
    """S7 R7: without a number the message to that one comes back and says what to do; others have it"""
    before = len(lab.reports(SENDER))
    lab.forget_number(WAYS[2].outsider)
    message = Sent(WAYS[2], number=False)
    message.wait_others()
    bounce = lab.wait_report(SENDER, before)
    text = re.sub(r"\s+", " ", bounce.raw.decode())
    assert "(Z-R7-NUMBER)" in text and "Send this recipient a message of their own" in text, text
    assert "Original-Recipient: rfc822;" + message.way.address in text, text
    assert message.canary not in bounce
    message.nothing_outside()
    assert len(lab.mailbox(message.way.outsider)) == message.told


def test_somebody_reached_twice_has_one_message():
    """I2: named and reached by an alias: one entry in the store, one notification"""
    way = WAYS[1]
    message = Sent(way, to=[way.outsider])
    drain([message])  # two at the same moment: zegel-deliver has one come again
    pattern = r"event=stored,.*message-id=%s, to=%s" % (re.escape(message.message_id), way.outsider)
    stored = lab.wait_for(lambda: (lambda lines: lines if len(lines) == 2 else None)(
        lab.log_lines(pattern, message.mark)), "two deliveries")
    references = {re.search(r"ref=(\w+)", line).group(1) for line in stored}
    assert len(references) == 1 and sum("again=yes" in line for line in stored) == 1, stored
    assert len(lab.mailbox(way.outsider)) == message.told + 1


# ---- The ports -----------------------------------------------------------------------

def ticket_of(message):
    """The header X-Zegel-Ticket of a message in a mailbox of ours, unfolded."""
    return re.sub(r"\s+", "", message.message["X-Zegel-Ticket"])


def again(ticket, body, to, count=1):
    """(code, text) for a message of BODY with TICKET at port 10027."""
    head = "From: %s\r\nSubject: x\r\n" % SENDER
    head += "".join("X-Zegel-Ticket: %s\r\n" % ticket for _ in range(count))
    try:
        submit((head + "\r\n").encode() + body, to, AGAIN)
    except smtplib.SMTPDataError as error:
        return error.smtp_code, error.smtp_error.decode()
    return 250, ""


def test_the_second_pass_takes_only_our_own_tickets():
    """T27 K3: a ticket that is forged, doubled, for another body or under an unknown key is refused"""
    message = Sent(WAYS[2])
    message.wait_others()
    got = [one for one in lab.mailbox("devries@" + OWN) if message.canary in one][-1]
    ticket, body = ticket_of(got), got.raw.split(b"\n\n", 1)[1].replace(b"\n", b"\r\n")
    box = bytearray(base64.b64decode(ticket))
    box[-1] ^= 1
    bent = base64.b64encode(box).decode()
    box[-1] ^= 1
    box[2] ^= 1  # the key id, zegel-store(5)
    unknown = base64.b64encode(box).decode()
    for carried, count, content, code, word, event in (
            (bent, 1, body, 550, "Z-TICKET-FORGED", "event=ticket"),
            ("AAAA", 1, body, 550, "Z-TICKET-FORGED", "event=ticket"),
            (ticket, 2, body, 550, "Z-TICKET-DOUBLE", "event=ticket"),
            (ticket, 1, body + b"x\r\n", 550, "Z-K3-HASH", "event=integrity"),
            (unknown, 1, body, 451, "Z-TICKET-KEY", "event=refused")):
        to, mark = walk.new_outsider(), lab.log_mark()
        answer = again(carried, content, to, count)
        assert answer[0] == code and word in answer[1], (word, answer)
        lab.wait_log(r"%s,.*code=%s" % (event, word), mark)
        assert not lab.mailbox(to)
    # A genuine one is taken; it was filed before, so nothing new comes of it.
    assert again(ticket, body, message.way.outsider)[0] == 250
    drain([message])
    lab.wait_log("event=stored,.*to=%s.*again=yes" % message.way.outsider, message.mark)
    lab.wait_mail(message.way.outsider, message.told + 1)
    assert len(lab.mailbox(message.way.outsider)) == message.told + 1


@contextlib.contextmanager
def renamed(organisation):
    """The organisation has another name meanwhile, as far as the milter knows."""
    with open(lab.configured.PATH, encoding="utf-8") as file:
        before = file.read()
    after = before.replace("[organisation %s]" % organisation, "[organisation anders]")
    assert after != before

    def write(text):
        with open(lab.configured.PATH, "w", encoding="utf-8") as file:
            file.write(text)
        lab.control("kill", "milter")
        lab.control("start", "milter")
    try:
        write(after)
        yield
    finally:
        write(before)


def test_a_ticket_of_an_organisation_that_is_not_configured_waits():
    """O1 O2: a ticket counts for the organisation that it names, and for no other"""
    message = Sent(WAYS[2])
    message.wait_others()
    got = [one for one in lab.mailbox("devries@" + OWN) if message.canary in one][-1]
    body = got.raw.split(b"\n\n", 1)[1].replace(b"\n", b"\r\n")
    to, mark = walk.new_outsider(), lab.log_mark()
    with renamed("praktijk"):
        code, text = again(ticket_of(got), body, to)
    assert code == 451 and "Deze ontvanger heeft niets gekregen." in text, (code, text)
    assert "(Z-O1-ORGANISATION)" in text, text
    lab.wait_log("event=refused,.*code=Z-O1-ORGANISATION", mark)
    assert not lab.mailbox(to)
    message.wait_sealed()


def test_labels_come_from_nobody_else():
    """R4: 10026, 10027 and 10028 take no labelled recipient, and only this machine reaches them"""
    for port in (10026, AGAIN, EXPAND):
        with smtplib.SMTP("127.0.0.1", port, timeout=30) as server:
            server.ehlo()
            assert server.mail(SENDER)[0] == 250
            for label in ("viewer", "seal", "own"):
                code, text = server.rcpt("x@%s.%s.zegel.internal" % (OUT, label))
                assert code == 554 and b"Z-R4-LABEL" in text, (port, label, code, text)
        try:
            smtplib.SMTP(lab.ENV["LAB_MAIL_ADDR"], port, timeout=5).close()
            raise AssertionError("%d is open to the network" % port)
        except ConnectionRefusedError:
            pass


def test_marks_of_strangers_are_taken_off():
    """T27: every X-Zegel header that comes in from outside is removed, and nothing else"""
    to, word = "devries@" + OWN, lab.unique()
    raw = ("X-Zegel-Ticket: a\r\nFrom: piet@%s\r\nx-zegel-ticket: b\r\nSubject: %s\r\n"
           "X-ZEGEL-Secure: yes\r\nX-Zegel-Ticket: c\r\nX-Other: d\r\n\r\nx\r\n" % (OUT, word))
    lab.send(raw.encode(), "piet@" + OUT, to, login=None)
    got = lab.wait_for(lambda: [one for one in lab.mailbox(to) if word in one], "mail inward")[0]
    assert b"x-zegel" not in got.raw.lower(), got.raw
    assert got.message["X-Other"] == "d" and got.message["Subject"] == word
