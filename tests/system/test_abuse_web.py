"""The viewer under attack, over real HTTPS: forms and hosts of others, what an answer leaves
behind, and too much of everything (T8, T20 to T22, T24, T26)."""
import contextlib
import os
import re
import secrets
import tempfile
import time

import harness
import walk
import wire
from browser import Browser
from harness import ENV, mail, part, pass_time, sms_texts, unique, wait_for, wait_sms
from visitor import (COOKIE, COOLDOWN_S, HOST, HOST2, adapter, cookie_of, new_code, reads, secure,
                     try_codes, with_cookie, wrong_codes)

# ---- Other sites: T8, T22, T24 ----

FOREIGN = (
    {"Origin": "https://evil.example"},
    {"Origin": HOST2},
    {"Origin": "http://veilig." + part("own")},
    {"Origin": HOST + ".evil.example"},
    {"Sec_Fetch_Site": "cross-site"},
    {"Sec_Fetch_Site": "same-site"},
    {"Origin": HOST, "Sec_Fetch_Site": "cross-site"},
)


def forgeries(url, fields, token_of_another):
    """Posts of the form FIELDS that our own page would never have sent."""
    yield from (wire.request("POST", url, fields, **headers) for headers in FOREIGN)
    for token in (None, "", "A" * 43, token_of_another):
        changed = {name: value for name, value in fields.items() if name != "token"}
        if token is not None:
            changed["token"] = token
        yield wire.request("POST", url, changed)


def refuse_all(url, fields, token_of_another):
    for data in forgeries(url, fields, token_of_another):
        page = wire.ask(url, data)
        assert page.status == 403 and "set-cookie" not in page.headers, (data, page.status)


def test_a_form_of_another_site_does_nothing():
    """T8: send, code and logout with a foreign origin or a missing or foreign token: 403, no effect."""
    sent, other = secure(), secure()
    foreign = Browser().get(other.link + "/code")
    tokens = foreign.form("/send").fields["token"], foreign.form("/code").fields["token"]
    browser = Browser()
    page = browser.get(sent.link)
    refuse_all(sent.link + "/send", page.form("/send").fields, tokens[0])
    browser, page, code = new_code(sent, browser)
    form = page.form("/code").fields
    refuse_all(sent.link + "/code", dict(form, code=code), tokens[1])
    refuse_all(sent.link + "/code", dict(form, code=wrong_codes(code, 1)[0]), tokens[1])
    refuse_all(sent.link + "/send", {"token": form["token"]}, form["token"])
    assert len(sms_texts(sent.number)) == 1 and sms_texts(other.number) == []
    page = browser.submit(page, page.form("/code"), code=code)
    assert page.status == 200
    cookie = "%s=%s" % (COOKIE, cookie_of(browser))
    fields = page.form("/logout").fields
    for data in forgeries(HOST + "/logout", fields, form["token"]):
        data = data.replace(b"\r\n", b"\r\nCookie: " + cookie.encode() + b"\r\n", 1)
        assert wire.ask(HOST, data).status == 403
    assert wire.ask(HOST, wire.request("GET", HOST + "/logout", Cookie=cookie)).status == 404
    assert reads(browser)


def test_a_host_that_is_not_ours():
    """T22: a foreign Host is refused; X-Forwarded-Host and its kin appear on no page, in no mail."""
    sent = secure()
    evil = "evil-%s.example" % unique("host")
    for host in (evil, evil + ":443", "veilig." + part("own") + "." + evil, "veilig", "",
                 "veilig." + part("own") + "@" + evil, "192.0.2.80"):
        data = wire.request("GET", sent.link).replace(
            b"Host: veilig." + part("own").encode(), b"Host: " + host.encode())
        page = wire.ask(HOST, data)
        assert page.status in (400, 404, 421), (host, page.status, page.body)
        assert b"evil" not in page.body and part("own").encode() not in page.body
    absolute = wire.request("GET", HOST + "/").replace(b"GET /", b"GET https://%s/" %
                                                       evil.encode())
    assert wire.ask(HOST, absolute).status in (400, 404, 421)
    for name in ("X_Forwarded_Host", "X_Host", "X_Forwarded_Server", "Forwarded", "X_Original_URL",
                 "X_Rewrite_URL", "X_HTTP_Method_Override", "Referer"):
        for path in ("", "/code"):
            page = wire.ask(HOST, wire.request("GET", sent.link + path, **{name: evil}))
            assert page.status == 200 and b"evil" not in page.body, name
            assert not [one for one in page.headers.values() if "evil" in one], name
    assert "evil" not in sent.notification


