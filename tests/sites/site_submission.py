"""submission.sh: people who log in, aliases of both kinds, and a transport table."""
import harness
import ways
from harness import part

SENDER = "janssen@" + part("own")
LOCAL, OUT = part("local"), part("outsider")
SETUP = ()
KINDS = {
    "in": (ways.outsider(SENDER), ways.in_spool("janssen")),
    "out": (ways.login(SENDER, ways.OUTSIDER), ways.in_maildir(ways.OUTSIDER)),
    "program": (ways.program(SENDER, ways.OUTSIDER), ways.in_maildir(ways.OUTSIDER)),
    "alias": (ways.outsider("info@" + LOCAL), ways.in_spool("janssen")),
    "team": (ways.login(SENDER, "team@" + LOCAL), ways.in_any(OUT)),
    "list": (ways.outsider("lijst@" + part("own")), ways.in_any(OUT)),
    "table": (ways.login(SENDER, "piet@elders.example"), ways.in_any("elders.example")),
    "copy": (ways.login(SENDER, "archief@" + OUT), ways.in_spool("balie")),
}


def ready():
    """When systemd says so."""


def send(message):
    """As somebody who has logged in."""
    harness.send(message, SENDER, message["To"])


def after_setup(_run):
    """Every login is the organisation's; that is all it needs."""
