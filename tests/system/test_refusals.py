"""Every refusal through the real Postfix, as a client sees it (S7, T-codes of zegel-events(5)).

Here are those of a message that is submitted; those of the second pass are in test_expansion,
and bad tickets come from nobody but zegel.
"""
import re

import harness as lab
import walk
from harness import part
from test_milter import raw, session
from test_rules import COLLEAGUE, SENDER, rules

STRANGER = "iemand@elders.example"
TRIGGER = "Subject: veilig mailen"


def told_about(code, message, recipients, said="", sender=SENDER, temporary=False):
    """MESSAGE to RECIPIENTS is refused with CODE: two lines of ASCII, Dutch and English, of at
    most 400 octets, that end in the code and say SAID."""
    status, text = session(sender, ["<%s>" % one for one in recipients], message)
    assert status // 100 == (4 if temporary else 5), (code, said, status, text)
    lines = text.decode("ascii").split("\n")
    assert len(lines) == 2, lines
    for line, nothing in zip(lines, ("Er is niets verzonden.", "Nothing was sent.")):
        enhanced, words = line.split(" ", 1)
        assert re.fullmatch(r"%d\.\d+\.\d+" % (status // 100), enhanced), line
        assert len(words) <= 400 and words.endswith("%s (%s)" % (nothing, code)), line
        assert said in words, (said, line)


def told(code, recipients, header, sender=SENDER, temporary=False, said=""):
    """The same for a message with HEADER; and nobody gets anything."""
    header = header if isinstance(header, list) else [header]
    told_about(code, raw(["From: " + sender] + header), recipients, said, sender, temporary)
    outside = [one for one in recipients if re.fullmatch("[^@]+@" + part("outsider"), one)]
    assert not any(lab.mailbox(one) for one in outside)


def test_refusals_about_numbers():
    """S2 S3 S7: every mistake with a number is refused, and the text says what to type"""
    a, b = walk.new_outsider(), walk.new_outsider()
    told("Z-S7-NUMBER", [a], TRIGGER, said=a)
    told("Z-S7-NUMBER", [a, b], TRIGGER, said=b)
    told("Z-S7-ONE-NUMBER", [a, b], "Subject: SMS 0612345678 x", said=b)
    told("Z-S2-NO-NUMBER", [a], "Subject: Re: SMS", said="SMS 0612345678")
    told("Z-S2-NO-NUMBER", [a], "Subject: @sms", said="SMS 0612345678")
    told("Z-S3-NUMBER", [a], "Subject: SMS 061234567", said="SMS 0612345678")
    told("Z-S3-NUMBER", [a], "Subject: SMS +44 7911 123456")
    told("Z-S3-NUMBER", [a], [TRIGGER, "X-Zegel-SMS: %s 0201234567" % a])
    told("Z-S2-TWO-NUMBERS", [a], "Subject: SMS 0612345678 SMS 0687654321")
    told("Z-S2-TWO-NUMBERS", [a], ["Subject: x", "X-Zegel-SMS: %s 0612345678" % a,
                                   "X-Zegel-SMS: %s 0687654321" % a])
    told("Z-S7-HEADER", [a], ["Subject: x", "X-Zegel-SMS: 0612345678"],
         said="jan@example.com +31612345678")


def test_refusals_about_contradictions_and_headers():
    """S1: a number with a bypass, and more header lines than are looked at"""
    a = walk.new_outsider()
    bypass = "x-ezorg-secbypass: true"
    told("Z-S1-CONTRADICTION", [a], ["Subject: SMS 0612345678 x", bypass])
    told("Z-S1-CONTRADICTION", [a], ["Subject: x", "X-Zegel-SMS: %s 0612345678" % a, bypass])
    told("Z-S1-HEADERS", [a], ["Subject: x"] + ["X-Zegel-A: %d" % i for i in range(2001)])


def test_refusals_about_who_writes():
    """O3: a sender who is not of the organisation, and a login of no organisation"""
    a = walk.new_outsider()
    told("Z-O3-SENDER", [a], "Sender: bakker@" + part("own2"), said=part("own2"))
    with rules(logins=STRANGER):
        told("Z-O3-LOGIN", [a], TRIGGER, said=SENDER)


def test_refusals_about_recipients():
    """R4 S6 S9: an address that cannot be protected, no viewer, too many"""
    a = walk.new_outsider()
    odd = "@%s:%s" % (part("ready"), a)
    told("Z-R4-ADDRESS", [odd], "Subject: SMS 0612345678 x", said="<@" + part("ready"))
    with rules(method="none", recipients_max="2"):
        told("Z-S6-NO-VIEWER", [COLLEAGUE, a], TRIGGER, said=a)
        told("Z-S9-RECIPIENTS", [COLLEAGUE, SENDER, a], TRIGGER, said=" 2")


def test_refusals_for_now():
    """R6: without policyd the client may try again, and a text says so"""
    with lab.without("policyd"):
        told("Z-R6-LATER", [walk.new_outsider()], TRIGGER, temporary=True)


def test_a_number_that_could_be_of_several():
    """S7 S8: one number in the subject, and several who have another one in the phone book"""
    known = [walk.Sent(lambda typed, to: lab.mail("SMS %s x" % typed, to=to)).to
             for _ in range(2)]
    for to in known:  # learned once it was filed
        lab.wait_for(lambda whom=to: lab.command("zegelctl", "phone", "show", "praktijk", whom,
                                                 status=None), "the number of " + to)
    typed, _ = walk.new_number()
    message = raw(["From: " + SENDER, "Subject: SMS %s x" % typed])
    told_about("Z-S7-ONE-NUMBER", message, known, said=known[1])
    assert [len(lab.mailbox(to)) for to in known] == [1, 1]


def test_an_alias_that_leads_to_the_viewer_when_there_is_none():
    """S6 R7: with method none, who is behind an alias gets nothing, and the sender hears of it"""
    word, alias = lab.unique(), "alias@" + part("own")
    with rules(method="none"):
        before, mark = len(lab.reports(SENDER)), lab.log_mark()
        lab.send(lab.mail("veilig mailen", word, to=alias), SENDER, alias)
        bounce = lab.wait_report(SENDER, before)
    text = re.sub(r"\s+", " ", bounce.text())
    assert "(Z-S6-NO-VIEWER)" in text and word not in bounce, text
    assert lab.log_lines("event=refused,.* code=Z-S6-NO-VIEWER", mark)
    assert not any(word in one for one in lab.mailbox("alias@" + part("outsider")))
