"""The examples of man/*.[1-8]: which there are, and what executes one in the lab.

An example is a literal block (.Bd -literal) or a line .Dl. Its commands stand behind "# " or "$ ",
and then what has no such sign is what they print; or all of its lines are commands.
"""
import glob
import os
import re
import subprocess
import tempfile

import harness as lab
from harness import ENV, part

SOURCE = os.path.realpath(os.path.join(os.path.dirname(os.path.realpath(__file__)), "..", ".."))
ESCAPES = {"e": "\\", "&": "", "-": "-", "(dq": '"', "(aq": "'"}
PROMPT = ("# ", "$ ")
LIMIT_S = 60
# What the pages say where the lab has another name; more specific ones first.
NAMES = (
    ("/usr/libexec/zegel", os.path.join(ENV["LAB_LIBEXECDIR"], "zegel")),
    ("/usr/sbin/zegelctl", os.path.join(ENV["LAB_SBINDIR"], "zegelctl")),
    ("/etc/zegel", os.path.join(ENV["LAB_SYSCONFDIR"], "zegel")),
    ("/var/lib/zegel", ENV["LAB_STATEDIR"]),
    ("/var/log/mail.log", ENV["LAB_MAIL_LOG"]),
    ("huisartsdelinden.example", part("own")),
    ("linden.example", part("own")),
    ("noord.nl", part("own")),
    ("partner.nl", part("community")),
    ("partner.example", part("community")),
    ("patient.example", part("outsider")),
    ("example.com", part("outsider")),
    ("example.nl", part("ready")),
    ("organisation=noord", "organisation=praktijk"),
)


class Example:
    """One block: .page ("zegelctl.8"), .line in it, .text."""

    def __init__(self, page, line, text):
        self.page, self.line, self.text = page, line, text

    def __str__(self):
        return "%s:%d: %s" % (self.page, self.line, self.text.split("\n", maxsplit=1)[0])

    def named(self, **names):
        """Its text with the names that the lab has, those of NAMES (theirs=ours) first."""
        return rename(self.text, names)

    def steps(self, text):
        """[(command, what it is given or shown to print)] of TEXT."""
        if not text.startswith(PROMPT):
            return [(text, "")]
        steps, open_end = [], False
        for line in text.split("\n"):
            if line.startswith(PROMPT):
                steps.append([line[2:], []])
            elif open_end:
                steps[-1][0] += "\n" + line
            else:
                steps[-1][1].append(line)
            open_end = line.endswith("\\")
        return [(command, "\n".join(others)) for command, others in steps]


def rename(text, names):
    for theirs, ours in [*names.items(), *NAMES]:
        text = text.replace(theirs, ours)
    return text


def plain(line):
    """LINE of a literal block as it is read."""
    return re.sub(r"\\(\([a-z]{2}|.)", lambda match: ESCAPES[match.group(1)], line)


def examples(path):
    """The examples of the page at PATH, in order."""
    found, block, start = [], None, 0
    page = os.path.basename(path)
    with open(path, encoding="utf-8") as file:
        for number, line in enumerate(file.read().split("\n"), 1):
            if block is not None and line == ".Ed":
                found.append(Example(page, start, "\n".join(block)))
                block = None
            elif block is not None:
                block.append(plain(line))
            elif line.startswith(".Bd -literal"):
                block, start = [], number + 1
            elif re.match(r"\.Dl (?![A-Z][a-z] )", line):  # with macros it is syntax
                found.append(Example(page, number, plain(line[len(".Dl "):])))
    return found


def pages():
    return sorted(glob.glob(os.path.join(SOURCE, "man", "*.[1-8]")))


# ---- Execution -----------------------------------------------------------------------

def make_place():
    """A directory in which the commands of a page are: the top of the tree, and files."""
    place = tempfile.mkdtemp(prefix="manual-", dir=ENV["LAB"])
    os.chmod(place, 0o755)
    os.symlink(os.path.join(SOURCE, "contrib"), os.path.join(place, "contrib"))
    return place


def execute(script, place, status=(0,), apart=True):
    """What SCRIPT prints, run by a shell in PLACE. APART: with an /etc of its own, so that it may
    change what it wants there. Standard error counts as printed when it fails."""
    head = ""
    if apart:
        head = ("etc=$(mktemp -d $PWD/etc-XXXX)\nmkdir $etc/up $etc/work\n"
                "mount -t overlay own -o lowerdir=/etc,upperdir=$etc/up,workdir=$etc/work /etc\n")
    env = dict(os.environ, PATH=os.path.join(SOURCE, "tests/system/manual_bin") + ":" +
               os.environ["PATH"])
    done = subprocess.run(["unshare", "--mount", "bash", "-ec", head + script], cwd=place, env=env,
                          capture_output=True, check=False, timeout=LIMIT_S)
    text = done.stdout.decode()
    assert done.returncode in status, (script, done.returncode, text, done.stderr.decode())
    return text


# ---- What is shown -------------------------------------------------------------------

MASKS = (
    (r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d [A-Z]+", "TIME"),
    (r"\d{4}-\d\d-\d\d", "DAY"),
    (r"\+\d+\*+\d+", "NUMBER"),
    (r"\b(?=\w*\d)(?=\w*[A-Za-z])\w{10,}\b", "ID"),
    (r"\b\d+(\.\d+)? s\b", "SECONDS"),
    (r"\b\d+ (messages|events)\b", r"COUNT \1"),
)


def shape(text):
    """TEXT without what differs each time, and without its line ends."""
    for pattern, word in MASKS:
        text = re.sub(pattern, word, text)
    return re.sub(r"\s+", " ", text).strip()


def same(shown, printed):
    """What is PRINTED is what is SHOWN; "..." stands for anything."""
    pattern = re.escape(shape(shown)).replace(re.escape("..."), ".*?")
    assert re.fullmatch(pattern, shape(printed)), "shown:\n%s\nprinted:\n%s" % (
        shape(shown), shape(printed))


def keys_of(line):
    """(event, [its keys]) of a line of the log, or None."""
    event = re.search(r"event=([\w-]+)(.*)", line)
    return (event.group(1), re.findall(r", ([\w-]+)=", event.group(2))) if event else None


def logged(shown):
    """Each event of the lines that are SHOWN stands in the mail log, with those keys."""
    lines = [keys_of(line) for line in lab.log_lines("event=")]
    wanted = [keys_of(line) for line in re.sub(r"\n\s+", " ", shown).split("\n")]
    assert wanted and all(wanted), shown
    for event, keys in wanted:
        assert any(name == event and there[:len(keys)] == keys for name, there in lines), (
            event, keys, [there for name, there in lines if name == event][:3])
