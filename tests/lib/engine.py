"""A container engine of a test's own: podman with a store in the cache, so that images are built once, and with the
network of the test.

    with Engine() as engine:               what an earlier test left behind is removed
        engine.build_images(packages)      needs a mirror, once
        enter_network()                    a network namespace of its own from here on
        engine.call("ps", "-a")

  1. Its store, its state and its configuration are its own; the machine's podman and its networks are not touched. One
     test at a time has it (a lock).
  2. Bridges and firewall rules of the containers' networks are in the test's namespace, and go with it.
"""

import contextlib
import fcntl
import glob
import os
import shutil
import subprocess

from exchange import ROOT

IN_NETWORK = "RINGSIDE_TEST_CONTAINERS"
CACHE = os.path.join(os.environ.get("RINGSIDE_CACHE") or os.path.expanduser("~/.cache/ringside"), "containers")
CONFIGURATION = """[containers]
default_ulimits = ["nofile=20000:20000", "nproc=32768:32768"]
[network]
network_backend = "netavark"
[engine]
runtime = "runc"
cgroup_manager = "cgroupfs"
events_logger = "file"
"""


def run(*words, check=True, timeout_s=120, **more):
    done = subprocess.run([str(word) for word in words], capture_output=True, text=True, stdin=subprocess.DEVNULL,
                          timeout=timeout_s, **more)
    if check and done.returncode != 0:
        raise AssertionError(f"{' '.join(map(str, words))} exits with {done.returncode}:\n{done.stdout}{done.stderr}")
    return done


def why_not():
    """What this machine lacks; None: nothing."""
    if os.geteuid() != 0:
        return "needs root, to have a network of its own"
    for program in ("podman", "podman-compose", "runc", "debootstrap", "unshare", "iptables", "dpkg-buildpackage"):
        if not shutil.which(program):
            return f"{program} is not installed (deploy/install-deps test)"
    if subprocess.run(["unshare", "-m", "-n", "true"], capture_output=True).returncode != 0:
        return "no namespaces of its own are permitted"
    return None


class Engine:
    """Its command is a program of one path, as podman-compose wants it."""

    def __init__(self):
        os.makedirs(CACHE, exist_ok=True)
        self.lock = open(os.path.join(CACHE, "lock"), "w")
        fcntl.flock(self.lock, fcntl.LOCK_EX)
        self.podman = os.path.join(CACHE, "podman")
        configuration = os.path.join(CACHE, "containers.conf")
        with open(configuration, "w") as file:
            file.write(CONFIGURATION)
        with open(self.podman, "w") as file:
            file.write(f'#!/bin/sh\nexec env CONTAINERS_CONF={configuration} podman --root {CACHE}/store '
                       f'--runroot {CACHE}/run --tmpdir {CACHE}/tmp --network-config-dir {CACHE}/networks "$@"\n')
        os.chmod(self.podman, 0o755)

    def call(self, *words, check=True, timeout_s=120):
        return run(self.podman, *words, check=check, timeout_s=timeout_s)

    def build_images(self, packages, out):
        """Builds what is not built yet: layers are kept from one test to the next."""
        run(os.path.join(ROOT, "deploy", "make-images"), "--base", "debootstrap", "--packages", packages, "--out", out,
            "--podman", self.podman, timeout_s=1200)

    def clear(self):
        """All containers, volumes and networks; images stay, but for those that have lost their name."""
        self.call("rm", "--all", "--force", "--time", "2")
        self.call("volume", "prune", "--force")
        for name in self.call("network", "ls", "--format", "{{.Name}}").stdout.split():
            if name != "podman":
                self.call("network", "rm", "--force", name)
        self.call("image", "prune", "--force")
        for parent in glob.glob("/sys/fs/cgroup/*/libpod_parent"):
            for directory, _, _ in os.walk(parent, topdown=False):
                with contextlib.suppress(OSError):  # somebody else's containers are in it
                    os.rmdir(directory)

    def inspect(self, container, what):
        return self.call("inspect", "--format", what, container).stdout.strip()

    def pid(self, container):
        """Of its first process, as the test sees it; 0: it does not run."""
        return int(self.inspect(container, "{{.State.Pid}}"))

    def logs(self, container, lines=30):
        done = self.call("logs", "--tail", str(lines), container, check=False)
        return done.stdout + done.stderr


def in_network():
    return bool(os.environ.get(IN_NETWORK))


def enter_network(program):
    """Runs the program again with a network of its own."""
    os.environ[IN_NETWORK] = "1"
    os.execvp("unshare", ["unshare", "--net", "--mount", "--propagation", "private", *program])
