"""What the system tests use to talk to the lab: mail, queue, log, SMS and programs.

Everything here goes the way an outsider would: SMTP, maildirs, the mail log, the spool of
the SMS gateway. The lab's names and paths come from its environment (tests/lab/lab env).
browser.py has the recipient's browser, image.py the search for a canary.
"""
import contextlib
import functools
import json
import os
import re
import secrets
import smtplib
import socket
import sqlite3
import ssl
import subprocess
import time
from email import message_from_bytes, policy
from email.message import EmailMessage

ENV = {name: value for name, value in os.environ.items() if name.startswith("LAB")}
# What tests made that may lie in no log and in no file of ours, for leaks.py: by kind.
SECRETS = {kind: set() for kind in ("word", "number", "code", "link", "password", "session")}
OF_MESSAGES = ("canary", "onderwerp", "tekst", "antwoord")  # unique words that are content
WAIT_S = 60  # for what must come; what must come in time is measured, see patience()
SANITIZED_PATIENCE = 4


def part(name):
    """The domain that plays NAME: own, own2, community, ready, outsider, ..."""
    return ENV["LAB_" + name.upper()]


def patience(seconds):
    """SECONDS that a program may take; more when sanitizers make it slow."""
    return seconds * (SANITIZED_PATIENCE if ENV["LAB_SANITIZERS"] == "yes" else 1)


def note(kind, secret):
    """Returns SECRET, which from now on may be found nowhere but with those who got it."""
    SECRETS[kind].add(secret)
    return secret


def allow(kind, secret):
    """SECRET may be found: the way it takes on purpose is documented to leave it there."""
    SECRETS[kind].discard(secret)


def unique(word="canary"):
    """A word that occurs nowhere else. One of OF_MESSAGES is for the inside of a message."""
    made = word + secrets.token_hex(8)
    return note("word", made) if word in OF_MESSAGES else made


def wait_for(probe, what, seconds=WAIT_S):
    """Calls PROBE until it returns something true, and returns that."""
    end = time.monotonic() + seconds
    while True:
        result = probe()
        if result:
            return result
        if time.monotonic() > end:
            raise AssertionError("%s did not come within %d s" % (what, seconds))
        time.sleep(0.05)


def command(*argv, data=None, status=0):
    """Runs ARGV with DATA on its input and returns its output; checks the exit STATUS."""
    done = subprocess.run(argv, input=data, capture_output=True, check=False)
    assert status is None or done.returncode == status, (argv, done.returncode,
                                                         done.stderr.decode(errors="replace"))
    return done.stdout


# ---- Sending -------------------------------------------------------------------------

class Refused(Exception):
    """The server said no: .code, .text (all lines joined)."""

    def __init__(self, code, text):
        super().__init__("%d %s" % (code, text))
        self.code = code
        self.text = text


def tls_context():
    """TLS as a careful client has it: the lab's authority, names checked, 1.2 at least."""
    context = ssl.create_default_context(cafile=ENV["LAB_CA"])
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


class OurServer(smtplib.SMTP):
    """Our Postfix, found by its address: also while no name can be looked up."""

    def _get_socket(self, host, port, timeout):
        return super()._get_socket(ENV["LAB_MAIL_ADDR"], port, timeout)


def connect(login=None, port=None, source=None):
    """An SMTP session with our Postfix: after login on 587, else on port 25."""
    source = source or ENV["LAB_DESK_ADDR"]
    port = port or (587 if login else 25)
    server = OurServer("mail." + part("own"), port, timeout=120,
                       local_hostname="desk." + part("own"), source_address=(source, 0))
    if login:
        server.starttls(context=tls_context())
        server.login(login, ENV["LAB_PASSWORD"])
    return server


def send(message, sender, recipients, login="", source=None, options=()):
    """Sends MESSAGE (EmailMessage or bytes) and returns the queue id.

    LOGIN is SENDER unless it is given; None means port 25 without login. Raises Refused
    when any recipient or the message was refused.
    """
    if isinstance(message, EmailMessage):
        message = message.as_bytes(policy=policy.SMTP.clone(max_line_length=998))
    recipients = [recipients] if isinstance(recipients, str) else list(recipients)
    server = connect(sender if login == "" else login, source=source)
    try:
        server.ehlo_or_helo_if_needed()
        code, text = server.mail(sender, list(options))
        for recipient in recipients:
            if code == 250:
                code, text = server.rcpt(recipient)
        if code == 250:
            code, text = server.data(message)
    except smtplib.SMTPResponseException as error:
        code, text = error.smtp_code, error.smtp_error
    finally:
        server.close()
    text = text.decode(errors="replace").replace("\n", " ")
    if code != 250:
        raise Refused(code, text)
    return re.search(r"queued as (\w+)", text).group(1)


