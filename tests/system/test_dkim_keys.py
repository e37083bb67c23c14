"""zegelctl dkim: the keys with which mail of ours is signed, by real DNS and the real milter (N6).

Signatures are checked with python3-dkim on what lies in the other side's mailbox, with the key
that the resolver gives.
"""
import contextlib
import glob
import json
import os
import re
import shutil
import signal
import stat
import subprocess
import threading
import time

import dkim

import harness
import walk
from harness import command, mail, part, send, unique, wait_delivered, zone

OWN = part("own")
SENDER = "janssen@" + OWN
KEYS = os.path.join(harness.ENV["LAB_SYSCONFDIR"], "zegel", "keys", "milter", "dkim", OWN)
PUBLIC = os.path.join(harness.ENV["LAB_SYSCONFDIR"], "zegel", "dkim", OWN)
LOOKED_AT_S = 1.1  # the milter looks at the directory once a second
REFUSED, NOT_VISIBLE, CONFIG = 65, 1, 78
EVERY_S = 0.1


def zegelctl(*words, status=0, wrapper=()):
    """What zegelctl dkim WORDS prints, on standard error when it fails; checks STATUS."""
    done = subprocess.run([*wrapper, "zegelctl", *words], capture_output=True, check=False,
                          timeout=60)
    text = (done.stderr if status else done.stdout).decode()
    assert status is None or done.returncode == status, (words, done)
    return text


def ctl(verb, *words, status=0, wrapper=()):
    return zegelctl("dkim", verb, OWN, *words, status=status, wrapper=wrapper)


def states():
    """{selector: (state, signs)} of our keys."""
    keys = json.loads(ctl("show", "--json"))["keys"]
    return {key["selector"]: (key["state"], key["signs"]) for key in keys}


def faults():
    """{selector: fault} of the keys that have one."""
    return {key["selector"]: key["fault"] for key in json.loads(ctl("show", "--json"))["keys"]
            if key["fault"]}


@contextlib.contextmanager
def no_keys():
    """with no_keys(): the domain has none, and at the end the lab's own one again."""
    folders = (KEYS, PUBLIC)
    for folder in folders:
        os.rename(folder, os.path.dirname(folder) + ".aside")
    time.sleep(LOOKED_AT_S)
    try:
        yield
    finally:
        for folder in folders:
            if os.path.islink(folder):
                os.unlink(folder)
            shutil.rmtree(folder, ignore_errors=True)
            os.rename(os.path.dirname(folder) + ".aside", folder)
        time.sleep(LOOKED_AT_S)


def generate(selector, *options):
    """Makes a key and returns the lines for a zone file, as they are printed."""
    text = ctl("generate", "--selector", selector, *options)
    return re.search(r"in a zone file:\n\n(.*?)\n\n", text, re.DOTALL).group(1) + "\n"


def published(*records):
    """with published(LINES): the zone of own has these lines, pasted."""
    return zone("own", lambda text: text + "".join(records))


def resolver(name, timeout=5):
    """python3-dkim's DNS: what our resolver gives."""
    text = command("drill", "-t", "@127.0.0.1", name.decode().rstrip("."), "TXT").decode()
    answer = [line for line in text.splitlines() if "\tTXT\t" in line and line[0] != ";"]
    return "".join(re.findall(r'"([^"]*)"', answer[0])).encode() if answer else None


def selectors(got):
    """The selectors of the signatures of OWN in the message GOT, each of which must hold."""
    raw = re.sub(rb"\r?\n", b"\r\n", got.raw)
    found = []
    for index, value in enumerate(got.message.get_all("DKIM-Signature", [])):
        assert dkim.DKIM(raw).verify(idx=index, dnsfunc=resolver), got.raw
        assert re.search(r"\bd=%s\b" % re.escape(OWN), value), value
        found.append(re.search(r"\bs=([\w-]+)", value).group(1))
    return found


