"""Does a run that is killed again and again end with the same bytes as an undisturbed one?

The first lines of two real texts go through `jointalign run` with one thread, once undisturbed and
once killed with SIGKILL at random moments and started again each time.

    python studies/kills.py --data DATA --kills 10
"""

from __future__ import annotations

import argparse
import bz2
import hashlib
import json
import os
import platform
import random
import subprocess
import sys
import tempfile
import time
from itertools import islice
from pathlib import Path

from jointalign.storage.files import atomic
from jointalign.version import __version__

RESULTS = (
    "joint.safetensors",
    "choice.json",
    "reallocated.safetensors",
    "aligned.safetensors",
    "oversharing.json",
    "dictionary.tsv",
    "scores.json",
    "report.html",
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=os.environ.get("JOINTALIGN_DATA"))
    parser.add_argument("--lines", type=int, default=20_000)
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    moments = random.Random(options.seed)
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        command = prepared(options.data, options.lines, folder)
        begun = time.monotonic()
        subprocess.run([*command, str(folder / "undisturbed")], check=True, capture_output=True)
        undisturbed = time.monotonic() - begun
        killed = []
        for _ in range(options.kills):
            process = subprocess.Popen(
                [*command, str(folder / "disturbed")], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
            )
            moment = moments.uniform(2.0, undisturbed / 3)
            time.sleep(moment)
            alive = process.poll() is None
            process.kill()
            process.wait()
            stages = sorted(path.stem for path in (folder / "disturbed/stages").glob("*.json"))
            killed.append({"after_seconds": round(moment, 2), "alive": alive, "done": stages})
            sys.stderr.write(f"{killed[-1]}\n")
        subprocess.run([*command, str(folder / "disturbed")], check=True, capture_output=True)
        digests = {name: [digest(folder / run / name) for run in RUNS] for name in RESULTS}
    result = {
        "question": "Does a killed run end with the same bytes as an undisturbed one?",
        "command": f"python studies/kills.py --data DATA --lines {options.lines} "
        f"--kills {options.kills} --seed {options.seed}",
        "version": __version__,
        "machine": f"{platform.machine()}, {os.cpu_count()} cores",
        "undisturbed_seconds": round(undisturbed, 1),
        "kills": killed,
        "equal": {name: first == second for name, (first, second) in digests.items()},
    }
    with atomic(Path(__file__).parent / "results" / "kills.json", "w") as file:
        json.dump(result, file, indent=1)
        file.write("\n")
    sys.stdout.write(json.dumps(result["equal"], indent=1) + "\n")


RUNS = ("undisturbed", "disturbed")


def prepared(data: Path, lines: int, folder: Path) -> list[str]:
    """Cut the texts; returns the command, but for its last word, the folder."""
    options = []
    for side, language in (("source", "en"), ("target", "es")):
        path = folder / f"{language}.txt"
        with bz2.open(data / "mono" / f"novels.{language}.txt.bz2", "rt") as text:
            path.write_text("".join(islice(text, lines)))
        options += [f"--{side}", str(path), f"--{side}-language", language]
    lexicons = data / "lexicons"
    options += ["--lexicon", str(lexicons / "en-es.0-5000.txt")]
    options += ["--method", "rcsls"]
    options += ["--test", str(lexicons / "en-es.5000-6500.txt")]
    options += ["--dimensions", "50", "--threads", "1", "--checkpoint-seconds", "1"]
    return [sys.executable, "-m", "jointalign", "run", *options, "--out"]


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


if __name__ == "__main__":
    main()
