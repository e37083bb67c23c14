"""Policy delegation: what Postfix refuses at RCPT because zegel-policyd says so (R4, O3), and
that mail flows on when it says nothing at all (R9).
"""
import contextlib
import os
import signal
import smtplib
import time

import harness as lab
import walk

OWN, OWN2, OUT = lab.part("own"), lab.part("own2"), lab.part("outsider")
ME, OTHER = "janssen@" + OWN, "devries@" + OWN2
STRANGER = "patient@" + OUT
FLOWS_S = 8  # with a policyd that does not answer: 1 s for each recipient that is asked about
LABELS = ("viewer", "direct", "prefer", "own", "seal", "anything")


@contextlib.contextmanager
def session(login=None, source=None):
    server = lab.connect(login, source=source)
    try:
        server.ehlo_or_helo_if_needed()
        yield server
    finally:
        server.close()


def at_rcpt(server, sender, *recipients):
    """[(code, text)] of the RECIPIENTS of a new transaction."""
    server.rset()
    code, text = server.mail(sender)
    assert code == 250, (sender, code, text)
    return [(code, text.decode(errors="replace"))
            for code, text in (server.rcpt(recipient) for recipient in recipients)]


def expect(replies, *codes):
    """Each reply is the refusal of that code, or a yes (None)."""
    assert len(replies) == len(codes)
    for (status, text), code in zip(replies, codes):
        if code is None:
            assert status == 250, (status, text)
        else:
            assert status == 554 and code in text, (status, text, code)
            assert len(text) < 512, text  # RFC 5321 4.5.3.1.5


def expect_refusals():
    """Senders of others are refused again. An smtpd that had been left without an answer only
    finds out with its next question that its connection is of no use."""
    def refuses():
        with session(ME) as server:
            return "Z-O3-SENDER" in at_rcpt(server, OTHER, STRANGER)[0][1]
    lab.wait_for(refuses, "refusal of a sender")


def each_way():
    """A session on 25 without login, and one on 587 with: (server, sender, good recipient)."""
    with session() as server:
        yield server, STRANGER, "janssen@" + OWN
    with session(ME) as server:
        yield server, ME, STRANGER


def test_labels_are_refused():
    """R4: addresses with a label, in all their spellings, from strangers and from our own"""
    for label in LABELS:
        for server, sender, good in each_way():
            expect(at_rcpt(server, sender, "a@x.nl.%s.zegel.internal" % label,
                           "a@x.nl.%s.ZEGEL.Internal" % label, good),
                   "Z-R4-LABEL", "Z-R4-LABEL", None)
    for server, sender, good in each_way():
        # Where Postfix would read a way on; it may find a reason of its own to say no.
        for reply in at_rcpt(server, sender, "a%%x.nl.viewer.zegel.internal@%s" % OWN,
                             "x.nl.viewer.zegel.internal!a@%s" % OWN,
                             '"a@x.nl.viewer.zegel.internal"@%s' % OWN):
            assert reply[0] == 554, reply
        # What only looks like a label.
        expect(at_rcpt(server, sender, good, "zegel.internal@" + good.split("@")[1]),
               None, None)


def test_senders_with_a_label_are_refused():
    """R4: a label at the sender, which only policyd sees"""
    for server, _, good in each_way():
        for sender in ("a@x.nl.viewer.zegel.internal", "a@zegel.internal"):
            expect(at_rcpt(server, sender, good), "Z-R4-LABEL")


def test_senders_of_others_are_refused():
    """O3: at RCPT, by login and by network, with the cure in Dutch and English, and an event"""
    mark = lab.log_mark()
    with session(ME) as server:
        for sender in (OTHER, STRANGER, "a@sub." + OWN, "nobody"):
            expect(at_rcpt(server, sender, STRANGER), "Z-O3-SENDER")
        replies = at_rcpt(server, OTHER, STRANGER)
        for words in ("Verstuur van een adres van uw eigen organisatie",
                      "Send from an address of your own organisation", OTHER):
            assert words in replies[0][1], replies
        for sender in (ME, ME.upper(), "", "anybody@" + OWN):
            expect(at_rcpt(server, sender, STRANGER), None)
    line = lab.wait_log(r"zegel-policyd.* event=refused, ", mark)
    for pair in ("org=praktijk", "code=Z-O3-SENDER", "from=" + OTHER, "to=" + STRANGER,
                 "client=" + lab.ENV["LAB_DESK_ADDR"]):
        assert any(pair in one for one in lab.log_lines("event=refused", mark)), (pair, line)
    with session(source=lab.ENV["LAB_SYSTEM_ADDR"]) as server:
        expect(at_rcpt(server, OTHER, STRANGER), "Z-O3-SENDER")
        expect(at_rcpt(server, ME, STRANGER), None)