def signed():
    """The selectors with which a message is signed now."""
    to = walk.new_outsider()
    wait_delivered(send(mail("Afspraak", to=to), SENDER, to))
    return selectors(harness.wait_mail(to))


class Stream:
    """with Stream() as stream: mail leaves every 100 ms; stream.got is what came, in order."""

    def __init__(self):
        self.to = walk.new_outsider()
        self.end = threading.Event()
        self.thread = threading.Thread(target=self._send)
        self.ids, self.failure = [], None

    def _send(self):
        server = harness.connect(SENDER)
        try:
            while not self.end.wait(EVERY_S):
                message = mail("%06d" % len(self.ids), to=self.to)
                server.sendmail(SENDER, self.to, message.as_bytes())
                self.ids.append(message["Message-ID"])
        except Exception as error:  # told where it is waited for
            self.failure = error
        finally:
            server.close()

    def __enter__(self):
        self.thread.start()
        return self

    def more(self, count):
        """Waits until COUNT more have left."""
        have = len(self.ids)
        harness.wait_for(lambda: len(self.ids) >= have + count or self.failure,
                         "mail of the stream")

    def __exit__(self, *_):
        self.end.set()
        self.thread.join()
        assert self.failure is None, self.failure
        harness.wait_mail(self.to, len(self.ids))
        self.got = sorted(harness.mailbox(self.to), key=lambda one: one.message["Subject"])


def readiness():
    """(result, evidence) of Z-N2-DKIM."""
    checks = json.loads(zegelctl("domain", "check", OWN, "--no-connect", "--json",
                                 status=None))["checks"]
    [ours] = [one for one in checks if one["code"] == "Z-N2-DKIM"]
    return ours["result"], ours["evidence"]


def events(mark):
    return [re.search(r"selector=(\S+), change=(\w+), by=(\w+)", line).groups()
            for line in harness.log_lines(r"zegelctl\[.*event=dkim, org=praktijk, domain=" + OWN,
                                          mark)]


# ---- A key's life ---------------------------------------------------------------------

def test_a_first_key_signs_when_everybody_can_see_it():
    """N6: a key waits until its record is seen under DNSSEC, then signs within a second"""
    mark = harness.log_mark()
    with no_keys():
        lines = generate("eerste")
        assert states() == {"eerste": ("waiting", False)}
        assert "not published" in ctl("activate", "eerste", status=REFUSED)
        assert "not published" in zegelctl("dkim", "check", OWN, status=None)
        ctl("check", status=NOT_VISIBLE)
        time.sleep(LOOKED_AT_S)
        assert signed() == []
        with published(lines):
            assert "eerste  waiting  rsa 2048\n    published, under DNSSEC" in ctl("check")
            assert readiness()[0] == "fail" and "no key" in readiness()[1], readiness()
            assert "is signed with eerste" in ctl("activate", "eerste")
            time.sleep(1)
            assert signed() == ["eerste"]
            assert states() == {"eerste": ("active", True)}
            ctl("activate", "eerste")
            result, evidence = readiness()
            assert result == "pass" and "eerste._domainkey" in evidence, (result, evidence)
            assert "--stop-signing" in ctl("retire", "eerste", status=REFUSED)
            assert re.search(r"until\s\d{4}-\d\d-\d\d",
                             ctl("retire", "eerste", "--stop-signing"))
            time.sleep(LOOKED_AT_S)
            assert signed() == [] and states() == {"eerste": ("retired", False)}
            assert readiness()[0] == "fail", readiness()
            ctl("retire", "eerste")
            assert glob.glob(os.path.join(KEYS, "*")) == []
            assert "used for" in ctl("generate", "--selector", "eerste", status=REFUSED)
    assert events(mark) == [("eerste", "generated", "root"), ("eerste", "activated", "root"),
                            ("eerste", "retired", "root")]


