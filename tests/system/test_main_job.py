"""The main job: "SMS 06..." in a subject ends readable in the viewer. Twelve steps, each
with a test that fails when the step is broken, in the order in which they happen.
"""
import base64
import hashlib
import os
import re
import sqlite3

import harness
import walk
from browser import Browser
from harness import mail, part, refused, send, unique, wait_delivered, wait_for

SENDER = "janssen@" + part("own")


def secure(subject="SMS %s Uitslag", body="Dit is een bericht.\n", **headers):
    """Sends a secure message; %s in SUBJECT is the number."""
    return walk.Sent(lambda typed, to: mail(
        subject % typed if "%s" in subject else subject, body, to=to, **headers))


def queued_while_deliver_is_down(message, to):
    """(queue id, recipient as it stands in the queue, file, message) of a secure message."""
    with harness.without("deliver"):
        queue_id = send(message, SENDER, to)
        entry = wait_for(lambda: next((e for e in harness.queue() if e["queue_id"] == queue_id
                                       and e["queue_name"] == "deferred"), None), "deferral")
        return (queue_id, entry["recipients"][0]["address"], harness.queue_file(queue_id),
                harness.queue_message(queue_id))


# ---- 1. trigger found ----

def test_01_a_trigger_makes_a_message_secure():
    word = unique()
    for subject in ("SMS %s Uitslag", "Uitslag @sms %s", "Re: sms %s"):
        sent = secure(subject, word + "\n")
        received = harness.mailbox(sent.to)
        assert len(received) == 1 and word not in received[0], subject


def test_01_a_trigger_is_found_in_an_encoded_and_folded_subject():
    typed, number = walk.new_number()
    to = walk.new_outsider()
    # One encoded word ends inside the number, the next stands on a line of its own.
    words = ("Één uitslag, SMS " + typed[:4], typed[4:] + ", en meer")
    coded = "\r\n ".join("=?UTF-8?B?%s?=" % base64.b64encode(word.encode()).decode()
                          for word in words)
    raw = ("From: %s\r\nTo: %s\r\nSubject: %s\r\n\r\nx\r\n" % (SENDER, to, coded)).encode()
    wait_delivered(send(raw, SENDER, to))
    browser = Browser()
    page = browser.get(walk.link_in(harness.wait_mail(to)))
    browser.submit(page, page.form("/send"))
    harness.wait_sms(number)


def test_01_without_a_trigger_the_message_is_ordinary():
    to = walk.new_outsider()
    word = unique()
    for subject in ("SMSjes en zo", "onveilig mailen", "SMS dienst storing"):
        send(mail(subject, word + "\n", to=to), SENDER, to)
    wait_for(lambda: len(harness.mailbox(to)) == 3, "ordinary mail")
    assert all(word in one for one in harness.mailbox(to))
    assert not harness.log_lines("zegel-store.*orig_to=<%s>" % re.escape(to))


def test_01_the_default_of_an_organisation_holds():
    """kliniek has "secure": no trigger, no number, so refused; praktijk has "on-request"."""
    to = walk.new_outsider()
    other = "bakker@" + part("own2")
    refusal = refused(send, mail("Afspraak", sender=other, to=to), other, to)
    assert refusal.code >= 550 and "Z-S7-NUMBER" in refusal.text
    bypass = mail("Afspraak", sender=other, to=to, x_ezorg_secbypass="true")
    wait_delivered(send(bypass, other, to))
    harness.wait_mail(to)
    assert len(harness.mailbox(to)) == 1


# ---- 2. number read ----

def test_02_the_number_is_read_as_people_write_it():
    for form in ("06-%s", "+31 6 %s", "0031 6%s", "+31(0)6 %s"):
        typed, number = walk.new_number()
        to = walk.new_outsider()
        wait_delivered(send(mail("SMS " + form % typed[2:] + " Uitslag", to=to), SENDER, to))
        page = Browser().get(walk.link_in(harness.wait_mail(to)))
        assert page.text.count(number[-2:]) and number[-8:] not in page.text
        browser = Browser()
        page = browser.get(walk.link_in(harness.wait_mail(to)))
        browser.submit(page, page.form("/send"))
        harness.wait_sms(number)


