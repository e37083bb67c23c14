"""What the reader of a message can do beside reading: keep it, delete it, say that the number is
wrong; what becomes of a link; and what every page has (V2, V4, V10, V12, K3, S13, T31)."""
import contextlib
import hashlib
import io
import os
import re
import zipfile

import harness
import walk
import wire
from browser import Browser
from harness import (ENV, configured, log_lines, log_mark, mail, mailbox, part, pass_time,
                     sms_texts, wait_for, wait_log, wait_sms)
from visitor import HOST, SENDER, reads, secure

REPORT = bytes(range(256)) * 300
PICTURE = b"\x89PNG\r\n\x1a\n" + bytes(5000)
WRONG_SUBJECT = "Verkeerd mobiel nummer"
HTML = "<h1>Uitslag</h1><p>De uitslag is <b>goed</b>.</p>"


def with_attachments(typed, to):
    message = mail("SMS %s Uitslag" % typed, "Geheime tekst\n", to=to)
    message.add_attachment(REPORT, maintype="application", subtype="pdf", filename="verslag.pdf")
    message.add_attachment(PICTURE, maintype="image", subtype="png", filename="foto.png")
    return message


def reference_of(sent):
    """The reference of the entry, out of the log of its delivery."""
    found = re.search(r"ref=([A-Za-z0-9-]+)", "".join(log_lines(
        "event=stored.*to=%s" % re.escape(sent.to))))
    assert found, "no reference"
    return found.group(1)


# ---- Keeping: V4, K3 ----

def test_everything_can_be_kept():
    """V4: attachments, zip, PDF and original are downloads; each is an event and is noted once."""
    browser, page = walk.log_in(walk.Sent(with_attachments))
    mark = log_mark()
    assert walk.attachments(browser, page) == [REPORT, PICTURE]
    answer = browser.get(HOST + "/m/zip")
    assert answer.status == 200 and answer.headers["content-type"] == "application/zip"
    with zipfile.ZipFile(io.BytesIO(answer.body)) as archive:
        found = {name: archive.read(name) for name in archive.namelist()}
    assert found["verslag.pdf"] == REPORT and found["foto.png"] == PICTURE, list(found)
    answer = browser.get(HOST + "/m/pdf")
    assert answer.status == 200 and answer.body.startswith(b"%PDF-"), answer.body[:100]
    assert answer.headers["content-disposition"].startswith("attachment; filename=\"bericht.pdf\"")
    answer = browser.get(HOST + "/m/original")
    assert answer.status == 200 and b"Subject: Uitslag" in answer.body
    for what in ("1", "2", "zip", "pdf", "original"):
        wait_log("event=downloaded.*part=%s" % what, mark)


def test_the_hashes_are_those_of_the_files():
    """K3: the page has the SHA-256 of each attachment, compared with what the milter saw."""
    mark = log_mark()
    _, page = walk.log_in(walk.Sent(with_attachments))
    for data in (REPORT, PICTURE):
        assert hashlib.sha256(data).hexdigest() in page.text, page.text
    assert page.text.count("Hetzelfde als toen het werd verstuurd.") == 2, page.text
    assert "Dit is een echt beveiligd bericht." in page.text
    assert not log_lines("event=integrity", mark)


def test_the_message_is_whole_without_frames():
    """V4: a text browser and paper have the words of an HTML message on the page itself."""
    def make(typed, to):
        message = mail("SMS %s Uitslag" % typed, "", to=to)
        message.set_content(HTML, subtype="html")
        return message
    browser, page = walk.log_in(walk.Sent(make))
    assert "De uitslag is goed." in re.sub(r"[*_]", "", page.text), page.text
    assert "/m/html" in page.links
    alone = browser.get(HOST + "/m/html")
    assert alone.status == 200 and b"goed" in alone.body
    assert alone.headers["content-security-policy"].startswith("sandbox "), alone.headers


# ---- Deleting: V12 ----

