"""Every example of every manual page is executed, and prints what the page shows.

manual.py finds them. What an example needs before it, and how one that is no command is put to
the proof, stands in TABLE, by page and beginning; any other is run as it stands.
"""
import configparser
import contextlib
import functools
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import time

import harness as lab
import manual
import peer
import walk
from browser import Browser
from doctor import good_domains
from harness import ENV, configured, part
from manual import execute, logged, rename, same
from test_backup import empty_host
from test_dkim_keys import no_keys, zegelctl
from test_webservers import port_is_free
from test_zegelctl import kept_book
from visitor import HOST, adapter

SENDER = "janssen@" + part("own")
CONF = configured.PATH
READER_GROUP = "lab-mailbox"  # a user who is in no group of zegel

def message_with_file(typed, to):
    message = lab.mail("SMS %s Uitslag" % typed, to=to)
    message.add_attachment(b"inhoud", maintype="application", subtype="octet-stream",
                           filename="uitslag.bin")
    return message


class Story:
    """One message that was sent, read and saved in the viewer, and one that went direct: what
    the pages tell of."""

    def __init__(self):
        mark = lab.log_mark()
        self.sent = walk.Sent(message_with_file)
        browser, page = walk.log_in(self.sent)
        walk.attachments(browser, page)
        browser.submit(page, page.form("/logout"))
        self.reference = re.search(
            r"ref=(\w+)", lab.wait_log("event=stored,.*to=%s" % re.escape(self.sent.to),
                                       mark)).group(1)
        self.to, self.queue_id = self.sent.to, self.sent.queue_id
        self.message_id = self.sent.message["Message-ID"]
        self.direct = "piet@" + part("community")
        queue_id = lab.send(lab.mail("veilig mailen: x", to=self.direct), SENDER, self.direct)
        lab.wait_delivered(queue_id)


@functools.lru_cache(maxsize=None)
def story():
    return Story()


class Page:
    """What the examples of one page share: .place, where they are run, and .printed by the last."""

    def __init__(self):
        self.place, self.printed = manual.make_place(), ""

    def file(self, name, text):
        path = os.path.join(self.place, name)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        return path


# ---- Ways to execute -----------------------------------------------------------------

def run(before="", after="", names=None, status=(0,), apart=True):
    """The commands, behind BEFORE and in front of AFTER. NAMES() gives {theirs: ours}."""
    def way(example, page):
        named = names() if names else {}
        page.printed = ""
        script, shown = [before], []
        for command, others in example.steps(rename(example.text, named)):
            if command.startswith("cat >>"):
                command, others = "%s <<'END'\n%s\nEND" % (command, others), ""
            script.append(command)
            shown.append(others)
        page.printed = execute("\n".join(script + [after]), page.place, status, apart)
        if any(shown):
            same("\n".join(shown), page.printed)
    return way


def live(context, **keywords):
    """run in the lab itself, within CONTEXT()."""
    def way(example, page):
        with context():
            run(apart=False, **keywords)(example, page)
    return way


def lines_logged(example, _):
    """Lines of the mail log: such events are there, with these keys."""
    story()
    logged(example.text)


def book_logged(example, page):
    """The same, of a domain that comes into the book."""
    with kept_book():
        execute("zegelctl domain add %s-voorbeeld.nl nta secure" % lab.unique("b"), page.place,
                apart=False)
        lab.wait_log("event=book,.*change=added")
        lines_logged(example, page)


def printed_by(command, status=(0,)):
    """What COMMAND prints."""
    def way(example, page):
        same(example.named(), execute(command, page.place, status))
    return way


def printed_before(example, page):
    """What the example before it printed."""
    same(example.named(), page.printed)


def configuration(program):
    """A piece of zegel.conf, or the whole: PROGRAM takes it. A piece counts more than what is
    there."""
    def way(example, page):
        if "[organisation" not in example.text:
            both = configparser.RawConfigParser(delimiters=("=",), strict=False)
            both.read(CONF)
            both.read_string(example.named())
            with open(os.path.join(page.place, "zegel.conf"), "w", encoding="utf-8") as file:
                both.write(file)
        else:
            page.file("zegel.conf", example.text)
        execute("%s -n -c zegel.conf" % program, page.place)
    return way


