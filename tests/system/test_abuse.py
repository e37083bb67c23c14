"""The viewer under attack, over real HTTPS: links that are guessed, codes that are tried,
scanners, and sessions that are planted, mixed or old (T1 to T7, V3, O2)."""
import re
import secrets

import harness
import walk
import wire
from browser import Browser
from harness import (log_lines, log_mark, mail, pass_time, refused, send, sms_texts, wait_for,
                     wait_sms)
from visitor import (CODE_LIFE_S, COOKIE, COOLDOWN_S, DAY_S, HOST, HOST2, SENDER, SESSION_BYTES,
                     adapter, cookie_of, decoded, encoded, new_code, reads, secure, try_codes,
                     with_cookie, wrong_codes)


# ---- Guesses: T1, O2 ----

def shape(page):
    """What an answer shows of itself: status, headers but the time, length, words."""
    headers = {name: value for name, value in page.headers.items() if name != "date"}
    return page.status, headers, len(page.body), page.body


def test_links_that_never_existed_are_all_alike():
    """T1: 300 random links, and every form and page below them, get one and the same answer."""
    browser = Browser()
    shapes = []
    for step in range(300):
        token = secrets.token_urlsafe(16)
        path = ("", "/code", "?lang=nl2")[step % 3]
        shapes.append(shape(browser.get(HOST + "/l/" + token + path)))
    assert all(one == shapes[0] for one in shapes), {one[:3] for one in map(str, shapes)}
    assert shapes[0][0] == 404
    for path in ("/send", "/code"):
        page = wire.ask(HOST, wire.request("POST", HOST + "/l/" + token + path, {"code": "123456"}))
        assert page.status == 404 and page.body == shapes[0][3]


def test_a_link_serves_at_its_own_organisation_only():
    """O2: a link, a code and a session of one organisation are nothing at another's address."""
    sent = secure()
    token = "/l/" + sent.link.rsplit("/", 1)[1]
    never = shape(Browser().get(HOST2 + "/l/" + secrets.token_urlsafe(16)))
    browser, page, code = new_code(sent)
    assert shape(Browser().get(HOST2 + token)) == never
    form = dict(page.form("/code").fields, code=code)
    assert wire.ask(HOST2, wire.request("POST", HOST2 + token + "/code", form)).status == 404
    assert wire.ask(HOST2, wire.request("POST", HOST2 + token + "/send", form)).status == 404
    assert browser.submit(page, page.form("/code"), code=code).status == 200
    value = cookie_of(browser)
    page = wire.ask(HOST2, wire.request("GET", HOST2 + "/m", Cookie=COOKIE + "=" + value))
    assert page.status == 403 and "Geheime" not in page.text
    assert reads(browser)


def test_the_holder_of_an_expired_link_is_told_when():
    """T1: an expired link says until what date it was; nothing can be asked or read any more."""
    sent = secure()
    browser, page = walk.log_in(sent)
    link = browser.get(sent.link)
    date = re.search(r"(\w+dag \d+ \w+) \d{4}", link.text).group(1)
    pass_time(sent.queue_id, 90 * DAY_S)
    expired = browser.get(sent.link)
    assert expired.status == 410 and "verlopen" in expired.text, expired.text
    assert re.search(r"tot \w+dag \d+ \w+ \d{4}", expired.text), expired.text
    assert date not in expired.text and "Geheime" not in expired.text
    for path in ("", "/html", "/text", "/original"):
        assert browser.get(HOST + "/m" + path).status == 410, path
    before = len(sms_texts(sent.number))
    assert browser.submit(link, link.form("/send")).status == 410
    assert browser.get(sent.link + "/code").status == 410
    assert len(sms_texts(sent.number)) == before
    token = sent.link.rsplit("/", 1)[1]
    assert Browser().get(HOST2 + "/l/" + token).status == 404


# ---- Codes: T2, T3, T4, T5 ----

