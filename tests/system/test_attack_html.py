"""Hostile HTML in a real Chromium: more than 200 messages, with the sanitiser and without."""
import json
import os
import re

import harness
import walk
from browser_tools import cookies_of, run_script
from harness import ENV, mail

ATTACKS = os.path.join(os.path.dirname(os.path.realpath(__file__)), "..", "browser",
                       "attacks.txt")
IN_CHROMIUM = True
VIEWER = "https://veilig." + harness.part("own") + "/"
# What may do something to the page around it, when it stands in a frame.
FRAMED = re.compile(r"<\W*(meta|base|i?frame|frameset|portal|form|object|embed)\b"
                    r"|target|top|parent|opener|location|refresh", re.IGNORECASE)
SINK_HOST = "sink." + harness.part("outsider")


def unescape(line):
    """The octets of LINE as text: \\n, \\t, \\xNN and \\\\ are what they name."""
    names = {"n": "\n", "t": "\t", "\\": "\\"}
    return re.sub(r"\\(x[0-9A-Fa-f]{2}|.)", lambda found: names[found[1]] if found[1] in names
                  else chr(int(found[1][1:], 16)) if len(found[1]) == 3 else found[0], line)


def attacks():
    """[{name, html}]: each of the collection, with words around it."""
    found = []
    with open(ATTACKS, encoding="utf-8") as file:
        for number, line in enumerate(file, 1):
            if line.startswith("# ") or not line.strip():
                continue
            html = unescape(line.rstrip("\n"))
            html = html.replace("RUN", "document.title='stolen';alert(1)")
            html = html.replace("SINKHOST", SINK_HOST).replace("SINK", "http://%s/x" % SINK_HOST)
            found.append({"name": "line %d: %s" % (number, line.strip()[:60]),
                          "html": "<p>Voor het bericht.</p>%s<p>Na het bericht.</p>" % html})
    assert len(found) >= 200, len(found)
    return found


def reader_of(folder, clean):
    """A reader that reads what lies in FOLDER/current instead of the message; CLEAN: with the
    real reader behind it, else as it is."""
    path = os.path.join(folder, "reader")
    reader = ENV["LAB_LIBEXECDIR"] + "/zegel/zegel-reader"
    show = "printf 'Content-Type: text/html; charset=utf-8\\r\\n\\r\\n' | cat - %s | exec %s html"
    with open(path, "w", encoding="utf-8") as file:
        file.write("#!/bin/sh\n[ \"$1\" = html ] || exec %s \"$@\"\ncat >/dev/null\n%s\n" % (
            reader, show % (folder + "/current", reader) if clean
            else "exec cat %s/current" % folder))
    os.chmod(path, 0o755)
    return path


def html_letter(typed, to):
    message = mail("SMS %s Uitslag" % typed, "Platte tekst.\n", to=to)
    message.add_alternative("<p>Het bericht.</p>", subtype="html")
    return message


def nothing_happens(clean):
    """None of the attacks runs, asks, opens or goes anywhere. CLEAN: in the frame of the page;
    else as a page of its own, which has one wall less, and those of FRAMED in the frame too."""
    folder = "/run/zegel-attacks"
    os.makedirs(folder, exist_ok=True)
    harness.command("sh", "-c", "echo x >%s/current" % folder)
    sent = walk.Sent(html_letter)
    with harness.configured("viewer", "reader", reader_of(folder, clean), "viewer"):
        browser, _ = walk.log_in(sent)
        chosen = [dict(one, paths=["m"] if clean else ["m/html"] + ["m"] * bool(
            FRAMED.search(one["html"]))) for one in attacks()]
        told = run_script("attack.mjs", {
            "url": VIEWER, "cookies": cookies_of(browser, VIEWER),
            "current": folder + "/current", "attacks": chosen})
    assert told["shown"] == sum(len(one["paths"]) for one in chosen), told["shown"]
    assert told["findings"] == [], json.dumps(told["findings"], indent=1)


def test_cleaned_html_does_nothing():
    """T9 T10: 200 attack mails and more cause no script, dialog, request or navigation"""
    nothing_happens(True)


def test_html_as_it_is_does_nothing():
    """T9 T10: nor do they with the sanitiser off: the policy alone holds them"""
    nothing_happens(False)


test_cleaned_html_does_nothing.limit_s = test_html_as_it_is_does_nothing.limit_s = 600
