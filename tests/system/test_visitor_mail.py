"""What visitors of the viewer write (port 10588), answers to it, and mail to the service domain."""
import os
import re
import smtplib

import harness
import image
import peer
import told
import walk
from browser import link_in
from harness import (ENV, configured, forget_number, mail, part, refused, send, unique,
                     wait_delivered, wait_log)
from test_expansion import OUTSIDE
from test_signing import signatures, signs

OWN, SERVICE = part("own"), "veilig." + part("own")
DOCTOR, COLLEAGUE = "janssen@" + OWN, "devries@" + OWN
NOREPLY = "noreply@" + SERVICE
KEY = os.path.join(ENV["LAB_SYSCONFDIR"], "zegel", "keys", "milter", "origin")
MAKE_MARK = os.path.join(ENV["LAB_BUILD"], "tests", "system", "make_mark")
REFERENCE = "0123456789abcdez"


def make_mark(*words, data=b"", key=KEY):
    return harness.command(MAKE_MARK, key, *words, data=data).decode()


def conversation(address, organisation="praktijk"):
    """The Message-ID of what ADDRESS answered, without <>."""
    return "%s@%s" % (make_mark("conversation", organisation, address), SERVICE)


def control(kind, organisation="praktijk", domain=SERVICE):
    return make_mark("control", kind, organisation, REFERENCE, domain)


class Answer:
    """What a visitor wrote to TO: .canary is its body."""

    def __init__(self, to, sender=None, author=None):
        self.to = [to] if isinstance(to, str) else to
        self.author = author or walk.new_outsider()
        self.canary = unique()
        self.mail = mail("Re: uitslag", body=self.canary + "\n", to=self.to[0],
                         sender=sender or '"Jan (via Praktijk)" <%s>' % NOREPLY)
        self.marked = []
        self.mark = harness.log_mark()

    def raw(self):
        return self.mail.as_bytes(policy=self.mail.policy)

    def sealed(self, to=None, organisation="praktijk", key=KEY, body=None):
        """A mark for it, or for what is said instead."""
        data = self.raw().split(b"\r\n\r\n", 1)[1] if body is None else body
        return make_mark("origin", "answer", organisation, self.author, *(to or self.to),
                         data=data, key=key)

    def submit(self, *marks):
        """Hands it in as the viewer does, with MARKS or else its own; returns the queue id."""
        head = "".join("X-Zegel-Origin: %s\r\n" % mark for mark in marks or [self.sealed()])
        return hand_in(head.encode() + self.raw(), self.to)

    def refused(self, *marks):
        refusal = refused(self.submit, *marks)
        assert not harness.log_lines(r"event=routed,.*reason=Z-V5-VISITOR", self.mark)
        return refusal


def hand_in(raw, recipients, sender=NOREPLY):
    """Gives RAW to port 10588 from this machine."""
    with smtplib.SMTP("127.0.0.1", 10588, timeout=60) as server:
        try:
            server.ehlo()
            code, text = server.mail(sender)
            for recipient in recipients:
                if code == 250:
                    code, text = server.rcpt(recipient)
            if code == 250:
                code, text = server.data(raw)
        except smtplib.SMTPResponseException as error:
            code, text = error.smtp_code, error.smtp_error
    text = text.decode(errors="replace").replace("\n", " ")
    if code != 250:
        raise harness.Refused(code, text)
    return re.search(r"queued as (\w+)", text).group(1)


def arrived(answer, to):
    """ANSWER in the mailbox of TO, once it is there."""
    return harness.wait_for(lambda: next((one for one in harness.mailbox(to)
                                          if answer.canary in one), None), "mail for " + to)


def nothing_outside(*canaries):
    harness.wait_for(lambda: not harness.queue(), "the end of the queue")
    for tree in OUTSIDE:
        assert not image.find_in_tree(tree, list(canaries)), (canaries, tree)


# ---- What a visitor writes -------------------------------------------------------------

