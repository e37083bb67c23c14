"""zegelctl setup on a Debian Postfix with settings of its own; called by readme_inside.

The machine, and what "mail flows" means, are those of readme.py, which does the same by hand.
"""
import hashlib
import os
import shutil
import stat
import subprocess
import sys
import time

import manual
import readme
from readme import ENV, LOCAL, OUTSIDER, OWN, SENDER, report
from sink import Sink

CONFIG = "/etc/zegel/zegel.conf"
RECORD = "/var/lib/zegel/setup/record"
SHIM = "/usr/local/sbin/systemctl"
UNITS = "/etc/systemd/system"
SETUP = ["zegelctl", "setup", "--yes", "--domains", "%s %s" % (OWN, LOCAL),
         "--default", "on-request", "--name", "Huisartsenpraktijk Voorbeeld"]
UNDO = ["zegelctl", "setup", "--undo", "--yes"]


class Wrong(Exception):
    """What was expected is not so."""


def need(good, *words):
    """Raises Wrong unless GOOD."""
    if not good:
        raise Wrong(" ".join(str(word) for word in words))


def call(*argv, status=0, data=None):
    """Runs ARGV and returns what it says, on both outputs; its exit STATUS is checked."""
    done = subprocess.run(argv, input=data, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          check=False, timeout=120, text=True)
    need(status is None or done.returncode == status, argv, "exit status", done.returncode,
         done.stdout)
    return done.stdout


def tree():
    """What is in /etc/postfix: each file with its bytes, mode and owner."""
    found = {}
    for place, _, names in os.walk("/etc/postfix"):
        for name in names:
            path = os.path.join(place, name)
            status = os.stat(path)
            with open(path, "rb") as file:
                found[path] = (hashlib.sha256(file.read()).hexdigest(),
                               stat.S_IMODE(status.st_mode), status.st_uid, status.st_gid)
    return found


def differences(before, after):
    """The paths that are not the same."""
    return sorted(path for path in set(before) | set(after)
                  if before.get(path) != after.get(path))


def value(name):
    """What postconf says NAME is."""
    return subprocess.run(["postconf", "-h", name], stdout=subprocess.PIPE, check=True,
                          stderr=subprocess.DEVNULL, text=True).stdout.strip()


def check():
    """postfix check has nothing to say, but that a name of ours is not used yet."""
    said = [line for line in call("postfix", "check").splitlines()
            if "unused parameter: zegel" not in line]
    need(not said, "postfix check:", said[:3])


def prepare():
    """A systemctl for this machine, and units that it finds."""
    with open(SHIM, "w", encoding="utf-8") as file:
        file.write("#!/bin/bash\nexport LAB=%s\nexec %s/tests/system/readme_bin/systemctl \"$@\"\n"
                   % (ENV["LAB"], ENV["G_TEST_SRCDIR"]))
    os.chmod(SHIM, 0o755)
    os.makedirs(UNITS, exist_ok=True)
    units = os.path.join(ENV["G_TEST_SRCDIR"], "contrib/systemd")
    for name in os.listdir(units):
        shutil.copy(os.path.join(units, name), UNITS)


# ---- What holds, in this order ----------------------------------------------------------

def test_dry_run(world):
    """--dry-run shows each command and changes nothing."""
    text = call(*SETUP, "--dry-run")
    for words in ("postconf -e 'transport_maps=proxy:sqlite:$config_directory/zegel-routes.cf "
                  "hash:/etc/postfix/transport hash:$config_directory/zegel_transport "
                  "$zegel_service'",
                  "postconf -P 'smtp/inet/smtpd_milters=$zegel_mx_milters'",
                  "postconf -P 'local/unix/cleanup_service_name=zegel-seal'",
                  "zegelctl key generate store", "adduser --system", "default = on-request",
                  "/etc/postfix/zegel-routes.cf", "service_domain = veilig." + OWN,
                  "Each address in the tables of recipient_bcc_maps"):
        need(words in text, "not shown:", words, "\n", text)
    need(not os.path.exists(CONFIG) and not os.path.exists(RECORD), "something was written")
    need(tree() == world["before"], "changed:", differences(world["before"], tree()))


