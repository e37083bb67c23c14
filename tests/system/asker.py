"""Questions to zegel-policyd by its own protocol (zegel-policy(7)), as zegel-milter asks them."""
import socket
import urllib.parse

SOCKET = "/var/spool/postfix/zegel/ask.sock"
WAIT_S = 60


def escape(text):
    return "".join("%%%02X" % byte if byte < 0x20 or byte in (0x25, 0x7f) else chr(byte)
                   for byte in text.encode())


def ask(request, *pairs):
    """[(name, value)] of the answer to REQUEST with PAIRS of names and values."""
    block = "request=%s\nversion=3\n" % request
    block += "".join("%s=%s\n" % (name, escape(str(value))) for name, value in pairs)
    text = b""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(WAIT_S)
        connection.connect(SOCKET)
        connection.sendall(block.encode() + b"\n")
        while not text.endswith(b"\n\n"):
            got = connection.recv(65536)
            assert got, "policyd closed the connection after %r" % text
            text += got
    lines = text.decode().strip("\n").split("\n")
    pairs = [line.partition("=")[::2] for line in lines]
    assert pairs[0] == ("version", "3"), pairs
    return [(name, urllib.parse.unquote(value)) for name, value in pairs[1:]]


def verify(client=None, helo="", sender="", author=None, keys=()):
    """What the DNS says: a dict, whose "keys" is a list of dicts, one for each of KEYS
    (domain, selector)."""
    pairs = [("client_address", client), ("helo", helo), ("sender", sender)] if client else []
    if author:
        pairs.append(("from_domain", author))
    for domain, selector in keys:
        pairs += [("key_domain", domain), ("key_selector", selector)]
    answer = {"keys": []}
    for name, value in ask("verify", *pairs):
        if name == "key":
            answer["keys"].append({})
        (answer["keys"][-1] if answer["keys"] else answer)[name] = value
    assert len(answer["keys"]) == len(keys), answer
    return answer


def client(address, port):
    """(fingerprint, subject, issuer) of who is connected to Postfix from there."""
    answer = dict(ask("client", ("client_address", address), ("client_port", port)))
    return answer["fingerprint"], answer["subject"], answer["issuer"]


def inward(organisation, sender, recipient, address=None, port=0, login=None):
    """(route, code, reason) of a message that comes in."""
    pairs = [("organisation", organisation), ("sender", sender), ("queue_id", ""),
             ("sensitive", "yes"), ("inward", "yes"), ("dry_run", "no"), ("numbers", "no")]
    if address:
        pairs += [("client_address", address), ("client_port", port)]
    if login:
        pairs.append(("client_login", login))
    answer = dict(ask("route", *pairs, ("recipient", recipient)))
    assert "route" in answer, answer
    return answer["route"], answer["code"], answer["reason"]