def test_rotation_without_a_gap():
    """N6: mail that leaves all the time while keys change is always signed, and always holds"""
    with no_keys():
        one, two = generate("oud"), generate("nieuw", "--bits", "3072")
        with published(one, two), Stream() as stream:
            ctl("activate", "oud")
            time.sleep(LOOKED_AT_S)
            first = len(stream.ids) + 1
            stream.more(20)
            text = ctl("activate", "nieuw")
            assert "oud rests" in text and re.search(r"until \d{4}-\d\d-\d\d", text), text
            assert states() == {"nieuw": ("active", True), "oud": ("resting", False)}
            time.sleep(LOOKED_AT_S)
            last = len(stream.ids) + 1
            assert "oud of" in ctl("retire", "oud")
            stream.more(8)
            ctl("activate", "nieuw")
        with published(one, two):
            used = [selectors(got) for got in stream.got]
    assert last - first > 20 and all(len(ones) == 1 for ones in used[first:]), used
    flat = "".join(ones[0][0] for ones in used[first:])
    assert re.fullmatch("o+n+", flat), flat
    assert flat[last - first:].count("n") > 5 and "o" not in flat[last - first:], flat


def test_a_domain_whose_last_key_is_retired_is_not_ready():
    """N2: with no key that signs the domain is not ready, though one rests and is published"""
    with no_keys():
        lines = [generate("a", "--type", "ed25519"), generate("b", "--type", "ed25519")]
        with published(*lines):
            ctl("activate", "a")
            ctl("activate", "b")
            result, evidence = readiness()
            assert result == "pass" and "a._domainkey" in evidence, evidence
            ctl("retire", "b", "--stop-signing")
            assert states() == {"a": ("resting", False), "b": ("retired", False)}
            assert faults() == {} and readiness()[0] == "fail", (faults(), readiness())
            ctl("activate", "a")
            assert readiness()[0] == "pass", readiness()


def test_two_kinds_sign_at_once():
    """N6: a key of Ed25519 and one of RSA sign every message, and rotate by themselves"""
    with no_keys():
        lines = [generate("r"), generate("e1", "--type", "ed25519"),
                 generate("e2", "--type", "ed25519")]
        with published(*lines):
            for selector in ("r", "e1"):
                ctl("activate", selector)
            time.sleep(LOOKED_AT_S)
            assert sorted(signed()) == ["e1", "r"]
            ctl("activate", "e2")
            assert sorted(signed()) == ["e2", "r"]
            assert states()["e1"] == ("resting", False) and states()["r"] == ("active", True)
            ctl("activate", "e1")  # the way back
            assert sorted(signed()) == ["e1", "r"]


def test_names_and_options():
    """N6: selectors of their own, never used twice; what is no key is not made"""
    with no_keys():
        month = time.strftime("%Y%m", time.gmtime())
        for options, name in (((), "zegel" + month), ((), "zegel%s-2" % month),
                              (("--type", "ed25519"), "zegel%se" % month)):
            text = ctl("generate", *options)
            assert "Key %s of %s is there" % (name, OWN) in text, text
        for words in (("--bits", "1024"), ("--type", "dsa"), ("--selector", "../x"),
                      ("--type", "ed25519", "--bits", "2048"), ("--selector", "A"),
                      ("--selector", "zegel" + month)):
            ctl("generate", *words, status=REFUSED)
        assert len(states()) == 3
        text = zegelctl("dkim", "generate", part("outsider"), status=REFUSED)
        assert "no mail domain or service domain" in text
        assert OWN in zegelctl("dkim", "show") and "zegel%se" % month in zegelctl("dkim", "show")
        assert [one["domain"] for one in json.loads(zegelctl("dkim", "show", "--json"))] == [OWN]
        for path, mode in ((KEYS, 0o40700), (os.path.dirname(KEYS), 0o40700)):
            assert os.stat(path).st_mode == mode, path
        for path in glob.glob(os.path.join(KEYS, "*")):
            status = os.stat(path)
            assert status.st_mode == 0o100400, path
            assert status.st_uid == os.stat(KEYS).st_uid != 0, path