def test_no_page_leads_elsewhere():
    """T24: ?next=//evil and its kin change no redirect and appear on no page."""
    sent = secure()
    query = "?next=//evil.example&url=https://evil.example&return=%2F%2Fevil.example&lang=//evil"
    browser = Browser()
    page = browser.get(sent.link + query)
    assert page.status == 200 and b"evil" not in page.body
    sending = wire.request("POST", sent.link + "/send" + query,
                           dict(page.form("/send").fields, next="//evil.example"))
    page = wire.ask(HOST, sending)
    assert page.status == 303 and page.headers["location"].startswith("/l/")
    assert "evil" not in page.headers["location"]
    code = harness.code_in(wait_sms(sent.number))
    form = browser.get(sent.link + "/code" + query).form("/code")
    page = wire.ask(HOST, wire.request("POST", sent.link + "/code" + query, dict(
        form.fields, code=code, next="//evil.example")))
    assert page.status == 303 and page.headers["location"] == "/m"
    for path in ("//evil.example/", "//evil.example/%2e%2e", "/\\evil.example", "/l/..//evil.example"):
        page = wire.ask(HOST, wire.request("GET", HOST + "/").replace(
            b"GET / ", b"GET %s " % path.encode()))
        assert page.status in (400, 404) and "location" not in page.headers, (path, page.status)


# ---- What stays behind: T20, T21 ----

ALWAYS = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cache-control": "no-store",
    "cross-origin-resource-policy": "same-origin",
    "strict-transport-security": "max-age=31536000",
}


def check_headers(page, what):
    """The headers that every answer of the viewer has."""
    for name, value in ALWAYS.items():
        assert page.headers.get(name) == value, (what, page.status, name, page.headers)
    policy = page.headers["content-security-policy"]
    assert "default-src 'none'" in policy and "frame-ancestors" in policy, (what, policy)
    assert "unsafe-inline' script" not in policy and "script-src" not in policy, (what, policy)
    assert "etag" not in page.headers and "last-modified" not in page.headers, what
    if "sandbox" not in policy:
        assert page.headers["cross-origin-opener-policy"] == "same-origin", what


def message_with_everything(typed, to):
    message = mail("SMS %s Uitslag" % typed, "Geheime tekst\n", to=to)
    message.add_alternative("<p>Geheime <b>tekst</b></p>", subtype="html")
    message.add_attachment(b"<script>alert(1)</script>", maintype="text", subtype="html",
                           filename="foto.jpg")
    return message