def test_200_wrong_codes_at_once():
    """T2: of 200 wrong codes at once 5 are evaluated; a fresh code after a minute works."""
    sent = secure()
    browser, page, code = new_code(sent)
    form, mark = page.form("/code").fields, log_mark()
    answers = wire.all_at_once(sent.link, [
        wire.request("POST", sent.link + "/code", dict(form, code=wrong))
        for wrong in wrong_codes(code, 200)])
    assert [one.status for one in answers] == [403] * 200
    tries = [one.text for one in answers if "nog" in one.text and "proberen" in one.text]
    assert len(tries) == 4 and len(set(tries)) == 4, tries  # the fifth has none left
    wait_for(lambda: len(log_lines("event=code-wrong", mark)) >= 200, "200 lines in the log")
    lines = log_lines("event=code-wrong", mark)
    assert len([line for line in lines if "reason=" not in line]) == 5, lines[:10]
    assert browser.submit(page, page.form("/code"), code=code).status == 403
    assert not reads(browser)
    pass_time(sent.queue_id, COOLDOWN_S)
    browser, page = walk.log_in(sent)
    assert "Geheime tekst" in page.text


def test_100_right_codes_at_once():
    """T3: of 100 posts of the right code at once one begins a session."""
    sent = secure()
    _, page, code = new_code(sent)
    fields, mark = dict(page.form("/code").fields, code=code), log_mark()
    answers = wire.all_at_once(
        sent.link, [wire.request("POST", sent.link + "/code", fields)] * 100)
    inside = [one for one in answers if one.status == 303]
    assert len(inside) == 1 and inside[0].headers["location"] == "/m"
    assert [one for one in answers if "set-cookie" in one.headers] == inside
    assert {one.status for one in answers if one not in inside} == {403}
    assert len(log_lines("event=login", mark)) == 1


def test_a_code_lives_ten_minutes():
    """V3: a code is right until its tenth minute and wrong after it."""
    sent = secure()
    browser, page, code = new_code(sent)
    pass_time(sent.queue_id, CODE_LIFE_S)
    answer = browser.submit(page, page.form("/code"), code=code)
    assert answer.status == 403 and "niet meer geldig" in answer.text, answer.text
    browser, page, code = new_code(sent)
    pass_time(sent.queue_id, CODE_LIFE_S - 30)
    assert browser.submit(page, page.form("/code"), code=code).status == 200


def test_an_older_code_is_dead():
    """T3: only the code that was sent last opens."""
    sent = secure()
    browser, page, old = new_code(sent)
    pass_time(sent.queue_id, COOLDOWN_S)
    _, _, new = new_code(sent)
    assert old == new or browser.submit(page, page.form("/code"), code=old).status == 403
    assert browser.submit(page, page.form("/code"), code=new).status == 200


def test_100_presses_at_once_send_one_sms():
    """T5: "send code" pressed 100 times at once sends one SMS, and says how long to wait."""
    sent = secure()
    page = Browser().get(sent.link)
    data = wire.request("POST", sent.link + "/send", page.form("/send").fields)
    answers = wire.all_at_once(sent.link, [data] * 100)
    assert {one.status for one in answers} == {303}
    waits = [one for one in answers if "?wait=" in one.headers["location"]]
    assert len(waits) == 99
    wait_sms(sent.number)
    told = Browser().get(HOST + waits[0].headers["location"])
    seconds = int(re.search(r"(\d+) seconden", told.text).group(1))
    assert 0 < seconds <= 60, told.text
    assert len(sms_texts(sent.number)) == 1


def press_send(browser, sent, seconds=COOLDOWN_S):
    """SECONDS later the button once more; returns the page."""
    pass_time(sent.queue_id, seconds)
    page = browser.get(sent.link)
    return browser.submit(page, page.form("/send"))


def test_five_codes_a_day_for_a_link():
    """V3: a link gets five codes a day; the sixth is refused in words, the next day one goes."""
    sent, browser, mark = secure(), Browser(), log_mark()
    for _ in range(5):
        assert press_send(browser, sent).status == 200
    page = press_send(browser, sent)
    assert page.status == 429 and "5 keer" in page.text and "morgen" in page.text, page.text
    assert int(page.headers["retry-after"]) > 0
    assert browser.get(sent.link + "/code").status == 200  # the last of them is still good
    assert press_send(browser, sent, DAY_S).status == 200
    harness.wait_log("event=code-refused.*reason=link-limit", mark)
    wait_for(lambda: len(log_lines("event=code-sent", mark)) == 6, "six codes in the log")


