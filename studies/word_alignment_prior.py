"""Does a dictionary help word alignment of little text?

    python studies/word_alignment_prior.py --data DATA [--sentences 1000,10000] [--weights 1,10] [--out FILE]

Europarl and the Hansards pairs that have links by hand, which are scored; the dictionary is MUSE's training
dictionary of English and French, counted before the text as if each word had been seen so often with its
translations, which share this in equal parts.
"""

import argparse
import json
import sys
from collections import Counter
from pathlib import Path

import numpy as np

from jointalign import Lexicon
from jointalign.word_alignment import (
    BayesianAligner,
    Computation,
    ParallelText,
    alignment_error_rate,
    symmetrize,
)
from jointalign.word_alignment.counts import LinkCounts

sys.path.insert(0, str(Path(__file__).parent.parent / "benchmarks"))
from word_alignment import read  # noqa: E402

JOINED = ("grow-diag-final-and", "intersect")


def counted(lexicon, weight):
    """The dictionary as counts of links; none for a weight of 0."""
    if not weight:
        return None
    translations = Counter(source for source, _ in lexicon.pairs)
    shares = np.array([1 / translations[source] for source, _ in lexicon.pairs])
    return LinkCounts.of_dictionary(lexicon.pairs, shares, weight)


def error_rates(text, gold, prior, seed):
    """Of each way to join the directions."""
    ways = BayesianAligner().fit(text, Computation(seed, 1), prior).ways
    joined = {how: list(symmetrize(text, ways[0].best, ways[1].best, how))[-len(gold) :] for how in JOINED}
    return {how: round(alignment_error_rate(links, gold).error_rate, 4) for how, links in joined.items()}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--sentences", default="1000,10000,30000", help="of Europarl, with commas")
    parser.add_argument("--weights", default="1,10", help="what a word of the dictionary counts, with commas")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    lexicon = Lexicon.read(options.data / "lexicons/en-fr.0-5000.txt")
    found = {}
    for size in map(int, options.sentences.split(",")):
        pairs, gold = read(options.data / "parallel", size)
        text = ParallelText.of(pairs)
        for weight in (0.0, *map(float, options.weights.split(","))):
            rates = [error_rates(text, gold, counted(lexicon, weight), s) for s in range(options.seeds)]
            by_seed = {how: [rate[how] for rate in rates] for how in JOINED}
            found.setdefault(size, {})[weight] = {
                "means": {how: round(float(np.mean(each)), 4) for how, each in by_seed.items()},
                "by_seed": by_seed,
            }
            print(size, weight, json.dumps(found[size][weight]), flush=True)
    if options.out:
        options.out.write_text(
            json.dumps({"dictionary": len(lexicon), "error_rates": found}, indent=2) + "\n"
        )


if __name__ == "__main__":
    main()
