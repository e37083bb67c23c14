"""zegelctl doctor, and mistakes to plant for it."""
import contextlib
import json
import os
import re
import shutil

import harness as lab
from test_zegelctl import zegelctl

MAIN = "/etc/postfix/main.cf"
MASTER = "/etc/postfix/master.cf"
DKIM = os.path.join(lab.ENV["LAB_SYSCONFDIR"], "zegel", "dkim")
FINDINGS = ("wrong", "warning", "unknown")


def doctor(*ids):
    """(exit status, what zegelctl doctor IDS --json found, as it prints it)"""
    status, text, errors = zegelctl("doctor", "--json", *ids)
    assert status in (0, 1, 75), (ids, status, errors)
    return status, json.loads(text)


def findings(*ids):
    """(exit status, what is not right)"""
    status, found = doctor(*ids)
    return status, [one for one in found if one["state"] in FINDINGS]


def is_found(name, state, what, cure):
    """The check NAME says in STATE something that matches WHAT, and CURE."""
    status, found = findings(name)
    fitting = [one for one in found if one["state"] == state and re.search(what, one["what"])]
    assert fitting, "%s says %s, not %s" % (name, found, what)
    assert all(re.search(cure, one["cure"]) for one in fitting), fitting
    known = any(one["state"] != "unknown" for one in found)
    assert status == (1 if known else 75), (name, status)


def is_good(name):
    """The check NAME finds nothing."""
    status, found = doctor(name)
    assert status == 0 and [one["state"] for one in found] == ["good"], (name, status, found)


@contextlib.contextmanager
def kept(*paths):
    """The files are at the end what they were before, or not there again."""
    before = {}
    for path in paths:
        if os.path.exists(path):
            with open(path, "rb") as file:
                before[path] = file.read(), os.stat(path)
    try:
        yield
    finally:
        for path in paths:
            if path not in before:
                with contextlib.suppress(FileNotFoundError):
                    os.unlink(path)
                continue
            content, status = before[path]
            with open(path, "wb") as file:
                file.write(content)
            os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


@contextlib.contextmanager
def edited(path, edit):
    """The file at PATH is what EDIT(its text) gives."""
    with kept(path):
        with open(path, encoding="utf-8") as file:
            before = file.read()
        after = edit(before)
        assert after != before, "%s stays" % path
        with open(path, "w", encoding="utf-8") as file:
            file.write(after)
        yield


def written(path, text):
    """There is a file PATH with TEXT."""
    @contextlib.contextmanager
    def manager():
        with kept(path):
            with open(path, "w", encoding="utf-8") as file:
                file.write(text)
            yield
    return manager()


@contextlib.contextmanager
def postconf(*words):
    """As postconf WORDS leaves main.cf and master.cf. Postfix itself is told nothing."""
    with kept(MAIN, MASTER):
        lab.command("postconf", *words)
        yield


def main(*settings):
    return postconf("-e", *settings)


def master(*settings):
    return postconf("-P", *settings)


@contextlib.contextmanager
def both(*contexts):
    with contextlib.ExitStack() as stack:
        for one in contexts:
            stack.enter_context(one)
        yield


def _key_record():
    """What stands in the zone of own behind the name of its key."""
    with open(os.path.join(lab.ENV["LAB"], "dns", lab.part("own") + ".zone"),
              encoding="ascii") as file:
        return re.search(r"(?m)^\S+\._domainkey (TXT .*)$", file.read()).group(1)


@contextlib.contextmanager
def signed_by(domains):
    """The public half of own's key is that of DOMAINS too."""
    source = os.path.join(DKIM, lab.part("own"), lab.ENV["LAB_SELECTOR"] + ".pub")
    try:
        for domain in domains:
            os.mkdir(os.path.join(DKIM, domain))
            shutil.copy(source, os.path.join(DKIM, domain))
        yield
    finally:
        for domain in domains:
            shutil.rmtree(os.path.join(DKIM, domain), ignore_errors=True)


@contextlib.contextmanager
def good_domains():
    """All our domains have what the lab gives to one alone: a key, and SPF."""
    own, own2, record = lab.part("own"), lab.part("own2"), _key_record()
    key = lab.ENV["LAB_SELECTOR"] + "._domainkey"

    def more(*lines):
        return lambda text: text.rstrip("\n") + "\n" + "\n".join(lines) + "\n"

    with both(lab.zone("own", more(key + ".post " + record, key + ".veilig " + record,
                                   'post TXT "v=spf1 mx:%s -all"' % own)),
              lab.zone("own2", more(key + " " + record, key + ".veilig " + record)),
              signed_by(["post." + own, "veilig." + own, own2, "veilig." + own2])):
        yield
