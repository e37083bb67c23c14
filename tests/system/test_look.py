"""Every page of the viewer as people with different eyes and screens see it: axe, the Nu HTML
checker, no sideways scrolling at 320 px and 400 %, Tab in the order of reading, focus in pixels,
things large enough to hit. Both languages, light and dark; pictures are kept."""
import base64
import json
import os

import harness
import test_form
import test_forward
import test_phone
import test_status
import told
import visitor
import walk
from browser import Browser, Page
from browser_tools import cookies_of, run_script, validate
from harness import ENV, configured, mail, pass_time, wait_mail
from visitor import HOST

IN_CHROMIUM = True
LANGUAGES = ("nl", "en")
OUT = os.path.join(ENV["LAB_BUILD"], "screenshots")
WEB = os.path.join(os.path.dirname(os.path.realpath(__file__)), "..", "..", "contrib", "web")
SENDER = "Dokter Janssen <janssen@%s>" % harness.part("own")
NOT_OURS = {"set-cookie", "transfer-encoding", "content-length", "clear-site-data", "connection"}
SESSION_S = 1200
HTML = """<p>Beste mevrouw De Vries,</p><p>De uitslag van uw <b>bloedonderzoek</b> is goed.</p>
<table><tr><th>Bepaling</th><th>Uitslag</th></tr><tr><td>Glucose</td><td>5,1 mmol/l</td></tr>
</table><p>Lees <a href="https://www.thuisarts.nl/">thuisarts.nl</a>.</p>"""


def letter(typed, to, html=False):
    message = mail("SMS %s Uitslag van uw bloedonderzoek" % typed,
                   "Beste mevrouw De Vries,\n\nDe uitslag is goed.\n", to=to, sender=SENDER)
    if html:
        message.add_alternative(HTML, subtype="html")
    message.add_attachment(b"%PDF-1.4 x", maintype="application", subtype="pdf",
                           filename="uitslag bloedonderzoek.pdf")
    message.add_attachment(b"x" * 200000, maintype="image", subtype="jpeg", filename="foto.jpg")
    return message


class Album:
    """with Album() as album: the pages that were kept are looked at when all are there."""

    def __init__(self):
        self.pages = []
        self.language = None

    def __enter__(self):
        return self

    def languages(self):
        """Each language in turn, in which pages are kept."""
        for self.language in LANGUAGES:
            yield self.language

    def keep(self, name, page, browser=None, status=200):
        """PAGE is one to look at; what it loads it asks with the cookies of BROWSER."""
        assert page.status == status, (name, page.status, page.text)
        assert b"<html lang=\"%s\">" % self.language.encode() in page.body, name
        self.add(name, page, cookies=cookies_of(browser, HOST) if browser else [])
        return page

    def add(self, name, page, cookies=(), both=False):
        self.pages.append({
            "name": name, "language": self.language, "both": both, "url": page.url,
            "status": page.status, "cookies": list(cookies),
            "headers": {key: value for key, value in page.headers.items()
                        if key not in NOT_OURS},
            "body": base64.b64encode(page.body).decode()})

    def __exit__(self, kind, *_):
        if kind:
            return
        os.makedirs(OUT, exist_ok=True)
        files = []
        for one in self.pages:
            files.append(os.path.join(OUT, "%s-%s.html" % (one["name"], one["language"])))
            with open(files[-1], "wb") as file:
                file.write(base64.b64decode(one["body"]))
        assert len(set(files)) == len(files), sorted(files)
        findings = run_script("look.mjs", {"out": OUT, "pages": self.pages})["findings"]
        findings += validate(files)
        assert findings == [], json.dumps(findings, indent=1, ensure_ascii=False)


def opened(language, html=False):
    """A message that was sent and opened: (walk.Sent, browser, its page)."""
    sent = walk.Sent(lambda typed, to: letter(typed, to, html))
    return (sent, *walk.log_in(sent, Browser(language)))


# ---- Before a message is open ----

