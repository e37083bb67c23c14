"""What the sender sees of his message, and takes back (S13, S14), and who else does not (T1, T6,
T8, T16, T17)."""
import html.parser
import re
import secrets
import time

import harness
import walk
import wire
from browser import Browser
from harness import log_lines, log_mark, mail, mailbox, part, send, wait_for, wait_log
from visitor import HOST, HOST2, SENDER, new_code, reads

STATUS = re.compile(r"https://[^\s<>\"]+/s/[\w-]{22}")
FOREIGN = ({"Origin": "https://evil.example"}, {"Origin": HOST2},
           {"Sec_Fetch_Site": "cross-site"}, {"Sec_Fetch_Site": "same-site"})


def confirmation(message, sender=SENDER):
    """The confirmation of MESSAGE in the sender's mailbox."""
    wanted = message["Message-ID"]
    return wait_for(lambda: next((one for one in mailbox(sender)
                                  if one.message["In-Reply-To"] == wanted), None),
                    "confirmation of " + wanted)


def status_url(message):
    """The link to the status page of MESSAGE."""
    found = set(STATUS.findall(confirmation(message).text()))
    assert len(found) == 1, found
    return found.pop()


def secure():
    return walk.Sent(lambda typed, to: mail("SMS %s Uitslag" % typed, "Geheime tekst\n", to=to))


def show(url):
    page = Browser().get(url)
    assert page.status == 200, (page.status, page.text)
    return page


def lines(page):
    """What happened, for each recipient on PAGE: {address: [words]}."""
    found = {}
    for section in re.findall(r"(?s)<section class=\"recipient\">.*?</section>",
                              page.body.decode()):
        address = re.search(r"<h2><bdi>(.*?)</bdi>", section).group(1)
        found[address] = re.findall(r"class=\"what\">(.*?)<", section)
    return found


def recall(browser, page, link=None):
    """Presses "recall" on PAGE (LINK: of one recipient), ticks the box and confirms."""
    link = link or next(one for one in page.links if one.endswith("/recall"))
    asked = browser.get(HOST + link)
    assert asked.status == 200, asked.text
    return browser.submit(asked, asked.form("/recall"), sure="1")


def test_the_sender_sees_what_happens():
    """S14: stored, notified, code sent, opened, downloaded: with day and time, without content"""
    sent = secure()
    url = status_url(sent.message)
    page = show(url)
    assert lines(page) == {sent.to: ["Veilig opgeslagen", "E-mail met de link verstuurd"]}, (
        lines(page))
    assert "Nog niet geopend" in page.text
    assert sent.number[-2:] in page.text and sent.number[-3:] not in page.text
    browser, page, code = new_code(sent)
    assert "Toegangscode verstuurd" in lines(show(url))[sent.to]
    page = browser.submit(page, page.form("/code"), code=code)
    assert page.status == 200
    browser.get(HOST + "/m/original")
    page = wait_for(lambda: (lambda one: one if "Gedownload" in lines(one)[sent.to] else None)(
        show(url)), "the download on the page")
    assert lines(page)[sent.to][2:] == ["Toegangscode verstuurd", "Geopend", "Gedownload"]
    assert re.search(r"\b(?:maan|dins|woens|donder|vrij|zater|zon)dag \d+ \w+ \d{4}, \d\d:\d\d",
                     page.text)
    for secret in ("Uitslag", "Geheime tekst", "192.0.2.", "127.0.0.1", sent.number):
        assert secret not in page.text, secret


def test_several_recipients_each_his_own_way():
    """S14: who reads in the viewer and who is reached direct stand on one page"""
    to = walk.new_outsider()
    colleague, clinic = "devries@" + part("own"), "jan@" + part("ready")
    typed, _ = walk.new_number()
    harness.wait_delivered(send(mail("SMS %s Uitslag" % typed, to=to), SENDER, to))
    people = [to, colleague, clinic]
    message = mail("veilig mailen: Uitslag", to=", ".join(people))
    harness.wait_delivered(send(message, SENDER, people))
    page = show(status_url(message))
    assert set(lines(page)) == set(people), lines(page)
    assert lines(page)[to] and not lines(page)[colleague] and not lines(page)[clinic]
    assert "Binnen uw eigen organisatie" in page.text
    assert "Rechtstreeks naar de mailserver van de ontvanger" in page.text
    assert "Via deze website" in page.text
    # Only who reads it here can be recalled.
    assert sum("/recall" in one for one in page.links) == 1, page.links


def test_a_recall_takes_effect_at_once():
    """S13: with a session open: the key is gone when the answer comes; the reader is told"""
    sent = secure()
    url = status_url(sent.message)
    browser, _ = walk.log_in(sent)
    assert reads(browser)
    mark = log_mark()
    sender = Browser()
    page = sender.get(url)
    link = next(one for one in page.links if "/recall?ref=" in one)
    page = recall(sender, page, link)
    assert page.status == 200 and "ingetrokken" in page.text, page.text
    assert lines(page)[sent.to][-1] == "Ingetrokken"
    assert not any("/recall" in one for one in page.links)
    late = browser.request("GET", HOST + "/m")
    assert late.status != 200 and "Geheime tekst" not in late.text, late.text
    for path in ("", "/code"):
        gone = Browser().request("GET", sent.link + path)
        assert gone.status == 410 and "ingetrokken" in gone.text, (path, gone.status, gone.text)
    line = wait_log("event=recalled", mark)
    assert "to=" + sent.to in line and "from=" + SENDER in line, line


