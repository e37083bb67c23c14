"""Follows contrib/postfix/README.postfix command by command; called by readme_inside."""
import json
import os
import re
import smtplib
import subprocess
import sys
import time

from sink import Sink

ENV = os.environ
PIECES = os.path.join(ENV["G_TEST_SRCDIR"], "contrib/postfix")
OWN, LOCAL = ENV["LAB_OWN"], ENV["LAB_LOCAL"]
SENDER, OUTSIDER, INBOX = "an@" + OWN, "jan@" + ENV["LAB_OUTSIDER"], "balie@" + LOCAL
CONFIG = """[postfix]
hostname = mail.%(own)s
relay_addresses = %(address)s
[policyd]
trust_anchor = /run/lab/dns/root.ds
[organisation praktijk]
domains = %(own)s %(local)s
networks = %(network)s
service_domain = veilig.%(own)s
viewer_url = https://veilig.%(own)s/
display_name = Huisartsenpraktijk Voorbeeld
default = observe
""" % {"own": OWN, "local": LOCAL, "address": ENV["LAB_MAIL_ADDR"],
       "network": ENV["LAB_SYSTEM_NET"]}
# What the page tells the reader to write himself, by the first word of the block's line.
BY_HAND = {
    "recipient_bcc_maps": "postconf -e 'recipient_bcc_maps = "
                          "pipemap:{hash:/etc/postfix/bcc, regexp:/etc/postfix/zegel_bcc}'",
    "header_checks": "postconf -e 'header_checks = regexp:/etc/postfix/zegel_header_keep, "
                     "regexp:/etc/postfix/my_header_checks'"}
# Only for a site that has such tables; the last is no command, and test_visitor_mail tries it.
NOT_HERE = ("-h smtpd_milter_maps)", "-h smtp_generic_maps)", "postmaster@veilig.example.nl")
SECTIONS = {"From a version with one milter": "upgrade ",
            "From a version whose viewer took no answers": "answers ",
            "From a version without an audit trail": "audit ",
            "To take zegel out again": "undo "}
FLOWS_WITHIN_S = 20
# What zegelctl doctor looks at that this page makes: not the site's own TLS, nor its zones.
DOCTOR = ("postfix-", "socket-", "milter-", "transport-", "service-", "label-", "proxy-", "tables-",
          "alias-", "copies", "filter-", "header-", "resolver-")
# Before "answers 1" the machine becomes one of the version before, and at its end it is not.
OLDER = """
postconf -MX 127.0.0.1:10588/inet
postconf -e "relay_domains=$(postconf -h relay_domains | sed 's/ *\\$zegel_service//')" \
    "transport_maps=$(postconf -h transport_maps | sed 's/ *\\$zegel_service//')"
postconf -X zegel_service zegel_visitor_milters
postfix reload
rm /etc/postfix/zegel_service*
"""
NEWER = """
for list in relay_domains transport_maps; do
    test "$(postconf -h $list | grep -oF '$zegel_service' | wc -l)" = 1
done
postconf -P 127.0.0.1:10588/inet/milter_macro_daemon_name | grep -q ZEGEL_VISITOR
postconf -P 127.0.0.1:10588/inet/smtpd_milters | grep -qF '$zegel_visitor_milters'
for i in $(seq 100); do ss -Hltn sport = :10588 | grep -q 10588 && exit 0; sleep 0.1; done
exit 1
"""


def blocks():
    """[(step, commands)] of the page: steps "1" to "10", "upgrade 1"..., "answers 1"...,
    "audit 1" and "undo 1"..."""
    place, section, found, lines = "", "", [], []
    with open(os.path.join(PIECES, "README.postfix"), encoding="utf-8") as page:
        for line in page.read().splitlines() + [""]:
            start = re.match(r" ?(\d+)\. ", line)
            if (start or not line.startswith(" " * 8)) and lines:
                found.append((place, "\n".join(lines)))
                lines = []
            if re.match(r"[A-Z]", line):
                section, place = SECTIONS.get(line, section), ""
            if start:
                place = section + start.group(1)
            if place and line.startswith(" " * 8):
                lines.append(line[8:])
    return found


def run(text):
    """Runs the commands TEXT as root in contrib/postfix; None, or what went wrong."""
    done = subprocess.run(["bash", "-ec", text], cwd=PIECES, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, check=False, timeout=60)
    return None if done.returncode == 0 else text + "\n" + done.stdout


def inbox():
    """All that the mailbox of balie has."""
    folder = os.path.join(ENV["LAB"], "home/balie/Maildir/new")
    names = os.listdir(folder) if os.path.isdir(folder) else []
    return "".join(open(os.path.join(folder, name), encoding="utf-8").read() for name in names)


