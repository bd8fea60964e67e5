"""Run every benchmark, or those named: ``python -m benchmarks [turn overhead ...]``."""

import importlib
import sys

NAMES = ("turn", "overhead", "appraisal", "scoring", "retrieval", "startup")


def main() -> int:
    wanted = sys.argv[1:] or NAMES
    unknown = [name for name in wanted if name not in NAMES]
    if unknown:
        print(f"There is no benchmark called {', '.join(unknown)}. Known: {', '.join(NAMES)}.", file=sys.stderr)
        return 2
    for name in wanted:
        print(f"== {name}", flush=True)
        importlib.import_module(f"benchmarks.{name}").main()
    return 0


if __name__ == "__main__":
    sys.exit(main())
