"""A real Chromium, as a patient has it on a phone: the whole way over HTTPS, by hand."""
import contextlib
import hashlib
import os
import secrets
import socket
import threading
import time
import urllib.parse

import harness
import walk
from chrome import PHONE, SMALL, Chrome
from harness import ENV, mail, unique, wait_for

SINK_PORT = 8099
VIEWER = "https://veilig." + harness.part("own") + "/"
CONTENT = secrets.token_bytes(200000)
NAME = "uitslag bloedonderzoek.pdf"


class Sink:
    """with Sink() as sink: a web server of somebody else; .visits is what came to it."""

    def __enter__(self):
        self.visits = []
        self.address = "%s:%d" % (ENV["LAB_OUTSIDER_ADDR"], SINK_PORT)
        self.listener = socket.create_server((ENV["LAB_OUTSIDER_ADDR"], SINK_PORT))
        threading.Thread(target=self._serve, daemon=True).start()
        return self

    def _serve(self):
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self.listener.accept()
                with connection:
                    self.visits.append(connection.recv(4096))
                    connection.sendall(b"HTTP/1.0 204 No Content\r\n\r\n")

    def __exit__(self, *_):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()


def hostile(sink, word):
    """HTML with WORD that would run scripts and ask SINK for things."""
    url = "http://%s/" % sink.address
    return """<html><head><title>x</title><base href="%(url)s">
<link rel="stylesheet" href="%(url)scss"><link rel="dns-prefetch" href="%(url)s">
<link rel="preconnect" href="%(url)s"><meta http-equiv="refresh" content="1;url=%(url)srefresh">
<style>@import url(%(url)simport); body { background: url(%(url)sbody) }
@font-face { font-family: x; src: url(%(url)sfont) }</style></head>
<body onload="alert(1)" background="%(url)sbackground">
<script>alert(2); top.document.title = "stolen"</script>
<script src="%(url)sscript"></script>
<p>Beste mevrouw De Vries,</p>
<p>De uitslag van uw <b>bloedonderzoek</b> is goed. Kenmerk %(word)s.</p>
<table border="1"><tr><th>Bepaling</th><th>Uitslag</th></tr><tr><td>Glucose</td>
<td style="color: #060; background: url(%(url)scell)">5,1 mmol/l</td></tr></table>
<img src="%(url)simage" onerror="alert(3)" alt="logo"><img srcset="%(url)sset 2x">
<svg onload="alert(4)"><script>alert(5)</script><image href="%(url)ssvg"/></svg>
<video src="%(url)svideo" poster="%(url)sposter" autoplay></video>
<iframe src="%(url)sframe"></iframe><object data="%(url)sobject"></object>
<embed src="%(url)sembed"><form action="%(url)sform"><button autofocus onfocus="alert(6)">x
</button></form><a href="javascript:alert(7)" id="bad">hier</a>
<p>Met vriendelijke groet,<br>dokter Janssen</p></body></html>""" % {"url": url, "word": word}


def letter(sink, word):
    """What makes the message: text, hostile HTML and an attachment."""
    def make(typed, to):
        message = mail("SMS %s Uitslag van uw onderzoek" % typed, "Platte tekst.\n", to=to,
                       sender="Dokter Janssen <janssen@%s>" % harness.part("own"))
        message.add_alternative(hostile(sink, word), subtype="html")
        message.add_attachment(CONTENT, maintype="application", subtype="pdf", filename=NAME)
        return message
    return make


def keep(chrome, name):
    """Screenshots of the page on a phone, light and dark, and on the smallest one; none of
    them is wider than the screen."""
    for suffix, size, dark in (("", PHONE, False), ("-dark", PHONE, True),
                               ("-320", SMALL, False)):
        chrome.screen(size, dark)
        if name == "message":
            chrome.look_at("iframe.mail")
        chrome.screenshot(name + suffix)
        assert chrome.width() <= size[0], (name, size, chrome.width())
    chrome.screen(PHONE)


