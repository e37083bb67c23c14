"""Forwarded messages (V6): direct, or into the viewer with reference and password."""
import os
import re

import harness as lab
import walk
from browser import Browser
from harness import ENV, mailbox, note, part, unique, wait_mail
from test_answer import Reader

SERVICE = "veilig." + part("own")
BASE = "https://%s" % SERVICE


class Forwarder(Reader):
    """A reader with the form to forward his message on .page."""

    def open(self):
        self.page = self.browser.get(self.base + "/m/forward")
        return self.page

    def forward(self, address, **fields):
        return self.browser.submit(self.page, self.page.form("once"), address=address, **fields)


def password_on(page):
    """(reference, password) that PAGE shows."""
    found = re.search(r"([a-z0-9]+(?:-[a-z0-9]+){2,})", page.text)
    assert found, page.text
    return note("password", found.group(1))


def way_in(mail):
    found = set(re.findall(r"https?://[^\s<>\"]+/r/[\w-]+", mail.text()))
    assert len(found) == 1, mail.text()
    return found.pop()


def open_shared(link, password, browser=None):
    browser = browser or Browser()
    page = browser.get(link)
    assert page.status == 200, page.text
    form = page.form("password")
    assert form.fields["reference"] == link.rsplit("/", 1)[1], form.fields
    return browser, browser.submit(page, form, password=password)


def test_outside():
    """V6: somebody outside gets a link without a word, and reads with the password"""
    word = unique()
    reader = Forwarder("Uitslag " + word)
    other = walk.new_outsider()
    mark = lab.log_mark()
    page = reader.forward(other)
    assert page.status == 200 and other in page.text, (page.status, page.text)
    password = password_on(page)
    mail = wait_mail(other)
    assert mail.message["From"].addresses[0].addr_spec == "noreply@" + SERVICE
    assert word not in mail and password not in mail
    assert reader.sent.to in mail.text()
    browser, page = open_shared(way_in(mail), password.upper().replace("-", " "))
    assert page.status == 200 and page.url.endswith("/m") and word in page.text, page.text
    line = lab.wait_log("event=forwarded", mark)
    assert "to=%s" % other in line and "way=viewer" in line, line
    assert lab.log_lines("event=login.*method=password", mark)
    assert not lab.log_lines(password, mark) and not lab.log_lines(word, mark)
    assert browser.get(BASE + "/m/forward").status == 403
    page = browser.get(BASE + "/m/original")
    assert page.status == 200 and word.encode() in page.body


def test_inside():
    """V6: who can be reached safely gets the message itself in his mailbox"""
    word = unique()
    reader = Forwarder("Uitslag " + word)
    partner = unique("p") + "@" + part("community")
    colleague = "bakker@" + part("own")
    mark = lab.log_mark()
    before = len(mailbox(colleague))
    page = reader.forward(partner)
    assert page.status == 200 and partner in page.text, (page.status, page.text)
    got = wait_mail(partner)
    assert got.message["Subject"] == "Fwd: Uitslag " + word, got.message["Subject"]
    assert got.message["From"].addresses[0].addr_spec == "noreply@" + SERVICE
    inner = [one for one in got.message.walk() if one.get_content_type() == "message/rfc822"]
    assert len(inner) == 1
    original = inner[0].get_payload(0)
    assert original["Subject"] == "Uitslag " + word
    assert original["Message-ID"] == reader.sent.message["Message-ID"]
    assert "way=direct" in lab.wait_log("event=forwarded", mark)
    reader.open()
    page = reader.forward(colleague)
    assert page.status == 200, (page.status, page.text)
    wait_mail(colleague, before + 1)
    assert reader.open().status == 403  # two times


def test_addresses():
    """T15: one address of one person, and nothing that could become another recipient"""
    reader = Forwarder()
    victim = walk.new_outsider()
    other = walk.new_outsider()
    mark = lab.log_mark()
    for address in ("", "jan", other + "," + victim, other + " " + victim, "<%s>" % victim,
                    "%s\r\nBcc: %s" % (other, victim), "%s%%0d%%0aBcc: %s" % (other, victim),
                    '"%s"@%s' % (victim, part("outsider")), "x@[192.0.2.1]",
                    victim.replace("@", "%") + "@" + part("own"), "noreply@" + SERVICE,
                    reader.sent.to):
        page = reader.forward(address, text=unique("weg"), subject="x")
        assert page.status == 400, (address, page.status, page.text)
    assert not mailbox(victim) and not mailbox(other)
    assert not lab.log_lines("event=forwarded", mark)
    assert reader.open().status == 200
    fields = dict(reader.page.form("once").fields, address=victim)
    for change, headers in (({"token": "A" * 43}, {}), ({}, {"Origin": "https://evil.example"}),
                            ({}, {"Sec-Fetch-Site": "cross-site"})):
        body = "&".join("%s=%s" % pair for pair in dict(fields, **change).items())
        page = reader.browser.request("POST", reader.page.url, body, dict(headers, **{
            "Content-Type": "application/x-www-form-urlencoded"}))
        assert page.status == 403, (change, page.status)
    assert not mailbox(victim)


