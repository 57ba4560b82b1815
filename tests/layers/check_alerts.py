#!/usr/bin/env python3
"""Holds alerts, runbook and dashboard together.

usage: check_alerts.py SOURCE_ROOT

  1. Every alert of deploy/prometheus has a page docs/runbook/NAME.md, every page Ringside*.md an alert, and the alert
     links to it.
  2. Every page has the headings that somebody woken at night looks for, each with something under it. The other pages
     are procedures: each was run once and says when, or names tests that are there and have what it quotes of them.
  3. Every alert has a severity and sentences, is made to fire by tests/deploy/alerts*.yml, and above it stands why its
     threshold is what it is.
  4. Every metric that rules and dashboard name is one that the exchange has: in a table of common/metrics/values.h, or
     told by the monitor itself.
"""
import glob
import json
import os
import re
import sys

HEADINGS = ("## Meaning", "## Look here", "## Do", "## Do not", "## Over when")
PROCEDURE_HEADINGS = ("## When", "## Do", "## Do not", "## Over when", "## Tried by")
PROCEDURES_MIN = 8  # start and stop, crash, disk, segment, database, restore, upgrade, capacity
ALERT = re.compile(r"^( +#.*\n)?      - alert: (\w+)\n((?:        .*\n|\n(?=        ))*)", re.M)


def read(*path):
    with open(os.path.join(*path)) as file:
        return file.read()


def check_alert(name, why, body, tests):
    if not why:
        yield f"{name}: no comment above says why its threshold is what it is"
    if f"runbook_url: docs/runbook/{name}.md\n" not in body:
        yield f"{name}: runbook_url does not lead to its page"
    for needed in ("severity:", "summary:", "description:", "expr:"):
        if needed not in body:
            yield f"{name}: no {needed[:-1]}"
    if not re.search(rf"alertname: {name}\n +exp_alerts:\n +- exp_labels:", tests):
        yield f"{name}: tests/deploy/alerts*.yml do not make it fire"


def check_page(path, headings):
    text = read(path)
    name = os.path.basename(path)[:-3]
    if not text.startswith(f"# {name}\n"):
        yield f"{path}: does not begin with its name"
    found = re.findall(r"^(## .*)\n\n(\S.*)", text, re.M)
    if tuple(heading for heading, _ in found) != headings:
        yield f"{path}: its headings are not {', '.join(headings)}, each with something under it"


def check_tries(root, path):
    """Who tried it: `tests/...`, with the names of test functions in quotes behind it; or a date."""
    lines = read(path).split("## Tried by\n")[-1].strip().splitlines()
    for line in lines:
        programs = re.findall(r"`(tests/[\w/.-]+)`", line)
        if not programs and not re.search(r"run on \d{4}-\d\d-\d\d", line):
            yield f"{path}: '{line}' names neither a test nor a day"
        for program in programs:
            if not os.path.isfile(os.path.join(root, program)):
                yield f"{path}: {program} is not there"
                continue
            text = read(root, program)
            for test in re.findall(r'"([^"]+)"', line):
                if f"def test_{test.replace(' ', '_')}(" not in text:
                    yield f"{path}: {program} has no test '{test}'"


def check_names(root, rules):
    known = "".join(read(path) for path in glob.glob(os.path.join(root, "common", "metrics", "*.h")))
    known += read(root, "perf", "monitor", "prometheus.c")
    known = set(re.findall(r'"(ringside_\w+)"', known)) | set(re.findall(r'"(ringside_\w+)\{', known))
    expressions = re.findall(r"expr: (.*(?:\n          .*)*)", rules)
    dashboard = json.loads(read(root, "deploy", "grafana", "ringside.json"))
    for panel in dashboard["panels"]:
        expressions += [target["expr"] for target in panel.get("targets", ())]
    used = {name for expression in expressions for name in re.findall(r"\bringside_\w+", expression)}
    assert len(used) > 20, f"only {len(used)} metrics are used: the reading of the rules is wrong"
    for name in sorted(used):
        if re.sub(r"_(bucket|sum|count)$", "", name) not in known and name not in known:
            yield f"{name} is used by a rule or the dashboard, but nobody tells it"


def main():
    root = sys.argv[1]
    rules = "".join(read(path) for path in sorted(glob.glob(os.path.join(root, "deploy", "prometheus", "*.rules.yml"))))
    tests = "".join(read(path) for path in glob.glob(os.path.join(root, "tests", "deploy", "alerts*.yml")))
    alerts = ALERT.findall(rules)
    names = [name for _, name, _ in alerts]
    runbook = sorted(glob.glob(os.path.join(root, "docs", "runbook", "*.md")))
    pages = [path for path in runbook if os.path.basename(path).startswith("Ringside")]
    procedures = [path for path in runbook if path not in pages]
    wrong = []
    if len(alerts) < 10 or len(set(names)) != rules.count("- alert:"):
        wrong.append(f"{len(set(names))} different alerts are read of {rules.count('- alert:')}")
    for why, name, body in alerts:
        wrong += check_alert(name, why, body, tests)
    paged = {os.path.basename(path)[:-3] for path in pages}
    wrong += [f"{name}: there is no docs/runbook/{name}.md" for name in sorted(set(names) - paged)]
    wrong += [f"docs/runbook/{name}.md: there is no such alert" for name in sorted(paged - set(names))]
    for path in pages:
        wrong += check_page(path, HEADINGS)
    if len(procedures) < PROCEDURES_MIN:
        wrong.append(f"{len(procedures)} procedures, not {PROCEDURES_MIN} at least")
    for path in procedures:
        wrong += check_page(path, PROCEDURE_HEADINGS)
        wrong += check_tries(root, path)
    wrong += check_names(root, rules)
    print(f"{len(alerts)} alerts, {len(pages)} pages, {len(procedures)} procedures, {len(wrong)} differences")
    for line in wrong:
        print("  " + line)
    return 1 if wrong else 0


sys.exit(main())