def test_an_answer_reaches_the_sender():
    """V5: an answer with its mark is sensitive, arrives at the sender's mailbox, and the mark is gone"""
    answer = Answer(DOCTOR)
    queue_id = answer.submit()
    got = arrived(answer, DOCTOR)
    assert got.message["X-Zegel-Origin"] is None and got.message["Subject"] == "Re: uitslag"
    assert got.message["From"].addresses[0].addr_spec == NOREPLY, got.raw
    line = wait_log(r" %s: event=routed, org=praktijk" % queue_id, answer.mark)
    for word in ("reason=Z-V5-VISITOR", "to=" + DOCTOR, "route=own"):
        assert word in line, line
    assert any("to=<%s.own.zegel.internal>" % DOCTOR in one
               for one in harness.log_lines(" %s: " % queue_id, answer.mark))


def test_only_the_service_domain_signs():
    """N6: what a visitor writes is signed for the service domain, never for the mail domain"""
    with signs(OWN), signs(SERVICE):
        answer = Answer("%s@%s" % (unique("p"), part("community")))
        answer.submit()
        got = arrived(answer, answer.to[0])
        assert signatures(got, SERVICE) == 1 and signatures(got, OWN) == 0, got.raw
        assert b"X-Zegel" not in got.raw, got.raw
        for sender in (DOCTOR, "%s, %s" % (NOREPLY, DOCTOR), NOREPLY + "." + part("outsider"),
                       "x@" + part("outsider")):
            refusal = Answer(DOCTOR, sender=sender).refused()
            assert refusal.code == 550 and "Z-V5-FROM" in refusal.text, (sender, refusal)


def test_forged_marks():
    """V5: without a mark, and with one that is bent, doubled, of another body, for somebody else"""
    answer = Answer(DOCTOR)
    good = answer.sealed()
    bent = good[:40] + ("A" if good[40] != "A" else "B") + good[41:]
    cases = ((["geheim"], "Z-V5-FORGED"), ([bent], "Z-V5-FORGED"), ([good, good], "Z-V5-FORGED"),
             ([good, bent], "Z-V5-FORGED"), ([answer.sealed(body=b"Iets anders\r\n")], "Z-V5-BODY"),
             ([answer.sealed(body=b"")], "Z-V5-BODY"),
             ([answer.sealed(to=[COLLEAGUE])], "Z-V5-RECIPIENT"))
    for marks, code in cases:
        refusal = answer.refused(*marks)
        assert refusal.code == 550 and code in refusal.text, (code, refusal)
    bare = refused(hand_in, answer.raw(), answer.to)
    assert bare.code == 550 and "Z-V5-NO-MARK" in bare.text, bare
    more = Answer([DOCTOR, COLLEAGUE])
    refusal = more.refused(more.sealed(to=[DOCTOR]))
    assert "Z-V5-RECIPIENT" in refusal.text and COLLEAGUE in refusal.text, refusal
    # What cannot be judged now comes again.
    other = "/run/lab/other-origin"
    with open(other, "w", encoding="ascii") as file:
        os.fchmod(file.fileno(), 0o400)
        file.write("zegel-key 1 origin 0badcafe %s\n" % ("A" * 43 + "="))
    for mark, code in ((answer.sealed(key=other), "Z-V5-KEY"),
                       (answer.sealed(organisation="niemand"), "Z-O1-ORGANISATION")):
        refusal = answer.refused(mark)
        assert refusal.code == 451 and code in refusal.text, (code, refusal)
    assert not any(answer.canary in one for one in harness.mailbox(DOCTOR))


def test_a_mark_that_comes_again():
    """V5: the same message with the same mark twice is harmless: it arrives twice, nowhere else"""
    answer = Answer(DOCTOR)
    mark = answer.sealed()
    for _ in range(2):
        wait_delivered(answer.submit(mark))
    harness.wait_for(lambda: sum(answer.canary in one for one in harness.mailbox(DOCTOR)) == 2,
                     "both")


