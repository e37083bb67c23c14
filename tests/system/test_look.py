"""Every page of the viewer as people with different eyes and screens see it: axe, the Nu HTML
checker, no sideways scrolling at 320 px and 400 %, Tab in the order of reading, focus in pixels,
things large enough to hit. Both languages, light and dark; pictures are kept."""
import json
import os

import harness
import walk
from browser import Browser
from browser_tools import cookies_of, run_script, validate
from harness import ENV, mail

IN_CHROMIUM = True
VIEWER = "https://veilig." + harness.part("own") + "/"
SENDER = "Dokter Janssen <janssen@%s>" % harness.part("own")
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


def path_of(link):
    assert link.startswith(VIEWER), link
    return link[len(VIEWER):]


def looked_at(*pages):
    """Looks at PAGES (see tests/browser/look.mjs) and returns {(name, language): words}."""
    out = os.path.join(ENV["LAB_BUILD"], "screenshots")
    told = run_script("look.mjs", {"out": out, "url": VIEWER, "pages": pages})
    assert told["findings"] == [], json.dumps(told["findings"], indent=1, ensure_ascii=False)
    for one in told["seen"]:
        assert one["lang"] == one["language"], one
    wrong = validate([one["file"] for one in told["seen"]])
    assert wrong == [], wrong
    return {(one["name"], one["language"]): one["words"] for one in told["seen"]}


def page(name, path, browser=None, **more):
    cookies = cookies_of(browser, VIEWER) if browser else []
    return {"name": name, "path": path, "cookies": cookies, **more}


def test_pages_before_a_message():
    """T39 V9: home, help, link, code, a wrong code, and what never existed"""
    sent = walk.Sent(letter)
    browser = Browser()
    walk.ask_code(browser, sent)
    link = path_of(sent.link)
    words = looked_at(
        page("home", ""), page("help", "help"), page("link", link),
        page("code", link + "/code"),
        page("code-malformed", link + "/code",
             steps=[["fill", "input.code", "12"], ["click", "main form button"]]),
        page("nothing", "l/" + "A" * 22), page("session-over", "m"))
    assert "beveiligd bericht" in words["link", "nl"] and "secure message" in words["link", "en"]


def test_pages_of_a_message():
    """T39 V9: a message in words and in HTML, its text and its logout"""
    for name, html in (("message", False), ("message-html", True)):
        sent = walk.Sent(lambda typed, to, html=html: letter(typed, to, html))
        browser, _ = walk.log_in(sent)
        words = looked_at(page(name, "m", browser))
        assert "Uitslag van uw bloedonderzoek" in words[name, "nl"]
        assert "janssen@" in words[name, "en"]


for look in (test_pages_before_a_message, test_pages_of_a_message):
    look.limit_s = 600
