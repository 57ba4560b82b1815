"""A small Debian that is booted for a test: its own systemd, its own files, the network of the test.

    enter_namespaces()                        first of all: mounts and network are the test's own from here on
    with Machine() as machine:
        machine.install(packages)
        machine.boot()
        machine.call("systemctl", "start", "ringside.target")
        machine.cut_power()                   and boot() again: what was written is there

  1. The tree is made once by debootstrap and kept (RINGSIDE_CACHE, ~/.cache/ringside); a machine works on an overlay
     over it, in a folder of its own, so nothing it does is there the next time.
  2. It shares the test's network namespace, which has a loopback and nothing else: clients outside reach it at
     127.0.0.1, whichever of its boots it is in.
  3. Processes are ended by the handles of those started here. Mounts go with the namespace; the folder and the empty
     cgroups go at the end.
"""

import contextlib
import glob
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import zlib

from tap import Skip, eventually

IN_NAMESPACES = "RINGSIDE_TEST_MACHINE"
MIRROR = os.environ.get("RINGSIDE_MIRROR", "http://deb.debian.org/debian")
CACHE = os.environ.get("RINGSIDE_CACHE") or os.path.expanduser("~/.cache/ringside")
# What the package needs besides what is there, so that a machine without a network can install it.
PACKAGES = ("systemd", "systemd-sysv", "dbus", "procps", "libpq5", "libhiredis0.14", "libinih1", "liburing2",
            "libmicrohttpd12", "libmsgpackc2", "libncursesw6", "libssl3", "libsystemd0")
TREE = os.path.join(CACHE, f"systemd-{zlib.crc32(' '.join(PACKAGES).encode()):08x}")  # another set, another tree
BOOT_S = 60
OLDER = "0~test"  # a version before any other


def run(*words, check=True, timeout_s=120, **more):
    done = subprocess.run([str(word) for word in words], capture_output=True, text=True, stdin=subprocess.DEVNULL,
                          timeout=timeout_s, **more)
    if check and done.returncode != 0:
        raise AssertionError(f"{' '.join(map(str, words))} exits with {done.returncode}:\n{done.stdout}{done.stderr}")
    return done


def why_not():
    """What this machine lacks; None: nothing."""
    if os.geteuid() != 0:
        return "needs root, to boot a tree"
    for program in ("debootstrap", "systemd-nspawn", "nsenter", "unshare", "dpkg-buildpackage", "dh"):
        if not shutil.which(program):
            return f"{program} is not installed (deploy/install-deps test)"
    if subprocess.run(["unshare", "-m", "-n", "true"], capture_output=True).returncode != 0:
        return "no namespaces of its own are permitted"
    return None


def enter_namespaces():
    """Runs the program again with mounts and a network of its own, where the machine has what is needed."""
    if not os.environ.get(IN_NAMESPACES) and why_not() is None:
        make_tree()
        os.environ[IN_NAMESPACES] = "1"
        os.execvp("unshare", ["unshare", "--mount", "--propagation", "private", "--net", sys.executable] + sys.argv)
    if os.environ.get(IN_NAMESPACES):
        run("ip", "link", "set", "lo", "up")


def make_tree():
    """The tree, made if it is not there; needs a mirror then."""
    tree = TREE
    if os.path.exists(tree + ".complete"):
        return tree
    os.makedirs(CACHE, exist_ok=True)
    shutil.rmtree(tree, ignore_errors=True)
    with open(tree + ".log", "w") as log:
        done = subprocess.run(["debootstrap", "--variant=minbase", "--include=" + ",".join(PACKAGES), "bookworm", tree,
                               MIRROR], stdout=log, stderr=log, stdin=subprocess.DEVNULL)
    if done.returncode == 0:
        target = os.path.join(tree, "etc/systemd/system/default.target")
        os.symlink("/lib/systemd/system/multi-user.target", target)
        open(tree + ".complete", "w").close()
    return tree