def statistics(example, _):
    """A line of counts: a program that is asked has those keys, and codes and events of its own."""
    walk.Sent(message_with_file)
    mark, counts = lab.log_mark(), r"\b(?:code|event|route)\.[\w-]+="
    name = re.match(r"zegel-([\w-]+)\[", example.text).group(1)
    os.kill(int(lab.program_pid(name)), signal.SIGUSR1)
    line = lab.wait_log(r"zegel-%s\[\d+\]: statistics: " % name, mark)
    def keys(text):
        return re.findall(r"([a-z-]+)=", re.sub(counts, "", text))
    assert keys(example.text) == keys(line), (example.text, line)
    assert re.search(counts, line), line


def main_cf(example, _):
    """Lines of main.cf: ours has them."""
    for name, value in re.findall(r"(?m)^(\w+) = (.*)$", example.text):
        ours = lab.command("postconf", "-h", name).decode().strip()
        assert value == ours, (name, value, ours)


def master_cf(example, page):
    """A service of master.cf: Postfix reads it so, and ours has it with these options."""
    name, kind = example.text.split()[:2]
    page.file("main.cf", "compatibility_level = 3.6\n")
    page.file("master.cf", example.text + "\n")
    shown = lab.command("postconf", "-c", page.place, "-M").split()
    ours = lab.command("postconf", "-M", "%s/%s" % (name, kind)).split()
    assert shown[:8] == ours[:8], (shown, ours)
    options = set(shown[9::2])
    assert options and options <= set(ours[9::2]), (shown, ours)


def transport(example, page):
    """A line of a transport table: Postfix finds it, and somebody listens there."""
    page.file("transport", example.text + "\n")
    key, value = example.text.split()
    found = execute("postmap hash:transport; postmap -q %s hash:transport" % key, page.place)
    assert found.strip() == value, found
    listens = "/var/spool/postfix/" + value.split("unix:")[1]  # seen from the chroot
    assert lab.command("ss", "-Hlx", "src", listens).strip(), value


def postfix_lines(example, _):
    """Lines of Postfix's own log, folded; names and what is between dots are anybody's."""
    story()
    for line in re.sub(r"\n\s+", " ", example.text).split("\n"):
        pattern = re.escape(line).replace(re.escape("..."), "[^ ]*?")
        pattern = re.sub(r"<\w+@(example\\.com|partner\\.example)", r"<[^>@]+@[a-z.-]+?", pattern)
        pattern = pattern.replace(re.escape("mail.partner.example"), "mail[a-z.-]+")
        assert lab.log_lines(pattern), pattern


def signed_lines(example, page):
    """Lines of words in capitals: such a line has as many words."""
    execute("zegelctl audit export --format json >export", page.place)
    written = "\n".join(lab.log_lines("zegel-checkpoint")) + "\n" + execute(
        "sqlite3 %s/audit/audit.db .dump; cat export" % ENV["LAB_STATEDIR"], page.place)
    for line in example.text.split("\n"):
        words = line.split()
        pattern = r"%s 1 %s(?![\w ]\w)" % (words[0], " ".join([r"[\w:.+/=-]+"] * (len(words) - 2)))
        assert re.search(pattern, written), pattern


def json_shape(command):
    """An object of JSON: that of COMMAND has the same keys in the same places."""
    def keys(value):
        if isinstance(value, list):
            return [keys(value[0])]
        return {name: keys(one) for name, one in value.items()} if isinstance(value, dict) else ""

    def way(example, page):
        shown = json.loads(example.text)
        assert keys(shown) == keys(json.loads(execute(command, page.place, (0, 1)))), example.text
    return way


def mounts(example, page):
    """Lines of fstab: mount takes each, and the directory is as they say."""
    page.file("fstab", example.text + "\n")
    for line in example.text.split("\n"):
        execute("mount --fstab fstab %s; findmnt -no FSTYPE %s | grep -x tmpfs\n"
                "stat -c '%%a %%U %%G' %s | grep -x '2770 gammu gammu'" % ((line.split()[1],) * 3),
                page.place)


