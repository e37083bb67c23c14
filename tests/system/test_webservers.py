"""The configurations in contrib for web servers, each in front of the viewer: the whole way of
a recipient, what the server says by itself, and what it writes down (T20, T21, T26, F21)."""
import contextlib
import glob
import os
import tempfile
import time

import harness
import walk
import wire
from browser import Browser
from harness import ENV, mail, part, unique, wait_for
from visitor import COOKIE, HOST, adapter, cookie_of, secure

SERVERS = ("lighttpd", "lighttpd-cgi", "nginx", "apache")
LOGS = ("/var/log/lighttpd", "/var/log/zegel-web", "/var/log/nginx", "/var/log/apache2",
        os.path.join(ENV["LAB"], "log"))
ACCESS_LOGS = {"lighttpd": "/var/log/lighttpd/zegel.log",
               "lighttpd-cgi": "/var/log/zegel-web/access.log",
               "nginx": "/var/log/nginx/zegel.log", "apache": "/var/log/apache2/zegel.log"}
LARGE_BYTES = 60 * 1000 * 1000
UPLOAD_BYTES = 30 * 1000 * 1000
SLOW = 300
SOON_S = 8
WORKERS = 8
OF_A_SERVER = "Even geduld"  # contrib/web/503.html


def port_is_free():
    """Whether nobody listens on the port of the web server."""
    return not harness.command("ss", "-Hltn", "sport = :443").strip()


@contextlib.contextmanager
def served_by(server):
    """SERVER takes the place of the lab's own lighttpd."""
    harness.control("stop", "lighttpd")
    wait_for(port_is_free, "the end of lighttpd")
    try:
        harness.control("start", server)
        wait_for(lambda: not port_is_free(), server)
        yield
    finally:
        with contextlib.suppress(AssertionError):
            harness.control("stop", server)
        wait_for(port_is_free, "the end of " + server)
        harness.control("start", "lighttpd")
        wait_for(lambda: not port_is_free(), "lighttpd")


def logs():
    """All that any web server and our programs have written, by file."""
    found = {}
    for folder in LOGS:
        for place, _, names in os.walk(folder):
            for name in names:
                with open(os.path.join(place, name), "rb") as file:
                    found[os.path.join(place, name)] = file.read()
    with open(ENV["LAB_MAIL_LOG"], "rb") as file:
        found["mail log"] = file.read()
    return found


def check_logs(token, server):
    """TOKEN is in no log, and SERVER has one of its own that says something."""
    written = logs()
    for name, text in written.items():
        assert token.encode() not in text, (
            name, [line for line in text.splitlines() if token.encode() in line])
    assert b' - HTTP/1.1" ' in written[ACCESS_LOGS[server]], server


def token_of(sent):
    return sent.link.rsplit("/", 1)[1]


def two_files(content):
    """Makes a message with the attachments CONTENT."""
    def make(typed, to):
        message = mail("SMS %s Uitslag" % typed, "Geheime tekst\n", to=to)
        for number, one in enumerate(content):
            message.add_attachment(one, maintype="application", subtype="octet-stream",
                                   filename="bijlage%d.bin" % number)
        return message
    return make


def check_answer(page):
    """What every answer of the viewer keeps on its way through the server."""
    names = page.headers
    assert names["strict-transport-security"] == "max-age=31536000", names
    assert names["cache-control"] == "no-store" and names["referrer-policy"] == "no-referrer"
    assert "default-src 'none'" in names["content-security-policy"], names
    assert "content-encoding" not in names, names


def check_server(page):
    """The server tells no version of itself."""
    tag = page.headers.get("server", "")
    assert not any(letter.isdigit() for letter in tag), tag


# ---- What is checked of each server ----

def whole_way(server):
    """link, code, message, download, log out; cookies, headers, http sent to https"""
    content = [os.urandom(3 * 1024 * 1024), unique().encode()]
    sent = walk.Sent(two_files(content))
    plain = Browser().request("GET", sent.link.replace("https:", "http:"))
    assert plain.status == 301, plain.status
    assert plain.headers["location"] == sent.link, plain.headers
    check_server(plain)
    browser, page = walk.log_in(sent)
    check_answer(page)
    check_server(page)
    assert walk.attachments(browser, page) == content
    cookie = "%s=%s" % (COOKIE, cookie_of(browser))
    assert COOKIE.startswith("__Host-")
    assert Browser().request("GET", HOST + "/m").status == 403
    zipped = wire.ask(HOST, wire.request("GET", HOST + "/m", Cookie=cookie,
                                         Accept_Encoding="gzip, deflate, br"))
    check_answer(zipped)
    assert b"Geheime" in zipped.body
    out = browser.submit(page, page.form("/logout"))
    assert out.status == 200 and out.headers["clear-site-data"], out.headers
    assert COOKIE not in browser.cookies["veilig." + part("own")]
    assert wire.ask(HOST, wire.request("GET", HOST + "/m", Cookie=cookie)).status == 403
    foreign = wire.ask(HOST, wire.request("GET", HOST + "/").replace(
        b"Host: veilig." + part("own").encode(), b"Host: evil.example"))
    assert foreign.status in (400, 403, 404, 421) and part("own").encode() not in foreign.body, (
        foreign.status, foreign.body)
    check_logs(token_of(sent), server)


