"""What the lints share: the tree, C text without comments and strings, and TAP.

A lint is a program with a list of rules. A rule takes a Tree and yields complaints,
strings such as "milter/main.c:12: what is wrong". Each rule is one TAP line; a rule that
yields anything fails. The tree is the first argument, else G_TEST_SRCDIR, else the one that
this file stands in.
"""

import os
import re
import shutil
import subprocess
import sys

MADE_BY_AUTOTOOLS = {
    "aclocal.m4", "autom4te.cache", "build-aux", "configure", "configure~", "config.h.in",
    "config.h.in~", "m4", "Makefile.in", "__pycache__", ".git",
}
# Bytes of others, kept as they are: mail, pictures, fuzz input.
DATA = ("tests/data/", "tests/fuzz/corpus/")


class Tree:
    """The files of a source tree: those git knows of, or all of an unpacked archive."""

    def __init__(self, root):
        self.root = os.path.abspath(root)
        self.paths = sorted(p for p in self._list() if os.path.isfile(self.full(p)))

    def full(self, path):
        return os.path.join(self.root, path)

    def _list(self):
        if os.path.exists(self.full(".git")) and shutil.which("git") is not None:
            # Root may look at a clone that belongs to somebody else.
            git = subprocess.run(
                ["git", "-c", "safe.directory=*", "-C", self.root, "ls-files", "-z",
                 "--cached", "--others", "--exclude-standard"],
                capture_output=True, check=False)
            if git.returncode == 0:
                return [p.decode() for p in git.stdout.split(b"\0") if p]
        return self._walk()

    def _walk(self):
        for base, dirs, files in os.walk(self.root):
            top = base == self.root
            dirs[:] = [d for d in dirs if d not in MADE_BY_AUTOTOOLS
                       and not (top and d.startswith(("build", "_build", "_inst")))]
            for name in files:
                if name not in MADE_BY_AUTOTOOLS:
                    yield os.path.relpath(os.path.join(base, name), self.root)

    def select(self, *suffixes, data=False):
        """Paths that end in one of SUFFIXES (all when there is none), without test data."""
        return [p for p in self.paths
                if (not suffixes or p.endswith(suffixes))
                and (data or not p.startswith(DATA))]

    def bytes(self, path):
        with open(self.full(path), "rb") as file:
            return file.read()

    def text(self, path):
        return self.bytes(path).decode("utf-8", "replace")

    def texts(self, *suffixes):
        """(path, text) of every text file, without test data."""
        for path in self.select(*suffixes):
            raw = self.bytes(path)
            if b"\0" not in raw:
                yield path, raw.decode("utf-8", "replace")


C_PIECE = re.compile(
    r"/\*.*?\*/|//[^\n]*|\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])*'", re.DOTALL)


def blank(text):
    """TEXT with everything but line ends replaced by spaces."""
    return re.sub(r"[^\n]", " ", text)


def c_code(text):
    """C source with comments blanked, and strings blanked but for their quotes."""
    def replace(match):
        piece = match.group()
        if piece[0] in "\"'":
            return piece[0] + blank(piece[1:-1]) + piece[-1]
        return blank(piece)
    return C_PIECE.sub(replace, text)


def c_without_comments(text):
    """C source with comments blanked and strings kept."""
    return C_PIECE.sub(
        lambda match: match.group() if match.group()[0] in "\"'" else blank(match.group()),
        text)


def line_of(text, offset):
    return text.count("\n", 0, offset) + 1


def top():
    here = os.path.dirname(os.path.abspath(__file__))
    if len(sys.argv) > 1:
        return sys.argv[1]
    return os.environ.get("G_TEST_SRCDIR") or os.path.join(here, "..", "..")


def run(rules):
    """Applies RULES (of (name, function)) to the tree, prints TAP and exits."""
    tree = Tree(top())
    print(f"1..{len(rules)}")
    bad = 0
    for number, (name, rule) in enumerate(rules, 1):
        complaints = list(rule(tree))
        bad += bool(complaints)
        print(f"{'not ok' if complaints else 'ok'} {number} - {name}")
        for complaint in complaints:
            print(f"# {complaint}")
    sys.stdout.flush()
    sys.exit(1 if bad else 0)
