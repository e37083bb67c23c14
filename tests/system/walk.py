"""The way of a recipient: notification, link, code, message, attachments."""
import re

from browser import Browser, link_in
from harness import (code_in, mailbox, note, part, send, sms_texts, unique, wait_delivered, wait_mail,
                     wait_sms)

_numbers = iter(range(11111111, 99999999, 137))


def new_number():
    """A mobile number that no test had before: (as people write it, E.164)."""
    digits = "6%d" % next(_numbers)
    return "0" + digits, note("number", "+31" + digits)


def new_outsider():
    """An address of an outsider that no test had before."""
    return "%s@%s" % (unique("p"), part("outsider"))


class Sent:
    """A secure message to an outsider, sent and filed.

    .to, .number (E.164), .queue_id, .log (lines of its queue id), .notification, .link.
    """

    def __init__(self, make, to=None, sender=None, options=()):
        """MAKE(number as typed, to) gives the message; OPTIONS go with MAIL."""
        typed, self.number = new_number()
        self.to = to or new_outsider()
        self.sender = sender or "janssen@" + part("own")
        before = len(mailbox(self.to))
        self.message = make(typed, self.to)
        self.queue_id = send(self.message, self.sender, self.to, options=options)
        self.log = wait_delivered(self.queue_id)
        assert any("zegel-store" in line and "status=sent" in line for line in self.log), self.log
        self.notification = wait_mail(self.to, before + 1)
        self.link = link_in(self.notification)


def ask_code(browser, sent):
    """Opens the link, presses the button; returns (page that asks for the code, code)."""
    before = len(sms_texts(sent.number))
    page = browser.get(sent.link)
    assert page.status == 200, page.text
    page = browser.submit(page, page.form("/send"))
    assert page.status == 200, page.text
    return page, code_in(wait_sms(sent.number, before + 1))


def log_in(sent, browser=None):
    """The whole way; returns (browser, the page of the message)."""
    browser = browser or Browser()
    page, code = ask_code(browser, sent)
    page = browser.submit(page, page.form("/code"), code=code)
    assert page.status == 200 and page.url.endswith("/m"), (page.status, page.url, page.text)
    return browser, page


def attachments(browser, page):
    """The bytes of each attachment on PAGE, in order."""
    links = [link for link in page.links if re.fullmatch(r"/m/part/\d+", link)]
    answers = [browser.get(page.url[:-len("/m")] + link) for link in links]
    assert all(answer.status == 200 for answer in answers), [a.status for a in answers]
    return [answer.body for answer in answers]
