#!/usr/bin/env python3
"""What `meson install` puts into a tree.

Goal: everything is there, for programs that others add as well: binaries, units, the configuration, a man page for each
program and subcommand, which man reads without a warning. Method: an install below a directory.
"""
import glob
import os
import re
import shutil
import subprocess
import sys
import tempfile

from tap import Skip, run

BUILD = os.path.abspath(sys.argv[1])
TREE = tempfile.mkdtemp(prefix="ringside-install.")
UNITS = "lib/systemd/system"
STAGES = ("journaler", "sequencer", "matcher", "persister", "gateway")


def call(*words, **more):
    return subprocess.run(list(words), capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=60, **more)


def prefix(*parts):
    return os.path.join(TREE + PREFIX, *parts)


def test_installs():
    global PREFIX
    options = call("meson", "introspect", "--buildoptions", BUILD)
    PREFIX = re.search(r'"name": "prefix", "value": "([^"]*)"', options.stdout)[1]
    done = call("meson", "install", "-C", BUILD, "--no-rebuild", "--destdir", TREE, "--quiet")
    assert done.returncode == 0, done
    for stage in STAGES:
        assert os.access(prefix("bin", f"ringside-{stage}"), os.X_OK), stage
        for unit in (f"ringside-{stage}.service", f"ringside-{stage}@.service"):
            with open(prefix(UNITS, unit)) as file:
                text = file.read()
            assert f"ExecStart={PREFIX}/bin/ringside-{stage}" in text and "@" not in text.replace(
                "@system-service", "").replace("~@privileged", "").replace("@resources", "").replace("@%i", ""), text
    assert glob.glob(TREE + "/**/etc/ringside/ringside.conf", recursive=True)


def test_what_watches_it_is_there():
    """Rules and dashboard to copy from, the page that each alert leads to, the procedures, and what containers need."""
    with open(prefix("share/ringside/prometheus/ringside.rules.yml")) as file:
        pages = re.findall(r"runbook_url: docs/(runbook/\w+\.md)", file.read())
    assert len(pages) > 10, pages
    for page in pages + ["runbook/RestoreElsewhere.md", "examples/queries"]:
        assert os.path.exists(prefix("share/doc/ringside", page)), page
    for path in ("prometheus/prometheus.yml", "grafana/ringside.json", "container/compose.yaml",
                 "container/Containerfile", "container/seccomp.json", "container/etc/ringside.conf"):
        assert os.path.exists(prefix("share/ringside", path)), path
    for program in ("run-stage", "run-postgres", "trim-often"):
        assert os.access(prefix("share/ringside/container", program), os.X_OK), program


def test_each_program_and_subcommand_has_its_page():
    listed = call(prefix("bin", "ringside"), "help").stdout
    names = [line.split()[0] for line in listed.splitlines() if line.startswith("  ")]
    for name in set(names) - {"help", "version", "persister"}:
        assert os.path.exists(prefix("share/man/man1", f"ringside-{name}.1")), name
    for program in glob.glob(prefix("bin", "ringside-*")):
        assert os.path.exists(prefix("share/man/man8", os.path.basename(program) + ".8")), program
    assert os.path.exists(prefix("share/man/man1/ringside-journal-verify.1"))
    for unit in glob.glob(prefix(UNITS, "*")):
        with open(unit) as file:
            for name, section in re.findall(r"man:(\S+)\((\d)\)", file.read()):
                assert os.path.exists(prefix(f"share/man/man{section}", f"{name}.{section}")), (unit, name)