def test_02_a_missing_impossible_doubled_or_shared_number_is_refused():
    to = walk.new_outsider()
    rows = (
        ("veilig mailen: uitslag", "Z-S7-NUMBER", [to]),
        ("SMS 0201234567 uitslag", "Z-S3-NUMBER", [to]),
        ("Re: SMS 12", "Z-S3-NUMBER", [to]),
        ("SMS 0655555551 SMS 0655555552", "Z-S2-TWO-NUMBERS", [to]),
        ("SMS 0655555551 uitslag", "Z-S7-", [to, walk.new_outsider()]),
    )
    for subject, code, recipients in rows:
        refusal = refused(send, mail(subject, to=to), SENDER, recipients)
        assert 550 <= refusal.code <= 559 and code in refusal.text, (subject, refusal.text)
        assert "06555" not in refusal.text, refusal.text
        assert len(refusal.text.encode()) <= 900 and refusal.text.isascii(), refusal.text
    assert not harness.mailbox(to)


# ---- 3. subject cleaned ----

def test_03_number_and_trigger_leave_the_subject():
    sent = secure("Uitslag SMS %s van gisteren")
    _, page = walk.log_in(sent)
    assert "Uitslag van gisteren" in page.text, page.text
    digits = sent.number[-8:].encode()
    assert digits not in page.body and b"SMS" not in page.body
    assert digits not in sent.notification.raw


def test_03_also_on_the_way_to_the_community():
    to = unique("jan") + "@" + part("community")
    typed, _ = walk.new_number()
    message = mail("SMS %s Recept" % typed, to=to, X_Zegel_SMS="%s %s" % (to, typed))
    wait_delivered(send(message, SENDER, to))
    got = harness.wait_mail(to)
    assert got.message["Subject"] == "Recept" and typed not in got
    assert not [name for name in got.message.keys() if name.lower().startswith("x-zegel")]


# ---- 4. ticket sealed ----

def test_04_the_ticket_is_sealed():
    typed, number = walk.new_number()
    to = walk.new_outsider()
    _, _, _, message = queued_while_deliver_is_down(mail("SMS %s Uitslag" % typed, to=to), to)
    assert len(re.findall(rb"(?mi)^x-zegel-ticket:", message)) == 1
    for word in (typed.encode(), number.encode(), typed[1:].encode()):
        assert word not in message
    harness.queue_flush()
    harness.wait_mail(to)


def test_04_a_ticket_of_somebody_else_or_changed_is_refused():
    to = walk.new_outsider()
    typed, _ = walk.new_number()
    _, labelled, _, message = queued_while_deliver_is_down(
        mail("SMS %s Uitslag" % typed, to=to), to)
    name, value = re.search(rb"(?mis)^(x-zegel-ticket: *)(.*?)\r?\n(?![ \t])", message).groups()
    middle = len(value.rstrip()) // 2  # bits of the last character may mean nothing
    flipped = value[:middle] + (b"A" if value[middle:middle + 1] != b"A" else b"B") + \
        value[middle + 1:]
    rows = (
        (message.replace(name + value, name + flipped), labelled),
        (message.replace(name + value, b"X-Other: x"), labelled),
        (message, walk.new_outsider() + ".viewer.zegel.internal"),
    )
    session = harness.Lmtp()
    for changed, recipient in rows:
        mark = harness.log_mark()
        assert changed != message or recipient != labelled
        (code, text), = session.deliver(SENDER, [recipient], changed)
        assert 500 <= code <= 599, (code, text)
        harness.wait_log("code=Z-TICKET-", mark)
    session.close()
    harness.queue_flush()
    harness.wait_mail(to)


# ---- 5. label set with ORCPT ----