def test_recall_for_everyone():
    """S13: one button for all who read it here; twice is no harm"""
    typed, _ = walk.new_number()
    people = [walk.new_outsider(), walk.new_outsider()]
    first = mail("SMS %s Uitslag" % typed, to=people[0])
    harness.wait_delivered(send(first, SENDER, people[0]))
    harness.wait_delivered(send(mail("SMS %s Uitslag" % typed, to=people[1]), SENDER, people[1]))
    message = mail("veilig mailen", to=", ".join(people))
    harness.wait_delivered(send(message, SENDER, people))
    url = status_url(message)
    browser = Browser()
    page = browser.get(url)
    assert set(lines(page)) == set(people), page.text
    recalled = recall(browser, page)
    assert all(happened[-1] == "Ingetrokken" for happened in lines(recalled).values())
    asked = browser.request("GET", url + "/recall")
    assert asked.status == 303
    # The messages before it are as they were.
    assert "Ingetrokken" not in show(status_url(first)).text


def test_a_program_that_presses_everything_recalls_nothing():
    """T6: HEAD, 20 GETs of every link, and every form submitted as it stands: nothing happens"""
    sent = secure()
    url = status_url(sent.message)
    browser = Browser()
    mark = log_mark()
    for _ in range(20):
        page = browser.get(url)
    assert browser.request("HEAD", url).status == 200
    for link in page.links:
        if link.startswith("/s/"):
            asked = browser.get(HOST + link)
            browser.request("HEAD", HOST + link)
            for form in asked.forms:
                answer = browser.submit(asked, form)
                assert answer.status == 400, (answer.status, answer.text)
    assert lines(show(url))[sent.to][-1] != "Ingetrokken"
    assert not log_lines("event=recalled", mark)
    walk.log_in(sent)


def test_a_form_of_another_site_recalls_nothing():
    """T8: a foreign origin, a missing or foreign token: 403, no effect"""
    sent, other = secure(), secure()
    url, other_url = status_url(sent.message), status_url(other.message)
    fields = dict(Browser().get(url + "/recall").form("/recall").fields, sure="1")
    theirs = Browser().get(other_url + "/recall").form("/recall").fields["token"]
    bad = [wire.request("POST", url + "/recall", fields, **one) for one in FOREIGN]
    bad += [wire.request("POST", url + "/recall", dict(fields, token=token))
            for token in ("", "A" * 43, theirs)]
    bad.append(wire.request("POST", url + "/recall", {"sure": "1"}))
    for data in bad:
        assert wire.ask(HOST, data).status == 403, data
    assert wire.ask(HOST, wire.request("GET", url + "/recall?sure=1")).status == 200
    assert lines(show(url))[sent.to][-1] != "Ingetrokken"


def test_links_that_never_were():
    """T1, O2: random status links, those of readers and those on another's host: one answer"""
    sent = secure()
    url = status_url(sent.message)
    token = url.rsplit("/", 1)[1]
    paths = ["/s/" + secrets.token_urlsafe(16) for _ in range(100)]
    paths += ["/s/" + sent.link.rsplit("/", 1)[1], "/s/" + token[:-1], "/s/" + token + "A"]
    nowhere = Browser().request("GET", HOST + "/nowhere")
    assert nowhere.status == 404
    for path in paths:
        for end in ("", "/recall", "/recall?ref=x"):
            page = Browser().request("GET", HOST + path + end)
            assert (page.status, page.body) == (404, nowhere.body), (path, end)
    foreign = Browser().request("GET", HOST2 + "/s/" + token)
    assert foreign.status == 404
    assert Browser().request("GET", HOST + "/l/" + token).status == 404


def times(connection_url, paths):
    """How long each of PATHS takes, in turn."""
    found = {path: [] for path in paths}
    for turn in range(200):
        for path in paths[turn % len(paths):] + paths[:turn % len(paths)]:
            begin = time.perf_counter()
            Browser().request("GET", connection_url + path)
            found[path].append(time.perf_counter() - begin)
    return found


def advantage(found, first, second):
    """How often FIRST was faster than SECOND: 0.5 when the time tells nothing."""
    better = sum(a < b for a in found[first] for b in found[second])
    return better / (len(found[first]) * len(found[second]))


def test_the_time_tells_nothing():
    """T16, T17: a token that shares its beginning with a genuine one takes as long as any other"""
    sent = secure()
    token = status_url(sent.message).rsplit("/", 1)[1]
    near = "/s/" + token[:-2] + ("AA" if token[-2:] != "AA" else "QA")
    far = "/s/" + secrets.token_urlsafe(16)
    # What chance shows once it does not show each time.
    seen = [advantage(times(HOST, [near, far]), near, far)]
    while not 0.4 < seen[-1] < 0.6 and len(seen) < 3:
        seen.append(advantage(times(HOST, [near, far]), near, far))
    assert 0.4 < seen[-1] < 0.6, seen


test_the_time_tells_nothing.limit_s = 900


class _Outline(html.parser.HTMLParser):
    def __init__(self):
        super().__init__()
        self.headings = []

    def handle_starttag(self, tag, attrs):
        if re.fullmatch(r"h[1-6]", tag):
            self.headings.append(int(tag[1]))


def test_the_page_is_in_order():
    """The headings go down one step at a time; both languages; nothing is loaded from elsewhere"""
    url = status_url(secure().message)
    for language, word in (("nl", "Wat er met uw bericht gebeurde"),
                           ("en", "What became of your message")):
        page = Browser(language).get(url)
        assert word in page.text
        outline = _Outline()
        outline.feed(page.body.decode())
        steps = zip(outline.headings, outline.headings[1:])
        assert outline.headings[0] == 1 and all(b - a <= 1 for a, b in steps), outline.headings
        assert not re.search(rb"(?:src|href)=\"https?://", page.body)
        assert page.headers["referrer-policy"] == "no-referrer"
        assert "set-cookie" not in page.headers
