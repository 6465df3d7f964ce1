"""All of the fault suite, scenario by scenario: `python -m tests.fault`, or `make fault`."""

import sys

from tests.suite import Suite

SUITE = Suite(
    "fault",
    minutes=60.0,
    columns=("kills", "least kills of a kind", "recovery max s", "lost", "doubled", "violations", "ok"),
)

if __name__ == "__main__":
    sys.exit(SUITE.main())
