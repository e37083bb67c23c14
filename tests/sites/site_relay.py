"""relay.sh: a server of one's own behind the relay, and this machine's own programs."""
import harness
import ways
from harness import ENV, part

SENDER = "janssen@" + part("own")
SETUP = ("--instance", "postfix-relay")
KINDS = {
    "in": (ways.outsider(SENDER), ways.in_any(part("own"))),
    "out": (ways.address(ENV["LAB_SYSTEM_ADDR"], SENDER, ways.OUTSIDER),
            ways.in_maildir(ways.OUTSIDER)),
    "program": (ways.program("root@" + part("own"), ways.OUTSIDER),
                ways.in_maildir(ways.OUTSIDER)),
    "home": (ways.program("root@" + part("own"), SENDER), ways.in_any(part("own"))),
}


def ready():
    """rspamd listens some time after it was started; until then Postfix goes on without it."""
    harness.wait_for(lambda: b":11332 " in harness.command("ss", "-Hltn"), "rspamd")


def send(message):
    """As the server behind the relay sends on what its users write."""
    harness.send(message, SENDER, message["To"], login=None, source=ENV["LAB_SYSTEM_ADDR"])


def after_setup(_run):
    """mynetworks of the relay became networks of zegel.conf."""