def test_05_the_recipient_has_a_label_and_its_original():
    typed, _ = walk.new_number()
    to = walk.new_outsider().replace("@", "+tag@")
    _, labelled, file, _ = queued_while_deliver_is_down(mail("SMS %s Uitslag" % typed, to=to), to)
    assert labelled == to + ".viewer.zegel.internal"
    text = file.decode(errors="replace")
    # Each recipient's attributes stand before it; those of the old one are further up.
    found = re.search(r"(?m)^named_attribute: notify_flags=(\d+)\n"
                      r"named_attribute: dsn_orig_rcpt=rfc822;%s\n"
                      r"original_recipient: .*\nrecipient: %s$" % (
                          re.escape(to), re.escape(labelled)), text)
    assert found, text
    assert int(found.group(1)) & 12 == 12, text  # FAILURE and DELAY, S12
    assert len(re.findall(r"(?m)^recipient: ", text)) == 1
    harness.queue_flush()
    harness.wait_mail(to)


def test_05_nobody_else_may_write_a_label():
    to = "x@" + part("outsider") + ".viewer.zegel.internal"
    for login in (SENDER, None):
        refusal = refused(send, mail("x", to=to), SENDER, to, login=login)
        assert "5.1.2" in refusal.text or refusal.code == 554, refusal.text


# ---- 6. route promised before the answer ----

def routes():
    """What routes.db promises: {key: transport}."""
    path = os.path.join(harness.ENV["LAB_STATEDIR"], "routes", "routes.db")
    with sqlite3.connect("file:%s?mode=ro" % path, uri=True) as database:
        return dict(database.execute("SELECT key, transport FROM route"))


def test_06_the_route_stands_before_the_answer():
    key = part("community") + ".direct.zegel.internal"
    to = unique("jan") + "@" + part("community")
    with harness.without("community"):
        queue_id = send(mail("veilig mailen: recept", to=to), SENDER, to)
        assert routes()[key] == "zegel-direct:[mail.%s]:25" % part("community")
        harness.wait_for(lambda: (harness.queued(queue_id) or {}).get("queue_name") == "deferred",
                         "deferral")
    harness.queue_flush()
    log = wait_delivered(queue_id)
    assert any("zegel-direct" in line and "status=sent" in line for line in log), log
    assert harness.wait_mail(to).message["Subject"] == "recept"


def test_06_without_policyd_a_secure_message_waits_at_its_sender():
    to = unique("jan") + "@" + part("community")
    with harness.without("policyd", kill=True):
        refusal = refused(send, mail("veilig mailen: recept", to=to), SENDER, to)
        assert 400 <= refusal.code <= 499, refusal
        word = unique()
        wait_delivered(send(mail("Afspraak", word + "\n", to=to), SENDER, to))
        harness.wait_mail(to)
    assert len(harness.mailbox(to)) == 1 and word in harness.mailbox(to)[0]


# ---- 7. message sealed and committed before 250 ----

def test_07_after_250_the_message_survives_a_kill():
    to = walk.new_outsider()
    typed, number = walk.new_number()
    word = unique()
    queue_id, labelled, _, message = queued_while_deliver_is_down(
        mail("SMS %s Uitslag" % typed, word + "\n", to=to), to)
    harness.command("postsuper", "-d", queue_id)
    session = harness.Lmtp()
    (code, text), = session.deliver(SENDER, [labelled], message)
    harness.control("kill", "deliver")
    assert code == 250, (code, text)
    harness.control("start", "deliver")
    sent = type("Sent", (), {"number": number, "to": to})
    sent.link = walk.link_in(harness.wait_mail(to))
    browser, page = walk.log_in(sent)
    assert word in page.text, page.text


