"""A test program in Python: functions in order, each a TAP point, with what went wrong as its diagnosis."""

import sys
import time
import traceback


class Skip(Exception):
    """Raised by a test that cannot run here, with the reason."""


def run(*tests, on_failure=None):
    """Runs the tests in order; what one of them leaves behind is there for the next. Exits with 1 if one failed."""
    print("TAP version 13")
    print(f"1..{len(tests)}")
    failed = False
    for number, test in enumerate(tests, 1):
        name = test.__name__.removeprefix("test_").replace("_", " ")
        started = time.monotonic()
        try:
            test()
            print(f"ok {number} - {name}")
        except Skip as skip:
            print(f"ok {number} - {name} # SKIP {skip}")
        except Exception:
            failed = True
            print(f"not ok {number} - {name}")
            for line in traceback.format_exc().splitlines():
                print(f"# {line}")
            if on_failure:
                for line in on_failure().splitlines():
                    print(f"# {line}")
        print(f"# {time.monotonic() - started:.1f} s", flush=True)
    sys.exit(1 if failed else 0)


def eventually(condition, timeout_s=30.0, what="a condition", every_s=0.05):
    """Waits until condition() is true (or returns something true), and returns it."""
    deadline = time.monotonic() + timeout_s
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"{what} did not come true within {timeout_s:g} s; last seen: {value!r}")
        time.sleep(every_s)