def test_no(world):
    """Without yes nothing is done, and without an answer neither."""
    answers = "%s\n\n\n\n\n\n" % OWN
    text = call("zegelctl", "setup", status=77, data=answers + "no\n")
    need("[observe]" in text and "default = observe" in text, text)
    call("zegelctl", "setup", status=78, data="")
    need(tree() == world["before"], "changed:", differences(world["before"], tree()))


def has(path, words):
    """Whether the file at PATH is there and has WORDS."""
    try:
        with open(path, encoding="utf-8") as file:
            return words in file.read()
    except OSError:
        return False


MAIN, MASTER = "/etc/postfix/main.cf", "/etc/postfix/master.cf"
STEPS = [("the record", lambda: os.path.exists(RECORD)),
         ("zegel.conf", lambda: os.path.exists(CONFIG)),
         ("a key", lambda: os.path.exists("/etc/zegel/keys/deliver/ticket")),
         ("a table", lambda: os.path.exists("/etc/postfix/zegel-routes.cf")),
         ("names in main.cf", lambda: has(MAIN, "zegel_milter =")),
         ("services in master.cf", lambda: has(MASTER, "zegel-direct")),
         ("the switch in main.cf", lambda: has(MAIN, "transport_maps = proxy:sqlite")),
         ("the switch in master.cf", lambda: has(MASTER, "smtpd_milters=$zegel_mx_milters"))]
STEPS_BACK = [("no labels, main.cf", lambda: not has(MAIN, "non_smtpd_milters = $zegel")),
              ("no labels, master.cf", lambda: not has(MASTER, "$zegel_mx_milters")),
              ("master.cf as before", lambda: not has(MASTER, "zegel")),
              ("main.cf as before", lambda: not has(MAIN, "zegel"))]


