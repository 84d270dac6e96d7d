"""Do words in their sentences find their translations better after the maps, at every layer?

For each method one reading of the parallel text, on the same held-out pairs of words: the share
that is nearest, by cosine and by CSLS, before and after.

    python studies/layers.py --encoder mini --source text.en --target text.de --pair en-de
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shlex
import sys
import time
from dataclasses import asdict
from pathlib import Path

import numpy as np

from jointalign.contextual import (
    Encoder,
    MappingSettings,
    Solution,
    learn_mappings,
    read_aligned_text,
    torch_threads,
)
from jointalign.numerics.processors import limited_to
from jointalign.storage.files import atomic
from jointalign.version import __version__


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--encoder", required=True)
    parser.add_argument("--source", type=Path, required=True, help="cut into words at white space")
    parser.add_argument("--target", type=Path, required=True)
    parser.add_argument("--pair", required=True, help="e.g. en-de")
    parser.add_argument("--sentences", type=int, default=30_000)
    parser.add_argument("--held-out", type=int, default=2_000)
    parser.add_argument("--methods", default=",".join(Solution))
    parser.add_argument("--note", default="", help="what the encoder and the text are")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    with torch_threads(options.threads), limited_to(options.threads):
        result = study(options)
    path = Path(__file__).parent / "results" / f"layers.{options.pair}.json"
    with atomic(path, "w") as file:
        json.dump(result, file, indent=1)
        file.write("\n")
    sys.stdout.write(markdown(result) + "\n")


def study(options: argparse.Namespace) -> dict:
    languages = tuple(options.pair.split("-"))
    encoder = Encoder.load(options.encoder, local_only=True)
    layers = tuple(range(encoder.layers + 1))
    text, left_out = read_aligned_text(
        [options.source, options.target],
        None,
        languages,
        tokenized=True,
        most=options.sentences,
        threads=options.threads,
    )
    rows = []
    for method in options.methods.split(","):
        settings = MappingSettings(layers, Solution(method), held_out=options.held_out)
        begun = time.process_time()
        learnt = learn_mappings(encoder, text, settings, languages=languages, seed=options.seed)
        rows.append(
            {
                "method": method,
                "pairs": learnt.pairs,
                "sentences": learnt.sentences,
                "cpu_seconds": round(time.process_time() - begun, 1),
                "layers": [asdict(score) for score in learnt.scores],
            }
        )
        sys.stderr.write(f"{method}: {rows[-1]['cpu_seconds']} CPU seconds\n")
    return {
        "question": "Do words in their sentences find their translations better after the maps?",
        "command": "python studies/layers.py " + shlex.join(without_folders(sys.argv[1:])),
        "note": options.note,
        "encoder": {"layers": encoder.layers, "dimensions": encoder.dimensions, "identity": encoder.identity},
        "pair": options.pair,
        "sentence_pairs": len(text.sources),
        "left_out": left_out,
        "seed": options.seed,
        "version": __version__,
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, Python "
        f"{platform.python_version()}, NumPy {np.__version__}",
        "rows": rows,
    }


def without_folders(words: list[str]) -> list[str]:
    """Where somebody keeps files is nobody else's business."""
    return [Path(word).name if "/" in word else word for word in words]


def markdown(result: dict) -> str:
    layers = [score["layer"] for score in result["rows"][0]["layers"]]
    lines = ["| | " + " | ".join(map(str, layers)) + " |", "|---" * (len(layers) + 1) + "|"]
    for kind, before in (("CSLS", "before"), ("cosine", "nearest_before")):
        after = before.replace("before", "after")
        scores = result["rows"][0]["layers"]
        lines.append(f"| {kind}, before | " + " | ".join(f"{s[before]:.1f}" for s in scores) + " |")
        for row in result["rows"]:
            cells = " | ".join(f"{score[after]:.1f}" for score in row["layers"])
            lines.append(f"| {kind}, {row['method']} | {cells} |")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