def test_another_organisation():
    """O2: a mark of one organisation carries nothing of another's service domain"""
    answer = Answer("bakker@" + part("own2"))
    refusal = answer.refused(answer.sealed(organisation="kliniek"))
    assert "Z-V5-FROM" in refusal.text, refusal


def test_an_alias_of_ours_leads_outside():
    """R8 R7: an answer to a mailbox that is an alias: nothing in the clear on any leg"""
    team = Answer("team@" + OWN)
    team.submit()
    arrived(team, COLLEAGUE)
    assert b"X-Zegel" not in arrived(team, "team@" + part("community")).raw
    forget_number("alias@" + part("outsider"))
    single = Answer("alias@" + OWN)
    single.submit()
    wait_log(r"Z-R7-NUMBER.*|event=refused.*alias@" + re.escape(part("outsider")), single.mark)
    nothing_outside(team.canary, single.canary)
    with configured("organisation praktijk", "method", "optional", "policyd", "milter", "deliver",
                    "viewer"):
        before = len(harness.mailbox("alias@" + part("outsider")))
        again = Answer("alias@" + OWN)
        again.submit()
        told = harness.wait_mail("alias@" + part("outsider"), before + 1)
        assert link_in(told), told.raw
        nothing_outside(again.canary)


def test_whom_nothing_secure_reaches():
    """V6 R8: to an outsider nothing goes, but to a reader whose number the phone book has"""
    to = walk.new_outsider()
    refusal = Answer(to).refused()
    assert refusal.code == 550 and "Z-V5-NO-ROUTE" in refusal.text and to in refusal.text, refusal
    sent = walk.Sent(lambda typed, whom: mail("SMS %s uitslag" % typed, to=whom), to=to)
    walk.log_in(sent)
    before = len(harness.mailbox(to))
    answer = Answer(to)
    answer.submit()
    told = harness.wait_mail(to, before + 1)
    assert link_in(told) and answer.canary not in told, told.raw
    nothing_outside(answer.canary)
    with configured("organisation praktijk", "method", "none", "policyd", "milter"):
        assert "Z-V5-NO-ROUTE" in Answer(to).refused().text


def test_a_dangerous_attachment():
    """S10: what a visitor attaches is looked at like what a user does"""
    answer = Answer(DOCTOR)
    answer.mail.add_attachment(b"MZ", maintype="application", subtype="octet-stream",
                               filename="factuur.exe")
    assert "Z-S10-EXTENSION" in answer.refused().text


def test_no_route_now():
    """R6: with policyd or the milter dead it is to be handed in again, and then it goes"""
    for program in ("policyd", "milter"):
        answer = Answer("%s@%s" % (unique("p"), part("community")))
        with harness.without(program, kill=True):
            assert answer.refused().code == 451
        answer.submit()
        arrived(answer, answer.to[0])


def test_who_may_hand_in():
    """V5: port 10588 is for this machine, takes no label and no bare line feed"""
    address = ENV["LAB_MAIL_ADDR"]
    try:
        with smtplib.SMTP(address, 10588, timeout=5, source_address=(ENV["LAB_DESK_ADDR"], 0)):
            raise AssertionError("10588 is open to others")
    except OSError:
        pass
    answer = Answer(DOCTOR + ".viewer.zegel.internal")
    assert "Z-R4-LABEL" in answer.refused().text
    with smtplib.SMTP("127.0.0.1", 10588, timeout=60) as server:
        server.ehlo()
        server.mail(NOREPLY)
        server.rcpt(DOCTOR)
        server.docmd("DATA")
        server.send(b"Subject: een\r\n\r\nx\n.\nMAIL FROM:<%s>\r\n.\r\n" % NOREPLY.encode())
        assert server.getreply()[0] in (521, 550)