def test_limits_of_a_number_and_of_all():
    """V3: the configured number of codes a day for one phone holds over all its links."""
    number, mark = walk.new_number(), log_mark()
    links = [secure(number=number) for _ in range(3)]
    with harness.configured("sms", "per_number_per_day", "2", "viewer"):
        for sent in links[:2]:
            assert press_send(Browser(), sent).status == 200
        page = press_send(Browser(), links[2])
        assert page.status == 429 and "morgen" in page.text, page.text
        other = secure()
        assert press_send(Browser(), other).status == 200
    assert press_send(Browser(), links[2]).status == 200
    wait_for(lambda: len(log_lines("event=code-sent", mark)) == 4, "four codes in the log")


def test_a_gateway_that_fails_uses_nothing_up():
    """V3: when no SMS can be sent the page says so; no code is counted and no wait begins."""
    sent, browser = secure(), Browser()
    for status in (75, 1):
        with harness.configured("sms", "command", adapter("failing", "exit %d" % status), "viewer"):
            for _ in range(6):
                page = browser.get(sent.link)
                page = browser.submit(page, page.form("/send"))
                assert page.status == 503 and "sms" in page.text, page.text
                assert int(page.headers["retry-after"]) > 0
    assert sms_texts(sent.number) == []
    walk.log_in(sent, browser)


def test_numbers_that_cost_money_are_refused():
    """T5: paid, fixed, machine and pager numbers and other countries are refused at once."""
    to = walk.new_outsider()
    for number in ("0900 1234567", "0906-1234567", "0909 1234", "14020", "14 020", "088 1234567",
                   "085 1234567", "0800 1234", "097 012345678", "0662345678", "112", "1233",
                   "+31 900 1234567", "+31 14020", "+1 900 555 0100", "+1 809 555 0100",
                   "+979 123456789", "+882 16 123456", "+44 7012 345678", "+44 7912 345678",
                   "+32 900 12345", "+49 900 1234567", "+49 164 1234567", "+371 90 123456"):
        refusal = refused(send, mail("SMS %s" % number, to=to), SENDER, to)
        assert 550 <= refusal.code <= 559 and "NUMBER" in refusal.text, (number, refusal.text)
    assert not harness.mailbox(to)


# ---- Scanners: T6 ----

def test_looking_changes_nothing():
    """T6: HEAD and GETs on every page before login, with a code in the URL too, use nothing up."""
    sent = secure()
    browser, page, code = new_code(sent)
    wrong = wrong_codes(code, 1)[0]
    mark = log_mark()
    for _ in range(10):
        for path in ("", "/code", "/code?code=" + wrong, "/code?code=" + code, "/send",
                     "/wrong", "/no-phone"):
            for method in ("HEAD", "GET"):
                browser.request(method, sent.link + path)
    assert not reads(browser)
    assert not log_lines("event=code", mark) and len(sms_texts(sent.number)) == 1
    try_codes(browser, page, wrong_codes(code, 4))
    assert browser.submit(page, page.form("/code"), code=code).status == 200


def submit_all(browser, page, junk=""):
    """Does what a scanner does: submits every form of PAGE, JUNK in the fields it finds."""
    for form in page.forms:
        filled = {name: value or junk for name, value in form.fields.items()}
        browser.submit(page, form, **filled)


