"""What senders read when a message comes back, waits, or arrived: contrib/postfix/zegel_bounce.cf."""
import re
import subprocess

import harness as lab
import walk
from harness import part
from test_milter import raw
from test_rules import parameter, told_of_delay

SENDER = "janssen@" + part("own")
LABELS = ("viewer", "direct", "own", "seal", "prefer")
PIECE = lab.ENV["LAB_HERE"] + "/../../contrib/postfix/zegel_bounce.cf"
DUTCH = "Ziet u een adres dat eindigt op .zegel.internal?"
ENGLISH = "Do you see an address that ends in .zegel.internal?"


def notice_text(notice):
    """The words of NOTICE, each blank one space."""
    return re.sub(r"\s+", " ", notice.text())


def partner():
    return lab.unique("p") + "@" + part("community")


def explains(text, to, label):
    """TEXT says in both languages what the label is that it shows behind TO."""
    assert "<%s.%s.zegel.internal>" % (to, label) in text, text
    assert DUTCH in text and ENGLISH in text, text
    for known in LABELS:
        assert len(re.findall(r" \.%s " % known, text)) == 2, (known, text)


def test_a_bounce_says_what_the_label_is():
    """S12: a bounce shows the label, and says in Dutch and English what it is and what to do"""
    to, before = partner(), len(lab.reports(SENDER))
    with parameter("maximal_queue_lifetime", "0"), lab.without("community"):
        lab.send(raw(["From: " + SENDER, "Subject: veilig mailen x"]), SENDER, to)
        notice = lab.wait_report(SENDER, before)
    explains(notice_text(notice), to, "direct")
    assert notice.message["Subject"] == "Niet bezorgd / Undelivered Mail Returned to Sender"
    for words in ("bel de ontvanger", "call the recipient", "niet onbeveiligd verstuurd",
                  "was not sent unprotected"):
        assert words in notice_text(notice), words
    assert notice.message.get_content_type() == "multipart/report"


def test_a_delay_notice_says_what_the_label_is():
    """S12: so does a delay notice, and says that the message need not be sent again"""
    to = partner()
    notice, _ = told_of_delay(to, "veilig mailen x", "community")
    text = notice_text(notice)
    explains(text, to, "direct")
    assert "U hoeft niet opnieuw te versturen." in text and "tot 5 dagen" in text, text
    assert "You do not need to send again." in text and "until 5 days" in text, text


def test_a_report_of_delivery_says_what_the_label_is():
    """S12: so does a report of delivery to the viewer, which is asked for"""
    (typed, _), to = walk.new_number(), walk.new_outsider()
    before = len(lab.reports(SENDER))
    server = lab.connect(SENDER)
    server.ehlo_or_helo_if_needed()
    server.mail(SENDER)
    server.rcpt(to, ["NOTIFY=SUCCESS"])
    assert server.data(raw(["From: " + SENDER, "Subject: SMS %s x" % typed]))[0] == 250
    server.close()
    text = notice_text(lab.wait_report(SENDER, before))
    assert "<%s.viewer.zegel.internal>" % to in text, text
    assert "staat het bericht klaar op een beveiligde webpagina" in text, text
    assert "message waits on a protected web page" in text, text


def test_a_verify_report_is_ours():
    """README.postfix step 9: what sendmail -bv answers is in our words too"""
    before = len(lab.reports(SENDER))
    lab.command("sendmail", "-f", SENDER, "-bv", "x@example.com.viewer.zegel.internal")
    text = notice_text(lab.wait_report(SENDER, before))
    assert "Er is niets verstuurd." in text and "Nothing was sent." in text, text


def test_postfix_takes_the_whole_file():
    """postconf -b finds no fault in the file, and all four texts in it"""
    done = subprocess.run(["postconf", "-b", PIECE], capture_output=True, text=True, check=True)
    assert not done.stderr, done.stderr
    for name in ("failure", "delay", "success", "verify"):
        ours = re.search(r"(?s)^%s_template = <<EOF\n.*?\n\n(.*?)\nEOF$" % name,
                         open(PIECE, encoding="ascii").read(), re.M).group(1)
        shown = re.search(r"(?s)^expanded_%s_text = <<EOF\n(.*?)\nEOF$" % name, done.stdout,
                          re.M).group(1)
        assert shown.split("\n")[-1] == ours.split("\n")[-1] and "$" not in shown, shown
        assert len(shown.split("\n")) == len(ours.split("\n")), shown
