"""All of the attack suite, scenario by scenario: `python -m tests.attack`, or `make attack`."""

import sys

from tests.suite import Suite

SUITE = Suite("attack", minutes=60.0)

if __name__ == "__main__":
    sys.exit(SUITE.main())
