#!/usr/bin/env python3
"""Adds up what meson's test logs say, and prints the lines that tests/run ends with.

usage: summarize.py [--skips FILE] TESTLOG.JSON...

A test that speaks TAP counts by its points, another one as one. Failures and skips are named. With --skips, a skip that
no line of FILE (name: reason) allows counts as a failure. Under a failure is what its test said of it. The last
line is `N passed, N failed[, N skipped]`; the exit code is 0 if something passed and nothing failed.
"""
import argparse
import json
import re
import sys

POINT = re.compile(r"^(ok|not ok)\b(?:\s+\d+)?(?:\s*-\s*)?(.*?)\s*(?:#\s*(SKIP|TODO)\b\s*(.*))?$", re.I | re.M)
SAID_LINES_MAX = 60
PLAN_SKIP = re.compile(r"^1\.\.0\s*#\s*SKIP\S*\s*(.*)$", re.I | re.M)


def said(test, output):
    """The last lines of what a test wrote there and as errors, indented."""
    lines = output.splitlines() + test.get("stderr", "").splitlines()
    return "".join(f"\n    {line}" for line in lines[-SAID_LINES_MAX:])


def said_of_points(output):
    """(verdict, name, directive, why) of each point, and what the test wrote between it and the next one."""
    matches = list(POINT.finditer(output))
    ends = [match.start() for match in matches[1:]] + [len(output)]
    return [(match.groups(), output[match.end():end].strip("\n")) for match, end in zip(matches, ends)]


def points(test):
    """(state, name, why) of everything one test of the log says; state is passed, failed or skipped."""
    name, output = test["name"].split(":")[-1].strip(), test.get("stdout", "")
    result = test["result"]
    found = []
    if output.startswith("TAP version") or re.search(r"^1\.\.\d+", output, re.M):
        for (verdict, point, directive, why), words in said_of_points(output):
            if (directive or "").upper() == "SKIP":
                found.append(("skipped", f"{name}: {point}", why))
            elif verdict.lower() == "ok":
                found.append(("passed", f"{name}: {point}", ""))
            else:
                found.append(("failed", f"{name}: {point}", said(test, words)))
    if result == "SKIP" and not found:
        reason = PLAN_SKIP.search(output)
        return [("skipped", name, reason[1] if reason else output.strip().splitlines()[-1] if output.strip() else "")]
    if result in ("OK", "EXPECTEDFAIL", "SKIP"):
        return found or [("passed", name, "")]
    # A test that broke off, ran out of time or failed without saying where is a failure of its own.
    if not any(state == "failed" for state, _, _ in found):
        found.append(("failed", name, result.lower() + said(test, output)))
    return found


def allowed_skips(path):
    lines = (line.split("#")[0].strip() for line in open(path)) if path else ()
    return [tuple(part.strip() for part in line.split(":", 1)) for line in lines if line]


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--skips")
    arguments.add_argument("logs", nargs="+")
    options = arguments.parse_args()
    skips = allowed_skips(options.skips)
    count = {"passed": 0, "failed": 0, "skipped": 0}
    for log in options.logs:
        for line in open(log):
            for state, name, why in points(json.loads(line)):
                if state == "skipped" and options.skips and not any(re.match(test, name) for test, _ in skips):
                    state, why = "failed", f"skipped, which is not allowed here: {why}"
                count[state] += 1
                if state != "passed":
                    print(f"{state}: {name}{': ' + why if why else ''}")
    if count["skipped"]:
        print(f"{count['skipped']} skipped")
    print(f"{count['passed']} passed, {count['failed']} failed")
    return 1 if count["failed"] or not count["passed"] else 0


sys.exit(main())
