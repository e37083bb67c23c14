"""internet.sh: mail of this machine's programs and users, and port 25 for the world."""
import subprocess

import ways
from harness import part

SENDER = "janssen@" + part("own")
SETUP = ()
KINDS = {
    "in": (ways.outsider(SENDER), ways.in_spool("janssen")),
    "out": (ways.program(SENDER, ways.OUTSIDER), ways.in_maildir(ways.OUTSIDER)),
    "local": (ways.program(SENDER, "balie"), ways.in_spool("balie")),
}


def ready():
    """When systemd says so."""


def send(message):
    """As a program of this machine sends its mail."""
    subprocess.run(["sendmail", "-f", SENDER, message["To"]], input=message.as_bytes(),
                   check=True)


def after_setup(run):
    """What programs of this machine send is the organisation's, too."""
    ways.add_network("127.0.0.0/8", run)
