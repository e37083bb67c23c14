"""HTTPS by the byte: requests that arrive at the same moment, slowly, or only in part."""
import http.client
import socket
import urllib.parse

from browser import Page
from harness import tls_context

ANSWER_LIMIT_S = 60
FORM = "application/x-www-form-urlencoded"


def connect(url, takes=None, source=None):
    """A TLS connection to the host of URL from address SOURCE, whose system TAKES so many bytes
    ahead of us."""
    host = urllib.parse.urlsplit(url).hostname
    plain = socket.socket()
    plain.settimeout(ANSWER_LIMIT_S)
    if takes:
        plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, takes)
    if source:
        plain.bind((source, 0))
    plain.connect((host, 443))
    plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return tls_context().wrap_socket(plain, server_hostname=host)


def request(method, url, fields=None, **headers):
    """The bytes of a request; FIELDS make it a form, HEADERS have _ for -."""
    parts = urllib.parse.urlsplit(url)
    body = urllib.parse.urlencode(fields).encode() if fields is not None else b""
    lines = {"Host": parts.hostname, "Connection": "close", "Accept-Language": "nl"}
    if fields is not None:
        lines.update({"Content-Type": FORM, "Content-Length": str(len(body))})
    lines.update((name.replace("_", "-"), value) for name, value in headers.items())
    path = parts.path + ("?" + parts.query if parts.query else "")
    head = "%s %s HTTP/1.1\r\n" % (method, path)
    head += "".join("%s: %s\r\n" % line for line in lines.items())
    return head.encode("latin-1") + b"\r\n" + body


def answer(connection, url, method="GET"):
    """Reads the answer to METHOD on CONNECTION, and closes it."""
    with connection:
        response = http.client.HTTPResponse(connection, method=method)
        response.begin()
        body = response.read()
    names = {name.lower(): value for name, value in response.getheaders()}
    return Page(response.status, names, body, url)


def ask(url, data):
    """Sends DATA as it stands to the host of URL; returns the answer."""
    connection = connect(url)
    connection.sendall(data)
    return answer(connection, url, data.split(b" ", 1)[0].decode())


def all_at_once(url, requests):
    """Sends REQUESTS (bytes) on a connection each, all but the last byte; then the last
    bytes in one go. Returns the answers in order."""
    connections = [connect(url) for _ in requests]
    for connection, data in zip(connections, requests):
        connection.sendall(data[:-1])
    for connection, data in zip(connections, requests):
        connection.sendall(data[-1:])
    return [answer(connection, url) for connection in connections]
