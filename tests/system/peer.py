"""A mail server of somebody else, as far as our port 25 sees one: it signs and it brings.

Its signatures are python3-dkim's, its records stand in the lab's DNS, and what our milter
wrote into a message is read with python3-authres: nothing here is zegel's own work.
"""
import functools
import os
import re
import smtplib

import authres
import dkim

import harness
from harness import Refused, part

SELECTOR = "proef"
SIGNED = [b"from", b"to", b"subject", b"date", b"message-id"]


@functools.lru_cache(maxsize=None)
def key():
    """A private key of 2048 bits, PEM."""
    return harness.command("openssl", "genpkey", "-algorithm", "RSA", "-pkeyopt",
                           "rsa_keygen_bits:2048")


@functools.lru_cache(maxsize=None)
def key_record():
    """The TXT record of its public half, in strings of at most 255 octets."""
    public = harness.command("openssl", "pkey", "-pubout", "-outform", "DER", data=key())
    text = harness.command("base64", "-w", "200", data=public).decode().split()
    return '%s._domainkey TXT "v=DKIM1; k=rsa; p=" %s\n' % (
        SELECTOR, " ".join('"%s"' % piece for piece in text))


def publishes(name, dmarc=None, spf=None, more=""):
    """with publishes("ready", dmarc="p=reject"): the zone of that part has our key, and these
    in the place of its DMARC and SPF records."""
    def edit(text):
        text += key_record() + more
        if dmarc is not None:
            text = re.sub(r'(?m)^_dmarc TXT .*\n', '_dmarc TXT "v=DMARC1; %s"\n' % dmarc
                          if dmarc else "", text)
        if spf is not None:
            text = re.sub(r'"v=spf1[^"]*"', '"v=spf1 %s"' % spf, text)
        return text
    return harness.zone(name, edit)


def message(sender, to, *fields, subject="Verwijzing", body="Dit is een bericht.\r\n"):
    """A message as bytes; FIELDS ("Name: value") stand above the others."""
    lines = ["Received: from elsewhere by relay.test; Sun, 22 Nov 2026 10:00:00 +0000",
             *fields, "From: " + sender, "To: " + to, "Subject: " + subject,
             "Date: Sun, 22 Nov 2026 10:00:00 +0000",
             "Message-ID: <%s@peer>" % harness.unique("id"), "", body]
    return "\r\n".join(lines).encode()


def sign(raw, domain, selector=SELECTOR):
    """RAW with a signature of DOMAIN at its top."""
    return dkim.sign(raw, selector.encode(), domain.encode(), key(),
                     include_headers=SIGNED) + raw


def bring(raw, sender, recipients, source, tls=True, helo=None, certificate=None):
    """Brings RAW to our port 25 from the address SOURCE, with the lab's CERTIFICATE of that name,
    and returns its queue id; Refused when it is not taken."""
    recipients = [recipients] if isinstance(recipients, str) else list(recipients)
    server = harness.connect(source=source)
    server.local_hostname = helo or server.local_hostname
    try:
        if tls:
            context = harness.tls_context()
            if certificate:
                context.load_cert_chain(os.path.join(harness.ENV["LAB"], "pki",
                                                     certificate + ".pem"))
            server.starttls(context=context)
        server.ehlo_or_helo_if_needed()
        code, text = server.mail(sender)
        for recipient in recipients:
            if code == 250:
                code, text = server.rcpt(recipient)
        if code == 250:
            code, text = server.data(raw)
    except smtplib.SMTPResponseException as error:
        code, text = error.smtp_code, error.smtp_error
    finally:
        server.close()
    text = text.decode(errors="replace")
    if code != 250:
        raise Refused(code, text)
    return re.search(r"queued as (\w+)", text).group(1)


class Peer:
    """The server of part NAME, at its own address or SOURCE, which sends for DOMAIN."""

    def __init__(self, name, source=None, domain=None):
        self.name = name
        self.domain = domain or part(name)
        self.source = source or harness.ENV["LAB_%s_ADDR" % name.upper()]
        self.sender = "jan@" + self.domain

    def send(self, *fields, to=None, signed=True, change=None, sender=None, domain=None,
             source=None, tls=True, helo=None, certificate=None, **keywords):
        """Sends a message and returns a Sent. SIGNED by DOMAIN; CHANGE(raw) is what happens to
        it after that."""
        to = to or ["%s@%s" % (harness.unique("p"), part("own"))]
        raw = message(keywords.pop("author", self.sender), to[0], *fields, **keywords)
        if signed:
            raw = sign(raw, domain or self.domain)
        if change is not None:
            raw = change(raw)
        mark = harness.log_mark()
        queue_id = bring(raw, self.sender if sender is None else sender, to,
                         source or self.source, tls, helo or "mail." + self.domain,
                         certificate)
        return Sent(queue_id, to, mark)

    def refused(self, *fields, **keywords):
        """The same, for a message that must be refused: the Refused, two lines of 550."""
        refusal = harness.refused(self.send, *fields, **keywords)
        assert refusal.code == 550 and len(refusal.text.splitlines()) == 2, refusal
        return refusal


def event(line):
    """The pairs of an event's line."""
    return dict(pair.split("=", 1) for pair in line.split(": ", 2)[2].split(", "))


class Sent:
    """A message that was taken."""

    def __init__(self, queue_id, to, mark):
        self.queue_id, self.to, self.mark = queue_id, to, mark

    def verified(self):
        """Its event, which is the only one of its kind."""
        harness.wait_log(r" %s: event=verified" % self.queue_id, self.mark)
        lines = harness.log_lines(r" %s: event=verified" % self.queue_id, self.mark)
        assert len(lines) == 1, lines
        return event(lines[0][lines[0].index(" zegel-milter"):])

    def received(self):
        """It, in the first recipient's mailbox."""
        def find():
            return [one for one in harness.mailbox(self.to[0])
                    if self.queue_id in str(one.message.get_all("Received"))]
        return harness.wait_for(find, "mail " + self.queue_id)[-1]

    def values(self, name):
        """The values of its fields called NAME, unfolded."""
        return [re.sub(r"\s+", " ", str(value)).strip()
                for value in self.received().message.get_all(name, [])]

    def results(self):
        """Our own Authentication-Results, the only one with our name and the first: {method: [(result,
        properties)]}."""
        ours = "mail." + part("own")
        values = self.values("Authentication-Results")
        parsed = authres.AuthenticationResultsHeader.parse(
            "Authentication-Results: " + values[0])
        assert parsed.authserv_id == ours, values
        assert [value for value in values if value.startswith(ours)] == values[:1], values
        found = {}
        for result in parsed.results:
            properties = {"%s.%s" % (one.type, one.name): one.value
                          for one in result.properties}
            found.setdefault(result.method, []).append((result.result, properties))
        return found

    def secure(self):
        """The value of X-Zegel-Secure, or None."""
        values = self.values("X-Zegel-Secure")
        assert len(values) < 2, values
        return values[0] if values else None