def test_twice():
    """the same form twice forwards once, and the password is not shown again"""
    reader = Forwarder()
    other = walk.new_outsider()
    page = reader.forward(other)
    password = password_on(page)
    page = reader.forward(other)
    assert page.status == 200 and password not in page.text, page.text
    wait_mail(other)
    assert len(mailbox(other)) == 1
    assert reader.open().status == 200


def test_one_mailbox_a_day():
    """T15 T26: five mails a day to one mailbox, however its address is written; then none"""
    name, domain = walk.new_outsider().split("@")
    ways = (name, name.upper(), name + "+a", name[:3] + "." + name[3:], name + "+b.c")
    readers = [Forwarder() for _ in range(3)]
    for number, way in enumerate(ways):
        reader = readers[number // 2]
        reader.open()
        page = reader.forward(way + "@" + domain)
        assert page.status == 200, (way, page.status, page.text)
    mark = lab.log_mark()
    for way in (name, name + "+d"):
        reader.open()
        page = reader.forward(way + "@" + domain)
        assert page.status == 429, (way, page.status, page.text)
    assert not lab.log_lines("event=forwarded", mark)
    reader.open()
    assert reader.forward(walk.new_outsider()).status == 200  # nothing was used up


def test_wrong_passwords():
    """T16 T26: five wrong passwords, and what never existed, look the same"""
    reader = Forwarder()
    other = walk.new_outsider()
    password = password_on(reader.forward(other))
    link = way_in(wait_mail(other))
    unknown = link[:-2] + ("aa" if not link.endswith("aa") else "bb")
    texts = set()
    for target in (link, unknown):
        _, page = open_shared(target, "k7mq-aaaa-bbbb-cccc")
        assert page.status == 403, page.status
        texts.add(page.text)
    assert len(texts) == 1, texts
    for _ in range(4):
        _, page = open_shared(link, "k7mq-aaaa-bbbb-cccc")
    _, page = open_shared(link, password)
    assert page.status == 429 and "/m" not in page.url[-2:], (page.status, page.text)


def test_deleted():
    """V6 V12: who deletes his own message does not take it from whom he forwarded it to"""
    reader = Forwarder()
    other = walk.new_outsider()
    password = password_on(reader.forward(other))
    link = way_in(wait_mail(other))
    browser, page = open_shared(link, password)
    assert page.url.endswith("/m"), page.text
    page = reader.browser.get(BASE + "/m/delete")
    page = reader.browser.submit(page, page.form("/m/delete"))
    assert page.status == 200, page.text
    assert reader.browser.get(BASE + "/m").status != 200
    assert browser.get(BASE + "/m").status == 200
    page = browser.get(BASE + "/m/delete")
    page = browser.submit(page, page.form("/m/delete"))
    assert page.status == 200, page.text
    _, page = open_shared(link, password)
    assert page.status == 410, (page.status, page.text)


def test_recalled():
    """V6 S13: what is recalled is gone for whom it was forwarded to as well"""
    reader = Forwarder()
    other = walk.new_outsider()
    password = password_on(reader.forward(other))
    link = way_in(wait_mail(other))
    browser, page = open_shared(link, password)
    assert page.url.endswith("/m"), page.text
    reference = next(re.search(r"ref=(\w+)", line).group(1)
                     for line in lab.log_lines("event=forwarded,.* to=%s," % other))
    lab.command(os.path.join(ENV["LAB_SBINDIR"], "zegelctl"), "message", "recall", reference)
    page = browser.get(BASE + "/m")
    assert page.status in (403, 410) and "Beste patient" not in page.text, page.status
    _, page = open_shared(link, password)
    assert page.status == 410, (page.status, page.text)


def test_without_postfix():
    """K2 R6: when nothing can be sent, nothing is used up and the page says so"""
    reader = Forwarder()
    other = walk.new_outsider()
    with lab.without("milter"):
        page = reader.forward(other)
        assert page.status == 503 and page.form("once").fields["address"] == other, page.text
    assert " 2 " in reader.open().text, reader.page.text
    assert reader.forward(other).status == 200
