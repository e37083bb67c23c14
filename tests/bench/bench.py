"""What the benches have in common: they become the command of a lab, and measure in turns."""
import os
import subprocess
import sys

HERE = os.path.dirname(os.path.realpath(__file__))


def start_lab(program_path):
    """Becomes the lab, with PROGRAM_PATH and our own arguments as its command."""
    build = os.environ.get("LAB_BUILD") or os.environ.get("G_TEST_BUILDDIR")
    if build:
        os.environ["LAB_BUILD"] = build
    lab = os.path.join(HERE, "..", "lab", "lab")
    os.execv(lab, [lab, "run", sys.executable, os.path.realpath(program_path)] + sys.argv[1:])


def program(name):
    """The path of the program NAME of tests/bench."""
    return os.path.join(os.environ["LAB_BUILD"], "tests", "bench", name)


def bash(text):
    """Runs TEXT with the lab's own functions for the DNS, where the zones are."""
    script = 'set -e; . "$LAB_HERE/lib.sh"; . "$LAB_HERE/dns.sh"; cd "$DNS"\n' + text
    done = subprocess.run(["bash", "-c", script], capture_output=True, timeout=120, check=False)
    if done.returncode != 0:
        raise RuntimeError("the zones cannot be changed: " + done.stderr.decode())


# In scripts for bash(): the answers of the zone $1 live for an hour; the lab's own for a second.
LIVE = r"""live() { sed -i 's/^\$TTL 1$/$TTL 3600/; s/ 86400 1 )$/ 86400 3600 )/' "$1.zone"; }
"""
