#!/usr/bin/env python3
"""`ringside tune` on machines that are made up below a directory.

Goal: what it would do is right for a machine of each size, it does exactly that when told, and takes it away again.
Method: /sys and /proc of a machine as files; --root reads and writes below them.
"""
import glob
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile

from tap import run

BUILD = os.path.abspath(sys.argv[1])
STAGES = ("sequencer", "journaler", "matcher", "persister", "gateway")
IRQ = 41
HUGE = "/sys/kernel/mm/transparent_hugepage/shmem_enabled"


class Made:
    """A machine of so many cores, each of two threads where siblings says so."""

    def __init__(self, cores, threads=1, memory_gib=64, huge="never", disk_irq_cpus="0-1"):
        self.root = tempfile.mkdtemp(prefix="ringside-tune.")
        cpus = cores * threads
        self.write("/sys/devices/system/cpu/online", f"0-{cpus - 1}")
        for cpu in range(cpus):
            siblings = ",".join(str(cpu % cores + cores * thread) for thread in range(threads))
            self.write(f"/sys/devices/system/cpu/cpu{cpu}/topology/thread_siblings_list", siblings)
        self.write("/proc/meminfo", f"MemTotal: {memory_gib << 20} kB\nSwapTotal: 0 kB")
        choices = "always within_size advise never deny".replace(huge, f"[{huge}]")
        self.write(HUGE, choices)
        device = os.stat("/").st_dev
        disk = "/sys/devices/pci0000:00/0000:00:04.0"
        self.write(f"{disk}/msi_irqs/{IRQ}", "msi")
        os.makedirs(f"{self.root}{disk}/virtio1/block/vda")
        os.makedirs(f"{self.root}/sys/dev/block")
        os.symlink(f"../../devices/pci0000:00/0000:00:04.0/virtio1/block/vda",
                   f"{self.root}/sys/dev/block/{os.major(device)}:{os.minor(device)}")
        self.write(f"/proc/irq/{IRQ}/smp_affinity_list", disk_irq_cpus)

    def write(self, path, text):
        os.makedirs(os.path.dirname(self.root + path), exist_ok=True)
        with open(self.root + path, "w") as file:
            file.write(text + "\n")

    def read(self, path):
        with open(self.root + path) as file:
            return file.read()

    def tune(self, *arguments):
        done = subprocess.run([os.path.join(BUILD, "deploy", "ringside"), "tune", "--root", self.root, "--set",
                               "journal.directory=/", *arguments], capture_output=True, text=True, timeout=20,
                              stdin=subprocess.DEVNULL)
        assert done.returncode == 0, done
        return done.stdout

    def plan(self, *arguments):
        return {action["what"]: action for action in json.loads(self.tune("--json", *arguments))["actions"]}

    def drop_ins(self):
        """Their texts, by stage."""
        texts = {}
        for path in glob.glob(f"{self.root}/etc/systemd/system/ringside-*.service.d/50-tune.conf"):
            with open(path) as file:
                texts[os.path.basename(os.path.dirname(path))[len("ringside-"):-len(".service.d")]] = file.read()
        return texts

    def __enter__(self):
        return self

    def __exit__(self, *_):
        shutil.rmtree(self.root)


def option(text, name):
    found = re.search(rf"^{name}=(.*)$", text, re.M)
    return found and found[1]


def test_with_cores_to_spare_each_stage_has_one():
    with Made(8, threads=2, disk_irq_cpus="0-15") as machine:
        assert machine.plan()["waiting"]["value"] == "spin"
        assert not os.path.exists(machine.root + "/etc"), "without --apply nothing is written"
        machine.tune("--apply")
        drop_ins = machine.drop_ins()
        assert set(drop_ins) == {*STAGES, "snapshot", "trim"}, drop_ins
        cores = [option(drop_ins[stage], "CPUAffinity") for stage in STAGES]
        assert sorted(cores) == ["1", "2", "3", "4", "5"], cores
        for stage in STAGES:
            assert option(drop_ins[stage], "LimitMEMLOCK") == "infinity"
            assert option(drop_ins[stage], "Environment") == '"RINGSIDE_OPTIONS=--set exchange.wait=spin"'
        assert option(drop_ins["snapshot"], "CPUAffinity") == "0,8" == option(drop_ins["trim"], "CPUAffinity")
        assert option(drop_ins["snapshot"], "Environment") is None
        assert machine.read(f"/proc/irq/{IRQ}/smp_affinity_list") == "0,8"
        assert machine.read(HUGE) == "advise"
        assert "shmem_enabled - - - - advise" in machine.read("/etc/tmpfiles.d/ringside-tune.conf")


def test_gateways_count():
    with Made(7) as machine:
        assert machine.plan("--set", "exchange.gateways=2")["waiting"]["value"] == "spin"
        assert machine.plan("--set", "exchange.gateways=3")["waiting"]["value"] == "park"
        machine.tune("--apply", "--set", "exchange.gateways=2")
        assert option(machine.drop_ins()["gateway@2"], "CPUAffinity") == "2"


def test_with_few_cores_the_hot_stages_share():
    with Made(4) as machine:
        machine.tune("--apply")
        drop_ins = machine.drop_ins()
        for stage in ("sequencer", "journaler", "matcher", "gateway"):
            assert option(drop_ins[stage], "CPUAffinity") == "1,2,3", drop_ins[stage]
            assert "exchange.wait=park" in drop_ins[stage]
        assert option(drop_ins["persister"], "CPUAffinity") == "0"


def test_with_two_cores_nothing_is_pinned():
    with Made(2, huge="advise") as machine:
        plan = machine.plan()
        assert plan["cores"]["value"] == "any" and plan["huge pages"]["value"] == "advise", plan
        machine.tune("--apply")
        assert all(option(text, "CPUAffinity") is None for text in machine.drop_ins().values())
        assert machine.read(f"/proc/irq/{IRQ}/smp_affinity_list") == "0-1\n"
        assert not os.path.exists(machine.root + "/etc/tmpfiles.d")


def test_memory_is_not_locked_where_it_is_short():
    with Made(2, memory_gib=1) as machine:
        assert machine.plan()["locked memory"]["value"] == "no"
        machine.tune("--apply")
        assert machine.drop_ins() == {}


def test_undo_takes_away_what_was_written_and_nothing_else():
    with Made(8) as machine:
        machine.tune("--apply")
        machine.write("/etc/systemd/system/ringside-matcher.service.d/own.conf", "[Service]")
        assert "8 files" in machine.tune("--undo")
        assert machine.drop_ins() == {}
        assert os.listdir(machine.root + "/etc/systemd/system") == ["ringside-matcher.service.d"]


def test_it_says_the_same_twice():
    with Made(8) as machine:
        machine.tune("--apply")
        before = machine.drop_ins()
        machine.write(HUGE, "always within_size [advise] never deny")  # as the kernel has it now
        plan = machine.plan("--apply")
        assert machine.drop_ins() == before
        assert plan["huge pages"]["path"] == "" and f"interrupt {IRQ}" not in plan, plan


run(*(test for name, test in list(globals().items()) if name.startswith("test_")))