def every_kind_of_answer(sent):
    """(what, answer) of the viewer: pages, redirects, refusals, errors, downloads."""
    never = HOST + "/l/" + secrets.token_urlsafe(16)
    for path in ("/", "/help", "/style.css", "/logo", "/m", "/favicon.ico", "/robots.txt"):
        yield path, wire.ask(HOST, wire.request("GET", HOST + path))
    yield "never", wire.ask(HOST, wire.request("GET", never))
    yield "method", wire.ask(HOST, wire.request("PUT", sent.link))
    yield "head", wire.ask(HOST, wire.request("HEAD", sent.link))
    link = wire.ask(HOST, wire.request("GET", sent.link))
    yield "link", link
    yield "wrong", wire.ask(HOST, wire.request("GET", sent.link + "/wrong"))
    yield "no phone", wire.ask(HOST, wire.request("GET", sent.link + "/no-phone"))
    yield "forged", wire.ask(HOST, wire.request("POST", sent.link + "/send", {}))
    yield "no form", wire.ask(HOST, wire.request(
        "POST", sent.link + "/send", {}).replace(b"x-www-form-urlencoded", b"json"))
    yield "long", wire.ask(HOST, wire.request("GET", sent.link + "?lang=" + "x" * 7000))
    send_fields = link.form("/send").fields
    yield "send", wire.ask(HOST, wire.request("POST", sent.link + "/send", send_fields))
    yield "wait", wire.ask(HOST, wire.request("POST", sent.link + "/send", send_fields))
    code = harness.code_in(wait_sms(sent.number))
    page = wire.ask(HOST, wire.request("GET", sent.link + "/code"))
    yield "code", page
    fields = page.form("/code").fields
    for typed in ("x", wrong_codes(code, 1)[0], code):
        page = wire.ask(HOST, wire.request("POST", sent.link + "/code", dict(fields, code=typed)))
        yield "code " + typed, page
    browser = with_cookie(page.headers["set-cookie"].split(";")[0].split("=", 1)[1])
    for path in ("", "/html", "/text", "/part/1", "/part/2", "/original", "/pdf",
                 "/zip", "/delete", "/x/style.css", "/pdf/x.css",
                 "/style.css", "/html/x.css", "/original.css", "/part/1.png"):
        yield "/m" + path, browser.request("GET", HOST + "/m" + path)
    page = browser.get(HOST + "/m")
    yield "logout", browser.submit(page, page.form("/logout"))


def test_headers_of_every_kind_of_answer():
    """T21: every answer, errors too, is not stored, not sniffed and says nothing of its address."""
    sent = walk.Sent(message_with_everything)
    answers = dict(every_kind_of_answer(sent))
    for what, page in answers.items():
        check_headers(page, what)
    kinds = {page.status for page in answers.values()}
    assert kinds == {200, 303, 400, 403, 404, 415}, kinds
    for path in ("/m/x/style.css", "/m/style.css", "/m/pdf/x.css", "/m/html/x.css", "/m/original.css",
                 "/m/part/1.png", "/m/part/2"):
        assert answers[path].status == 404 and b"Geheime" not in answers[path].body, path
    part_1 = answers["/m/part/1"].headers
    assert part_1["content-disposition"].startswith("attachment"), part_1
    assert part_1["content-type"] == "application/octet-stream", part_1
    for path, kind in (("/m/pdf", "application/pdf"), ("/m/zip", "application/zip")):
        headers = answers[path].headers
        assert headers["content-disposition"].startswith("attachment"), (path, headers)
        assert headers["content-type"] == kind and "sandbox" in headers["content-security-policy"]
    assert "sandbox" in answers["/m/html"].headers["content-security-policy"]
    assert answers["logout"].headers["clear-site-data"] == "\"cache\", \"storage\""


def web_logs():
    """What lighttpd has written, by file."""
    found = {}
    for name in os.listdir("/var/log/lighttpd"):
        with open(os.path.join("/var/log/lighttpd", name), "rb") as file:
            found[name] = file.read()
    with open(os.path.join(ENV["LAB"], "log", "lighttpd"), "rb") as file:
        found["output"] = file.read()
    return found


def test_no_link_is_in_the_log_of_the_web_server():
    """T20: no path of a link is in the web server's logs, whatever goes wrong on its way."""
    sent = secure()
    token = sent.link.rsplit("/", 1)[1].encode()
    seen = tempfile.mkdtemp(dir=ENV["LAB"])
    os.chmod(seen, 0o777)
    walk.log_in(sent)
    for data in (wire.request("GET", sent.link, Referer=sent.link),
                 wire.request("GET", sent.link).replace(b"Host: ", b"Host: \x01"),
                 wire.request("GET", sent.link).replace(b"HTTP/1.1", b"HTTP/9.9"),
                 wire.request("GET", sent.link + "%00%"),
                 wire.request("POST", sent.link + "/code", {"a": "a" * 70000})):
        with contextlib.suppress(OSError):
            wire.ask(HOST, data)
    with harness.configured("sms", "command", adapter(
            "hanging", ": >%s/here" % seen, "exec sleep 30"), "viewer"):
        page = Browser().get(sent.link)
        pass_time(sent.queue_id, COOLDOWN_S)
        connection = wire.connect(HOST)
        connection.sendall(wire.request("POST", sent.link + "/send", page.form("/send").fields))
        wait_for(lambda: os.path.exists(seen + "/here"), "the adapter")
        harness.control("kill", "viewer")
        assert wire.answer(connection, HOST).status >= 500
        assert wire.ask(HOST, wire.request("GET", sent.link)).status == 503
        harness.control("start", "viewer")
    # The web server leaves a viewer that was gone alone for a second.
    wait_for(lambda: Browser().get(sent.link).status == 200, "the viewer behind the web server")
    logs = web_logs()
    assert logs["zegel.log"].count(b"\n") > 10 and logs["error.log"], logs.keys()
    for name, text in logs.items():
        assert token not in text, (name, [line for line in text.splitlines() if token in line])