def book(example, page):
    """A domain book: policyd takes all of its lines."""
    path = page.file("domains", example.text + "\n")
    with open(CONF, encoding="utf-8") as file:
        text = file.read()
    page.file("zegel.conf", text.replace("[policyd]\n", "[policyd]\ndomain_book = %s\n" % path))
    printed = execute("zegel-policyd -n -c zegel.conf", page.place)
    count = len(re.findall(r"(?m)^[^#\n]", example.text))
    assert printed.strip().endswith("%d domains" % count), printed


def header(example, _):
    """A header of ours: a message that came in has it."""
    name, value = example.text.split(": ")
    ready = peer.Peer("ready")
    with peer.publishes("ready", dmarc="p=reject"):
        [found] = ready.send().values(name)
    assert value.replace("example.com", ready.domain) == found, found


def web(server):
    """A web server is given our file; it starts, and serves the help page over HTTPS."""
    def way(example, page):
        stop = "ss -Hltnp sport = :443 | grep -o 'pid=[0-9]*' | cut -d= -f2 | xargs -r kill 2>&1"
        lab.control("stop", "lighttpd")
        lab.wait_for(port_is_free, "the end of lighttpd")
        try:
            run(before="rm -f /etc/nginx/sites-enabled/default")(example, page)
            lab.wait_for(lambda: not port_is_free(), server)
            answer = Browser().get(HOST + "/help")
            assert answer.status == 200, (answer.status, answer.text)
            assert (answer.headers["server"].lower()[:6]) == server[:6], answer.headers
        finally:
            subprocess.run(["bash", "-c", stop], check=False, capture_output=True)
            lab.wait_for(port_is_free, "the end of " + server)
            lab.control("start", "lighttpd")
            lab.wait_for(lambda: not port_is_free(), "lighttpd")
    return way


def sms_input(example, _):
    """What an adapter is given on its input: number, and text with a code."""
    folder = os.path.join(ENV["LAB"], "sms-input")
    os.makedirs(folder, exist_ok=True)
    os.chmod(folder, 0o777)
    sink, value = os.path.join(folder, "text"), adapter("input")
    with open(value.split("\n", maxsplit=1)[0], "w", encoding="utf-8") as file:
        file.write("#!/bin/sh\ncat >%s\n" % sink)
    sent = walk.Sent(lambda typed, to: lab.mail("SMS %s x" % typed, to=to))
    browser = Browser()
    page = browser.get(sent.link)
    with configured("sms", "command", value, "viewer"):
        browser.submit(page, page.form("/send"))
        lab.wait_for(lambda: os.path.exists(sink) and os.path.getsize(sink), "the input")
    with open(sink, encoding="utf-8") as file:
        given = file.read()
    os.unlink(sink)
    code = re.search(r"^\d{6}", given, re.M).group()
    expected = example.text.replace("Ziekenhuis Noord", "Huisartsenpraktijk Voorbeeld")
    for theirs, ours in (("+31612345678", sent.number), ("318831", code),
                         ("mail.ziekenhuisnoord.example", HOST.split("//")[1])):
        expected = expected.replace(theirs, ours)
    assert given.strip() == expected, given.replace(code, "CODE").replace(sent.number, "NUMBER")


# ---- zegel-policy(7) -----------------------------------------------------------------

def preview(example, page):
    """A program that asks the preview: as a user of preview_group, and as no other."""
    with configured("policyd", "preview_group", READER_GROUP, "policyd"):
        script = page.file("preview", example.named())
        os.chmod(script, 0o755)
        ask = "setpriv --reuid nobody --regid %s --clear-groups %s"
        page.printed = execute(ask % (READER_GROUP, script), page.place)
        execute(ask % ("nogroup", script) + " 2>&1 | grep -q PermissionError", page.place)