def go_in(chrome, sent):
    """From the link to the message, with eyes and fingers only."""
    chrome.go(sent.link)
    wait_for(lambda: "Er is een beveiligd bericht voor u" in chrome.text(), "the link page")
    keep(chrome, "link")
    for name in ("wrong", "no-phone"):
        chrome.go(sent.link + "/" + name)
        keep(chrome, name)
    chrome.go(sent.link)
    assert harness.sms_texts(sent.number) == []
    chrome.click("main form button")
    code = harness.code_in(harness.wait_sms(sent.number))
    wait_for(lambda: chrome.url() == sent.link + "/code", "the page for the code")
    keep(chrome, "code")
    chrome.type("input.code", code[:3] + " " + code[3:])
    chrome.click("main form button")
    wait_for(lambda: chrome.url() == VIEWER + "m", "the message")


def read_letter(chrome, word):
    """The message with its frame; nothing in it ran or was fetched."""
    wait_for(lambda: "Uitslag van uw onderzoek" in chrome.text(), "the subject")
    chrome.enter("iframe.mail")
    shown = wait_for(chrome.text, "the words in the frame")
    for words in ("Beste mevrouw De Vries", word, "5,1 mmol/l", "dokter Janssen"):
        assert words in shown, (words, shown)
    chrome.enter()
    keep(chrome, "message")
    chrome.go(VIEWER + "m/delete")
    keep(chrome, "delete")
    chrome.go(VIEWER + "m")
    assert not chrome.has_dialog()


def download(chrome):
    """Presses the attachment; returns what arrives in the folder for downloads."""
    chrome.devtools("Browser.setDownloadBehavior", behavior="allow",
                    downloadPath=chrome.downloads)
    chrome.click(".attachments a")
    path = wait_for(lambda: [os.path.join(chrome.downloads, name)
                             for name in os.listdir(chrome.downloads)
                             if not name.startswith(".") and not name.endswith(".crdownload")], "the download")[0]
    with open(path, "rb") as file:
        return os.path.basename(path), file.read()


def leave(chrome, word):
    """Logs out; going back shows nothing."""
    chrome.click("button.logout")
    wait_for(lambda: "U bent uitgelogd" in chrome.text(), "the end of the session")
    chrome.screenshot("logged-out")
    for _ in range(2):
        chrome.back()
        text = wait_for(chrome.text, "the page before")
        assert word not in text and "Uitslag van" not in text, text
        assert not chrome.find_all("iframe.mail")
    chrome.go(VIEWER + "m/html")
    assert word not in chrome.text()


def check_requests(chrome, sink):
    """Chromium asked for nothing outside the viewer, and the sink heard nothing."""
    asked = [url for url in chrome.requests() if not url.startswith(("chrome", "data:"))]
    assert VIEWER + "m" in asked and VIEWER + "m/html" in asked, asked
    assert all(url.startswith(VIEWER) for url in asked), asked
    assert sink.visits == [], sink.visits


def whole_way(scripts):
    with Sink() as sink:
        word = unique()
        sent = walk.Sent(letter(sink, word))
        with Chrome(scripts) as chrome:
            go_in(chrome, sent)
            read_letter(chrome, word)
            name, content = download(chrome)
            assert name == NAME, name
            assert hashlib.sha256(content).digest() == hashlib.sha256(CONTENT).digest()
            leave(chrome, word)
            check_requests(chrome, sink)
            chrome.go("http://%s/control" % sink.address)
            assert sink.visits, "the sink itself hears nothing"


def reader_that_cleans_nothing(html):
    """A reader that gives HTML as it is, and the rest as zegel-reader does."""
    page = os.path.join(ENV["LAB"], "hostile.html")
    with open(page, "w", encoding="utf-8") as file:
        file.write(html)
    path = "/run/zegel-test-reader"
    with open(path, "w", encoding="utf-8") as file:
        file.write("#!/bin/sh\n[ \"$1\" = html ] || exec %s/zegel-reader \"$@\"\n"
                   "cat >/dev/null\nexec cat %s\n" % (ENV["LAB_LIBEXECDIR"] + "/zegel", page))
    os.chmod(path, 0o755)
    return path


