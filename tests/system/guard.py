"""Protected messages, and the proof that nobody got one in the clear while ordinary mail flowed.

Every test of a route uses this: what it sends by Guard.secure carries canaries, and at the end
all mailboxes of the lab and a mail server without TLS are searched for them.
"""
import contextlib
import glob
import os
import re
import time

import harness
import walk
from harness import mail, part, send, unique
from sink import Sink

SENDER = "janssen@" + part("own")
TLS = re.compile(r"\(using TLSv1\.[23] with cipher .*\)\s+by\s", re.S)


class Secure:
    """A secure message that was sent: .to, .queue_id, .number (E.164), .subject and .body (its
    canaries), .log (its lines in the log, once asked)."""

    def __init__(self, to, number, typed, sender):
        self.to, self.number = to, number
        self.subject, self.body = unique("onderwerp"), unique("tekst")
        trigger = "SMS " + typed if number else "veilig mailen"
        self.message = mail("%s %s" % (trigger, self.subject), self.body + "\n", to=to,
                            sender=sender)
        self.sender = sender
        self.queue_id = None
        self.mark = harness.log_mark()

    def submit(self):
        """Sends it; raises harness.Refused."""
        self.queue_id = send(self.message, self.sender, self.to)
        return self

    def routed(self):
        """(route, code) that the milter got for it."""
        line = harness.wait_log(r" %s: event=routed,.* to=%s," % (
            self.queue_id, re.escape(self.to)), self.mark)
        return re.search(r"route=(\w+), code=([\w-]+)", line).groups()

    def label(self):
        """The suffix of its recipient in our queue: "direct" or "viewer"."""
        recipients = harness.queued(self.queue_id)["recipients"]
        return re.search(r"\.(\w+)\.zegel\.internal$", recipients[0]["address"]).group(1)

    def tried(self, transport="zegel-direct", mark=None):
        """The line about the first delivery by TRANSPORT, done or not, after MARK."""
        return harness.wait_log(r"postfix/%s/\w+\[.* to=<%s\.\w+\.zegel\.internal>.* status=" % (
            transport, re.escape(self.to)), mark or self.mark)

    def arrived(self):
        """Waits for it in the mailbox of its recipient, who sees no trace of zegel."""
        got = harness.wait_mail(self.to)
        assert self.body in got and got.message["Subject"] == self.subject, got.raw
        assert b"x-zegel" not in got.raw.lower() and "zegel.internal" not in got, got.raw
        assert got.message["X-Original-To"] == self.to, got.raw
        return got

    def notified(self):
        """Waits for its notification, and returns the link."""
        line = self.tried("zegel-store")
        assert "status=sent" in line, line
        return walk.link_in(harness.wait_mail(self.to))

    def drop(self):
        """Takes it out of our queue, if it is there."""
        if self.queue_id and harness.queued(self.queue_id):
            harness.command("postsuper", "-d", self.queue_id)


class Guard:
    """What one test sends, and what must hold of it all."""

    def __init__(self, sink):
        self.sink = sink
        self.sent = []
        self.flowed = False

    def secure(self, name, number=False, sender=SENDER):
        """Sends a secure message to a new address of part NAME, with a number if NUMBER."""
        typed, e164 = walk.new_number() if number else (None, None)
        message = Secure("%s@%s" % (unique("p"), part(name)), e164, typed, sender)
        self.sent.append(message)
        return message.submit()

    def refused(self, name, number=False, sender=SENDER):
        """The same, for a message that must be refused; returns the harness.Refused."""
        return harness.refused(self.secure, name, number, sender)

    def flows(self, names=True):
        """Ordinary mail goes out and comes in. Without NAMES nothing can be looked up: what goes
        out is taken, and leaves when that is over (ends with the Guard)."""
        self.flowed = True
        out, word, own = walk.new_outsider(), unique(), "devries@" + part("own")
        self.sent_ordinary = out, send(mail("gewoon", word, to=out), SENDER, out)
        if names:
            harness.wait_mail(out)
        send(mail(word, sender=out, to=own), out, own, login=None,
             source=harness.ENV["LAB_OUTSIDER_ADDR"])
        harness.wait_for(lambda: any(word in one for one in harness.mailbox(own)), "mail inward")

    def end(self):
        """The proof."""
        assert self.flowed, "the test did not look at ordinary mail"
        harness.wait_for(self._ordinary_left, "ordinary mail outward")
        for message in self.sent:
            message.drop()
        base = harness.ENV["LAB_MAILDIRS"]
        for path in glob.glob(os.path.join(base, "*", "*", "*", "*")):
            self._check_file(path, os.path.relpath(path, base).split(os.sep)[0])
        for message in self.sent:
            assert not self.sink.has(message.body), "in the clear, in the sink"
            assert not self.sink.has(message.subject), "in the clear, in the sink"

    def _ordinary_left(self):
        """Whether it arrived; it may still have waited for names when it was flushed last."""
        if harness.mailbox(self.sent_ordinary[0]):
            return True
        harness.queue_flush()
        time.sleep(1)
        return False

    def _check_file(self, path, domain):
        """Who has a canary is its recipient, and got it over TLS; the sender may read his own
        subject in a notice."""
        ours = domain in (part("own"), part("own2"))
        got = harness.Received(path)
        for message in self.sent:
            if not any(word in got for word in (message.body, message.subject)[:2 - ours]):
                continue
            assert got.message["Delivered-To"] == message.to, (path, got.raw)
            assert ours or TLS.search(str(got.message.get_all("Received")[0])), got.raw


@contextlib.contextmanager
def guard(offer=False):
    """A Guard; the mail server of stripped takes mail meanwhile. OFFER as in Sink."""
    with Sink(harness.ENV["LAB_STRIPPED_ADDR"], offer) as sink:
        watch = Guard(sink)
        try:
            yield watch
        except BaseException:
            for message in watch.sent:
                message.drop()
            raise
        watch.end()
