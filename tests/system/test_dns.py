"""The resolver that policyd believes, and "resolver+chain", which does not take its word (F15)."""
import os
import subprocess

import harness
from guard import SENDER, guard
from harness import configured, part, without
from test_nta import known_route, later, route

ROOT_ANCHOR = os.path.join(harness.ENV["LAB"], "dns", "root.ds")
CHAIN = ("policyd", "dnssec", "resolver+chain")


def test_chain():
    """With ldns validating as well every answer is the same, and mail leaves the direct way"""
    names = ("ready", "partner", "nomx", "unsigned", "alias", "outsider", "expired", "bogus")

    def routes():
        """Of those that stay unknown at once, of others when it is known."""
        return {name: (route if name in ("expired", "bogus") else known_route)(
            SENDER, "jan@" + part(name)) for name in names}
    plain = routes()
    with guard() as watch, configured("policyd", "trust_anchor", ROOT_ANCHOR), \
            configured(*CHAIN, "policyd"):
        chain = routes()
        assert chain == plain, (chain, plain)
        assert chain["ready"][0] == "direct" and chain["unsigned"][0] == "viewer", chain
        watch.secure("ready").arrived()
        watch.flows()


def test_chain_finds_a_resolver_that_lies():
    """Answers that the resolver calls secure, and the trust anchor does not: 451, never viewer"""
    wrong = os.path.join(harness.ENV["LAB_STATEDIR"], "wrong.ds")
    with open(os.path.join(harness.ENV["LAB"], "dns", "nl.ds"), encoding="ascii") as file:
        text = file.read()
    with open(wrong, "w", encoding="ascii") as file:
        file.write(text.replace("nl.", ".", 1))
    with guard() as watch, configured("policyd", "trust_anchor", wrong), \
            configured(*CHAIN, "policyd"):
        later(watch, "ready")
        assert known_route(SENDER, "jan@" + part("unsigned"))[0] == "viewer"
        watch.flows()


def refuses(*setting):
    """What a policyd with SETTING says when it refuses to start."""
    with without("policyd"), configured(*setting):
        done = subprocess.run([os.path.join(harness.ENV["LAB_SBINDIR"], "zegel-policyd")],
                              capture_output=True, timeout=10, check=False)
    assert done.returncode == os.EX_CONFIG, done
    return done.stderr.decode()


def test_refuses_a_resolver_elsewhere():
    """F15: AD that came over a network is worth nothing, so policyd does not start with one"""
    for address in (harness.ENV["LAB_DNS_ADDR"], "8.8.8.8:53", "[2001:db8::1]:53", "localhost"):
        text = refuses("policyd", "resolver", address)
        assert address in text and "run a validating resolver" in text, text


def test_refuses_a_trust_anchor_that_is_none():
    """resolver+chain without a trust anchor does not start, rather than to trust the resolver"""
    with configured("policyd", "trust_anchor", "/nonexistent/root.key"):
        assert "/nonexistent/root.key" in refuses(*CHAIN)
    with configured("policyd", "trust_anchor", "/etc/hostname"):
        assert "/etc/hostname:1" in refuses(*CHAIN)