def submit(subject, sender, recipient, source):
    """Hands a message to our port 25 from the address SOURCE."""
    server = smtplib.SMTP(ENV["LAB_MAIL_ADDR"], timeout=30, source_address=(source, 0))
    server.sendmail(sender, recipient, "From: %s\r\nTo: %s\r\nSubject: %s\r\n\r\nDag\r\n" %
                    (sender, recipient, subject))
    server.close()


def flows(sink, mark):
    """None when mail of each kind arrives, MARK in its subject; else what does not."""
    system = ENV["LAB_SYSTEM_ADDR"]
    try:
        submit(mark + "-out", SENDER, OUTSIDER, system)
        submit(mark + "-table", SENDER, "piet@elders.example", system)
        submit(mark + "-alias", SENDER, "info@" + LOCAL, system)
        submit(mark + "-in", OUTSIDER, INBOX, ENV["LAB_OUTSIDER_ADDR"])
    except (smtplib.SMTPException, OSError) as error:
        return repr(error)
    subprocess.run(["sendmail", "-f", SENDER, INBOX], check=True,
                   input=("From: %s\nSubject: %s-local\n\nDag\n" % (SENDER, mark)).encode())
    end = time.monotonic() + FLOWS_WITHIN_S
    while True:
        here = inbox()
        missing = [kind for kind in ("-alias", "-in", "-local") if mark + kind not in here] + \
                  [kind for kind in ("-out", "-table") if not sink.has(mark + kind)]
        if not missing:
            return None
        if time.monotonic() > end:
            return "did not arrive: " + " ".join(missing)
        time.sleep(0.1)


def examine():
    """None when zegelctl doctor finds nothing wrong in what the page has made; else what."""
    done = subprocess.run(["zegelctl", "doctor", "--json"], stdout=subprocess.PIPE, text=True,
                          check=False, timeout=60)
    ours = [one for one in json.loads(done.stdout) if one["id"].startswith(DOCTOR)]
    bad = [one["id"] + ": " + one["what"] for one in ours if one["state"] != "good"]
    return "\n".join(bad) or (None if len(ours) >= 30 else "only %d checks" % len(ours))


def prepare(place, text):
    """TEXT of step PLACE as this machine needs it, None when it is not for it."""
    if any(word in text for word in NOT_HERE):
        return None
    first = text.split()[0]
    if first in BY_HAND:
        return BY_HAND[first]
    if place == "3" and first == "touch":
        with open("/etc/zegel/zegel.conf", "w", encoding="utf-8") as file:
            file.write(CONFIG)
    if place == "4" and first == "postmap":
        with open("/etc/postfix/zegel_service", "a", encoding="utf-8") as file:
            file.write("veilig.%s zegel-store:unix:zegel/deliver.sock\n" % OWN)
    if place == "5":
        with open("/etc/postfix/zegel_milter_clients", "a", encoding="utf-8") as file:
            file.write("%s { unix:zegel/milter.sock, default_action=tempfail }\n" %
                       ENV["LAB_SYSTEM_NET"])
    if place == "answers 1":
        text = OLDER + text
    if place == "answers 3":
        text += NEWER
    for theirs, ours in (("sidn.nl", ENV["LAB_READY"]),
                         ("generate example.nl", "generate " + OWN),
                         ("somebody@a-domain-in-your-transport-table", "piet@elders.example")):
        text = text.replace(theirs, ours)
    # "Wait until this prints nothing": it does.
    return text.replace("postqueue -p |", "! postqueue -p |")


def report(number, good, words, why=None):
    """One line of TAP, and WHY it is not good."""
    print("%sok %d - %s" % ("" if good else "not ", number, words), flush=True)
    for line in (why or "").splitlines():
        print("# " + line)
    return good


def main():
    number, good = 0, True
    with Sink(ENV["LAB_OUTSIDER_ADDR"]) as sink:
        for place, text in [("0", "true")] + blocks():
            text = prepare(place, text)
            if text is None:
                continue
            number += 1
            why = run(text) or flows(sink, "merk%dx" % number)
            good &= report(number, why is None, "step %s: %s" % (place, text.split("\n")[0]), why)
            if place == "9":
                number += 1
                why = examine()
                good &= report(number, why is None, "zegelctl doctor finds nothing wrong", why)
        number += 1
        left = subprocess.run(["diff", "-r", ENV["LAB"] + "/postfix.before", "/etc/postfix"],
                              stdout=subprocess.PIPE, text=True, check=False).stdout.splitlines()
        left = [line for line in left if not line.endswith(".before-zegel")]
        good &= report(number, not left, "taken out, /etc/postfix is as it was", "\n".join(left))
        print("1..%d" % number)
    sys.stdout.flush()
    os._exit(0 if good else 1)


if __name__ == "__main__":
    main()