# ---- What is not good enough ----------------------------------------------------------

def test_a_wrong_record_is_said():
    """N6: another key, a revoked one, half a record or two of them: not activated, and said"""
    with no_keys():
        good, other = generate("goed"), generate("ander")
        name = "goed._domainkey.%s. 1 IN TXT " % OWN
        half = re.search(r'"[^"]*"', good).group()
        for lines, words in ((other.replace("ander.", "goed."), "is not this key"),
                             (name + '"v=DKIM1; p="\n', "revoked"),
                             (name + half + "\n", "is not this key"),
                             (good + name + '"v=DKIM1; p=x"\n', "or more than one"),
                             (name + '"v=spf1 -all"\n', "is not this key")):
            with published(lines):
                assert words in ctl("activate", "goed", status=REFUSED), lines
                ctl("check", status=NOT_VISIBLE)
                assert states()["goed"] == ("waiting", False)


def test_a_domain_without_dnssec_asks_for_insecure():
    """N6: a record that is not under DNSSEC is refused, and taken with --insecure only"""
    domain = part("unsigned")
    path = os.path.join(harness.ENV["LAB"], "bare.conf")
    with open(harness.configured.PATH, encoding="utf-8") as file:
        text = file.read().replace("domains = " + OWN, "domains = %s %s" % (domain, OWN))
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    words = ("-c", path, "dkim")
    folders = [os.path.join(os.path.dirname(place), domain) for place in (KEYS, PUBLIC)]
    try:
        text = zegelctl(*words, "generate", domain, "--selector", "kaal")
        lines = re.search(r"in a zone file:\n\n(.*?)\n\n", text, re.DOTALL).group(1) + "\n"
        with zone("unsigned", lambda text: text + lines):
            refusal = zegelctl(*words, "activate", domain, "kaal", status=REFUSED)
            assert "not under DNSSEC" in refusal and "--insecure" in refusal, refusal
            zegelctl(*words, "check", domain, status=NOT_VISIBLE)
            zegelctl(*words, "activate", domain, "kaal", "--insecure")
            shown = json.loads(zegelctl(*words, "show", domain, "--json"))
            assert shown["keys"][0]["signs"] is True, shown
    finally:
        for folder in folders:
            shutil.rmtree(folder, ignore_errors=True)


def test_without_an_answer_nothing_is_activated():
    """N6: while policyd or the DNS gives no answer nothing is activated, and one can try again"""
    with no_keys():
        with published(generate("later")):
            with harness.without("policyd"):
                assert "zegel-policyd" in ctl("check", status=75)
                ctl("activate", "later", status=75)
            with harness.without("unbound"):
                assert "found out" in ctl("activate", "later", status=75)
            assert states() == {"later": ("waiting", False)}
            # policyd keeps a failure for 5 s, and unbound is cold.
            harness.wait_for(lambda: "is signed with" in ctl("activate", "later", status=None),
                             "activation")


def test_a_key_that_others_can_read_signs_nothing():
    """N6: a key that others can read is left out by the milter, which says so"""
    with no_keys():
        with published(generate("open")):
            ctl("activate", "open")
            time.sleep(LOOKED_AT_S)
            assert signed() == ["open"]
            mark = harness.log_mark()
            os.chmod(os.path.join(KEYS, "open.key"), 0o444)
            time.sleep(LOOKED_AT_S)
            assert signed() == []
            harness.wait_log(r"zegel-milter\[.*open\.key: mode 0444 lets others.*signs nothing",
                             mark)
            assert "chmod 0400" in faults()["open"]
            ctl("check", status=NOT_VISIBLE)


# ---- Cut off, and fooled --------------------------------------------------------------