def mail(subject, body="Dit is een bericht.\n", sender=None, to=None, **headers):
    """A plain message; HEADERS with _ for -."""
    message = EmailMessage(policy=policy.SMTP)
    message["From"] = sender or "janssen@" + part("own")
    message["To"] = to or "patient@" + part("outsider")
    message["Subject"] = subject
    message["Message-ID"] = "<%s@%s>" % (unique("id"), part("own"))
    for name, value in headers.items():
        message[name.replace("_", "-")] = value
    message.set_content(body)
    return message


def refused(function, *arguments, **keywords):
    """Calls FUNCTION, which must be refused, and returns the Refused."""
    try:
        result = function(*arguments, **keywords)
    except Refused as refusal:
        return refusal
    raise AssertionError("not refused, but %r" % (result,))


class Lmtp:
    """An LMTP session with zegel-deliver, as Postfix has it."""

    SOCKET = "/var/spool/postfix/zegel/deliver.sock"

    def __init__(self):
        self.server = smtplib.LMTP(self.SOCKET, local_hostname="mail." + part("own"))
        self.server.ehlo()

    def deliver(self, sender, recipients, message):
        """One transaction; returns [(code, text)] of the recipients after DATA."""
        code, text = self.server.mail(sender)
        assert code == 250, (code, text)
        for recipient in recipients:
            code, text = self.server.rcpt(recipient)
            assert code == 250, (recipient, code, text)
        code, text = self.server.docmd("DATA")
        assert code == 354, (code, text)
        stuffed = re.sub(rb"(?m)^\.", b"..", message.replace(b"\r\n", b"\n"))
        self.server.send(stuffed.replace(b"\n", b"\r\n") + b".\r\n")
        return [self.server.getreply() for _ in recipients]

    def close(self):
        self.server.close()


# ---- Mailboxes -----------------------------------------------------------------------

class Received:
    """A message in a maildir: .raw bytes, .message parsed."""

    def __init__(self, path):
        with open(path, "rb") as file:
            self.raw = file.read()
        self.message = message_from_bytes(self.raw, policy=policy.default)

    def __contains__(self, text):
        return text.encode() in self.raw

    def text(self):
        """Its text/plain part."""
        return self.message.get_body(("plain",)).get_content()


@functools.lru_cache(maxsize=None)
def _received(path):
    """The message in PATH: what is delivered stays as it is."""
    return Received(path)


def mailbox(address):
    """What lies in the mailbox of ADDRESS, oldest first."""
    user, domain = address.lower().split("@")
    base = os.path.join(ENV["LAB_MAILDIRS"], domain)
    own = os.path.isdir(os.path.join(base, user))
    new = os.path.join(base, user if own else "all", "new")
    if not os.path.isdir(new):
        return []
    paths = sorted((os.path.join(new, name) for name in os.listdir(new)),
                   key=os.path.getmtime)
    found = [_received(path) for path in paths]
    return [one for one in found if one.message["Delivered-To"].lower() == address.lower()]


def wait_mail(address, count=1, seconds=WAIT_S):
    """Waits until ADDRESS has COUNT messages and returns the newest."""
    return wait_for(lambda: (lambda mails: mails[-1] if len(mails) >= count else None)(
        mailbox(address)), "mail for " + address, seconds)


def reports(address):
    """The bounces and delay notices that Postfix sent to ADDRESS. What we tell a sender of his
    messages lies in the same mailbox, and comes when it comes."""
    return [one for one in mailbox(address)
            if one.message.get_content_type() == "multipart/report"]


def wait_report(address, before):
    """Waits until ADDRESS has more reports than BEFORE and returns the first of those."""
    return wait_for(lambda: reports(address)[before:], "report for " + address)[0]


# ---- Queue and log -------------------------------------------------------------------

def queue():
    """The messages in our Postfix's queue, as postqueue -j says it."""
    return [json.loads(line) for line in command("postqueue", "-j").splitlines()]


def queued(queue_id):
    """The queue entry QUEUE_ID, or None."""
    return next((entry for entry in queue() if entry["queue_id"] == queue_id), None)


def queue_flush():
    command("postqueue", "-f")


