#!/usr/bin/python3
"""What happens to a site: the packages come, zegel is set up and used, and all of it goes again.

Run inside by "run". After each step ordinary mail must flow, each kind that the site has. SITE
names the module beside this one that knows the site: its kinds of mail, and what setup is told.
"""
import glob
import importlib
import json
import os
import stat
import subprocess
import sys
import time
import traceback

sys.path[:0] = [os.path.join(os.environ["SITE_TOP"], "tests", directory)
                for directory in ("system", "sites")]
import walk  # pylint: disable=wrong-import-position
import ways  # pylint: disable=wrong-import-position
from browser import link_in  # pylint: disable=wrong-import-position
from harness import ENV, mail, part, unique, wait_mail  # pylint: disable=wrong-import-position

SITE = importlib.import_module("site_" + os.environ["SITE"])
PACKAGES = os.environ["SITE_PACKAGES"]
FLOWS_WITHIN_S = 20
UNITS = ("zegel-auditd", "zegel-policyd", "zegel-milter", "zegel-milter-mx", "zegel-deliver",
         "zegel-viewer")
KEYS = {"milter": ("ticket", "origin"), "deliver": ("link", "store", "ticket", "origin"),
        "viewer": ("store", "origin"), "policyd": ("phone",), "auditd": ("audit",)}
NOT_OURS = {"tls-offered", "tls-floor", "domain-spf", "domain-dkim"}  # of zegel-doctor(7)
BACKUP = "/root/backup"
TIMERS = ("zegel-probe.timer", "zegel-watch.timer")  # of what is looked after while zegel serves
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


# ---- Secure mail -----------------------------------------------------------------------------

class Secure:
    """A message to an outsider whose subject asks for a code by SMS: .to, .number, .word."""

    def __init__(self):
        typed, self.number = walk.new_number()
        self.to, self.word = walk.new_outsider(), unique("tekst")
        SITE.send(mail("SMS %s Uitslag" % typed, self.word + "\n", sender=SITE.SENDER, to=self.to))

    def read(self):
        """Waits for the notification, and reads the message as its recipient does."""
        notification = wait_mail(self.to)
        assert self.word not in notification
        self.link = link_in(notification)
        _, page = walk.log_in(self)
        assert self.word in page.text, page.text


def web_server():
    """nginx with our piece, as zegel-viewer(8) tells an administrator to add it."""
    with open("/usr/share/zegel/nginx/zegel.conf", encoding="utf-8") as file:
        text = file.read()
    pem = os.path.join(ENV["LAB"], "pki", "web.pem")
    for end in ("fullchain.pem", "privkey.pem"):
        text = text.replace("/etc/letsencrypt/live/mail.example.nl/" + end, pem)
    with open("/etc/nginx/sites-available/zegel", "w", encoding="utf-8") as file:
        file.write(text.replace("mail.example.nl", "veilig." + part("own")))
    run("ln", "-sf", "../sites-available/zegel", "/etc/nginx/sites-enabled/zegel")
    run("rm", "-f", "/etc/nginx/sites-enabled/default")
    run("systemctl", "restart", "nginx")


def process_ids():
    return {unit: run("systemctl", "show", "-P", "MainPID", unit) for unit in UNITS}


# ---- The steps, in their order ---------------------------------------------------------------

BEFORE = {}  # what ways.files() was at the beginning
READABLE = []  # messages that were sent


def before():
    """without zegel mail flows"""
    SITE.ready()
    BEFORE.update(ways.files())


def install():
    """dpkg installs both packages, makes keys, changes nothing of Postfix and starts nothing"""
    run("dpkg", "-i", *packages())
    for program, names in KEYS.items():
        for name in names:
            path = "/etc/zegel/keys/%s/%s" % (program, name)
            assert rights(path) == "zegel-%s 0400" % program, (path, rights(path))
    assert ways.files() == BEFORE
    assert not [unit for unit in UNITS if is_active(unit)]
    assert not run("systemctl", "list-units", "--failed", "--plain", "--no-legend").strip()


def keys_of_all():
    return {path: open(path, "rb").read() for path in glob.glob("/etc/zegel/keys/*/*")}


def install_again():
    """the same packages once more keep the keys, and give a program the copy that it misses"""
    keys = keys_of_all()
    os.unlink("/etc/zegel/keys/deliver/ticket")
    run("dpkg", "-i", *packages())
    assert keys == keys_of_all()
    assert rights("/etc/zegel/keys/deliver/ticket") == "zegel-deliver 0400"


def lost_key():
    """no new key is made in the place of one that is lost"""
    os.rename("/etc/zegel/keys/auditd/audit", "/root/audit")
    with open("/var/lib/zegel/audit/audit.db", "w", encoding="utf-8"):
        pass
    said = run("zegelctl", "key", "complete", status=78)
    assert "audit key is not" in said and not os.path.exists("/etc/zegel/keys/auditd/audit"), said
    os.rename("/root/audit", "/etc/zegel/keys/auditd/audit")
    os.unlink("/var/lib/zegel/audit/audit.db")


def set_up():
    """zegelctl setup adds zegel, and all programs run"""
    web_server()
    run("zegelctl", "setup", "--yes", "--domains", part("own"), "--name", "Praktijk Voorbeeld",
        "--default", "on-request", "--sms", "gammu", *SITE.SETUP)
    SITE.after_setup(run)
    assert all(is_active(unit) for unit in UNITS + TIMERS)


def secure():
    """a secure message is sent, and read after a code by SMS"""
    READABLE.append(Secure())
    READABLE[0].read()


