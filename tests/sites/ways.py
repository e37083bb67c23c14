"""Ways that ordinary mail takes on a site: how it is sent, and how one sees that it came."""
import glob
import os
import smtplib
import subprocess
from email.utils import format_datetime, localtime

from harness import ENV, mail, mailbox, part, send

OUTSIDER = "jan@" + part("outsider")


def message(word, sender, recipient):
    """A message as a mail program makes it: a spam filter has nothing to say of it."""
    made = mail(word, "Goedendag,\n\nhierbij het verslag van vandaag.\n", sender=sender,
                to=recipient if "@" in recipient else recipient + "@" + part("own"))
    made["Date"] = format_datetime(localtime())
    return made.as_string()


# ---- Sending: each gives a function of a word, which stands in the subject --------------------

def program(sender, recipient):
    """By sendmail(1), as programs of the machine do."""
    def go(word):
        subprocess.run(["sendmail", "-f", sender, recipient],
                       input=message(word, sender, recipient).encode(), check=True)
    return go


def outsider(recipient):
    """Over port 25, from a server outside."""
    def go(word):
        subprocess.run(["ip", "netns", "exec", "outside", "swaks", "--server",
                        ENV["LAB_MAIL_ADDR"], "--from", OUTSIDER, "--to", recipient, "--silent",
                        "3", "--data", "-"],
                       input=message(word, OUTSIDER, recipient).encode(), check=True)
    return go


def login(sender, recipient):
    """On the submission port, after a login."""
    return lambda word: send(mail(word, sender=sender, to=recipient), sender, recipient)


def address(source, sender, recipient):
    """Over port 25, from SOURCE, which may send."""
    def go(word):
        server = smtplib.SMTP(ENV["LAB_MAIL_ADDR"], timeout=30, source_address=(source, 0))
        server.sendmail(sender, recipient, message(word, sender, recipient))
        server.close()
    return go


# ---- Arriving: each gives a function of that word ---------------------------------------------

def in_spool(user):
    """In the mailbox of a user of the machine."""
    def is_there(word):
        path = "/var/mail/" + user
        return os.path.exists(path) and word in open(path, encoding="utf-8").read()
    return is_there


def in_maildir(address_):
    """In a maildir of the lab, also in one for several addresses."""
    return lambda word: any(word in one.message["Subject"] for one in mailbox(address_))


def in_any(domain):
    """Anywhere in the maildirs of DOMAIN."""
    def is_there(word):
        paths = glob.glob(os.path.join(ENV["LAB_MAILDIRS"], domain, "*", "new", "*"))
        return any(word in open(path, encoding="utf-8").read() for path in paths)
    return is_there


# ---- Postfix ----------------------------------------------------------------------------------

def files():
    """{path: bytes} of all that Postfix is configured with."""
    found = {}
    for directory in glob.glob("/etc/postfix*"):
        if directory in ("/etc/postfix-outsider", "/etc/postfix-inner"):
            continue
        for place, _, names in os.walk(directory):
            for name in names:
                path = os.path.join(place, name)
                with open(path, "rb") as file:
                    found[path] = file.read()
    return found


def add_network(network, run):
    """The organisation of zegel.conf has NETWORK too, and setup tells the programs."""
    with open("/etc/zegel/zegel.conf", encoding="utf-8") as file:
        text = file.read()
    if network not in text:
        with open("/etc/zegel/zegel.conf", "a", encoding="utf-8") as file:
            file.write("networks = %s\n" % network)
    run("zegelctl", "setup", "--yes")
