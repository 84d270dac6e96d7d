"""Draw Figure 1 of the paper from the vectors that `alignment.py` has trained.

python studies/figure1.py --data DATA --pair en-es --study runs/study
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from alignment import CORPORA
from jointalign import EncodedCorpus, Lexicon, read, read_bilingual, reallocate
from jointalign.plots import default_pairs, figure_one


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--pair", choices=CORPORA, default="en-es")
    parser.add_argument("--study", type=Path, required=True)
    options = parser.parse_args()
    languages, corpus = options.pair.split("-"), CORPORA[options.pair]
    joint = read(options.study / f"{corpus}.{'+'.join(languages)}.seed0.safetensors")
    counts = [EncodedCorpus.open(options.study / f"{corpus}.{x}").counts for x in languages]
    whole = reallocate(joint, *counts, 1.0, *languages)
    split, aligned = (
        read_bilingual(options.study / f"{options.pair}.seed0.{step}.safetensors")
        for step in ("reallocated", "aligned")
    )
    lexicon = Lexicon.read(options.data / "lexicons" / f"{options.pair}.0-5000.txt")
    pairs = default_pairs(whole, split, lexicon)
    path = Path(__file__).parent / "results" / f"figure1.{options.pair}.png"
    figure_one(whole, split, aligned, pairs, path)
    sys.stdout.write(f"{path.name}: {', '.join(map(' - '.join, pairs))}\n")


if __name__ == "__main__":
    main()