def test_man_reads_them_without_a_warning():
    if not shutil.which("man") or not shutil.which("groff"):
        raise Skip("man and groff are not installed (deploy/install-deps test)")
    pages = glob.glob(prefix("share/man/man*/*"))
    assert len(pages) > 20, pages
    shown = call("man", "--warnings", "-E", "UTF-8", "-l", "-Tutf8", *pages,
                 env={**os.environ, "MANWIDTH": "80", "LC_ALL": "C.UTF-8"})
    assert shown.returncode == 0 and not shown.stderr, shown.stderr
    for page in pages:
        with open(page) as file:
            parts = re.findall(r"^\.SH (.*)", file.read(), re.M)
        assert parts[:3] == ["NAME", "SYNOPSIS", "DESCRIPTION"] and parts[-1] == "SEE ALSO", (page, parts)


def test_every_option_is_in_the_page_of_the_configuration():
    with open(prefix("share/man/man5/ringside.conf.5")) as file:
        page = file.read()
    said = call(prefix("bin", "ringside"), "config").stdout
    options = re.findall(r"^([a-z_]+) =", said, re.M)
    assert len(options) > 40
    for option in options:
        assert f".B {option}\n" in page, option


def generate(**files):
    """What ringside-generator writes for configurations of these names."""
    with tempfile.TemporaryDirectory() as directory:
        os.mkdir(directory + "/etc")
        for name, text in files.items():
            with open(f"{directory}/etc/{name}.conf", "w") as file:
                file.write(text)
        done = call(prefix("lib/systemd/system-generators/ringside-generator"), directory, directory, directory,
                    env={**os.environ, "RINGSIDE_GENERATOR_CONFIG": directory + "/etc"})
        assert done.returncode == 0, done
        shutil.rmtree(directory + "/etc")
        written = {}
        for path in glob.glob(directory + "/**", recursive=True):
            if os.path.islink(path):
                written[os.path.relpath(path, directory)] = os.readlink(path)
            elif os.path.isfile(path):
                with open(path) as file:
                    written[os.path.relpath(path, directory)] = file.read()
        return written


def test_the_generator_follows_the_configuration():
    assert generate(ringside="[exchange]\ngateways = 1\n") == {}
    written = generate(ringside="[exchange]\ngateways = 3\n", blue="[exchange]\ngateways = 2\n[journal]\ndirectory = "
                       "/srv/blue\n")
    wants = {path for path in written if ".wants/" in path}
    assert wants == {"ringside.target.wants/ringside-gateway@2.service",
                     "ringside.target.wants/ringside-gateway@3.service",
                     "ringside@blue.target.wants/ringside-gateway@blue:2.service"}, wants
    assert "PartOf=ringside@blue.target\n" in written["ringside-gateway@blue:2.service.d/50-configuration.conf"]
    assert "PartOf=ringside.target\n" in written["ringside-gateway@3.service.d/50-configuration.conf"]
    assert "ReadWritePaths=-/srv/blue\n" in written["ringside-journaler@blue.service.d/50-configuration.conf"]
    assert "ReadWritePaths=-/srv/blue\n" in written["ringside-trim@blue.service.d/50-configuration.conf"]
    assert not any("journaler.service" in path for path in written), written


def test_the_generator_leaves_a_bad_configuration_to_the_stages():
    assert generate(ringside="[exchange]\ngateways = many\n", blue="nonsense") == {}


def test_what_an_instance_needs():
    printed = call(prefix("bin", "ringside"), "config", "--instance", "blue", "--port", "9101")
    path = os.path.join(TREE, "blue.conf")
    with open(path, "w") as file:
        file.write(printed.stdout)
    assert call(prefix("bin", "ringside"), "config", "--check", path).returncode == 0
    for own in ("/dev/shm/ringside-blue", "/var/lib/ringside-blue/journal", "port = 9101", "blue.accounts"):
        assert own in printed.stdout, own
    assert generate(blue=printed.stdout) == {}
    for bad in ("../blue", "-blue", "2", ""):
        assert call(prefix("bin", "ringside"), "config", "--instance", bad, "--port", "9101").returncode == 64, bad


PREFIX = ""
try:
    run(*(test for name, test in list(globals().items()) if name.startswith("test_")))
finally:
    shutil.rmtree(TREE, ignore_errors=True)
