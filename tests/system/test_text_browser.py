"""The whole way in a text browser, at its keys: w3m in a terminal of its own (V4)."""
import contextlib
import fcntl
import os
import pty
import signal
import struct
import tempfile
import termios
import threading

import harness
import walk
from harness import ENV, mail, unique, wait_for

SENDER = "janssen@" + harness.part("own")
ROWS, COLUMNS = 400, 80
OPTIONS = {"ssl_verify_server": "1", "ssl_ca_file": ENV["LAB_CA"], "use_cookie": "1",
           "accept_cookie": "1", "accept_language": "nl", "display_charset": "UTF-8",
           "confirm_qq": "0"}


class W3m:
    """with W3m(URL) as browser: somebody at the keys of w3m."""

    def __init__(self, url):
        self.url = url
        self.saved = 0

    def __enter__(self):
        self.home = tempfile.TemporaryDirectory(dir=ENV["LAB"])
        self.editor = os.path.join(self.home.name, "editor")
        options = [word for pair in OPTIONS.items() for word in ("-o", "%s=%s" % pair)]
        self.process, self.terminal = pty.fork()
        if self.process == 0:
            os.environ.update(HOME=self.home.name, TERM="vt100", LANG="C.UTF-8",
                              EDITOR=self.editor)
            os.execvp("w3m", ["w3m", *options, self.url])
        fcntl.ioctl(self.terminal, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
        threading.Thread(target=self._drain, daemon=True).start()
        return self

    def _drain(self):
        """Nobody looks at the screen: the page is read with w3m's own "save"."""
        with contextlib.suppress(OSError):
            while os.read(self.terminal, 65536):
                pass

    def __exit__(self, *_):
        os.kill(self.process, signal.SIGKILL)
        os.waitpid(self.process, 0)
        os.close(self.terminal)
        self.home.cleanup()

    def press(self, keys):
        os.write(self.terminal, keys.encode())

    def page(self):
        """The page as it is shown (S: save the screen)."""
        self.saved += 1
        path = os.path.join(self.home.name, "page%d" % self.saved)
        self.press("S\x15%s\r" % path)
        with contextlib.suppress(AssertionError):
            wait_for(lambda: os.path.exists(path) and os.path.getsize(path), "page", 3)
            with open(path, encoding="utf-8") as file:
                return file.read()
        return ""  # it is loading

    def wait_page(self, words):
        """The page, when it has WORDS."""
        shown = [""]

        def look():
            shown[0] = self.page() or shown[0]
            return words in " ".join(shown[0].split())
        try:
            wait_for(look, words)
        except AssertionError as error:
            raise AssertionError("%s in: %s" % (error, shown[0])) from None
        return " ".join(shown[0].split())

    def choose(self, words):
        """Goes to WORDS, from the top, and presses Enter there."""
        self.press("g/%s\r\r" % words)

    def fill(self, label, text):
        """Types TEXT in the one-line field after LABEL."""
        self.press("g/%s\r\t\r\x15%s\r" % (label, text))

    def write(self, label, text):
        """Writes TEXT in the field after LABEL, with the editor of the visitor."""
        with open(self.editor, "w", encoding="utf-8") as file:
            file.write("#!/bin/sh\nfor last; do :; done\nprintf %%s '%s' >\"$last\"\n" % text)
        os.chmod(self.editor, 0o755)
        self.press("g/%s\r\t\r" % label)


def letter(word):
    """What makes a message with WORD in HTML alone."""
    def make(typed, to):
        message = mail("SMS %s Uitslag" % typed, to=to)
        message.set_content("<p>Geheim <b>%s</b></p>" % word, subtype="html")
        return message
    return make


def test_the_whole_way_in_w3m():
    """V4 V5: link, code, message, its text, an answer and log out, in a text browser"""
    word, answer = unique(), unique("antwoord")
    sent = walk.Sent(letter(word))
    with W3m(sent.link) as browser:
        browser.wait_page("Er is een beveiligd bericht voor u")
        browser.choose("Stuur toegangscode")
        code = harness.code_in(harness.wait_sms(sent.number))
        browser.wait_page("Vul uw toegangscode in")
        browser.fill("6 cijfers", code)
        browser.choose("Lees het bericht")
        browser.wait_page(word)
        browser.choose("Toon alleen de tekst")
        assert word in browser.wait_page("Terug naar het bericht")
        browser.choose("Terug naar het bericht")
        browser.wait_page("Beantwoorden")
        browser.choose("Beantwoorden")
        browser.wait_page("Uw antwoord")
        browser.write("Uw antwoord", answer)
        browser.choose("Antwoord versturen")
        browser.wait_page("verstuurd")
        wait_for(lambda: any(answer in one.text() for one in harness.mailbox(SENDER)), "answer")
        browser.choose("Uitloggen")
        assert word not in browser.wait_page("U bent uitgelogd")