def test_a_scanner_that_submits_every_form():
    """T6: a scanner that submits every form costs one SMS, no try and no mail; the user gets in."""
    sent, scanner = secure(), Browser()
    before = len(harness.mailbox(SENDER))
    for junk in ("", "test", "test@example.com", "12345", "1234567"):
        for path in ("", "/code", "/code?wait=30", "/code?slow=1", "/wrong", "/no-phone"):
            submit_all(scanner, scanner.get(sent.link + path), junk)
    code = harness.code_in(wait_sms(sent.number))
    user = Browser()
    page = user.get(sent.link)
    page = user.submit(page, page.form("/send"))
    assert page.status == 200 and "seconden" in page.text, page.text
    try_codes(user, page, wrong_codes(code, 4))  # so none of the five tries was used
    page = user.submit(page, page.form("/code"), code=code)
    assert page.status == 200 and "Geheime tekst" in page.text
    assert len(sms_texts(sent.number)) == 1
    assert not [mail for mail in harness.mailbox(SENDER)[before:]
                if "Verkeerd mobiel nummer" in str(mail.message["Subject"])]


def test_a_scanner_long_before_the_user():
    """T6: a minute after a scanner the user asks for a code of his own: one extra SMS."""
    sent, scanner = secure(), Browser()
    submit_all(scanner, scanner.get(sent.link))
    wait_sms(sent.number)
    pass_time(sent.queue_id, COOLDOWN_S)
    _, page = walk.log_in(sent)
    assert "Geheime tekst" in page.text and len(sms_texts(sent.number)) == 2


# ---- Sessions: T4, T7 ----

def test_a_planted_cookie_is_no_session():
    """T7: a cookie planted before login is not the session after it, and opens nothing."""
    sent = secure()
    token = decoded(sent.link.rsplit("/", 1)[1])
    planted = encoded(secrets.token_bytes(SESSION_BYTES) + token)
    browser = with_cookie(planted)
    assert not reads(browser)
    walk.log_in(sent, browser)
    assert cookie_of(browser) != planted and reads(browser)
    assert decoded(cookie_of(browser))[:SESSION_BYTES] != decoded(planted)[:SESSION_BYTES]
    for junk in (planted, "", "x", "A" * 64, cookie_of(browser)[:-1], cookie_of(browser) + "A",
                 encoded(bytes(SESSION_BYTES) + token)):
        assert not reads(with_cookie(junk)), junk


def test_a_session_is_of_its_own_message():
    """T4: the session of one message with the link of another opens neither."""
    one, other = secure(), secure("Andere tekst\n")
    first, second = (walk.log_in(sent)[0] for sent in (one, other))
    a, b = decoded(cookie_of(first)), decoded(cookie_of(second))
    for mixed in (a[:SESSION_BYTES] + b[SESSION_BYTES:], b[:SESSION_BYTES] + a[SESSION_BYTES:]):
        assert not reads(with_cookie(encoded(mixed)))
    assert reads(first) and reads(second)


def test_the_cookie_is_kept_to_its_place():
    """T7: the session cookie is __Host-, Secure, HttpOnly, SameSite=Lax and ends with the browser."""
    sent = secure()
    _, page, code = new_code(sent)
    fields = dict(page.form("/code").fields, code=code)
    page = wire.ask(HOST, wire.request("POST", sent.link + "/code", fields))
    name, *attributes = [one.strip() for one in page.headers["set-cookie"].split(";")]
    assert name.startswith(COOKIE + "=")
    assert sorted(attributes) == ["HttpOnly", "Path=/", "SameSite=Lax", "Secure"], attributes


def test_a_session_that_ended_is_dead():
    """T7: the old cookie is dead after logout, after a new login, after 20 minutes, after 4 hours."""
    sent = secure()
    browser, page = walk.log_in(sent)
    old = cookie_of(browser)
    browser.submit(page, page.form("/logout"))
    assert not reads(with_cookie(old))
    for seconds, steps in ((20 * 60, 1), (19 * 60, 13)):
        pass_time(sent.queue_id, COOLDOWN_S)
        browser, _ = walk.log_in(sent)
        for step in range(steps):
            assert reads(browser), step
            pass_time(sent.queue_id, seconds)
        assert not reads(browser), seconds
    pass_time(sent.queue_id, COOLDOWN_S)
    walk.log_in(sent, browser)
    old = cookie_of(browser)
    pass_time(sent.queue_id, COOLDOWN_S)
    walk.log_in(sent, browser)
    assert reads(browser) and not reads(with_cookie(old))
