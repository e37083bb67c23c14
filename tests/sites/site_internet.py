"""internet.sh: mail of this machine's programs and users, and port 25 for the world."""
import os
import subprocess

from harness import ENV, mailbox, part

HERE, OUTSIDER = "janssen@" + part("own"), "jan@" + part("outsider")


def _message(word, sender, recipient):
    return "From: %s\nTo: %s\nSubject: %s\n\nDag\n" % (sender, recipient, word)


def _sendmail(sender, recipient):
    def send(word):
        text = _message(word, sender, recipient)
        subprocess.run(["sendmail", "-f", sender, recipient], input=text.encode(), check=True)
    return send


def _from_outside(word):
    subprocess.run(["ip", "netns", "exec", "outside", "swaks", "--server", ENV["LAB_MAIL_ADDR"],
                    "--from", OUTSIDER, "--to", HERE, "--silent", "3", "--data", "-"],
                   input=_message(word, OUTSIDER, HERE).encode(), check=True)


def _in_spool(user):
    def has_arrived(word):
        path = "/var/mail/" + user
        return os.path.exists(path) and word in open(path, encoding="utf-8").read()
    return has_arrived


def _outside(word):
    return any(word in one.message["Subject"] for one in mailbox(OUTSIDER))


KINDS = {
    "in": (_from_outside, _in_spool("janssen")),
    "out": (_sendmail(HERE, OUTSIDER), _outside),
    "local": (_sendmail(HERE, "balie"), _in_spool("balie")),
}


def configuration():
    """main.cf and master.cf, as bytes."""
    return [open("/etc/postfix/" + name, "rb").read() for name in ("main.cf", "master.cf")]