def test_nothing_is_said_to_others():
    """O3: strangers may be anybody, and an organisation that observes is not held to it"""
    with session() as server:
        for sender in (STRANGER, "", ME, OTHER):
            expect(at_rcpt(server, sender, ME), None)
    with lab.configured("organisation praktijk", "default", "observe", "policyd"):
        with session(ME) as server:
            expect(at_rcpt(server, OTHER, STRANGER), None)
            expect(at_rcpt(server, ME, "a@x.nl.viewer.zegel.internal"), "Z-R4-LABEL")


@contextlib.contextmanager
def frozen(program):
    """PROGRAM lives and does nothing."""
    pid = int(lab.program_pid(program))
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


def expect_flow():
    """Ordinary mail goes both ways in time, and labels are refused."""
    for login, sender, to in ((ME, ME, walk.new_outsider()), (None, STRANGER, ME)):
        begin = time.monotonic()
        message = lab.mail("Gewoon", body=lab.unique(), sender=sender, to=to,
                           x_ezorg_secbypass="true")
        queue_id = lab.send(message, sender, to, login=login)
        took_s = time.monotonic() - begin
        assert took_s < lab.patience(FLOWS_S), took_s
        lab.wait_delivered(queue_id)
    for server, sender, good in each_way():
        for label in LABELS:
            expect(at_rcpt(server, sender, "a@x.nl.%s.zegel.internal" % label), "Z-R4-LABEL")
        expect(at_rcpt(server, sender, good), None)


def test_mail_flows_without_policyd():
    """R9: policyd killed: ordinary mail flows, labels stay refused; then it refuses again"""
    with session(ME) as server:  # an smtpd that had talked to the one that dies
        expect(at_rcpt(server, ME, STRANGER), None)
        with lab.without("policyd", kill=True):
            expect(at_rcpt(server, ME, STRANGER), None)
            expect_flow()
    expect_refusals()


def test_mail_flows_beside_a_policyd_that_hangs():
    """R9: policyd stopped in its tracks: the same, within seconds"""
    with frozen("policyd"):
        expect_flow()
    expect_refusals()


def test_senders_of_others_are_refused_without_policyd():
    """O3: while policyd is dead the milter still refuses them, at the end of the message"""
    with lab.without("policyd", kill=True):
        refusal = lab.refused(lab.send, lab.mail("x", sender=OTHER), OTHER, STRANGER, login=ME)
        assert "Z-O3-SENDER" in refusal.text, refusal


def test_requests_by_hand():
    """SMTPD_POLICY_README: one answer for one request, also past a SIGHUP; nonsense is cut off"""
    path = "/var/spool/postfix/zegel/policy.sock"
    request = ("request=smtpd_access_policy\nsasl_username=%s\nsender=%s\nrecipient=%s\n"
               "queue_id=\nlater=1\n\n")
    with smtplib.socket.socket(smtplib.socket.AF_UNIX) as client:
        client.settimeout(lab.WAIT_S)
        client.connect(path)
        client.sendall(((request % (ME, ME, STRANGER)) * 2).encode())
        heard = b""
        while heard.count(b"\n\n") < 2:
            heard += client.recv(4096)
        assert heard == b"action=DUNNO\n\n" * 2, heard
        mark = lab.log_mark()
        os.kill(int(lab.program_pid("policyd")), signal.SIGHUP)
        lab.wait_log("event=book,.* result=read", mark)
        client.sendall((request % (ME, OTHER, STRANGER)).encode())
        heard = client.recv(4096)
        assert heard.startswith(b"action=REJECT 5.7.1 Z-O3-SENDER "), heard
        assert heard.endswith(b"\n\n") and len(heard) <= 402, heard
        client.sendall(b"HELO\n\n")
        assert client.recv(4096) == b""