def odd_requests(sent):
    """Requests for the link of SENT with which a server has trouble."""
    yield wire.request("GET", sent.link, Referer=sent.link)
    yield wire.request("GET", sent.link).replace(b"Host: ", b"Host: \x01")
    yield wire.request("GET", sent.link).replace(b"Host: ", b"Hosts: ")
    yield wire.request("GET", sent.link).replace(b"HTTP/1.1", b"HTTP/9.9")
    yield wire.request("GET", sent.link).replace(b"HTTP/1.1", b"GIBBERISH")
    for tail in ("%00%", "%2f..%2f", "/../../etc/passwd", "%zz", "?" + "x" * 20000,
                 "/" + "x" * 5000):
        yield wire.request("GET", sent.link + tail, Referer=sent.link)
    for path in ("/s/%s", "/s/%s/recall", "/r/%s", "/form/%s", "/form/%s%%zz"):
        url = HOST + path % token_of(sent)
        yield wire.request("GET", url, Referer=url)
        yield wire.request("POST", url, {"a": "a" * 70000}, Referer=url)
    yield wire.request("GET", sent.link, X_Long="x" * 50000)
    yield wire.request("TRACE", sent.link)
    yield wire.request("CONNECT", sent.link)
    yield wire.request("POST", sent.link + "/code", {"a": "a" * 70000})
    yield wire.request("GET", sent.link)[:-2]  # never comes to its end


def no_link_is_written(server):
    """T20: no link is in any log, whatever is wrong with the request or the viewer"""
    sent = secure()
    assert wire.ask(HOST, wire.request("GET", sent.link)).status == 200
    for data in odd_requests(sent):
        with contextlib.suppress(OSError):
            connection = wire.connect(HOST)
            connection.settimeout(1)
            connection.sendall(data)
            wire.answer(connection, HOST)
    check_logs(token_of(sent), server)


def viewer_away(server):
    """a viewer that is down or dies: the page that says so, and no link in any log"""
    sent = secure()
    here = os.path.join(tempfile.mkdtemp(dir=ENV["LAB"]), "here")
    os.chmod(os.path.dirname(here), 0o777)
    with harness.configured("sms", "command", adapter(
            "away", ": >" + here, "exec sleep 30"), "viewer"):
        page = wait_for(lambda: reached(sent), "the viewer behind " + server)
        connection = wire.connect(HOST)
        connection.sendall(wire.request("POST", sent.link + "/send", page.form("/send").fields,
                                        Referer=sent.link))
        wait_for(lambda: os.path.exists(here), "the adapter")
        harness.control("kill", "viewer")
        try:
            if server != "lighttpd-cgi":
                assert wire.answer(connection, HOST).status >= 500
                check_away(sent)
        finally:
            harness.control("start", "viewer")
    wait_for(lambda: reached(sent), "the viewer behind " + server)
    check_logs(token_of(sent), server)


def reached(sent):
    """The page of the link when the viewer gives it: a server leaves one that was gone alone
    for a second."""
    page = Browser().get(sent.link)
    return page if page.status == 200 else None


def check_away(sent):
    """Without the viewer each visitor gets the page of the server."""
    for method in ("GET", "GET", "POST"):
        page = wire.ask(HOST, wire.request(method, sent.link, {} if method == "POST" else None,
                                           Referer=sent.link))
        assert page.status == 503 and OF_A_SERVER in page.text, (page.status, page.text)
        check_server(page)


