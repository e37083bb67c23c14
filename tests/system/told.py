"""What a sender is told of his message, and the ways back to zegel-deliver."""
import os
import re
import sqlite3

import harness
import walk
from harness import command, mail, mailbox, part, wait_for

SENDER = "janssen@" + part("own")
SERVICE = "veilig." + part("own")
STORE = os.path.join(harness.ENV["LAB_STATEDIR"], "store", "store.db")


def letters(message, sender=SENDER):
    """What SENDER got that stands under MESSAGE, oldest first."""
    name = str(message["Message-ID"])
    return [one for one in mailbox(sender) if one.message["In-Reply-To"] == name]


def letters_about(message, kind, sender=SENDER):
    """Those of one KIND: "confirm", "bounced", "delayed", "number", "unopened"."""
    return [one for one in letters(message, sender)
            if str(one.message["Message-ID"]).startswith("<%s." % kind)]


def wait_letter(message, kind, sender=SENDER, seconds=harness.WAIT_S):
    """Waits for the one letter of KIND."""
    found = wait_for(lambda: letters_about(message, kind, sender), kind + " letter", seconds)
    assert len(found) == 1, len(found)
    return found[0]


def check_letter(letter, message, sender=SENDER):
    """What every letter to a sender is: from us, under his message, in two languages, silent
    about the subject, and answered by nobody."""
    header = letter.message
    text = letter.text()
    assert header["From"].addresses[0].addr_spec == "noreply@" + SERVICE, header["From"]
    assert header["To"].addresses[0].addr_spec == sender
    assert header["In-Reply-To"] == header["References"] == str(message["Message-ID"])
    assert header["Return-Path"] == "<>", header["Return-Path"]
    assert header["Auto-Submitted"] == "auto-generated"
    assert "English below" in text and "-" * 40 in text
    assert "Uitslag" not in letter and "Geheim" not in letter
    return text


def status_link(letter):
    """The link to the status page in LETTER."""
    found = re.findall(r"https://\S+/s/[\w-]+", letter.text())
    assert len(set(found)) == 1, found
    assert found[0].startswith(harness.ENV["LAB_VIEWER_URL"]), found
    return found[0]


def secure(to=None, sender=SENDER):
    """A message to the viewer: (queue id, message, recipient, number)."""
    typed, number = walk.new_number()
    to = to or walk.new_outsider()
    message = mail("SMS %s Uitslag" % typed, "Geheime tekst\n", sender=sender, to=to)
    return harness.send(message, sender, to), message, to, number


def reference_of(queue_id, to):
    """The reference of the entry of TO."""
    line = harness.wait_log(r" %s: event=stored.*to=%s" % (queue_id, re.escape(to)))
    return re.search(r"ref=(\w+)", line).group(1)


def query(sql, *values):
    """The first column of the first row that the store has."""
    with sqlite3.connect("file:%s?mode=ro" % STORE, uri=True) as database:
        return database.execute(sql, values).fetchone()[0]


def withdraw(sent):
    """The notification of SENT (walk.Sent) comes back."""
    address = str(sent.notification.message["Return-Path"]).strip("<>")
    report = ("Subject: Undelivered\r\nMIME-Version: 1.0\r\nContent-Type: multipart/report;"
              " report-type=delivery-status; boundary=b\r\n\r\n"
              "--b\r\nContent-Type: message/delivery-status\r\n\r\n"
              "Reporting-MTA: dns; x.example\r\n\r\n"
              "Final-Recipient: rfc822; x\r\nAction: failed\r\nStatus: 5.1.1\r\n\r\n--b--\r\n")
    lmtp = harness.Lmtp()
    answers = lmtp.deliver("", [address], report.encode())
    lmtp.close()
    assert answers[0][0] == 250, answers


class postfix:
    """with postfix(delay_warning_time="1s"): our Postfix runs with these parameters; FOR a part,
    that one's."""

    def __init__(self, directory="/etc/postfix", **parameters):
        self.directory = directory
        self.parameters = parameters

    def _set(self, *arguments):
        command("postconf", "-c", self.directory, *arguments)
        harness.reload_postfix(self.directory)

    def __enter__(self):
        self.before = {name: command("postconf", "-c", self.directory, "-h", name).decode().strip()
                       for name in self.parameters}
        self._set("-e", *("%s=%s" % pair for pair in self.parameters.items()))
        return self

    def __exit__(self, *_):
        self._set("-e", *("%s=%s" % pair for pair in self.before.items()))