def question(example, page):
    """A block that is asked at the milter's socket."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(manual.LIMIT_S)
        connection.connect("/var/spool/postfix/zegel/ask.sock")
        connection.sendall(example.named().encode() + b"\n")
        text = b""
        while not text.endswith(b"\n\n"):
            more = connection.recv(65536)
            assert more, "policyd closed the connection"
            text += more
    page.printed = text.decode()


# ---- zegelctl(8) ---------------------------------------------------------------------

def key_in_zone(printed):
    """with key_in_zone(what generate printed): the record that it shows is in the zone of own."""
    record = re.search(r"in a zone file:\n\n(.*?)\n\n", printed, re.DOTALL).group(1)
    return lab.zone("own", lambda text: text + record + "\n")


def dkim(example, page):
    """Keys for signatures, by commands one after the other: what generate prints is published
    before the next. A selector of next year is made in next year."""
    month = time.strftime("%Y%m")
    def one(command):
        if "generate" in command and "202711" in example.text:
            command = ("ASAN_OPTIONS=verify_asan_link_order=0:detect_leaks=0 faketime -f +366d " +
                       command)
            page.year_later = time.strftime("%Y%m", time.localtime(time.time() + 366 * 86400))
        command = rename(command, {"zegel202711": "zegel" + getattr(page, "year_later", ""),
                                   "zegel202611": "zegel" + month})
        return execute(command, page.place, apart=False)

    with contextlib.ExitStack() as stack:
        stack.enter_context(no_keys())
        if "202711" in example.text:  # that of the year before is there
            first = zegelctl("dkim", "generate", part("own"))
            stack.enter_context(key_in_zone(first))
            zegelctl("dkim", "activate", part("own"), "zegel" + month)
        for command in example.text.split("\n"):
            printed = one(command)
            if "generate" in command:
                stack.enter_context(key_in_zone(printed))


def service_key(example, page):
    """A key for a service domain, which goes at the end."""
    domain = "veilig." + part("own")
    try:
        page.printed = execute(example.named(), page.place, apart=False)
        assert "_domainkey." + domain in page.printed, page.printed
    finally:
        for folder in ("keys/milter/dkim", "dkim"):
            shutil.rmtree(os.path.join(os.path.dirname(CONF), folder, domain),
                          ignore_errors=True)


def sudoers(example, page):
    """Lines of sudoers(5): who they name may run what they name, as far as his role goes."""
    for line in example.named().split("\n"):
        user, program = re.fullmatch(r"(\w+) ALL=\(root\) (/\S+)", line).groups()
        roles = "%s/roles" % os.path.dirname(CONF)
        try_it = (USERS + "\nprintf 'anna administrator\\npiet help-desk\\n' >%s\n"
                  "SUDO_UID=$(id -u %s) %s audit show --last 1 >/dev/null 2>&1 || echo $?" %
                  (roles, user, program))
        printed = execute(try_it, page.place).strip() or "0"
        assert printed == {"anna": "0", "piet": "77"}[user], (user, printed)


USERS = "for u in anna piet; do adduser --system $u >/dev/null; done"


def unread():
    """message_names of a message that nobody has opened."""
    sent = walk.Sent(message_with_file)
    reference = re.search(r"250 2\.0\.0 (\w+) stored", "\n".join(sent.log)).group(1)
    show = ("zegelctl message show " + reference, "/", (0, 65), False)
    lab.wait_for(lambda: "e-mail" in execute(*show), "the trail")
    return {"anna@patient.example": sent.to, "jansen@linden.example": SENDER,
            "<id6c5587@linden.example>": sent.message["Message-ID"],
            "ajhk5zkjc585bja7": reference, "organisation linden": "organisation praktijk"}


def message_names():
    """Who and what the pages' example message is."""
    told = story()
    return {"4f7kq0z2mnp8rstv": told.reference,
            "4XbK2m3vZ1z9": told.queue_id, "REFERENCE": told.reference,
            "message-id=<ID>": "message-id=" + told.message_id,
            "patient linden jan@example.com": "patient praktijk " + told.to}


def checkpoint():
    """No other name; a checkpoint stands in the log, which comes within a minute."""
    story()
    lab.wait_log("zegel-checkpoint", seconds=90)
    return {}


def trail_copy():
    """What an auditor has, for the commands that begin with it."""
    return ("zegelctl audit key >audit.pem\n"
            "grep -h zegel-checkpoint %(LAB_MAIL_LOG)s >checkpoints.txt\n"
            "sqlite3 %(LAB_STATEDIR)s/audit/audit.db '.backup audit-copy.db'\n"
            "grep -o 'zegel-checkpoint 1.*' checkpoints.txt | tail -1 >line\n" % ENV)


