"""Damaged files of every kind, read and used: how many are accepted, refused, and end in a fault.

python studies/fuzz.py --count 5000 --out studies/results/fuzz.json [NAME ...]
"""

from __future__ import annotations

import argparse
import json
import logging
import resource
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from fuzzing import TARGETS, fuzzed

_MEMORY = 16 << 30


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", help=f"of {', '.join(TARGETS)}; default: all")
    parser.add_argument("--count", type=int, default=5000)
    parser.add_argument("--seconds", type=float, default=1e9, help="at most so long for each")
    parser.add_argument("--out", type=Path, help="JSON of the counts; those of other names there stay")
    options = parser.parse_args()
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
    logging.getLogger("jointalign").setLevel(logging.ERROR)
    found = json.loads(options.out.read_text()) if options.out and options.out.exists() else {}
    for name in options.names or TARGETS:
        begun, done, total, told = time.monotonic(), 0, {"accepted": 0, "refused": 0}, 0
        while done < options.count and time.monotonic() - begun < options.seconds:
            step = min(250, options.count - done)
            with tempfile.TemporaryDirectory() as folder:
                outcomes, faults = fuzzed(name, step, Path(folder), seed=10_000 + done)
            done += step
            for outcome, count in outcomes.items():
                total[outcome] += count
            told += len(faults)
            for fault in faults[:3]:
                print(fault, file=sys.stderr)
        found[name] = {"files": done, **total, "faults": told}
        print(name, found[name], flush=True)
        if options.out:
            options.out.write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()