def examined():
    """zegelctl doctor finds nothing but what the site and its DNS never had"""
    found = json.loads(run("zegelctl", "doctor", "--json", status=None))
    bad = [one for one in found if one["state"] not in ("good", "absent")]
    assert len(found) > 60 and {one["id"] for one in bad} <= NOT_OURS, bad


def upgrade():
    """an upgrade starts all programs anew, and what was sent before is read after it"""
    READABLE.append(Secure())
    wait_mail(READABLE[1].to)
    running = process_ids()
    run("dpkg", "-i", *packages())
    assert not set(running.items()) & set(process_ids().items()), (running, process_ids())
    assert all(is_active(unit) for unit in UNITS)
    READABLE[1].read()


def upgrade_refused():
    """an upgrade that does not take zegel.conf leaves the old programs running, and says so"""
    with open("/etc/zegel/zegel.conf", encoding="utf-8") as file:
        text = file.read()
    with open("/etc/zegel/zegel.conf", "a", encoding="utf-8") as file:
        file.write("\n[milter]\nunheard = of\n")
    running = process_ids()
    said = run("dpkg", "-i", *packages(), status=1)
    assert "unheard" in said and "still running" in said, said
    now = process_ids()
    assert all(now[unit] == running[unit] for unit in UNITS if unit != "zegel-viewer"), now
    flows("wrong")
    with open("/etc/zegel/zegel.conf", "w", encoding="utf-8") as file:
        file.write(text)
    run("dpkg", "--configure", "-a")
    assert all(is_active(unit) for unit in UNITS)


def remove_refused():
    """while secure mail is in the queue dpkg does not remove zegel, and says why"""
    run("systemctl", "stop", "zegel-deliver")
    READABLE.append(Secure())
    said = run("dpkg", "--remove", "zegel-viewer", "zegel", status=1)
    assert "NOT removed" in said and "zegel.internal" in said, said
    assert all(is_active("zegel-" + name) for name in ("milter", "policyd", "viewer"))
    flows("held")
    run("systemctl", "start", "zegel-deliver")
    run("dpkg", "-i", *packages())
    run("postmulti", "-a", "-x", "postqueue", "-f")
    READABLE[-1].read()


def backed_up():
    """zegelctl backup copies all while it serves, and the keys apart"""
    run("zegelctl", "backup", BACKUP, "--keys", BACKUP + ".keys")


def undo():
    """zegelctl setup --undo brings back every byte of Postfix's files"""
    run("zegelctl", "setup", "--undo", "--yes")
    now = ways.files()
    assert now == BEFORE, [path for path in set(now) | set(BEFORE)
                           if now.get(path) != BEFORE.get(path)]
    assert not glob.glob("/etc/systemd/system/*/zegel-setup.conf")
    assert not any(is_active(unit) for unit in TIMERS)


def remove():
    """dpkg removes both packages; keys, messages and the trail stay"""
    said = run("dpkg", "--remove", "zegel-viewer", "zegel")
    assert "setup --undo" not in said, said
    assert not [unit for unit in UNITS if is_active(unit)]
    assert os.path.exists("/etc/zegel/keys/deliver/store")
    assert os.path.exists("/var/lib/zegel/store/store.db")


def again():
    """installed and set up again, what was sent is still read"""
    run("dpkg", "-i", *packages())
    set_up()
    READABLE[0].read()


def remove_undoes():
    """removed without setup --undo, zegel takes itself out of Postfix first, and says so"""
    said = run("dpkg", "--remove", "zegel-viewer", "zegel")
    assert "Postfix still uses zegel" in said and "none of it is secured" in said, said
    assert ways.files() == BEFORE
    assert not [unit for unit in UNITS if is_active(unit)]


def purge():
    """purge without an answer destroys nothing"""
    said = run("dpkg", "--purge", "zegel-viewer", "zegel")
    assert "stay in /var/lib/zegel" in said, said
    assert os.path.exists("/etc/zegel/keys/deliver/store")
    assert os.path.exists("/var/lib/zegel/store/store.db")


def purge_all():
    """purge with a yes destroys keys, messages and the trail"""
    run("dpkg", "-i", *packages())
    subprocess.run(["debconf-set-selections"], input=b"zegel zegel/purge-data boolean true\n",
                   check=True)
    run("dpkg", "--purge", "zegel-viewer", "zegel")
    left = [path for path in ("/etc/zegel", "/var/lib/zegel", "/var/spool/postfix/zegel")
            if os.path.exists(path)]
    assert not left, left
    assert ways.files() == BEFORE


def restored():
    """installed on an empty machine, and restored, what was sent is still read"""
    run("dpkg", "-i", *packages())
    run("zegelctl", "restore", BACKUP, "--keys", BACKUP + ".keys")
    set_up()
    READABLE[0].read()


ALL = (before, install, install_again, lost_key, set_up, secure, examined, upgrade, upgrade_refused,
         remove_refused, backed_up, undo, remove, again, remove_undoes, purge, purge_all, restored)


STEPS = [step for step in ALL if not sys.argv[1:] or step.__name__ in sys.argv[1:]]


def main():
    print("1..%d" % len(STEPS), flush=True)
    for number, step in enumerate(STEPS, 1):
        try:
            step()
            flows("m%d" % number)
            print("ok %d - %s: %s" % (number, os.environ["SITE"], step.__doc__), flush=True)
        except Exception:  # pylint: disable=broad-except
            print("not ok %d - %s: %s" % (number, os.environ["SITE"], step.__doc__))
            for line in traceback.format_exc().splitlines()[-TROUBLE_LINES:]:
                print("# " + line)
            print("Bail out! the next steps build on this one", flush=True)
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
