"""The search for what must lie nowhere: codes, links, numbers, words of messages, passwords.

The tests note what they make (harness.note); links and numbers are also taken from where they
went, the mailboxes and the SMS gateway. After the last test of a run all of it is looked for in
the logs of Postfix, zegel and the web servers, in the trail (also opened with its key) and in
all files that zegel keeps (I3, T20). Who got a message may have it, of course.
"""
import contextlib
import os
import re
import subprocess
import tempfile

import harness
import image
import trail
from harness import ENV

LINK = re.compile(rb"https?://[^\s<>\"]+/[ls]/([\w-]{16,})")
# Six digits that are no part of a longer word, a time, a version or a process id.
CODE = re.compile(rb"(?<![0-9A-Za-z.+_\[-])\d{6}(?![0-9A-Za-z.+_\]-])")
COUNTED = re.compile(rb"(?:(?:bytes|size|pid|uid|nrcpt)=|\" \d{3} )$")  # what a number stands for
COUNTED_BYTES = 16
GATEWAY = ("gammu-smsd",)  # it sends the texts: its log is the telephone company's
WEB_LOGS = ("lighttpd", "nginx", "apache2", "zegel-web")
DIGITS_OF_COUNTRY = 2


def national(number):
    """The two ways to write NUMBER (E.164) whole, without separators."""
    digits = number.lstrip("+")
    return [digits, "0" + digits[DIGITS_OF_COUNTRY:]]


def texts_in_mailboxes():
    for folder, _, names in os.walk(ENV["LAB_MAILDIRS"]):
        for name in names:
            # What is being delivered moves from tmp to new.
            with contextlib.suppress(FileNotFoundError), open(os.path.join(folder, name),
                                                              "rb") as file:
                # Quoted-printable breaks lines within a link.
                yield file.read().replace(b"=\n", b"").replace(b"=\r\n", b"")


def numbers_at_gateway():
    for folder in ("outbox", "sent"):
        for name in os.listdir(os.path.join(ENV["LAB_SMS"], folder)):
            found = re.search(r"_(\+\d+)_", name)
            if found:
                yield found.group(1)


def gather():
    """({word: kind}, codes) of all that was made until now."""
    wanted = {word: kind for kind, words in harness.SECRETS.items() for word in words
              if kind not in ("code", "number")}
    for number in harness.SECRETS["number"].union(numbers_at_gateway()):
        wanted.update(dict.fromkeys(national(number), "number"))
    for text in texts_in_mailboxes():
        wanted.update((token.decode(), "link") for token in LINK.findall(text))
    wanted[ENV["LAB_PASSWORD"]] = "password"
    return wanted, {code.encode() for code in harness.SECRETS["code"]}


def places():
    """The files to look into."""
    yield ENV["LAB_MAIL_LOG"]
    tops = [os.path.join(ENV["LAB"], "log"), ENV["LAB_STATEDIR"]]
    for top in tops + [os.path.join("/var/log", name) for name in WEB_LOGS]:
        for folder, _, names in os.walk(top):
            for name in names:
                path = os.path.join(folder, name)
                if os.path.isfile(path) and name not in GATEWAY:
                    yield path


def find_words(paths, wanted):
    """(path, kind, word) of each of WANTED in PATHS, however it is written."""
    disguised = {disguise: word for word in wanted for disguise in image.disguises(word)
                 if b"\n" not in disguise}
    with tempfile.NamedTemporaryFile(dir=ENV["LAB"]) as patterns:
        patterns.write(b"\n".join(disguised) + b"\n")
        patterns.flush()
        done = subprocess.run(["grep", "-aoHZFf", patterns.name, "--", *paths], check=False,
                              env={**os.environ, "LC_ALL": "C"}, capture_output=True)
    assert done.returncode in (0, 1) or b"No such file" in done.stderr, done.stderr
    lines = (line.split(b"\0", 1) for line in done.stdout.split(b"\n") if b"\0" in line)
    return {(path.decode(), wanted[disguised[hit]], disguised[hit])
            for path, hit in lines if hit in disguised}


def find_codes(paths, codes):
    """The same of access codes, which are too short to be anything by themselves."""
    hits = set()
    for path in paths:
        try:
            with open(path, "rb") as file:
                text = file.read()
        except FileNotFoundError:
            continue
        for found in CODE.finditer(text):
            before = text[max(0, found.start() - COUNTED_BYTES):found.start()]
            if found.group() in codes and not COUNTED.search(before):
                hits.add((path, "code", found.group().decode()))
    return hits


def search():
    """(lines that tell what lies where, how many files, how many secrets)."""
    wanted, codes = gather()
    with tempfile.TemporaryDirectory(dir=ENV["LAB"]) as folder:
        opened = os.path.join(folder, "trail opened with its key")
        with open(opened, "w", encoding="utf-8") as file:
            for record in trail.records():
                file.writelines("%s=%s\n" % pair for pair in record.items())
        paths = sorted(set(places())) + [opened]
        hits = find_words(paths, wanted) | find_codes(paths, codes)
    return (["%s: %s %s" % hit for hit in sorted(hits)], len(paths), len(wanted) + len(codes))
