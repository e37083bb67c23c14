"""Nothing of a message lies open: not on disk, not in a log, not in a core (I3, T20)."""
import base64
import os
import re
import signal
import tempfile

import harness
import image
import leaks
import walk
from harness import ENV, control, mail, part, unique

LARGE_BYTES = 300 * 1024  # larger than what the store keeps in its database


def message_with(words, typed, to):
    """A message with a word of WORDS in subject, body, small and large attachment."""
    message = mail("SMS %s Uitslag %s" % (typed, words["subject"]), words["body"] + "\n", to=to)
    message.add_alternative("<p>%s</p>" % words["html"], subtype="html")
    message.add_attachment(words["small"].encode(), maintype="text", subtype="plain",
                           filename=words["name"] + ".txt")
    large = words["large"].encode() + b" en verder niets"
    message.add_attachment(large * (LARGE_BYTES // len(large)), maintype="application",
                           subtype="octet-stream", filename="groot.bin")
    return message


def read_all_of(sent):
    """Logs in, shows every page of the message, fetches every attachment; returns the code."""
    browser = walk.Browser()
    page, code = walk.ask_code(browser, sent)
    page = browser.submit(page, page.form("/code"), code=code)
    assert page.status == 200, page.text
    base = page.url[:-len("/m")]
    for path in ("/m/text", "/m/html", "/m/original"):
        assert browser.get(base + path).status == 200, path
    assert walk.attachments(browser, page)
    assert browser.submit(page, page.form("/logout")).status == 200
    return code


def way_of_a_message():
    """Sends and reads a message with canaries; returns (canaries, sent, code)."""
    words = {place: unique() for place in ("subject", "body", "html", "small", "name", "large")}
    sent = walk.Sent(lambda typed, to: message_with(words, typed, to))
    return words, sent, read_all_of(sent)


def test_the_search_finds_what_lies_open():
    """I3: control: a word written and deleted on the state file system is found."""
    word = unique()
    path = os.path.join(ENV["LAB_STATEDIR"], "open")
    with open(path, "w", encoding="utf-8") as file:
        file.write(word)
        file.flush()
        os.fsync(file.fileno())
    os.unlink(path)
    assert image.find_in_state([word])


def test_no_word_of_a_message_lies_open_on_disk():
    """I3: subject, body, attachments and file name are not in the raw image, nor addresses."""
    words, sent, _ = way_of_a_message()
    wanted = list(words.values()) + [sent.to, sent.number, sent.link.rsplit("/", 1)[1]]
    found = image.find_in_state(wanted)
    assert not found, found


def test_no_word_of_a_message_is_in_a_log():
    """T20: no subject, content, code, link or whole number in any log."""
    words, sent, code = way_of_a_message()
    token = sent.link.rsplit("/", 1)[1]
    wanted = list(words.values()) + [token, sent.number, sent.number[3:]]
    found = image.find(ENV["LAB_MAIL_LOG"], wanted)
    found += image.find_in_tree(os.path.join(ENV["LAB"], "log"), wanted)
    assert not found, found
    lines = harness.log_lines(r"zegel-.*\b%s\b" % code)
    assert not lines, lines


def test_the_search_after_all_tests_finds_each_kind():
    """T20: control: whatever a test made is found in a log, as it is or in disguise, once planted"""
    words, sent, code = way_of_a_message()
    token = sent.link.rsplit("/", 1)[1]
    planted = [words["body"], base64.b64encode(b"x " + words["subject"].encode() + b" y").decode(),
               token.encode().hex(), sent.number, "0" + sent.number[3:], "code=" + code,
               harness.note("password", unique("p")), harness.note("session", unique("s"))]
    path = os.path.join(ENV["LAB"], "log", "planted")
    try:
        for text in planted:
            with open(path, "w", encoding="utf-8") as file:
                file.write("zegel-x[1]: event=y, a=%s\n" % text)
            found = [line for line in leaks.search()[0] if line.startswith(path)]
            assert len(found) == 1, (text, found)
        with open(path, "w", encoding="utf-8") as file:
            file.write('12.%s [%s] bytes=%s "GET /" 200 %s\n' % (code, code, code, code))
        assert not [line for line in leaks.search()[0] if line.startswith(path)]
    finally:
        os.unlink(path)


def test_no_secret_is_in_the_arguments_of_a_process():
    """T20: number, text and code of an SMS are in nobody's arguments or environment."""
    adapter = "/run/zegel-test-adapter"
    seen = tempfile.mkdtemp(dir=ENV["LAB"])
    os.chmod(seen, 0o777)
    with open(adapter, "w", encoding="utf-8") as file:
        file.write("#!/bin/sh\ncat /proc/self/cmdline /proc/$$/cmdline /proc/$$/environ "
                   "/proc/$PPID/cmdline >%s/seen\nexec %s\n" % (
                       seen, os.path.join(ENV["LAB_LIBEXECDIR"], "zegel", "sms-gammu")))
    os.chmod(adapter, 0o755)
    # Its walls let it look at other processes only when that is asked for.
    with harness.configured("sms", "command", adapter + "\ndirectories = /proc /var/spool/gammu "
                            + seen, "viewer"):
        sent = walk.Sent(lambda typed, to: mail("SMS %s Uitslag" % typed, to=to))
        _, code = walk.ask_code(walk.Browser(), sent)
    with open(os.path.join(seen, "seen"), "rb") as file:
        text = file.read()
    assert b"zegel-viewer" in text, text
    for secret in (code, sent.number, sent.number[3:], sent.link.rsplit("/", 1)[1]):
        assert secret.encode() not in text, secret


def cores_in(*folders):
    """The core files in FOLDERS, paths or open descriptors."""
    return [(folder, name) for folder in folders for name in os.listdir(folder)
            if re.match(r"core(\.|$)", name)]


def is_over(group):
    """Whether no process of GROUP is left."""
    try:
        os.killpg(group, 0)
        return False
    except ProcessLookupError:
        return True


def test_no_program_leaves_a_core():
    """T35: killed with SIGABRT after a message, none of the programs writes a core."""
    way_of_a_message()
    with tempfile.TemporaryDirectory() as control_dir:
        harness.command("sh", "-c", "cd %s && ulimit -c unlimited && exec sh -c 'kill -ABRT $$'"
                        % control_dir, status=None)
        with open("/proc/sys/kernel/core_pattern", encoding="utf-8") as file:
            plain = re.match(r"core(\b|$)", file.read())
        assert not plain or cores_in(control_dir), "the control left no core"
    for program in ("milter", "milter-mx", "policyd", "deliver", "viewer", "auditd"):
        pid = int(harness.program_pid(program))
        with open("/proc/%d/limits" % pid, encoding="utf-8") as file:
            limits = file.read()
        assert re.search(r"Max core file size +0 +0", limits), (program, limits)
        assert os.stat("/proc/%d/environ" % pid).st_uid == 0, program  # not dumpable: proc(5)
        folder = os.open("/proc/%d/cwd" % pid, os.O_RDONLY)
        os.kill(pid, signal.SIGABRT)
        harness.wait_for(lambda p=pid: is_over(p), "end of %s and its children" % program)
        assert not cores_in(folder, ENV["LAB_STATEDIR"], ENV["LAB_STATEDIR"] + "/store"), program
        os.close(folder)
        control("start", program)