def keep_code_pages(album, browser, sent):
    page, code = walk.ask_code(browser, sent)
    album.keep("code", page)
    album.keep("code-malformed", browser.submit(page, page.form("/code"), code="12"), status=400)
    *others, last = visitor.wrong_codes(code, 5)
    page = visitor.try_codes(browser, page, others[:1])
    album.keep("code-wrong", page, status=page.status)
    page = visitor.try_codes(browser, page, others[1:] + [last])
    album.keep("code-no-tries", page, status=page.status)
    link = browser.get(sent.link)
    page = browser.submit(link, link.form("/send"))
    album.keep("code-wait", page, status=page.status)


def keep_number_pages(album, browser, sent):
    page = album.keep("wrong-number", browser.get(sent.link + "/wrong"))
    album.keep("wrong-number-refused", browser.submit(page, page.form("/wrong")), status=400)
    album.keep("wrong-number-told", browser.submit(page, page.form("/wrong"), sure="1"))
    album.keep("wrong-number-known", browser.submit(page, page.form("/wrong"), sure="1"))
    album.keep("no-phone", browser.get(sent.link + "/no-phone"))


def test_pages_before_a_message():
    """T39 V9: home, help, link, number, codes right and wrong, and no code"""
    with Album() as album:
        for language in album.languages():
            browser, sent = Browser(language), walk.Sent(letter)
            album.keep("home", browser.get(HOST + "/"))
            album.keep("help", browser.get(HOST + "/help"))
            link = album.keep("link", browser.get(sent.link))
            assert ("beveiligd bericht" if language == "nl" else "secure message") in link.text
            keep_number_pages(album, browser, sent)
            keep_code_pages(album, browser, sent)
            link.form("/send").fields["token"] = "A" * 43
            album.keep("once-more", browser.submit(link, link.form("/send")), status=403)
        with configured("sms", "command", visitor.adapter("look", "exit 1"), "viewer"):
            for language in album.languages():
                browser = Browser(language)
                link = browser.get(walk.Sent(letter).link)
                page = browser.submit(link, link.form("/send"))
                album.keep("no-code", page, status=page.status)
                assert page.status >= 400, page.status


def test_pages_of_what_is_no_more():
    """T39 V9: expired, withdrawn, deleted, never there, session over, logged out"""
    with Album() as album:
        for language in album.languages():
            album.keep("nothing", Browser(language).get(HOST + "/l/" + "A" * 22), status=404)
            album.keep("session-unknown", Browser(language).get(HOST + "/m"), status=403)
            sent, browser, page = opened(language)
            album.keep("logged-out", browser.submit(page, page.form("/logout")))
            pass_time(sent.queue_id, 91 * visitor.DAY_S)
            album.keep("expired", browser.get(sent.link), status=410)
            sent, browser, page = opened(language)
            pass_time(sent.queue_id, SESSION_S + 100)
            album.keep("session-over", browser.get(HOST + "/m"), status=403)
            sent = walk.Sent(letter)
            told.withdraw(sent)
            album.keep("withdrawn", browser.get(sent.link), status=410)
            sent, browser, _ = opened(language)
            page = album.keep("delete", browser.get(HOST + "/m/delete"), browser)
            album.keep("deleted-now", browser.submit(page, page.form("/m/delete")))
            album.keep("deleted", browser.get(sent.link), status=410)


# ---- The message ----

def reader_that_lies():
    """A reader that finds another hash than that of the file."""
    path = "/run/zegel-test-lies"
    with open(path, "w", encoding="utf-8") as file:
        file.write("#!/bin/sh\n%s/zegel/zegel-reader \"$@\" | if [ \"$1\" = summary ]; then sed -E "
                   "'s/(sha256[^0-9a-f]+)[0-9a-f]{8}/\\100000000/'; else cat; fi\n"
                   % ENV["LAB_LIBEXECDIR"])
    os.chmod(path, 0o755)
    return path


