"""Run the benchmarks: `python -m tests.bench [name ...]`; all of them without a name.

Each prints medians of five and, where there is something to compare with, the ratio to it from the same run: machines
differ and are shared, ratios travel. None of this is a test.
"""

import runpy
import sys
from pathlib import Path

NAMES = sorted(path.stem for path in Path(__file__).parent.glob("[a-z]*.py"))


def main() -> int:
    """Run what was named; 2 when there is no such benchmark."""
    unknown = [name for name in sys.argv[1:] if name not in NAMES]
    if unknown:
        print(f"No benchmark {', '.join(unknown)}. There are: {', '.join(NAMES)}", file=sys.stderr)
        return 2
    for name in sys.argv[1:] or NAMES:
        print(f"== {name}", flush=True)
        sys.argv = [name]
        runpy.run_module(f"tests.bench.{name}", run_name="__main__")
    return 0


if __name__ == "__main__":
    sys.exit(main())
