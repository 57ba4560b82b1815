"""File systems of a test's own, on loop devices and FUSE: small ones, slow ones, ones whose power can be cut.

  1. Everything is mounted in a mount namespace of the test's own (enter_namespace, first of all), by loop devices that
     go with their mount: so all of it is gone when the test's processes are, however they end.
  2. Cutting power: an ext4 in a file on another ext4. The outer one is shut down without writing anything more; what
     was not synced through both is gone when they are mounted again.
"""

import fcntl
import os
import shutil
import struct
import subprocess
import sys
import tempfile

from tap import Skip, eventually

EXT4_IOC_SHUTDOWN = 0x8004587D
NO_LOG_FLUSH = 2
IN_NAMESPACE = "RINGSIDE_TEST_NAMESPACE"


def call(*words, check=True):
    done = subprocess.run(words, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    if check and done.returncode != 0:
        raise AssertionError(f"{' '.join(words)}: {done.stderr.strip()}")
    return done


def why_not():
    """What this machine lacks; None: nothing."""
    if os.geteuid() != 0:
        return "needs root, to mount"
    for program in ("unshare", "mount", "umount", "mkfs.ext4", "fsfreeze"):
        if not shutil.which(program):
            return f"{program} is not installed"
    if not os.path.exists("/dev/loop-control"):
        return "there are no loop devices here"
    if call("unshare", "-m", "true", check=False).returncode != 0:
        return "no mount namespace of its own is permitted"
    return None


def enter_namespace():
    """Runs the program again in a mount namespace of its own, where the machine has what is needed."""
    if not os.environ.get(IN_NAMESPACE) and why_not() is None:
        os.environ[IN_NAMESPACE] = "1"
        os.execvp("unshare", ["unshare", "-m", "--propagation", "private", sys.executable] + sys.argv)


def need_namespace():
    if not os.environ.get(IN_NAMESPACE):
        raise Skip(why_not())


class Disk:
    """A folder with images and what is mounted from them."""

    def __init__(self):
        need_namespace()
        self.directory = tempfile.mkdtemp(prefix="ringside-disk.", dir="/tmp")
        os.chmod(self.directory, 0o711)
        self.mounted = []  # in order
        self.process = None

    def path(self, name):
        return os.path.join(self.directory, name)

    def image(self, path, mebibytes):
        with open(path, "wb") as file:
            for _ in range(mebibytes):
                file.write(bytes(1 << 20))
            os.fsync(file.fileno())
        call("mkfs.ext4", "-q", "-F", "-E", "lazy_itable_init=0,lazy_journal_init=0", path)

    def mount(self, image, name):
        where = self.path(name)
        os.makedirs(where, exist_ok=True)
        call("mount", "-o", "loop", image, where)
        self.mounted.append(where)
        return where

    def unmount_all(self):
        while self.mounted:
            where = self.mounted.pop()
            eventually(lambda: call("umount", where, check=False).returncode == 0, 20, f"{where} is unmounted", 0.1)

    # ---- kinds ----

    def small(self, mebibytes):
        """An ext4 of that size; its folder."""
        self.image(self.path("image"), mebibytes)
        return self.mount(self.path("image"), "mount")

    def cuttable(self, mebibytes):
        """An ext4 whose power can be cut; its folder."""
        self.image(self.path("outer"), mebibytes + mebibytes // 4 + 32)
        outer = self.mount(self.path("outer"), "outer.mount")
        self.image(os.path.join(outer, "inner"), mebibytes)
        call("sync", "-f", outer)
        return self.mount(os.path.join(outer, "inner"), "mount")

    def cut_power(self):
        file = os.open(self.path("outer.mount"), os.O_RDONLY)
        try:
            fcntl.ioctl(file, EXT4_IOC_SHUTDOWN, struct.pack("I", NO_LOG_FLUSH))
        finally:
            os.close(file)

    def power_on(self):
        """Nobody may be left who has something open there."""
        self.unmount_all()
        outer = self.mount(self.path("outer"), "outer.mount")
        self.mount(os.path.join(outer, "inner"), "mount")

    def faulty(self, program):
        """A FUSE file system that fails as told by fail(); its folder."""
        if not os.path.exists(program):
            raise Skip("built without libfuse3")
        if not os.path.exists("/dev/fuse"):
            raise Skip("there is no /dev/fuse here")
        os.makedirs(self.path("backing"))
        where = self.path("mount")
        os.makedirs(where)
        with open(self.path("faulty.log"), "wb") as log:
            self.process = subprocess.Popen([program, self.path("backing"), where], stdin=subprocess.DEVNULL,
                                            stdout=log, stderr=log)
        eventually(lambda: os.path.ismount(where) or self.process.poll() is not None, 10, "FUSE is mounted")
        if self.process.poll() is not None:
            with open(self.path("faulty.log")) as log:
                raise Skip(f"FUSE cannot be mounted: {log.read().strip()}")
        self.mounted.append(where)
        return where

    def fail(self, what, after):
        """The n-th write, batch of the journal or sync from now on fails."""
        with open(self.path("mount/.fail"), "w") as file:
            file.write(f"{what} {after}")

    # ---- the end ----

    def __enter__(self):
        return self

    def __exit__(self, *_):
        try:
            call("fsfreeze", "-u", self.path("mount"), check=False)
            self.unmount_all()
        finally:
            if self.process:
                self.process.kill()
                self.process.wait()
            if not os.environ.get("RINGSIDE_TEST_KEEP"):
                shutil.rmtree(self.directory, ignore_errors=True)