def keep_by_mail(album, language):
    """The way of who has no number."""
    to, browser = walk.new_outsider(), Browser(language)
    link = test_phone.ungiven(to)
    before = len(harness.mailbox(to))
    page = album.keep("link-by-mail", browser.get(link))
    page = album.keep("code-by-mail", browser.submit(page, page.form("/send")))
    code = harness.code_in(wait_mail(to, before + 1).text())
    album.keep("message-by-mail", browser.submit(page, page.form("/code"), code=code), browser)


def test_pages_of_a_message():
    """T39 V9: a message in words and in HTML, its text, a damaged one, and the weak way in"""
    with Album() as album:
        for language in album.languages():
            _, browser, page = opened(language)
            assert "Uitslag van uw bloedonderzoek" in page.text and "janssen@" in page.text
            album.keep("message", page, browser)
            _, browser, page = opened(language, html=True)
            album.keep("message-html", page, browser)
            album.keep("message-text", browser.get(HOST + "/m/text"), browser)
        with configured(test_phone.HERE, "method", "optional", *test_phone.PROGRAMS):
            for language in album.languages():
                keep_by_mail(album, language)
        with configured("viewer", "reader", reader_that_lies(), "viewer"):
            for language in album.languages():
                _, browser, page = opened(language)
                assert b"secure doubtful" in page.body
                album.keep("message-damaged", page, browser)


# ---- Answering and forwarding ----

class Writer:
    """Keeps the pages of WHAT ("answer", "forward") of a message that was opened."""

    def __init__(self, album, what):
        self.sent, self.browser, _ = opened(album.language)
        self.album, self.what = album, what
        self.page = None

    def open(self, name=None, status=200):
        self.page = self.browser.get(HOST + "/m/" + self.what)
        if name is not None:
            self.album.keep(self.what + name, self.page, self.browser, status)

    def send(self, name, status=200, **fields):
        page = self.browser.submit(self.page, self.page.form("once"), **fields)
        return self.album.keep(self.what + name, page, self.browser, status)


def keep_answers(album):
    writer = Writer(album, "answer")
    writer.open("")
    writer.send("-refused", 400, text=" ")
    writer.send("-bad-file", 400, text="x", files=[("setup.exe", b"x")])
    writer.send("-large", 413, text="Dank u", files=[("a.bin", bytes(1500000)),
                                                     ("b.bin", bytes(1200000))])
    writer.send("-too-large", 413, text="Dank u", files=[("a.bin", bytes(4000000))])
    writer.send("-sent", text="Dank u wel.")
    writer.open()
    writer.send("-sent-last", text="Nog iets.")
    writer.open("-none-left", 403)
    writer = Writer(album, "answer")
    writer.open()
    pass_time(writer.sent.queue_id, SESSION_S + 100)
    writer.send("-kept", 403, text="Een lang antwoord.")
    walk.log_in(writer.sent, writer.browser)
    writer.open("-restored")
    assert "Een lang antwoord." in writer.page.form("once").fields["text"]


def keep_forwards(album):
    writer = Writer(album, "forward")
    writer.open("")
    writer.send("-refused", 400, address="jan")
    writer.send("-inside", address="bakker@" + harness.part("own"))
    writer.send("-again", address="bakker@" + harness.part("own"))
    writer.open()
    other = walk.new_outsider()
    password = test_forward.password_on(writer.send("-password", address=other))
    writer.open("-none-left", 403)
    browser = Browser(album.language)
    album.keep("shared-empty", browser.get(HOST + "/r"))
    page = album.keep("shared", browser.get(test_forward.way_in(wait_mail(other))))
    album.keep("shared-wrong", browser.submit(page, page.form("password"), password="aaaa"),
               status=403)
    page = browser.submit(page, page.form("password"), password=password)
    album.keep("shared-message", page, browser)