def cut_off(at, verb, *words):
    """Runs the command, killed when it makes call AT = (name, count). False: it came to its
    end."""
    wrapper = ("strace", "-o", "/dev/null", "-e", "trace=" + at[0], "-e",
               "inject=%s:signal=KILL:when=%d" % at)
    # Leaks cannot be looked for under strace, and would end the command with an error.
    options = os.environ.get("ASAN_OPTIONS", "") + ":detect_leaks=0"
    done = subprocess.run([*wrapper, "zegelctl", "dkim", verb, OWN, *words], check=False,
                          capture_output=True, env={**os.environ, "ASAN_OPTIONS": options})
    assert done.returncode in (0, -signal.SIGKILL), done
    return done.returncode != 0


def every_step(calls, verb, *words):
    """Kills the command at each of these CALLS in turn, and yields each time."""
    steps = 0
    for call in calls:
        count = 1
        while cut_off((call, count), verb, *words):
            steps += 1
            count += 1
            assert count < 40, call
            yield
        yield
    assert steps >= 3, steps  # or strace counts nothing


STEPS = ("mkdirat", "fchown", "fchmod", "fsync", "renameat2")
FILES = ("unlinkat", "fchown", "fsync", "renameat", "renameat2", "utimensat")


def test_generate_can_be_cut_off_anywhere():
    """N6: generate killed at any step: show says what is left, and the same command ends it"""
    words = ("--selector", "k", "--type", "ed25519")
    with no_keys():
        for _ in every_step(STEPS, "generate", *words):
            if os.path.isdir(KEYS):
                assert set(states()) <= {"k"}
            if not states_or_nothing() or faults():
                ctl("generate", *words)
            assert states() == {"k": ("waiting", False)} and faults() == {}
            assert os.listdir(PUBLIC) == []
            shutil.rmtree(KEYS)
            os.rmdir(PUBLIC)


def states_or_nothing():
    return states() if os.path.isdir(KEYS) else {}


def test_activate_can_be_cut_off_anywhere():
    """N6: activate killed at any step: one key signs, and the same command ends it"""
    with no_keys():
        lines = [generate(name, "--type", "ed25519") for name in ("a", "b")]
        with published(*lines):
            ctl("activate", "a")
            for _ in every_step(FILES, "activate", "b"):
                assert sum(signs for _, signs in states().values()) == 1, states()
                assert readiness()[0] == "pass", readiness()
                ctl("activate", "b")
                assert states() == {"a": ("resting", False), "b": ("active", True)}
                assert faults() == {} and sorted(os.listdir(PUBLIC)) == ["a.pub", "b.pub"]
                os.rename(os.path.join(KEYS, "b.key"), os.path.join(KEYS, "b.key.waiting"))
                os.unlink(os.path.join(PUBLIC, "b.pub"))
                ctl("activate", "a")


def test_a_first_activate_can_be_cut_off_anywhere():
    """N2: the first activate killed at any step: what is left is said, and it can be repeated"""
    with no_keys():
        with published(generate("k", "--type", "ed25519")):
            for _ in every_step(FILES, "activate", "k"):
                # Only between the public file and the name are the two not of one mind.
                assert (readiness()[0] == "pass") == (states()["k"][1] or bool(faults()))
                ctl("activate", "k")
                assert states() == {"k": ("active", True)} and faults() == {}
                assert readiness()[0] == "pass" and os.listdir(PUBLIC) == ["k.pub"]
                os.rename(os.path.join(KEYS, "k.key"), os.path.join(KEYS, "k.key.waiting"))
                os.unlink(os.path.join(PUBLIC, "k.pub"))


def retired_in_steps(state, *words):
    """Kills retire of b, which is in STATE, at every step, and repeats it."""
    path = os.path.join(KEYS, "b" + state)
    before = {name: open(name, "rb").read() for name in (path, os.path.join(PUBLIC, "b.pub"))
              if os.path.exists(name)}
    for _ in every_step(FILES, "retire", "b", *words):
        if states()["b"][0] != "retired" and os.path.exists(
                os.path.join(PUBLIC, "b.pub.retired")):
            assert "retire was cut off" in faults()["b"], faults()
        ctl("retire", "b", *words)
        assert states()["b"] == ("retired", False) and faults() == {}
        assert glob.glob(os.path.join(KEYS, "b*")) == []
        assert [name for name in os.listdir(PUBLIC) if name[0] == "b"] == ["b.pub.retired"]
        os.unlink(os.path.join(PUBLIC, "b.pub.retired"))
        for name, content in before.items():
            with open(name, "wb") as file:
                os.fchmod(file.fileno(), 0o400 if name == path else 0o644)
                file.write(content)
        shutil.chown(path, "zegel-milter")