def test_07_nothing_readable_lies_on_the_disk():
    import image
    words = [unique(), unique(), unique()]
    to = walk.new_outsider()

    def make(typed, _):
        message = mail("SMS %s %s" % (typed, words[0]), words[1] + "\n", to=to)
        message.add_attachment((words[2] * 5000).encode(), maintype="application",
                               subtype="octet-stream", filename=words[2] + ".bin")
        return message
    sent = walk.Sent(make, to)
    browser, page = walk.log_in(sent)
    walk.attachments(browser, page)
    assert not image.find_in_state(words)
    assert not image.find(harness.ENV["LAB_MAIL_LOG"], words)
    assert not image.find_in_tree(harness.ENV["LAB"] + "/log", words)
    probe = os.path.join(harness.ENV["LAB_STATEDIR"], "tmp", "probe")
    with open(probe, "w", encoding="ascii") as file:
        file.write(words[0])
    assert image.find_in_state(words[:1]), "the search itself finds nothing"
    os.unlink(probe)


# ---- 8. notification sent once ----

def test_08_one_notification_also_when_postfix_asks_again():
    to = walk.new_outsider()
    typed, _ = walk.new_number()
    queue_id, labelled, _, message = queued_while_deliver_is_down(
        mail("SMS %s Uitslag" % typed, to=to), to)
    harness.command("postsuper", "-d", queue_id)
    session = harness.Lmtp()
    answers = [session.deliver(SENDER, [labelled], message)[0] for _ in range(5)]
    session.close()
    assert [code for code, _ in answers] == [250] * 5, answers
    assert len({text for _, text in answers}) == 1, answers
    harness.wait_mail(to)
    harness.wait_log("event=stored.*to=%s.*again=yes" % re.escape(to))
    wait_for(lambda: not harness.queue(), "empty queue")
    assert len(harness.mailbox(to)) == 1


def test_08_the_notification_says_who_what_until_when_and_no_more():
    sent = secure("SMS %s Geheime uitslag", "Geheime tekst\n")
    text = sent.notification.text()
    header = sent.notification.message
    assert header["From"].addresses[0].domain == "veilig." + part("own")
    assert "Huisartsenpraktijk Voorbeeld" in str(header["From"])
    assert "Geheime" not in sent.notification and "Uitslag" not in str(header["Subject"])
    for words in ("bericht", "message", sent.link, "Huisartsenpraktijk Voorbeeld"):
        assert words in text, words
    assert header["Auto-Submitted"] and "janssen" in text.lower()


# ---- 9. code sent once and only after a POST ----

def test_09_looking_sends_no_code():
    sent = secure()
    browser = Browser()
    for _ in range(20):
        assert browser.get(sent.link).status == 200
    for method in ("HEAD", "OPTIONS", "PUT"):
        browser.request(method, sent.link)
    browser.get(sent.link + "/send")
    assert harness.sms_asked(sent.number) == []
    page = browser.get(sent.link)
    for _ in range(3):
        browser.submit(page, page.form("/send"))
    assert len(harness.sms_asked(sent.number)) == 1
    harness.wait_sms(sent.number)
    assert len(harness.sms_asked(sent.number)) == 1


def test_09_the_sms_has_the_code_and_no_link_and_no_name():
    sent = secure()
    walk.ask_code(Browser(), sent)
    text = harness.sms_texts(sent.number)[0]
    assert "://" not in text and "janssen" not in text.lower() and sent.to not in text


# ---- 10. code checked ----

def test_10_only_the_right_code_opens():
    sent = secure(body="Geheime tekst\n")
    browser = Browser()
    page, code = walk.ask_code(browser, sent)
    wrong = "%06d" % ((int(code) + 1) % 1000000)
    for text, status in ((wrong, 403), ("", 400), ("12345", 400), ("abcdef", 400)):
        answer = browser.submit(page, page.form("/code"), code=text)
        assert answer.status == status and "Geheime" not in answer.text, (text, answer.status)
        assert browser.get(sent.link.split("/l/")[0] + "/m").status != 200
    answer = browser.submit(page, page.form("/code"), code=code)
    assert answer.status == 200 and "Geheime tekst" in answer.text


def test_10_five_wrong_codes_end_the_code():
    sent = secure()
    browser = Browser()
    page, code = walk.ask_code(browser, sent)
    for step in range(1, 6):
        wrong = "%06d" % ((int(code) + step) % 1000000)
        browser.submit(page, page.form("/code"), code=wrong)
    assert browser.submit(page, page.form("/code"), code=code).status == 403