def test_the_second_wall_holds_alone():
    """T9: with a reader that cleans nothing still no script runs and nothing is fetched."""
    with Sink() as sink:
        word = unique()
        sent = walk.Sent(letter(sink, word))
        html = hostile(sink, word).replace("dns-prefetch", "x").replace("preconnect", "x")
        reader = reader_that_cleans_nothing(html)
        with harness.configured("viewer", "reader", reader, "viewer"), Chrome() as chrome:
            go_in(chrome, sent)
            for frame in ("iframe.mail", None):
                if frame:
                    chrome.enter(frame)
                else:
                    chrome.go(VIEWER + "m/html")
                shown = wait_for(chrome.text, "the words of the message")
                assert "5,1 mmol/l" in shown and "hier" in shown, shown
                chrome.click("#bad")
                chrome.enter()
                assert not chrome.has_dialog()
            time.sleep(1.5)  # more than what its <meta http-equiv=refresh> waits for
            assert chrome.url() == VIEWER + "m/html" and not chrome.has_dialog()
            check_requests(chrome, sink)


def test_the_whole_way_in_chromium():
    """T9, T10, T21: link, code, message, attachment and log out in a real Chromium."""
    whole_way(scripts=True)


def test_the_whole_way_without_javascript():
    """V4: the same way with JavaScript switched off."""
    whole_way(scripts=False)


def test_no_page_shows_in_a_frame_of_others():
    """T23: home, link and shared page stay blank in a frame of somebody else"""
    sent = walk.Sent(lambda typed, to: mail("SMS %s Uitslag" % typed, to=to))
    urls = (VIEWER, sent.link, VIEWER + "r")
    frames = "".join("<iframe id=f%d src='%s'></iframe>" % one for one in enumerate(urls))
    ours = "link[href*='style.css']"
    with Chrome() as chrome:
        for url in urls:
            chrome.go(url)
            assert chrome.find_all(ours), url  # alone each of them shows
        chrome.go("data:text/html," + urllib.parse.quote(
            "<iframe id=free srcdoc='a frame with words'></iframe>" + frames))
        chrome.enter("#free")
        wait_for(lambda: "a frame with words" in chrome.text(), "words in a frame")
        for number, url in enumerate(urls):
            chrome.enter()
            chrome.enter("#f%d" % number)
            assert not chrome.find_all(ours), (url, chrome.text())


def answer_and_forward(chrome, sent):
    """Writes an answer, forwards the message, and deletes it."""
    word, other = unique("antwoord"), walk.new_outsider()
    chrome.go(VIEWER + "m/answer")
    chrome.type("textarea", word)
    chrome.click("main form button")
    wait_for(lambda: "/m/answer?sent=" in chrome.url(), "the page after an answer")
    wait_for(lambda: any(word in one.text() for one in harness.mailbox(sent.sender)), "the answer")
    chrome.go(VIEWER + "m/forward")
    chrome.type("input[name=address]", other)
    chrome.click("main form button")
    wait_for(lambda: "Wachtwoord" in chrome.text(), "the password")
    harness.wait_mail(other)
    chrome.go(VIEWER + "m/delete")
    chrome.click("main form button")
    wait_for(lambda: "Het bericht is verwijderd" in chrome.text(), "the end of the message")


def test_writing_without_javascript():
    """V4 V5 V6 V12: answer, forward and delete with JavaScript switched off"""
    sent = walk.Sent(lambda typed, to: mail("SMS %s Uitslag" % typed, to=to))
    with Chrome(scripts=False) as chrome:
        go_in(chrome, sent)
        answer_and_forward(chrome, sent)
