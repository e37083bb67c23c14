"""The audit trail as the system tests read and write it: records, and blocks on the socket."""
import collections
import os
import re
import secrets
import socket
import time
import urllib.parse

import harness
from harness import ENV, command, wait_for

DATABASE = os.path.join(ENV["LAB_STATEDIR"], "audit", "audit.db")
SOCKET = os.path.join(ENV["LAB_STATEDIR"], "audit.sock")
KEY = os.path.join(ENV["LAB_SYSCONFDIR"], "zegel", "keys", "auditd", "audit")
EVENT = re.compile(r" (zegel[\w-]*)\[\d+\]: (\w+): (event=.*)")
OF_THE_TRAIL = {"record", "at", "program", "source", "queue-id"}  # what a line says otherwise


def records(after=0, database=DATABASE):
    """The records behind number AFTER: [{key: value}]."""
    text = command(os.path.join(ENV["LAB_BUILD"], "tests", "system", "read_trail"), database, KEY,
                   str(after)).decode(errors="replace")  # addresses can be any bytes
    return [{name: urllib.parse.unquote(value) for name, value in
             (line.split("=", 1) for line in block.split("\n") if line)}
            for block in text.split("\n\n") if block]


def last(database=DATABASE):
    """The number of the last record, 0 when there is none."""
    return max((int(record["record"]) for record in records(database=database)), default=0)


def wait_record(event_id, after=0, seconds=harness.WAIT_S):
    """Waits for the record of event EVENT_ID behind number AFTER."""
    return wait_for(lambda: next((record for record in records(after)
                                  if record["id"] == event_id), None),
                    "record " + event_id, seconds)


def event_of(line):
    """The event in a LINE of the mail log, {key: value} with its program and queue-id; or None."""
    match = EVENT.search(line)
    if match is None:
        return None
    pairs = dict(pair.split("=", 1) for pair in match.group(3).split(", "))
    return dict(pairs, program=match.group(1), **{"queue-id": match.group(2)})


def logged(mark, programs=r"zegel[\w-]*"):
    """The events that PROGRAMS, a pattern, logged after MARK."""
    events = [event_of(line) for line in harness.log_lines(r" %s\[\d+\]: \w+: event=" % programs,
                                                           mark)]
    return [event for event in events if event]


def check_each_once(events, after=0, seconds=harness.WAIT_S):
    """Each of EVENTS, as logged has them, is in the trail once, with the values of its line."""
    def missing():
        there = collections.Counter(record["id"] for record in records(after))
        return [event["id"] for event in events if event["id"] not in there]
    wait_for(lambda: not missing(), "%d events in the trail" % len(events), seconds)
    found = collections.defaultdict(list)
    for record in records(after):
        found[record["id"]].append(record)
    for event in events:
        assert len(found[event["id"]]) == 1, (event, found[event["id"]])
        record = found[event["id"]][0]
        for key, value in event.items():
            if key == "queue-id" and value == "NOQUEUE":
                assert "queue-id" not in record, record
            else:
                assert record.get(key) == value, (key, event, record)
        assert not set(record) - set(event) - OF_THE_TRAIL, (event, record)


# ---- The socket ----------------------------------------------------------------------

BRING_AS = """
import contextlib, socket, sys
with socket.socket(socket.AF_UNIX) as link, contextlib.suppress(OSError):
    link.connect(sys.argv[1])
    with contextlib.suppress(BrokenPipeError):
        link.sendall(sys.stdin.buffer.read())
        link.shutdown(socket.SHUT_WR)
    while piece := link.recv(65536):
        sys.stdout.buffer.write(piece)
"""


def new_id():
    return secrets.token_hex(16)


def block(event_id, **pairs):
    """The block of an event with EVENT_ID."""
    pairs = dict({"event": "login", "id": event_id,
                  "at": time.strftime("%Y-%m-%dT%H:%M:%S.000000Z", time.gmtime()),
                  "program": "test", "org": "praktijk"}, **pairs)
    return "".join("%s=%s\n" % (key.replace("_", "-"), value)
                   for key, value in pairs.items()) + "\n"


def bring(text, path=SOCKET, answers=1, seconds=10):
    """Sends TEXT as root and returns what comes back until there are ANSWERS, or the end."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as link:
        link.settimeout(seconds)
        link.connect(path)
        got = b""
        try:
            link.sendall(text.encode())
            while got.count(b"\n\n") < answers:
                piece = link.recv(65536)
                if not piece:
                    break
                got += piece
        except OSError:  # the other side died
            pass
    return got.decode()


def bring_as(user, text):
    """The same as USER, with his groups; all that comes back."""
    return command("setpriv", "--reuid", user, "--regid", user, "--init-groups", "python3", "-c",
                   BRING_AS, SOCKET, data=text.encode()).decode()