def test_10_a_code_works_once_and_for_its_own_link():
    sent, other = secure(), secure()
    browser = Browser()
    page, code = walk.ask_code(browser, sent)
    strange = browser.get(other.link + "/code")
    assert browser.submit(strange, strange.form("/code"), code=code).status == 403
    assert browser.submit(page, page.form("/code"), code=code).status == 200
    assert Browser().submit(page, page.form("/code"), code=code).status == 403


# ---- 11. message shown equal ----

def test_11_text_is_shown_as_it_was_written():
    body = "Beste Jan,\n\nHet kost € 12,50 — één keer; <b>geen</b> HTML & \"zo\".\n日本語\n"
    sent = secure("SMS %s Één uitslag", body)
    _, page = walk.log_in(sent)
    for words in ("Één uitslag", " ".join(body.split()), SENDER):
        assert words in page.text, (words, page.text)


def test_11_html_is_shown_without_what_is_dangerous():
    def make(typed, to):
        message = mail("SMS %s Uitslag" % typed, to=to)
        message.set_content(
            "<p>Goed <b>nieuws</b>, één keer</p><script>alert(1)</script>"
            "<img src='https://tracker.example/x.png' onerror='alert(2)'>"
            "<form action='https://evil.example/'><input name=a></form>",
            subtype="html", cte="8bit")
        return message
    browser, page = walk.log_in(walk.Sent(make))
    shown = browser.get(page.url + "/html")
    assert shown.status == 200 and "Goed nieuws , één keer" in shown.text.replace("nieuws,",
                                                                                "nieuws ,")
    for word in (b"<script", b"alert", b"onerror", b"tracker", b"<form", b"evil"):
        assert word not in shown.body, word
    policy = shown.headers["content-security-policy"]
    assert "default-src 'none'" in policy and "sandbox" in policy, policy


def test_11_the_original_is_what_was_sent():
    sent = secure(body="Regel een\n.\n..punten\n" + "x" * 900 + "\nFrom hier\n")
    browser, page = walk.log_in(sent)
    original = browser.get(page.url + "/original")
    assert original.status == 200
    body = original.body.split(b"\r\n\r\n", 1)[1]
    wanted = sent.message.as_bytes(policy=harness.policy.SMTP).split(b"\r\n\r\n", 1)[1]
    assert hashlib.sha256(body).digest() == hashlib.sha256(wanted).digest()
    assert b"x-zegel" not in original.body.lower()


# ---- 12. attachment equal byte for byte ----

def test_12_attachments_are_equal_byte_for_byte():
    contents = [os.urandom(300000), b"", b"a\r\nb\nc\r", "één\n".encode("iso-8859-15")]

    def make(typed, to):
        message = mail("SMS %s Uitslag" % typed, to=to)
        for index, content in enumerate(contents):
            message.add_attachment(content, maintype="application", subtype="octet-stream",
                                   filename="bijlage %d é.bin" % index)
        return message
    browser, page = walk.log_in(walk.Sent(make))
    got = walk.attachments(browser, page)
    assert [hashlib.sha256(one).hexdigest() for one in got] == [
        hashlib.sha256(one).hexdigest() for one in contents]
    assert all("bijlage %d é.bin" % index in page.text for index in range(len(contents)))


def test_12_a_file_name_leads_nowhere():
    def make(typed, to):
        message = mail("SMS %s Uitslag" % typed, to=to)
        message.add_attachment(b"x", maintype="text", subtype="html",
                               filename="../../etc/passwd")
        return message
    browser, page = walk.log_in(walk.Sent(make))
    answer = browser.get(page.url + "/part/1")
    disposition = answer.headers["content-disposition"]
    assert disposition.startswith("attachment") and "/" not in disposition.split("''")[0]
    assert ".." not in disposition and answer.headers["x-content-type-options"] == "nosniff"
    assert browser.get(page.url + "/part/2").status == 404
