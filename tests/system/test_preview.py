"""The preview of zegel-policyd, as mail clients and record systems ask it (zegel-policy(7))."""
import os
import socket
import sqlite3

import asker
import harness as lab
import walk
from harness import ENV, configured, part

SENDER = "janssen@" + part("own")
SOCKET = os.path.join(ENV["LAB_STATEDIR"], "preview.sock")
ROUTES = os.path.join(ENV["LAB_STATEDIR"], "routes", "routes.db")
GROUP = "lab-mailbox"
FIVE = ("route", "code", "reason", "number", "refusal")


def asked():
    """with asked(): policyd answers previews."""
    return configured("policyd", "preview_group", GROUP, "policyd")


def exchange(block):
    """All that policyd answers to BLOCK before it closes, or to its first question."""
    text = b""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(30)
        connection.connect(SOCKET)
        connection.sendall(block.encode())
        while not text.endswith(b"\n\n"):
            more = connection.recv(65536)
            if not more:
                break
            text += more
    return text.decode()


def preview(*recipients, sender=SENDER, more=""):
    """[{name: value}] of RECIPIENTS, or the error."""
    text = exchange("request=preview\nversion=1\nsender=%s\n%s%s\n" % (
        sender, more, "".join("recipient=%s\n" % one for one in recipients)))
    pairs = [line.partition("=")[::2] for line in text.strip("\n").split("\n")]
    assert pairs[0] == ("version", "1"), text
    if pairs[1][0] == "error":
        return pairs[1][1]
    rows = [dict(pairs[start:start + 5]) for start in range(1, len(pairs), 5)]
    assert len(rows) == len(recipients) and all(tuple(row) == FIVE for row in rows), text
    return rows


def promised(domain):
    """The rows of routes.db for DOMAIN."""
    with sqlite3.connect("file:%s?mode=ro" % ROUTES, uri=True) as table:
        return [row for row in table.execute("SELECT * FROM route") if domain in str(row)]


def row(route, code, reason="-", number="no", refusal="-"):
    return dict(zip(FIVE, (route, code, reason, number, refusal)))


def test_each_way_is_foretold():
    """what is foretold is what happens: route and code, and whether a number is asked"""
    to, direct = walk.new_outsider(), "piet@" + part("community")
    with asked():
        own, way, viewer = preview("devries@" + part("own"), direct, to)
        assert own == row("own", "Z-R1-OWN") and way == row("direct", "Z-R1-COMMUNITY")
        assert viewer == row("viewer", "Z-R1-VIEWER", viewer["reason"], "needed", "Z-S7-NUMBER")
        refusal = lab.refused(lab.send, lab.mail("veilig mailen", to=to), SENDER, to)
        assert "(Z-S7-NUMBER)" in refusal.text
        sent = walk.Sent(lambda typed, to: lab.mail("SMS %s x" % typed, to=to), to=to)
        lab.wait_for(lambda: preview(to)[0]["number"] == "known", "the phone book")
        assert sent.number not in exchange(
            "request=preview\nversion=1\nsender=%s\nrecipient=%s\n\n" % (SENDER, to))
        assert preview(to)[0]["refusal"] == "-"
        assert preview(direct, more="sensitive=no\n") == [row("prefer", "Z-R1-COMMUNITY")]
        # The number was given to one organisation (O2).
        assert preview(to, sender="bakker@" + part("own2"))[0]["number"] == "needed"


def test_nothing_is_promised():
    """who only asks has nothing promised"""
    domain = lab.unique("v") + "-voorbeeld.nl"
    with asked():
        lab.command("zegelctl", "domain", "add", domain, "[mail.%s]" % domain, "dane-only")
        try:
            lab.wait_for(lambda: preview("x@" + domain)[0]["route"] == "direct", "the book")
            assert not promised(domain), promised(domain)
            asker.ask("route", ("organisation", "praktijk"), ("sender", SENDER), ("queue_id", ""),
                      ("sensitive", "yes"), ("inward", "no"), ("dry_run", "no"),
                      ("numbers", "no"), ("recipient", "x@" + domain))
            assert promised(domain)  # so it would have been seen
        finally:
            lab.command("zegelctl", "domain", "remove", domain)


def test_what_is_no_question():
    """another version is told which there is; what is no preview loses the connection"""
    with asked():
        assert exchange("request=preview\nversion=9\nsender=%s\nrecipient=a@b.nl\n\n" % SENDER) \
            == "version=1\nerror=this version is not spoken here\n\n"
        assert preview("a@b.nl", sender="x@" + part("outsider")) == \
            "the sender's domain is of no organisation here"
        for block in ("request=route\nversion=3\n\n", "GET / HTTP/1.1\n\n",
                      "request=phone-show\nversion=3\norganisation=praktijk\nrecipient=a@b.nl\n\n"):
            assert exchange(block) == "", block


def test_nobody_may_ask_unless_a_group_is_named():
    """without preview_group there is no socket; a restart serves the other sockets as before"""
    with asked():
        assert preview("piet@" + part("community"))
    assert not lab.command("ss", "-Hlx", "src", SOCKET).strip()
    assert lab.command("zegelctl", "route", SENDER, "piet@" + part("community"))