def test_the_reader_deletes():
    """V12: asked first; then nobody reads it, and the holder of the link is told."""
    sent = secure()
    browser, _ = walk.log_in(sent)
    pass_time(sent.queue_id, 61)
    other, _ = walk.log_in(sent)
    for _ in range(3):
        page = browser.get(HOST + "/m/delete")
    assert page.status == 200 and "Wilt u dit bericht verwijderen?" in page.text
    forged = wire.request("POST", HOST + "/m/delete", {"token": "A" * 43})
    assert wire.ask(HOST, forged).status == 403
    assert reads(browser) and reads(other)
    mark = log_mark()
    page = browser.submit(page, page.form("/m/delete"))
    assert page.status == 200 and "Het bericht is verwijderd" in page.text, page.text
    assert page.headers["clear-site-data"] == "\"cache\", \"storage\""
    wait_log("event=deleted", mark)
    for who in (browser, other, Browser()):
        page = who.get(sent.link)
        assert page.status == 410 and "Dit bericht is verwijderd" in page.text, page.text
        assert "Geheime tekst" not in page.text
        assert who.request("GET", HOST + "/m").status in (403, 410)
    for path in ("/code", "/wrong", "/no-phone"):
        assert Browser().get(sent.link + path).status == 410, path


def test_withdrawn_is_told():
    """S13: whoever holds the link of a message that was recalled reads that, and when."""
    sent = secure()
    browser, _ = walk.log_in(sent)
    harness.command(os.path.join(ENV["LAB_SBINDIR"], "zegelctl"), "message", "recall",
                    reference_of(sent))
    page = Browser().get(sent.link)
    assert page.status == 410 and "Dit bericht is ingetrokken" in page.text, page.text
    assert re.search(r"ingetrokken op \w+dag \d+ \w+ \d{4}", page.text), page.text
    assert browser.request("GET", HOST + "/m").status in (403, 410)


# ---- The number: V2, T31 ----

def wrong_mails(address=SENDER):
    return [one for one in mailbox(address) if WRONG_SUBJECT in str(one.message["Subject"])]


def test_the_number_is_not_mine():
    """V2, T31: the sender is told, once a day; whatever the visitor sends, no number changes."""
    sent, before = secure(), len(wrong_mails())
    browser = Browser()
    page = browser.get(sent.link)
    assert sent.link[len(HOST):] + "/wrong" in page.links, page.links
    page = browser.get(sent.link + "/wrong")
    assert sent.number[-2:] in page.text and sent.number[-3:] not in page.text
    asked = browser.submit(page, page.form("/wrong"))  # the box is not ticked
    assert asked.status == 400 and "vinkje" in asked.text
    assert len(wrong_mails()) == before
    mark = log_mark()
    told = browser.submit(page, page.form("/wrong"), sure="1", number="+31687654321",
                          code="123456", to="evil@example.com")
    assert told.status == 200 and "Wij hebben het de afzender verteld" in told.text, told.text
    letter = wait_for(lambda: wrong_mails()[before:], "the mail to the sender")[0]
    assert sent.to in letter.text() and "eindigt op " + sent.number[-2:] in letter.text()
    assert sent.number not in letter.text() and sent.number[3:] not in letter.text()
    wait_log("event=number-wrong", mark)
    assert str(letter.message["Reply-To"]).startswith("nummer-"), letter.message["Reply-To"]
    assert letter.message["In-Reply-To"] == sent.message["Message-ID"]
    for _ in range(3):
        again = Browser().get(sent.link + "/wrong")
        again = Browser().submit(again, again.form("/wrong"), sure="1")
        assert again.status == 200 and "De afzender weet het al" in again.text, again.text
    assert len(wrong_mails()) == before + 1
    _, code = walk.ask_code(Browser(), sent)  # to the same number as before
    assert code and len(sms_texts(sent.number)) == 1 and not sms_texts("+31687654321")


def test_a_forged_wrong_number():
    """T8: no mail to the sender for a form of another site."""
    sent, before = secure(), len(wrong_mails())
    form = Browser().get(sent.link + "/wrong").form("/wrong")
    for fields in ({"sure": "1"}, {"sure": "1", "token": "A" * 43}):
        assert wire.ask(HOST, wire.request("POST", sent.link + "/wrong", fields)).status == 403
    evil = wire.request("POST", sent.link + "/wrong", dict(form.fields, sure="1"),
                        Origin="https://evil.example")
    assert wire.ask(HOST, evil).status == 403
    assert len(wrong_mails()) == before and not log_lines("number-wrong.*" + re.escape(sent.to))


