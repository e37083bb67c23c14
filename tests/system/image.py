"""Looks for a canary in the raw image of the file system with zegel's state, in any of the
encodings that mail may have given it, and in other files.
"""
import base64
import os
import quopri

from harness import ENV, command

CHUNK_BYTES = 8 << 20
OVERLAP_BYTES = 1024  # more than any disguise of a word


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


def pieces(file):
    """(offset, bytes) of what lies in FILE, without its holes; pieces overlap."""
    end = os.fstat(file.fileno()).st_size
    place = 0
    while place < end:
        try:
            place = os.lseek(file.fileno(), place, os.SEEK_DATA)
        except OSError:  # ENXIO: only a hole is left
            return
        stop = os.lseek(file.fileno(), place, os.SEEK_HOLE)
        while place < stop:
            yield place, os.pread(file.fileno(), CHUNK_BYTES + OVERLAP_BYTES, place)
            place = min(place + CHUNK_BYTES, stop)


def find(path, words):
    """The (word, offset) of each disguise of WORDS in the file at PATH, the first per piece."""
    wanted = [(disguise, word) for word in words for disguise in disguises(word)]
    assert max(len(disguise) for disguise, _ in wanted) < OVERLAP_BYTES
    hits = []
    with open(path, "rb") as file:
        for offset, data in pieces(file):
            places = ((word, data.find(disguise)) for disguise, word in wanted)
            hits += [(word, offset + place) for word, place in places if place >= 0]
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