def run_and_kill(argv, step):
    """Runs ARGV and kills it when STEP is taken; whether it was still there."""
    with subprocess.Popen(argv, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as child:
        while child.poll() is None and not step():
            time.sleep(0.0005)
        child.kill()
        return child.wait() < 0


def kill_at_each(world, argv, steps):
    """Runs ARGV and kills it at each of STEPS; mail flows after each. Two steps in one moment
    count as one."""
    killed = 0
    for words, step in steps:
        if step():
            continue
        need(run_and_kill(argv, step) and step(), "not killed at:", words)
        killed += 1
        check()
        why = readme.flows(world["sink"], "kill%s%dx" % (argv[2][2:], killed))
        need(why is None, words, why)
    need(killed >= len(steps) / 2, "killed only", killed, "times")


def test_killed(world):
    """Killed at each step of its work, mail flows, and it goes on from there."""
    kill_at_each(world, SETUP, STEPS)
    call(*SETUP)


def test_set_up(world):
    """It is set up, and what was there is still there."""
    text = call(*SETUP)
    need("Done." in text and "MX record" in text, text)
    need(call("postconf", "-n") and call("postfix", "check") == "", "postfix check complains")
    need("$zegel_milter $smtpd_milters" in value("non_smtpd_milters"), value("non_smtpd_milters"))
    need(value("virtual_alias_maps") == "$zegel_site_alias_maps", value("virtual_alias_maps"))
    need(value("zegel_site_alias_maps").startswith("hash:/etc/postfix/virtual "), "aliases")
    need(value("recipient_bcc_maps") == "pipemap:{hash:/etc/postfix/bcc, "
         "regexp:$config_directory/zegel_bcc}", value("recipient_bcc_maps"))
    need(value("header_checks").startswith("regexp:$config_directory/zegel_header_keep "),
         value("header_checks"))
    need(value("zegel_submit_networks").endswith(ENV["LAB_MAIL_ADDR"]),
         value("zegel_submit_networks"))
    need(value("message_size_limit") == "52000000", value("message_size_limit"))
    world["after"] = tree()


def test_secure(world):
    """A message with a number in its subject is sealed; its alias to a mailbox arrives."""
    readme.submit("SMS 0612345678 uitslag", SENDER, OUTSIDER, ENV["LAB_SYSTEM_ADDR"])
    end = time.monotonic() + 60
    while True:
        with open(ENV["LAB_MAIL_LOG"], encoding="utf-8") as file:
            text = file.read()
        if "relay=mail" in text and ".viewer.zegel.internal>" in text and \
                any("viewer.zegel.internal" in line and "status=sent" in line
                    for line in text.splitlines()):
            break
        need(time.monotonic() < end, "not sealed:", text[-4000:])
        time.sleep(0.2)
    need(not world["sink"].has("uitslag"), "it left in the clear")


def test_twice(world):
    """A second time changes no byte."""
    call(*SETUP)
    need(tree() == world["after"], "changed:", differences(world["after"], tree()))


def test_added_service(world):
    """What the administrator adds later gets what is needed when setup runs again."""
    call("postconf", "-Me", "submissions/inet=submissions inet n - y - - smtpd")
    call("postconf", "-Pe", "submissions/inet/smtpd_tls_wrappermode=yes")
    call("postconf", "-e", "smtp_generic_maps=inline:{a@b.example=c@b.example}")
    with subprocess.Popen(SETUP, stdout=subprocess.DEVNULL) as child:
        while child.poll() is None:
            need(all(step() for words, step in STEPS if "switch" in words), "switched off")
        need(child.returncode == 0, "exit status", child.returncode)
    line = call("postconf", "-M", "submissions/inet")
    need("smtpd_milters=$zegel_smtpd_milters" in line, line)
    need("inline:{a@b.example" in value("zegel_generic_maps"), value("zegel_generic_maps"))
    need(call("postfix", "check") == "", "postfix check complains")
    call("postconf", "-X", "smtp_generic_maps")
    call("postconf", "-MX", "submissions/inet")
    call(*SETUP)
    need(tree() == world["after"], "changed:", differences(world["after"], tree()))


def test_conflict(world):
    """A change that is not clear stops setup and undo, and both say where."""
    call("postconf", "-e", "recipient_bcc_maps=hash:/etc/postfix/bcc")
    call("postconf", "-e", "zegel_milter=inet:127.0.0.1:9")
    for command in (SETUP, UNDO):
        text = call(*command, status=78)
        need("zegel_milter" in text and "recipient_bcc_maps" not in text, text)
    need(value("zegel_milter") == "inet:127.0.0.1:9", "it was changed")
    with open("/etc/postfix/main.cf", "w", encoding="utf-8") as file:
        file.write(world["main.cf"])
    need(tree() == world["after"], "changed:", differences(world["after"], tree()))


def test_queue(world):
    """undo waits for mail that is protected; nothing of it leaves in the meantime."""
    subprocess.run([SHIM, "disable", "zegel-deliver"], check=True)
    readme.submit("SMS 0612345678 wachtend", SENDER, OUTSIDER, ENV["LAB_SYSTEM_ADDR"])
    time.sleep(2)
    text = call(*UNDO, status=75)
    need("zegel protects, in the queue" in text, text)
    need(os.path.exists(RECORD), "the record is gone")
    why = readme.flows(world["sink"], "wachtx")
    need(why is None, why)
    need(not world["sink"].has("wachtend"), "it left in the clear")
    subprocess.run([SHIM, "enable", "zegel-deliver"], check=True)
    call("postqueue", "-f")


def test_undo(world):
    """undo, killed at each of its steps, restores every byte, mode and owner."""
    end = time.monotonic() + 60
    while "zegel.internal" in call("postqueue", "-p"):
        need(time.monotonic() < end, "the queue does not empty:", call("postqueue", "-p"))
        call("postqueue", "-f")
        time.sleep(1)
    call(*SETUP)
    kill_at_each(world, UNDO, STEPS_BACK)
    text = call(*UNDO)
    need("as it was" in text, text)
    need(tree() == world["before"], "not as before:", differences(world["before"], tree()))
    need(not os.path.exists(RECORD), "the record is still there")
    need(os.path.exists(CONFIG), "zegel.conf is gone")
    need("setup did nothing here" in call(*UNDO, status=78), "undo again")


def test_changes_stay(world):
    """What the administrator changed since stays; only our lines go."""
    call(*SETUP)
    with open("/etc/postfix/main.cf", "a", encoding="utf-8") as file:
        file.write("# a note of mine\nsmtpd_helo_required = yes\n")
    call("postconf", "-e", "zegel_site_alias_maps=hash:/etc/postfix/virtual, "
         "inline:{nieuw@%s=balie@%s}" % (LOCAL, LOCAL))
    call("postconf", "-e", "transport_maps=%s inline:{nieuw.example=retry:}" % value("transport_maps"))
    call("postconf", "-Pe", "smtp/inet/smtpd_client_connection_count_limit=7")
    call(*UNDO)
    with open("/etc/postfix/main.cf", encoding="utf-8") as file:
        text = file.read()
    need("zegel" not in text, [line for line in text.splitlines() if "zegel" in line])
    need("# a note of mine\nsmtpd_helo_required = yes\n" in text, text)
    need(value("virtual_alias_maps") == "hash:/etc/postfix/virtual inline:{nieuw@%s=balie@%s}"
         % (LOCAL, LOCAL), value("virtual_alias_maps"))
    need(value("transport_maps") == "hash:/etc/postfix/transport inline:{nieuw.example=retry:}",
         value("transport_maps"))
    line = call("postconf", "-M", "smtp/inet")
    need("count_limit=7" in line and "zegel" not in line, line)
    need(call("postfix", "check") == "", "postfix check complains")


def test_doctor(_):
    """zegelctl doctor finds nothing wrong in what setup made"""
    why = readme.examine()
    need(why is None, why)


def test_manual(_):
    """The examples of zegel-setup(8) look, set up and undo"""
    subprocess.run([SHIM, "disable", "zegel-viewer", "zegel-auditd"], check=True)
    for path in ("/etc/zegel", "/var/lib/zegel"):
        shutil.rmtree(path)
    before = tree()
    examples = manual.examples(os.path.join(ENV["G_TEST_SRCDIR"], "man/zegel-setup.8"))
    need(len(examples) == 3, examples)
    for example, answers, is_there in zip(examples, ("\n" * 9, "", "yes\n"), (False, True, False)):
        text = manual.rename(example.text[2:], {"huisartsdelinden.example": OWN,
                                                "delinden.example": LOCAL})
        call("bash", "-ec", text, data=answers)
        need(("zegel-routes.cf" in value("transport_maps")) == is_there, text)
        need((tree() == before) != is_there, text, differences(before, tree()))


TESTS = [test_dry_run, test_no, test_killed, test_set_up, test_doctor, test_secure, test_twice,
         test_added_service, test_conflict, test_queue, test_undo, test_changes_stay,
         test_manual]


def main():
    good = True
    prepare()
    print("1..%d" % len(TESTS))
    with Sink(ENV["LAB_OUTSIDER_ADDR"]) as sink:
        world = {"sink": sink, "before": tree()}
        for number, test in enumerate(TESTS, 1):
            try:
                test(world)
                why = readme.flows(sink, "merk%dx" % number)
                if test is test_set_up:
                    with open("/etc/postfix/main.cf", encoding="utf-8") as file:
                        world["main.cf"] = file.read()
            except (Wrong, OSError, subprocess.SubprocessError) as error:
                why = str(error)
            words = test.__doc__.split("\n")[0].rstrip(".")
            good &= report(number, why is None, words, why)
    sys.stdout.flush()
    os._exit(0 if good else 1)


if __name__ == "__main__":
    main()