# ---- Too much: T26 ----

def answer_or_end(data):
    """The status that DATA gets; None when the server ends the connection under way."""
    with contextlib.suppress(OSError):
        connection = wire.connect(HOST)
        with contextlib.suppress(OSError):  # it may have answered before the end
            connection.sendall(data)
        return wire.answer(connection, HOST).status
    return None


def test_too_large_a_form():
    """T26: a form that is too large is refused with 413, also in chunks, and costs no try."""
    sent = secure()
    browser, page, code = new_code(sent)
    fields = dict(page.form("/code").fields, code=wrong_codes(code, 1)[0])
    answers = [answer_or_end(wire.request("POST", sent.link + "/code", dict(fields, a="a" * size)))
               for size in (65536, 70000, 10 ** 7)]
    assert set(answers) <= {413, None} and 413 in answers, answers
    body = b"a=" + b"a" * 70000
    data = wire.request("POST", sent.link + "/code", {}).replace(
        b"Content-Length: 0\r\n", b"Transfer-Encoding: chunked\r\n")
    data += b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body)
    assert answer_or_end(data) in (413, None)
    try_codes(browser, page, wrong_codes(code, 4))
    assert browser.submit(page, page.form("/code"), code=code).status == 200


SOON_S = 8  # a web server that waited for the slow ones would need 15 (I7)


def slow_beginnings(sent):
    """Requests that never come to their end, each stopping elsewhere."""
    post = wire.request("POST", sent.link + "/code", {"code": "123456", "token": "x" * 43})
    yield b""
    yield b"GET /l/"
    yield wire.request("GET", sent.link)[:-2]
    yield post[:-50]
    yield post[:-1]


def test_slow_and_idle_visitors_keep_nobody_waiting():
    """T26: with 300 connections that say nothing, too little or too slowly others are served."""
    sent = secure()
    kinds = list(slow_beginnings(sent))
    with contextlib.ExitStack() as stack:
        slow = []
        for step in range(300):
            connection = stack.enter_context(wire.connect(HOST))
            connection.sendall(kinds[step % len(kinds)])
            slow.append(connection)
        for _ in range(3):
            for connection in slow[::7]:
                with contextlib.suppress(OSError):
                    connection.sendall(b"x")
            begin = time.monotonic()
            assert wire.ask(HOST, wire.request("GET", sent.link)).status == 200
            assert time.monotonic() - begin < harness.patience(SOON_S)
        walk.log_in(sent)


def test_a_reader_on_a_slow_line_keeps_nobody_waiting():
    """T26: 40 downloads that nobody takes keep neither workers nor others."""
    content = secrets.token_bytes(6 * 1024 * 1024)

    def make(typed, to):
        message = mail("SMS %s Uitslag" % typed, to=to)
        message.add_attachment(content, maintype="application", subtype="octet-stream",
                               filename="groot.bin")
        return message
    sent = walk.Sent(make)
    browser, page = walk.log_in(sent)
    cookie = "%s=%s" % (COOKIE, cookie_of(browser))
    with contextlib.ExitStack() as stack:
        for _ in range(40):
            connection = stack.enter_context(wire.connect(HOST, takes=4096))
            connection.sendall(wire.request("GET", HOST + "/m/part/1", Cookie=cookie))
        begin = time.monotonic()
        assert reads(browser)
        assert time.monotonic() - begin < harness.patience(SOON_S)
        assert walk.attachments(browser, page) == [content]