def test_a_user_cannot_mark():
    """V5 T27: X-Zegel-Origin of a user, or of a stranger, is taken out and opens nothing"""
    answer = Answer(DOCTOR)
    message = mail("Overleg", body=answer.canary, sender=DOCTOR, to=COLLEAGUE,
                   X_Zegel_Origin=answer.sealed(to=[COLLEAGUE]).replace("\r\n ", ""))
    send(message, DOCTOR, COLLEAGUE)
    assert arrived(answer, COLLEAGUE).message["X-Zegel-Origin"] is None
    outside = Answer(DOCTOR)
    raw = peer.message("jan@" + part("outsider"), COLLEAGUE,
                       "X-Zegel-Origin: " + outside.sealed().replace("\r\n ", ""),
                       body=outside.canary + "\r\n")
    peer.bring(raw, "jan@" + part("outsider"), [COLLEAGUE], ENV["LAB_OUTSIDER_ADDR"])
    assert arrived(outside, COLLEAGUE).message["X-Zegel-Origin"] is None


# ---- Answers to it -----------------------------------------------------------------------

def reply(to, field, value, subject="Re: uitslag", **headers):
    return mail(subject, body=unique(), sender=DOCTOR, to=to, **{field: "<%s>" % value}, **headers)


def test_a_conversation_is_sensitive():
    """V5 S1: an answer to a visitor's answer is sensitive by itself, also with an explicit bypass"""
    to = walk.new_outsider()
    good = conversation(to)
    for message in (reply(to, "In_Reply_To", good), reply(to, "References", good),
                    reply(to, "In_Reply_To", good, x_ezorg_secbypass="true")):
        refusal = refused(send, message, DOCTOR, to)
        assert "Z-S7-NUMBER" in refusal.text and to in refusal.text, refusal
    walk.Sent(lambda typed, whom: reply(whom, "In_Reply_To", good, "SMS %s Re: x" % typed), to=to)
    # Not of this recipient, not of ours, or bent: ordinary mail.
    for value in (conversation(walk.new_outsider()), conversation(to, "kliniek"),
                  good.replace("@" + SERVICE, "@" + OWN), "x" + good, control("number")):
        message = reply(to, "In_Reply_To", value)
        before = len(harness.mailbox(to))
        send(message, DOCTOR, to)
        assert message.get_content().strip() in harness.wait_mail(to, before + 1), value


def test_a_conversation_with_the_phone_book():
    """V5 S8: the number that a reader has used is used for the answer to him"""
    sent = walk.Sent(lambda typed, whom: mail("SMS %s uitslag" % typed, to=whom))
    walk.log_in(sent)
    before = len(harness.mailbox(sent.to))
    mark = harness.log_mark()
    queue_id = send(reply(sent.to, "In_Reply_To", conversation(sent.to)), DOCTOR, sent.to)
    assert link_in(harness.wait_mail(sent.to, before + 1))
    assert "reason=Z-V5-CONVERSATION" in wait_log(r" %s: event=routed" % queue_id, mark)


def test_try_shows_a_conversation():
    """V5: zegel-milter -t says that a message is in a conversation"""
    to = walk.new_outsider()
    path = "/run/lab/try-conversation"
    with open(path, "wb") as file:
        file.write(b"From: %s\nReferences: <1@x>\n <%s>\n\nDag\n" % (
            DOCTOR.encode(), conversation(to).encode()))
    os.chmod(path, 0o644)
    shown = harness.command(os.path.join(ENV["LAB_SBINDIR"], "zegel-milter"), "-t", path,
                            "--sender", DOCTOR, "--login", DOCTOR, "--recipient", to, status=1)
    assert re.search(rb"(?m)^conversation +yes$", shown), shown
    assert b"Z-V5-CONVERSATION" in shown, shown


# ---- The service domain ------------------------------------------------------------------

def from_outside(sender, to):
    peer.bring(peer.message("jan@" + part("ready"), to), sender, [to], ENV["LAB_READY_ADDR"])