def test_no_phone_at_hand():
    """V2: words that help, and nothing that sends, changes or costs anything."""
    sent = secure()
    page = Browser().get(sent.link + "/no-phone")
    assert page.status == 200 and "Geen telefoon bij de hand?" in page.text
    assert not page.forms and sms_texts(sent.number) == []
    never = Browser().get(HOST + "/l/" + "A" * 22 + "/no-phone")
    assert never.status == 404


# ---- What every page has: V10, O1 ----

def test_every_page_speaks_both_languages():
    """Every page can be had in Dutch and English, by the switch that stands on it."""
    sent = walk.Sent(with_attachments)
    browser, _ = walk.log_in(sent)
    pages = ["/", "/help", "/nothing", "/m", "/m/text", "/m/delete"]
    pages += [sent.link[len(HOST):] + tail for tail in ("", "/code", "/wrong", "/no-phone")]
    for path in pages:
        words = {}
        for language, other in (("nl", "en"), ("en", "nl")):
            page = browser.get("%s%s?lang=%s" % (HOST, path, language))
            assert b"<html lang=\"%s\">" % language.encode() in page.body, path
            switch = [link for link in page.links if link.endswith("?lang=" + other)]
            assert switch, (path, page.links)
            words[language] = page.text
            browser.get(HOST + switch[0])
            page = browser.get(HOST + path)
            assert b"<html lang=\"%s\">" % other.encode() in page.body, path
        assert words["nl"] != words["en"], path


def test_every_page_of_a_session_says_until_when():
    """V10: until when, and log out, on each page that needs a session; on no other."""
    sent = secure()
    browser, _ = walk.log_in(sent)
    for path in ("/m", "/m/text", "/m/delete"):
        page = browser.get(HOST + path)
        assert re.search(r"Ingelogd tot \d\d:\d\d uur", page.text), (path, page.text)
        assert page.form("/logout")
    for path in ("/", "/help", sent.link[len(HOST):]):
        page = browser.get(HOST + path)
        assert "Ingelogd tot" not in page.text and "Uitloggen" not in page.text, path


@contextlib.contextmanager
def logo(data):
    """The organisation praktijk has the file with DATA as its logo."""
    path = "/run/zegel-test-logo"
    with open(path, "wb") as file:
        file.write(data)
    os.chmod(path, 0o644)
    with configured("organisation praktijk", "logo", path):
        yield path


def test_the_logo_stands_on_the_page():
    """O1: served by us as a picture that can run nothing; another organisation has none."""
    data = b"<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 1 1\"><script>alert(1)</script></svg>"
    assert Browser().get(HOST + "/logo").status == 404
    with logo(data):
        harness.control("stop", "viewer")
        harness.control("start", "viewer")
        page = Browser().get(HOST + "/")
        assert b"<img class=\"logo\" src=\"/logo\" alt=\"\">" in page.body
        answer = Browser().request("GET", HOST + "/logo")
        assert answer.status == 200 and answer.body == data
        assert answer.headers["content-type"] == "image/svg+xml"
        assert answer.headers["content-security-policy"].startswith("sandbox; default-src 'none'")
        other = Browser().request("GET", "https://veilig.%s/logo" % part("own2"))
        assert other.status == 404
    harness.control("stop", "viewer")
    harness.control("start", "viewer")


def test_a_logo_that_is_none_is_said():
    """A logo that cannot be used stops the start, and the text names the file and the cure."""
    program = os.path.join(ENV["LAB_SBINDIR"], "zegel-viewer")
    with logo(b"GIF89a") as path:
        said = harness.command("sh", "-c", "\"$0\" --check 2>&1; test $? = 78", program).decode()
        assert path in said and "neither PNG nor SVG" in said, said
    with configured("organisation praktijk", "logo", "/nowhere/logo.png"):
        said = harness.command("sh", "-c", "\"$0\" --check 2>&1; test $? = 78", program).decode()
        assert "/nowhere/logo.png" in said and "No such file" in said, said