def with_message(way):
    """WAY, with a message m.eml, message.eml in the place."""
    def prepared(example, page):
        message = lab.mail("SMS 0612345678 x", sender=SENDER, to="jan@" + part("outsider"))
        for name in ("one.txt", "two.txt"):
            message.add_attachment(b"inhoud", maintype="text", subtype="plain", filename=name)
        for name in ("m.eml", "message.eml"):
            page.file(name, message.as_string())
        way(example, page)
    return prepared


def story_of_try(example, page):
    """contrib/try builds, starts a lab and tells its story there: here is a lab already. --stay is
    the same, and waits. The number is another: that one stands in our refusals, as an example."""
    words = example.text.split()
    with open(os.path.join(manual.SOURCE, words[1]), encoding="utf-8") as file:
        assert 'run "$here/try-story" %s\n' % words[2] in file.read()
    with open(os.path.join(manual.SOURCE, "contrib/try-story"), encoding="utf-8") as file:
        page.file("try-story", file.read().replace("612345678", walk.new_number()[0][1:]))
    printed = execute("bash ./try-story", page.place, apart=False)
    assert "\u2713" in printed and "\u2717" not in printed, printed


def held_ticket(example, page):
    """A message that waits for deliver: its ticket, from outside."""
    with lab.without("deliver"):
        typed, _ = walk.new_number()
        to = walk.new_outsider()
        queue_id = lab.send(lab.mail("SMS %s x" % typed, to=to), SENDER, to)
        lab.wait_for(lambda: lab.queued(queue_id), "the queue")
        run(names=lambda: {"4XbK2m3vZ1z9": queue_id})(example, page)
        with open(os.path.join(os.path.dirname(CONF), "keys/milter/ticket"),
                  encoding="ascii") as file:
            key = file.read().split()[3]
        assert page.printed.split() == ["01", "01"] + re.findall("..", key), (page.printed, key)
    lab.queue_flush()
    lab.wait_mail(to)


BACKUPS = os.path.join(ENV["LAB"], "manual-backup")


def backups():
    return {"/srv/backup": BACKUPS, "/media/stick": BACKUPS}


def cron(example, page):
    """A line of cron: its command does it, as root, into the file that it names."""
    words = example.text.split(None, 6)
    assert words[:6] == ["*"] * 5 + ["root"], words
    path = words[6].rsplit(None, 1)[1]
    execute(words[6].replace(path, "zegel.prom") +
            "\ngrep '^zegel_program_up{program=\"policyd\"} 1' zegel.prom", page.place)


def refused(example, page):
    """The lab was set up by hand: setup takes the words and goes no further. setup_site.py has
    a machine on which the examples of this page do what they say."""
    execute(example.named()[2:], page.place, (78,))


