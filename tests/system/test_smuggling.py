"""SMTP smuggling (T29): nobody hides a second message behind the end of the first."""
import contextlib
import smtplib

import harness
import walk
from harness import part, unique
from test_rules import SENDER

OWN = part("own")
# What one server may take for the end of a message, and another one may not.
ENDS = (b"\n.\n", b"\n.\r\n", b"\r\n.\n", b"\r.\r", b"\r\n.\r", b"\r.\r\n", b"\n.\r", b"\r\n\0.\r\n",
        b"\r\n.\0\r\n", b"\r\n.\r\r\n", b"\n\n.\r\r\n", b"\r\r\n.\r\r\n")


def smuggle(server, end, sender, to, hidden):
    """Sends what holds END and the commands for a second message, to HIDDEN; how often the server
    said that it took one."""
    server.ehlo_or_helo_if_needed()
    assert server.mail(sender)[0] == 250
    assert server.rcpt(to)[0] == 250
    assert server.docmd("DATA")[0] == 354
    first = b"From: %s\r\nSubject: een\r\n\r\nx" % sender.encode()
    content = b"From: %s\r\nSubject: twee\r\n\r\n%s\r\n" % (sender.encode(), hidden[1].encode())
    # BDAT, for Postfix takes nothing that was sent behind DATA before its answer.
    second = b"MAIL FROM:<%s>\r\nRCPT TO:<%s>\r\nBDAT %d LAST\r\n%sQUIT\r\n" % (
        sender.encode(), hidden[0].encode(), len(content), content)
    server.send(first + end + second + b"\r\n.\r\nQUIT\r\n")
    taken = 0
    try:
        while True:
            code, text = server.getreply()
            taken += code == 250 and b"queued as" in text
            if code == 221:
                return taken
    except (smtplib.SMTPServerDisconnected, ConnectionError):
        return taken


def nothing_hidden(connect, sender, to, hidden_to):
    """No end of ENDS makes two messages, at a server that CONNECT() reaches; how many it took."""
    with contextlib.closing(connect()) as server:  # whoever ends the first one may write another
        assert smuggle(server, b"\r\n.\r\n", sender, to, (to, unique())) == 2
    taken = 2
    for end in ENDS:
        word = unique()
        with contextlib.closing(connect()) as server:
            count = smuggle(server, end, sender, to, (hidden_to, word))
        assert count <= 1, (end, count)
        taken += count
    harness.wait_for(lambda: not harness.queue(), "the end of the queue")
    assert not harness.mailbox(hidden_to)
    return taken


def test_from_outside():
    """T29: what comes in on port 25 ends where a line has CRLF, a dot and CRLF"""
    hidden = "%s@%s" % (unique("p"), OWN)
    source = harness.ENV["LAB_READY_ADDR"]
    nothing_hidden(lambda: harness.connect(source=source), "jan@" + part("ready"),
                   "%s@%s" % (unique("p"), OWN), hidden)


def test_by_a_user_of_ours():
    """T29: what a user submits leaves as one message, whatever ends stand in it"""
    to = walk.new_outsider()
    taken = nothing_hidden(lambda: harness.connect(SENDER), SENDER, to, walk.new_outsider())
    harness.wait_for(lambda: len(harness.mailbox(to)) >= taken, "what was taken")
    assert len(harness.mailbox(to)) == taken