class Machine:
    def __init__(self):
        if not os.environ.get(IN_NAMESPACES):
            raise Skip(why_not())
        if not os.path.exists(TREE + ".complete"):
            raise Skip(f"debootstrap could not make a tree; see {TREE}.log")
        self.directory = tempfile.mkdtemp(prefix="ringside-machine.", dir="/var/tmp")
        self.root = os.path.join(self.directory, "root")
        for part in ("upper", "work", "root"):
            os.mkdir(os.path.join(self.directory, part))
        run("mount", "-t", "overlay", "overlay", "-o", f"lowerdir={TREE},upperdir={self.directory}/upper,"
            f"workdir={self.directory}/work", self.root)
        self.nspawn = self.leader = None

    # ---- power ----

    def boot(self):
        """Boots, and waits until systemd has started all that it starts by itself."""
        assert self.nspawn is None
        with open(os.path.join(self.directory, "console"), "ab") as console:
            self.nspawn = subprocess.Popen(
                ["systemd-nspawn", "-q", "-D", self.root, "-b", "--register=no", "--keep-unit",
                 "--capability=CAP_IPC_LOCK", "--bind-ro", f"{self.directory}/packages:/opt/packages",
                 "--console=passive"], stdin=subprocess.DEVNULL, stdout=console, stderr=console)
        self.leader = eventually(self.find_leader, BOOT_S, "the machine has a first process")
        eventually(lambda: self.call("systemctl", "is-system-running", "--wait", check=False).stdout.strip() in (
            "running", "degraded"), BOOT_S, "the machine is up")

    def find_leader(self):
        assert self.nspawn.poll() is None, f"the machine does not boot:\n{self.console()}"
        found = run("pgrep", "-P", self.nspawn.pid, "-x", "systemd", check=False).stdout.split()
        return int(found[0]) if found else None

    def console(self):
        with open(os.path.join(self.directory, "console"), errors="replace") as file:
            return file.read()[-4000:]

    def cut_power(self):
        """Everything in it is gone at once, and so are /dev/shm and /run."""
        if self.leader:
            os.kill(self.leader, signal.SIGKILL)  # its first process: the kernel ends all others with it
        self.end(signal.SIGKILL)

    def power_off(self):
        self.end(signal.SIGTERM)

    def end(self, how):
        if self.nspawn is None:
            return
        if how == signal.SIGTERM:
            self.nspawn.send_signal(how)
        try:
            self.nspawn.wait(60)
        except subprocess.TimeoutExpired:
            self.nspawn.kill()
            self.nspawn.wait()
        eventually(lambda: not self.leader or not os.path.exists(f"/proc/{self.leader}"), 30, "the machine is off")
        self.nspawn = self.leader = None

    # ---- inside ----

    def call(self, *words, check=True, timeout_s=120):
        return run("nsenter", "-t", self.leader, "-a", "--", *words, check=check, timeout_s=timeout_s)

    def show(self, unit, *properties):
        """Properties of a unit, as systemd has them."""
        out = self.call("systemctl", "show", "-p", ",".join(properties), unit).stdout
        return dict(line.split("=", 1) for line in out.splitlines() if "=" in line)

    def path(self, inside):
        """Where a file of the machine is, seen from outside."""
        return self.root + inside

    def install(self, folder):
        """Has the packages of a folder at /opt/packages."""
        destination = os.path.join(self.directory, "packages")
        os.makedirs(destination, exist_ok=True)
        for package in glob.glob(os.path.join(folder, "*.deb")):
            shutil.copy(package, destination)

    def make_older(self):
        """Beside the package, the same one with a version that is older than any."""
        folder = os.path.join(self.directory, "packages")
        package, = glob.glob(os.path.join(folder, "ringside_*.deb"))
        tree = os.path.join(self.directory, "older")
        run("dpkg-deb", "--raw-extract", package, tree)
        control = os.path.join(tree, "DEBIAN", "control")
        with open(control) as file:
            lines = file.read().splitlines()
        with open(control, "w") as file:
            file.writelines(f"Version: {OLDER}\n" if line.startswith("Version:") else line + "\n" for line in lines)
        architecture = package.rsplit("_", 1)[1]
        run("dpkg-deb", "--build", "-Znone", tree, os.path.join(folder, f"ringside_{OLDER}_{architecture}"))
        shutil.rmtree(tree)

    def apt_install(self, older=False):
        """The package, or the older one."""
        names = [name for name in os.listdir(os.path.join(self.directory, "packages")) if name.startswith("ringside_")]
        name, = [name for name in names if name.startswith(f"ringside_{OLDER}_") == older]
        self.call("env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "install", "-y", f"/opt/packages/{name}")

    # ---- the end ----

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        with contextlib.suppress(ProcessLookupError):
            self.cut_power()
        with contextlib.suppress(AssertionError):
            eventually(lambda: run("umount", self.root, check=False).returncode == 0, 10, "the tree is unmounted")
        for hierarchy in glob.glob("/sys/fs/cgroup/systemd") + glob.glob("/sys/fs/cgroup/unified"):
            for directory, _, _ in os.walk(hierarchy, topdown=False):
                with contextlib.suppress(OSError):
                    if directory != hierarchy:
                        os.rmdir(directory)
        if os.environ.get("RINGSIDE_TEST_KEEP"):
            print(f"# kept: {self.directory}")
            return
        time.sleep(0.1)
        shutil.rmtree(self.directory, ignore_errors=True)