def flush_deferred(queue_id):
    """Another try for QUEUE_ID, which waits: before it lies in that queue no flush finds it."""
    wait_for(lambda: (queued(queue_id) or {}).get("queue_name") == "deferred",
             "%s among what is deferred" % queue_id)
    queue_flush()


def postcat(options, queue_id):
    """What postcat prints of QUEUE_ID; a file on its way to another queue is looked for again."""
    return wait_for(lambda: command("postcat", options, queue_id, status=None),
                    "queue file " + queue_id)


def queue_file(queue_id):
    """Envelope, header and body of QUEUE_ID, as postcat prints them."""
    return postcat("-q", queue_id)


def queue_message(queue_id):
    """The message QUEUE_ID itself."""
    return postcat("-bhq", queue_id)


def wait_delivered(queue_id, seconds=WAIT_S):
    """Waits until QUEUE_ID has left the queue and returns its lines in the log."""
    wait_for(lambda: log_lines(r" %s: removed" % queue_id), "end of " + queue_id, seconds)
    return log_lines(r" %s: " % queue_id)


def log_mark():
    """The place in the mail log where we are now."""
    sync_log()
    return os.path.getsize(ENV["LAB_MAIL_LOG"])


def sync_log():
    """Waits until the mail log has what was sent to /dev/log before this."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as client:
        client.bind("\0" + unique("sync"))
        client.settimeout(WAIT_S)
        client.connect("/dev/log")
        client.send(b"sync")
        client.recv(16)


def log_lines(pattern, mark=0):
    """The lines of the mail log after MARK that match PATTERN."""
    sync_log()
    with open(ENV["LAB_MAIL_LOG"], "rb") as file:
        file.seek(mark)
        text = file.read().decode(errors="replace")
    return [line for line in text.splitlines() if re.search(pattern, line)]


def wait_log(pattern, mark=0, seconds=WAIT_S):
    """Waits for a line that matches PATTERN after MARK and returns the first."""
    return wait_for(lambda: log_lines(pattern, mark), "log line " + pattern, seconds)[0]


# ---- Postfix -------------------------------------------------------------------------

def _workers(directory):
    """{process id: name} of what the Postfix of DIRECTORY runs."""
    spool = command("postconf", "-c", directory, "-h", "queue_directory").decode().strip()
    with open(spool + "/pid/master.pid", encoding="ascii") as file:
        master = file.read().strip()
    found = {}
    with open("/proc/%s/task/%s/children" % (master, master), encoding="ascii") as file:
        for pid in file.read().split():
            with contextlib.suppress(OSError), open("/proc/%s/comm" % pid,
                                                    encoding="ascii") as name:
                found[pid] = name.read().strip()
    return found


def reload_postfix(directory="/etc/postfix"):
    """The Postfix of DIRECTORY works with its settings and tables as they are now. A reload tells
    its processes to end, and until they do they still take mail the old way; only what is on its
    way out already (smtp, lmtp) is not waited for."""
    before = {pid for pid, name in _workers(directory).items() if name not in ("smtp", "lmtp")}
    # A new process waits a second for a main.cf that may still be being written.
    command("touch", "-d", "1 hour ago", directory + "/main.cf")
    # It says what it does on standard error, which nobody reads.
    subprocess.run(["postfix", "-c", directory, "reload"], check=True,
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    wait_for(lambda: not before & _workers(directory).keys(), "reload of Postfix")


# ---- SMS -----------------------------------------------------------------------------

def sms_texts(number):
    """The texts that went to NUMBER (E.164), oldest first."""
    return command(os.path.join(ENV["LAB_HERE"], "sms-texts"), number).decode().splitlines()


def sms_asked(number):
    """Like sms_texts, with those that the gateway has not sent yet: for "no SMS was sent"."""
    return command(os.path.join(ENV["LAB_HERE"], "sms-texts"), "--all",
                   number).decode().splitlines()


def wait_sms(number, count=1):
    """Waits until COUNT texts went to NUMBER and returns the newest."""
    return wait_for(lambda: sms_texts(number)[count - 1:] or None, "SMS for " + number)[-1]


def code_in(text):
    """The access code in the text of an SMS; it stands there twice, for people and phones."""
    codes = set(re.findall(r"\b\d{6}\b", text))
    assert len(codes) == 1, "%d codes in an SMS" % len(codes)
    return note("code", codes.pop())


# ---- Time ----------------------------------------------------------------------------

AGES = (
    "UPDATE entry SET received_s = received_s - ?1, expires_s = expires_s - ?1,"
    "  notified_s = notified_s - ?1, ended_s = ended_s - ?1 WHERE queue_id = ?2",
    "UPDATE dispatch SET received_s = received_s - ?1, expires_s = expires_s - ?1"
    "  WHERE id IN (SELECT dispatch FROM entry WHERE queue_id = ?2)",
    "UPDATE history SET first_s = first_s - ?1, last_s = last_s - ?1"
    "  WHERE entry IN (SELECT id FROM entry WHERE queue_id = ?2)",
    "UPDATE code SET issued_s = issued_s - ?1, expires_s = expires_s - ?1"
    "  WHERE entry IN (SELECT id FROM entry WHERE queue_id = ?2)",
    "UPDATE session SET started_s = started_s - ?1, seen_s = seen_s - ?1"
    "  WHERE entry IN (SELECT id FROM entry WHERE queue_id = ?2)",
)


def pass_time(queue_id, seconds):
    """SECONDS pass for the message QUEUE_ID alone: all that the store has of it is older."""
    path = os.path.join(ENV["LAB_STATEDIR"], "store", "store.db")
    with contextlib.closing(sqlite3.connect(path, timeout=WAIT_S)) as database, database:
        changed = [database.execute(sql, (seconds, queue_id)).rowcount for sql in AGES]
    assert changed[0] == 1, "%s has %d entries" % (queue_id, changed[0])


# ---- Phone book ----

def forget_number(to, organisation="praktijk"):
    """ORGANISATION remembers no number for TO any more."""
    command(os.path.join(ENV["LAB_SBINDIR"], "zegelctl"), "phone", "forget", organisation, to)


# ---- Programs ------------------------------------------------------------------------

def control(verb, program, *wrapper):
    """lab-ctl VERB PROGRAM: start, stop, kill."""
    command(os.path.join(ENV["LAB_HERE"], "lab-ctl"), verb, program, *wrapper)


def program_pid(program):
    """The process id of PROGRAM, as text."""
    return command(os.path.join(ENV["LAB_HERE"], "lab-ctl"), "pid", program).decode().strip()


class configured:
    """with configured("sms", "command", PATH, "viewer"): zegel.conf has that key, and the
    PROGRAMS that are named run with it."""

    PATH = os.path.join(ENV["LAB_SYSCONFDIR"], "zegel", "zegel.conf")

    def __init__(self, section, key, value, *programs):
        self.section, self.key, self.value, self.programs = section, key, value, programs

    def _restart(self):
        for program in self.programs:
            control("stop", program)
            control("start", program)

    def __enter__(self):
        with open(self.PATH, encoding="utf-8") as file:
            self.before = file.read()
        text = re.sub(r"(?m)^%s *=.*\n" % re.escape(self.key), "", self.before)
        head = "[%s]\n" % self.section
        line = "%s = %s\n" % (self.key, self.value)
        text = text.replace(head, head + line) if head in text else head + line + text
        with open(self.PATH, "w", encoding="utf-8") as file:
            file.write(text)
        self._restart()
        return self

    def __exit__(self, *_):
        with open(self.PATH, "w", encoding="utf-8") as file:
            file.write(self.before)
        self._restart()


class zone:
    """with zone("ready", EDIT): the zone of that part is what EDIT(its text) gives, signed with
    further OPTIONS of ldns-signzone, and served. Nobody has an answer from before, but who
    keeps failures: zegel-policyd does for five seconds."""

    ANSWERS_KEPT_S = 1.1

    def __init__(self, name, edit, *options):
        self.name, self.edit, self.options = name, edit, options
        self.path = os.path.join(ENV["LAB"], "dns", part(name) + ".zone")

    def _publish(self, text, *options):
        with open(self.path, "w", encoding="ascii") as file:
            file.write(text)
        control("zone", self.name, *options)
        time.sleep(self.ANSWERS_KEPT_S)

    def __enter__(self):
        with open(self.path, encoding="ascii") as file:
            self.before = file.read()
        text = self.edit(self.before)
        assert text != self.before or self.options, "the zone of %s stays" % self.name
        self._publish(text, *self.options)
        return self

    def __exit__(self, *_):
        self._publish(self.before)


class without:
    """with without("deliver"): the program is stopped meanwhile (killed if KILL)."""

    def __init__(self, *programs, kill=False):
        self.programs = programs
        self.verb = "kill" if kill else "stop"

    def __enter__(self):
        for program in self.programs:
            control(self.verb, program)
        return self

    def __exit__(self, *_):
        for program in self.programs:
            control("start", program)