def send_large(path, size, chunked=False):
    """The answer to a post of SIZE bytes to PATH, or None when the server broke it off."""
    with contextlib.suppress(OSError):
        connection = wire.connect(HOST)
        connection.settimeout(30)
        length = b"Transfer-Encoding: chunked" if chunked else b"Content-Length: %d" % size
        head = wire.request("POST", HOST + path, {}).replace(b"Content-Length: 0", length)
        piece = b"a" * 1000000
        with contextlib.suppress(OSError):  # it may have answered before the end
            connection.sendall(head)
            for _ in range(size // len(piece)):
                connection.sendall(b"%x\r\n%s\r\n" % (len(piece), piece) if chunked else piece)
            if chunked:
                connection.sendall(b"0\r\n\r\n")
        return wire.answer(connection, HOST)
    return None


def is_from_viewer(page):
    return page is not None and "content-security-policy" in page.headers


def too_large(server):
    """T26: 60 MB is refused by the server itself, an upload in its bounds reaches the viewer"""
    sent = secure()
    for path in ("/m/answer", "/form", sent.link[len(HOST):] + "/code"):
        for chunked in (False, True):
            page = send_large(path, LARGE_BYTES, chunked)
            assert page is None or page.status in (411, 413), (path, page.status)
            assert not is_from_viewer(page), path
    page = send_large(sent.link[len(HOST):] + "/code", 1000000)
    assert page is None or page.status == 413, page.status
    assert not is_from_viewer(page) or server == "lighttpd-cgi"
    assert is_from_viewer(send_large("/m/answer", UPLOAD_BYTES))
    wait_for(lambda: not any(names for _, _, names in os.walk("/dev/shm")), "the end of uploads")
    check_logs(token_of(sent), server)


def slow_beginnings(sent):
    """Requests that never come to their end, each stopping elsewhere."""
    yield b""
    yield b"GET /l/"
    yield wire.request("GET", sent.link)[:-2]
    yield wire.request("POST", sent.link + "/code", {"code": "123456"})[:-1]
    yield wire.request("POST", HOST + "/m/answer", {}).replace(
        b"Content-Length: 0", b"Content-Length: 1000000") + b"a" * 70000


def slow_visitors(server):
    """F21: with 300 connections that say too little, slow uploads too, others are served"""
    sent = secure()
    kinds = list(slow_beginnings(sent))
    with contextlib.ExitStack() as stack:
        slow = []
        for step in range(SLOW):
            connection = stack.enter_context(wire.connect(HOST))
            connection.sendall(kinds[step % len(kinds)])
            slow.append(connection)
        took = []
        for _ in range(3):
            for connection in slow[::7]:
                with contextlib.suppress(OSError):
                    connection.sendall(b"x")
            begin = time.monotonic()
            assert wire.ask(HOST, wire.request("GET", sent.link)).status == 200
            took.append(time.monotonic() - begin)
        assert max(took) < harness.patience(SOON_S), took
        walk.log_in(sent)
    check_logs(token_of(sent), server)


def slow_uploads(server):
    """F21: more slow uploads than the viewer has workers keep none of them"""
    sent = secure()
    head = wire.request("POST", HOST + "/m/answer", {}).replace(
        b"Content-Length: 0", b"Content-Length: 1000000")
    with contextlib.ExitStack() as stack:
        for _ in range(WORKERS + 1):
            connection = stack.enter_context(wire.connect(HOST))
            connection.sendall(head + b"a" * 500000)
        connection.settimeout(1)
        with contextlib.suppress(TimeoutError):  # the viewer would have answered: there is no session
            early = connection.recv(500)
            assert not early, early
        held = wait_for(lambda: files_of(server), "files of the uploads")
        assert all(name.startswith("/dev/shm/") for name in held), held
        begin = time.monotonic()
        walk.log_in(sent)
        assert time.monotonic() - begin < harness.patience(SOON_S)
    check_logs(token_of(sent), server)


def files_of(server):
    """The temporary files that SERVER has open; they may have no name any more."""
    found = set()
    for pid in harness.command("pgrep", "-g", harness.program_pid(server)).decode().split():
        for one in glob.glob("/proc/%s/fd/*" % pid):
            with contextlib.suppress(OSError):
                found.add(os.readlink(one))
    return {name for name in found if name.startswith(("/tmp/", "/var/", "/dev/shm/"))
            and not name.startswith("/var/log/")}


def make_test(server, check):
    """A test that CHECK holds with SERVER in front of the viewer."""
    def test():
        with served_by(server):
            check(server)
    test.__doc__ = "%s: %s" % (server, check.__doc__)
    return test


for _server in SERVERS:
    for _check in (whole_way, no_link_is_written, viewer_away, too_large, slow_visitors,
                   slow_uploads):
        globals()["test_%s_%s" % (_server, _check.__name__)] = make_test(_server, _check)