def test_pages_to_answer():
    """T39 V9: an answer: written, refused, too large, sent, none left, and kept for later"""
    with configured(test_phone.HERE, "attachments_max_mb", "2", "viewer"), Album() as album:
        for _ in album.languages():
            keep_answers(album)


def test_pages_to_forward():
    """T39 V9: forwarding, inside and outside, and the way in with reference and password"""
    with Album() as album:
        for _ in album.languages():
            keep_forwards(album)


# ---- The sender, and who begins a conversation ----

def keep_recall(album, browser, url):
    page = album.keep("recall", browser.get(url + "/recall"))
    album.keep("recall-refused", browser.submit(page, page.form("/recall")), status=400)
    album.keep("status-recalled", browser.submit(page, page.form("/recall"), sure="1"))


def message_to_many(to):
    """What was sent to TO, inside the organisation and direct; the link to its status page."""
    people = [to, "devries@" + harness.part("own"), "jan@" + harness.part("ready")]
    message = mail("veilig mailen: Uitslag", to=", ".join(people))
    harness.wait_delivered(harness.send(message, visitor.SENDER, people))
    return test_status.status_url(message)


def test_pages_of_the_sender():
    """T39 V9: the status page in each state, and recall"""
    with Album() as album:
        for language in album.languages():
            browser, (sent, reader, _) = Browser(language), opened(language)
            url = test_status.status_url(sent.message)
            page = reader.get(HOST + "/m/delete")
            reader.submit(page, page.form("/m/delete"))
            album.keep("status-deleted", browser.get(url))
            url = message_to_many(sent.to)
            album.keep("status", browser.get(url))
            keep_recall(album, browser, url)
            for name, end in (("bounced", told.withdraw), ("expired", lambda one: pass_time(
                    one.queue_id, 91 * visitor.DAY_S))):
                sent = walk.Sent(letter)
                url = test_status.status_url(sent.message)
                end(sent)
                album.keep("status-" + name, browser.get(url))


def keep_form(album, browser):
    page = album.keep("form-ask", browser.get(HOST + "/form"))
    album.keep("form-no-address", browser.submit(page, page.form("address"), address="jan"),
               status=400)
    to = walk.new_outsider()
    album.keep("form-mailed", browser.submit(page, page.form("address"), address=to))
    link = test_form.link_in(wait_mail(to))
    page = album.keep("form", browser.get(link))
    form = page.form("/form/")
    album.keep("form-refused", browser.submit(page, form, name="", phone="", text=""), status=400)
    album.keep("form-done", browser.submit(page, form, name="Jan de Vries", phone="0612345678",
                                           text="Dag dokter"))
    album.keep("form-used", browser.get(link), status=410)


def test_pages_of_the_web_form():
    """T39 V9: the web form: asked, mailed, refused, sent, used, and too often"""
    with test_form.with_form(), Album() as album:
        client = test_form.new_client()
        for language in album.languages():
            keep_form(album, Browser(language))
            status = 0
            while status != 429:
                status, body = client.ask("POST", "/form", {
                    "token": test_form.form_token(client), "address": walk.new_outsider()},
                                          {"Accept-Language": language})
            album.keep("form-too-often", Page(429, {"content-type": "text/html; charset=utf-8"},
                                              body.encode(), HOST + "/form"), status=429)


def test_pages_of_the_web_server():
    """T39 V9: what a web server says when zegel cannot, as it stands in contrib/web"""
    with Album() as album:
        album.language = "nl"
        for name in ("413", "503"):
            with open(os.path.join(WEB, name + ".html"), "rb") as file:
                album.add("server-" + name, Page(int(name), {
                    "content-type": "text/html; charset=utf-8"}, file.read(),
                                                 HOST + "/" + name), both=True)


for look in (test_pages_before_a_message, test_pages_of_what_is_no_more, test_pages_of_a_message,
             test_pages_to_answer, test_pages_to_forward, test_pages_of_the_sender,
             test_pages_of_the_web_form, test_pages_of_the_web_server):
    look.limit_s = 600