def test_retire_can_be_cut_off_anywhere():
    """N6: retire killed at any step: no other key is touched, and the same command ends it"""
    with no_keys():
        lines = [generate(name, "--type", "ed25519") for name in ("a", "b")]
        with published(*lines):
            retired_in_steps(".key.waiting")
            ctl("activate", "b")
            ctl("activate", "a")
            retired_in_steps(".key.resting")
            assert states()["a"] == ("active", True) and readiness()[0] == "pass"
            ctl("activate", "b")
            retired_in_steps(".key", "--stop-signing")
            ctl("retire", "b", "--stop-signing")
            assert states()["a"] == ("resting", False) and readiness()[0] == "fail"


def test_links_of_the_milters_user_lead_nowhere():
    """N6: whoever has the milter's rights cannot have root change or print a file elsewhere"""
    victim = os.path.join(harness.ENV["LAB_STATEDIR"], unique("victim"))
    key = command("openssl", "genpkey", "-algorithm", "ED25519")
    with open(victim, "wb") as file:
        os.fchmod(file.fileno(), 0o400)
        file.write(key)
    before = os.stat(victim)
    with no_keys():
        generate("k", "--type", "ed25519")
        for plant in (os.symlink, os.link):
            for name in ("x.key", "y.key.waiting", "k.key.waiting", "z.key.waiting.new"):
                path = os.path.join(KEYS, name)
                with contextlib.suppress(FileNotFoundError):
                    os.unlink(path)
                with contextlib.suppress(OSError):  # another file system
                    plant(victim, path)
            for verb, selector in (("activate", "x"), ("activate", "y"), ("activate", "k")):
                ctl(verb, selector, status=None)
            ctl("generate", "--selector", "z", "--type", "ed25519", status=None)
            assert not any(signs for _, signs in states().values()), states()
            for name in os.listdir(KEYS):
                os.unlink(os.path.join(KEYS, name))
            for name in ("k.pub", "z.pub"):
                with contextlib.suppress(FileNotFoundError):
                    os.unlink(os.path.join(PUBLIC, name))
            generate("k", "--type", "ed25519")
        shutil.rmtree(KEYS)
        elsewhere = os.path.dirname(victim)
        names = os.listdir(elsewhere)
        os.symlink(elsewhere, KEYS)
        for verb, words in (("generate", ()), ("show", ()), ("activate", ("k",)),
                            ("retire", ("k",))):
            ctl(verb, *words, status=CONFIG)
        assert os.listdir(elsewhere) == names
    after = os.stat(victim)
    assert (after.st_uid, stat.S_IMODE(after.st_mode), after.st_mtime) == (
        before.st_uid, 0o400, before.st_mtime)
    os.unlink(victim)


def test_who_may_not_is_told():
    """N6: neither root nor the milter's user: a clear word, and nothing is done"""
    wrapper = ("setpriv", "--reuid", "zegel-mx", "--regid", "zegel-mx", "--clear-groups")
    with no_keys():
        generate("k")
        for verb, words in (("generate", ()), ("show", ()), ("check", ()), ("activate", ("k",)),
                            ("retire", ("k",))):
            assert "run this as root" in ctl(verb, *words, status=CONFIG, wrapper=wrapper)
        assert states() == {"k": ("waiting", False)}
        user = ("setpriv", "--reuid", "zegel-milter", "--regid", "zegel-milter",
                "--clear-groups")
        assert "k  waiting" in ctl("show", wrapper=user)
