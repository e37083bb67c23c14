"""Looks for a canary in the raw image of the file system with zegel's state, in any of the
encodings that mail may have given it, and in other files.
"""
import base64
import os
import quopri
import re

from harness import ENV, command

CHUNK_BYTES = 8 << 20


def disguises(word):
    """WORD as it may stand in a file: plain, UTF-16, hex, base64 at each of its offsets."""
    raw = word.encode()
    found = {raw, word.encode("utf-16-le"), word.encode("utf-16-be"), raw.hex().encode(),
             quopri.encodestring(raw).strip()}
    for shift in range(3):
        text = base64.b64encode(b"\0" * shift + raw)
        # The characters at both ends depend on what stands beside the word.
        found.add(text[(shift * 4 + 2) // 3:-4 if (shift + len(raw)) % 3 else None])
    return sorted(found)


def find(path, words):
    """The (word, offset) of each disguise of WORDS in the file at PATH."""
    wanted = {disguise: word for word in words for disguise in disguises(word)}
    pattern = re.compile(b"|".join(re.escape(disguise) for disguise in wanted))
    overlap = max(map(len, wanted))
    hits, offset, tail = [], 0, b""
    with open(path, "rb") as file:
        while chunk := file.read(CHUNK_BYTES):
            block = tail + chunk
            hits += [(wanted[match.group()], offset - len(tail) + match.start())
                     for match in pattern.finditer(block)]
            offset += len(chunk)
            tail = block[-overlap:]
    return hits


def find_in_state(words):
    """Like find, in the image of the file system with zegel's state, after a sync."""
    command("sync", "-f", os.path.join(ENV["LAB_STATEDIR"], "."))
    return find(ENV["LAB_STATE_IMAGE"], words)


def find_in_tree(top, words):
    """Like find, as (path, word, offset), in every file under TOP."""
    hits = []
    for folder, _, names in os.walk(top):
        for name in names:
            path = os.path.join(folder, name)
            if os.path.isfile(path):
                hits += [(path,) + hit for hit in find(path, words)]
    return hits