TABLE = {
    "sms-gammu.8": {
        "# adduser": run("sed -i '/^gammu:/s/zegel-viewer//' /etc/group",
                         "id -nG zegel-viewer | grep -qw gammu"),
        "tmpfs": mounts,
    },
    "sms-http.8": {
        "# install": run(after="f=%s/keys/viewer/sms; grep -q geheim $f\n"
                         "stat -c '%%a %%U' $f | grep -x '400 zegel-viewer'" %
                         os.path.dirname(CONF)),
        "[sms]": configuration("zegel-viewer"),
    },
    "sms-mail.8": {"# cat": run(after="postmap -q sms.gateway.example hash:/etc/postfix/tls_policy")},
    "zegel-audit.5": {
        "zegel-checkpoint": signed_lines,
        "zegelctl audit verify": run(trail_copy(), names=checkpoint),
        "cut": run(trail_copy(), names=checkpoint),
    },
    "zegel-backup.7": {
        "zegelctl backup": run("mkdir -m 700 -p %s" % BACKUPS, names=backups),
        "zegelctl restore": live(empty_host, names=backups),
    },
    "zegel-auditd.8": {"zegel-auditd[712]": lambda example, _: lab.wait_log(
        r"zegel-auditd\[\d+\]: " + r" ".join(
            r"\S+" if re.search(r"\d|\.", word) else word
            for word in example.text.split()[1:]) + "$")},
    "zegel-deliver.8": {
        "4Xyz": lines_logged,
        "zegel-store unix": master_cf,
        ".viewer": transport,
    },
    "zegel-doctor.7": {"zegelctl doctor": live(good_domains)},
    "zegel-domains.5": {
        "# domain": book,
        "openssl": run("cp %s/pki/community.pem partner.crt" % ENV["LAB"]),
        "posttls-finger": run(names=lambda: {"mx.provider.nl": "mail." + part("community")}),
    },
    "zegel-events.5": {
        "Nov": lines_logged,
        "zegel-milter[": statistics,
        "# grep": run(names=message_names),
        "# zegelctl report": run("ln -s %s /var/log/mail.log" % ENV["LAB_MAIL_LOG"],
                                 "rm /var/log/mail.log"),
    },
    "zegel-milter.8": {
        "X-Zegel-Secure": header,
        "zegel_milter": main_cf,
        "# grep": run(names=message_names),
        "# zegel-milter -t": with_message(run(names=lambda: {"an@example.nl": SENDER})),
    },
    "zegel-monitoring.7": {"* * * * *": cron},
    "zegel-policy.7": {
        "#!/usr/bin/python3": preview,
        "version=1": printed_before,
        "request=route": question,
        "version=3": printed_before,
    },
    "zegel-policyd.8": {
        "4Xyz": book_logged,
        "postmap": run(names=lambda: story() and {}),
    },
    "zegel-reader.8": {"$ zegel-reader": with_message(run(
        "PATH=%s/zegel:$PATH" % ENV["LAB_LIBEXECDIR"], "grep -q inhoud attachment"))},
    "zegel-setup.8": {"# zegelctl setup": refused},
    "zegel-sms.7": {"+316": sms_input, "# printf": run(
        names=lambda: {"+31612345678": walk.new_number()[1]})},
    "zegel-ticket.5": {"postcat": held_ticket},
    "zegel-viewer.8": {
        "# cp contrib/nginx": web("nginx"),
        "# cp contrib/apache": web("apache"),
        "# cp contrib/lighttpd": web("lighttpd"),
        "NOQUEUE": lines_logged,
    },
    "zegel.7": {"to=<": postfix_lines, "sudo contrib/try": story_of_try},
    "zegel.conf.5": {"# /etc/zegel/zegel.conf": configuration("zegel-policyd")},
    "zegelctl.8": {
        '{"domain"': json_shape("zegelctl domain check --json " + part("ended")),
        "removed": printed_by("zegelctl expire"),
        "zegelctl key": run("rm -r %s/keys" % os.path.dirname(CONF)),
        "$ zegelctl message": run(names=unread),
        "zegelctl dkim generate veilig": service_key,
        "zegelctl dkim": dkim,
        "zegelctl domain add": live(kept_book),
        "zegelctl domain import": run("echo ziekenhuis.example >domeinen.csv"),
        "zegelctl domain watch": run(status=(0, 1)),
        "zegelctl audit key": run(names=checkpoint),
        "zegelctl audit show": run(names=message_names),
        "# zegelctl role": run(USERS, "grep -x 'piet help-desk' %s/roles" %
                               os.path.dirname(CONF)),
        "anna": sudoers,
    },
}


def way_of(example):
    """How EXAMPLE is executed."""
    for start, way in TABLE.get(example.page, {}).items():
        if example.text.startswith(start):
            return way
    return run()


def make_test(path):
    """The test of the page at PATH, or None when it has no example."""
    found = manual.examples(path)

    def test():
        page = Page()
        for example in found:
            try:
                way_of(example)(example, page)
            except Exception as error:
                raise AssertionError("%s\n%s" % (example, error)) from error
        shutil.rmtree(page.place, ignore_errors=True)
    test.__doc__ = "%s: each of its %d examples works" % (os.path.basename(path), len(found))
    return test if found else None


def test_nothing_is_left_out():
    """whatever has a way of its own stands in a page"""
    found = [one for path in manual.pages() for one in manual.examples(path)]
    assert len(found) > 50, len(found)
    there = {(one.page, one.text.split("\n", maxsplit=1)[0]) for one in found}
    for page, ways in TABLE.items():
        for start in ways:
            assert any(name == page and text.startswith(start) for name, text in there), (
                page, start)


for _path in manual.pages():
    _test = make_test(_path)
    if _test:
        globals()["test_" + re.sub(r"\W", "_", os.path.basename(_path))] = _test