def test_only_bounces_come_in():
    """S14: from outside the service domain takes bounces to control addresses, and nothing bounces"""
    bounce, number = control("bounce"), control("number")
    victim = "jan@" + part("ready")
    before = len(harness.mailbox(victim))
    mark = harness.log_mark()
    for sender, to in ((victim, NOREPLY), ("", NOREPLY), (victim, bounce), (victim, number),
                       (victim, "postmaster@y." + SERVICE), (victim, "x@y." + SERVICE),
                       ("", bounce.replace("@", "@y.")), (DOCTOR, NOREPLY), (DOCTOR, "x@y." + SERVICE),
                       (victim, "noreply@veilig." + part("own2")), ("", "x" + bounce)):
        refusal = refused(from_outside, sender, to)
        assert refusal.code == 550 and "Z-V5-ADDRESS" in refusal.text, (sender, to, refusal)
    for to in (bounce, bounce.upper(), control("bounce", "kliniek", "veilig." + part("own2"))):
        from_outside("", to)
        wait_log(r"postfix/zegel-store/lmtp.* to=<%s>.* relay=" % re.escape(to), mark)
    harness.wait_for(lambda: not harness.queue(), "the end of the queue")
    assert len(harness.mailbox(victim)) == before


def test_the_postmaster():
    """RFC 5321 4.5.1: an alias, as README.postfix has it, leads to the postmaster of a service domain"""
    here, there = "PostMaster@" + SERVICE, "postmaster@" + OWN
    before = len(harness.mailbox(there))
    maps = harness.command("postconf", "-h", "zegel_site_alias_maps").decode().strip()
    with told.postfix(zegel_site_alias_maps="inline:{{postmaster@%s=%s}}, %s" % (
            SERVICE, there, maps)):
        from_outside("jan@" + part("ready"), here)
        from_outside("", here)
        harness.wait_for(lambda: len(harness.mailbox(there)) == before + 2, "both mails")


def test_a_user_at_the_service_domain():
    """S14: a user reaches control addresses of ours; with a number he is in the ticket, without he passes"""
    number = control("number")
    for to in (NOREPLY, number[:-len(SERVICE)] + "y." + SERVICE, "x" + number,
               control("number", "kliniek", "veilig." + part("own2"))):
        refusal = refused(send, mail("Re: bevestiging", sender=DOCTOR, to=to), DOCTOR, to)
        assert refusal.code == 550 and "Z-V5-ADDRESS" in refusal.text, (to, refusal)
    typed, e164 = walk.new_number()
    masked = re.escape(e164[:4] + "*" * (len(e164) - 6) + e164[-2:])
    mark = harness.log_mark()
    queue_id = send(mail("Re: SMS %s" % typed, sender=DOCTOR, to=number), DOCTOR, number)
    line = wait_log(r" %s: event=routed" % queue_id, mark)
    assert re.search(r"to=%s, route=viewer, code=Z-S14-CONTROL, .*number=%s" % (
        re.escape(number), masked), line), line
    wait_log(r"zegel-store/lmtp.* %s: to=<%s\.viewer\.zegel\.internal>" % (
        queue_id, re.escape(number)), mark)
    refusal = refused(send, mail("Re: SMS 0612", sender=DOCTOR, to=number), DOCTOR, number)
    assert "Z-S3-NUMBER" in refusal.text, refusal
    for subject in ("Re: bevestiging", "veilig mailen"):
        plain = send(mail(subject, sender=DOCTOR, to=number), DOCTOR, number)
        wait_log(r"zegel-store/lmtp.* %s: to=<%s>" % (plain, re.escape(number)), mark)
        assert not harness.log_lines(r" %s: event=routed" % plain, mark)


def test_a_number_needs_no_policyd():
    """S14 R9: a number is corrected also while no route can be had"""
    number = control("number")
    with harness.without("policyd", kill=True):
        send(mail("Re: SMS %s" % walk.new_number()[0], sender=DOCTOR, to=number), DOCTOR, number)
