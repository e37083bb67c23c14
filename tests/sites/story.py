#!/usr/bin/python3
"""What happens to a site: the packages come, zegel is set up and used, and all of it goes again.

Run inside by "run". After each step ordinary mail must flow, each kind that the site has. SITE
names the module beside this one that knows the site: its kinds of mail, and what setup is told.
"""
import glob
import importlib
import os
import stat
import subprocess
import sys
import time
import traceback

sys.path[:0] = [os.path.join(os.environ["SITE_TOP"], "tests", directory)
                for directory in ("system", "sites")]
SITE = importlib.import_module("site_" + os.environ["SITE"])
PACKAGES = os.environ["SITE_PACKAGES"]
FLOWS_WITHIN_S = 20
UNITS = ("zegel-auditd", "zegel-policyd", "zegel-milter", "zegel-milter-mx", "zegel-deliver",
         "zegel-viewer")
KEYS = {"milter": ("ticket", "origin"), "deliver": ("link", "store", "ticket", "origin"),
        "viewer": ("store", "origin"), "policyd": ("phone",), "auditd": ("audit",)}
TROUBLE_LINES = 30


def run(*argv, status=0, env=None):
    """Runs ARGV and returns what it printed; STATUS is what it must exit with, None for any."""
    done = subprocess.run(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, check=False, timeout=120,
                          env=dict(os.environ, DEBIAN_FRONTEND="noninteractive", **(env or {})))
    text = done.stdout.decode(errors="replace")
    assert status is None or done.returncode == status, "%s: exit status %d\n%s" % (
        " ".join(argv), done.returncode, text)
    return text


def packages():
    found = sorted(glob.glob(os.path.join(PACKAGES, "*.deb")))
    assert len(found) == 2, found
    return found


def flows(mark):
    """Ordinary mail of each kind arrives; MARK is in it."""
    waiting = {}
    for kind, (send, has_arrived) in SITE.KINDS.items():
        word = "%s-%s" % (mark, kind)
        send(word)
        waiting[kind] = (has_arrived, word)
    end = time.monotonic() + FLOWS_WITHIN_S
    while waiting:
        waiting = {kind: (probe, word) for kind, (probe, word) in waiting.items()
                   if not probe(word)}
        assert not waiting or time.monotonic() < end, "did not arrive: " + " ".join(waiting)
        time.sleep(0.1)


def is_active(unit):
    return run("systemctl", "is-active", unit, status=None).strip() == "active"


def rights(path):
    """"OWNER 0400" of the file at PATH."""
    import pwd  # pylint: disable=import-outside-toplevel
    found = os.stat(path)
    return "%s %04o" % (pwd.getpwuid(found.st_uid).pw_name, stat.S_IMODE(found.st_mode))


# ---- The steps, in their order -------------------------------------------------------------

def before():
    """without zegel mail flows"""


def install():
    """dpkg installs both packages, makes keys, changes nothing of Postfix and starts nothing"""
    before_text = SITE.configuration()
    run("dpkg", "-i", *packages())
    for program, names in KEYS.items():
        for name in names:
            path = "/etc/zegel/keys/%s/%s" % (program, name)
            assert rights(path) == "zegel-%s 0400" % program, (path, rights(path))
    assert SITE.configuration() == before_text
    assert not [unit for unit in UNITS if is_active(unit)]
    assert "failed" not in run("systemctl", "list-units", "--failed", "--plain", "--no-legend")


def install_again():
    """the same packages once more keep the keys"""
    keys = {path: open(path, "rb").read() for path in glob.glob("/etc/zegel/keys/*/*")}
    run("dpkg", "-i", *packages())
    assert keys == {path: open(path, "rb").read() for path in glob.glob("/etc/zegel/keys/*/*")}


def remove():
    """dpkg removes both packages; keys, messages and the trail stay"""
    run("dpkg", "--remove", "zegel-viewer", "zegel")
    assert os.path.exists("/etc/zegel/keys/deliver/store")
    assert os.path.isdir("/var/lib/zegel/store")


def purge():
    """purge without an answer destroys nothing"""
    said = run("dpkg", "--purge", "zegel-viewer", "zegel")
    assert "stay in /var/lib/zegel" in said, said
    assert os.path.exists("/etc/zegel/keys/deliver/store")


def purge_all():
    """purge with a yes destroys keys, messages and the trail"""
    run("dpkg", "-i", *packages())
    subprocess.run(["debconf-set-selections"], input=b"zegel zegel/purge-data boolean true\n",
                   check=True)
    run("dpkg", "--purge", "zegel-viewer", "zegel")
    left = [path for path in ("/etc/zegel", "/var/lib/zegel", "/var/spool/postfix/zegel")
            if os.path.exists(path)]
    assert not left, left


STEPS = (before, install, install_again, remove, purge, purge_all)


def main():
    print("1..%d" % len(STEPS), flush=True)
    bad = 0
    for number, step in enumerate(STEPS, 1):
        try:
            step()
            flows("m%d" % number)
            print("ok %d - %s: %s" % (number, os.environ["SITE"], step.__doc__), flush=True)
        except Exception:  # pylint: disable=broad-except
            bad += 1
            print("not ok %d - %s: %s" % (number, os.environ["SITE"], step.__doc__))
            for line in traceback.format_exc().splitlines()[-TROUBLE_LINES:]:
                print("# " + line)
            sys.stdout.flush()
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
