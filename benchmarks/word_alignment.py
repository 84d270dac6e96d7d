"""How good is word alignment, and how long does it take?

    python benchmarks/word_alignment.py --data DATA [--sentences 3000,10000] [--seeds 3] [--out FILE]
    python benchmarks/word_alignment.py --data DATA --german [--seeds 3] [--out FILE]

Europarl, and the Hansards pairs that have links by hand, which are scored; or all pairs of English and
German there are, scored against links that come with them, which a program has made: the error rate
then says how much two programs differ, and not which of them errs. Beside ours, where they are found:
fast_align's bindings (the package systran-align), and the program eflomal-align. Seconds are of all
processors that a system used, means over the seeds, as are the error rates; each time in a process of
its own, which reads the text from a file, and whose largest memory is told.
"""

import argparse
import importlib.util
import resource
import shutil
import subprocess
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from itertools import islice
from multiprocessing import get_context
from pathlib import Path

import _machine
import numpy as np

from jointalign.corpora.tokenization import tokenizer
from jointalign.word_alignment import (
    BayesianAligner,
    Computation,
    DiagonalAligner,
    Gold,
    Links,
    ParallelText,
    align_text,
    alignment_error_rate,
    read_gold,
    read_links,
    symmetrize,
)
from jointalign.word_alignment.reading import Cutting, raw_pairs

JOINED = "grow-diag-final-and"


def read(folder, sentences):
    """So many pairs of Europarl, then those with links by hand; lower-cased."""
    cuts = tokenizer("en"), tokenizer("fr")
    files = [folder / f"europarl.en-fr/parallel30k.{code}.bz2" for code in ("en", "fr")]
    pairs = [(cuts[0](one), cuts[1](other)) for one, other in islice(raw_pairs(*files), sentences)]
    pairs = [pair for pair in pairs if all(0 < len(words) < 100 for words in pair)]
    for one, other in raw_pairs(folder / "gold.en-fr/enfr.src-tgt"):
        pairs.append((one.lower().split(), other.lower().split()))
    return pairs, read_gold(folder / "gold.en-fr/enfr.gold")


def german(folder, sentences=None):
    """So many pairs of English and German, and the links that a program has made of them."""
    files = [folder / f"europarl.en-de/comtrans.{side}.bz2" for side in ("e", "g")]
    pairs = [tuple(line.lower().split() for line in both) for both in raw_pairs(*files)]
    links = read_links(folder / "europarl.en-de/comtrans.a.bz2")
    made = Links.of([[(j, i) for i, j in one.tolist()] for one in links])
    usable = [k for k, pair in enumerate(pairs) if all(pair)][:sentences]
    kept = Links.of([made[k] for k in usable])
    return [pairs[k] for k in usable], Gold(kept, kept)


def ours(aligner, seed, folder):
    small = ParallelText.of([(["a"], ["b"])] * 2)
    align_text(small, aligner, computation=Computation(seed, 1))  # compile first
    begun = time.process_time()
    text = ParallelText.of(Cutting(tokenized=True).pairs(folder / "text"))
    found = align_text(text, aligner, computation=Computation(seed, 1))
    seconds = time.process_time() - begun
    both = symmetrize(text, found.forward.best, found.reverse.best, "intersect")
    return {JOINED: list(found.links), "intersect": list(both)}, seconds, peak(resource.RUSAGE_SELF)


def fast_align(seed, folder):
    """Its bindings join the directions in their own way alone, and draw nothing."""
    import systran_align

    lines, tables = folder / "text", [str(folder / way) for way in ("to", "from")]
    pairs = list(Cutting(tokenized=True).pairs(lines))
    begun = time.process_time()
    systran_align.generate_alignment_probabilities(
        str(lines), *tables, favor_diagonal=True, optimize_tension=True, variational_bayes=True
    )
    found = systran_align.Aligner(*tables).align_batch([a for a, _ in pairs], [b for _, b in pairs])
    seconds = time.process_time() - begun
    links = Links.of([one["alignments"] for one in found])
    return {JOINED: list(links)}, seconds, peak(resource.RUSAGE_SELF)


def eflomal(seed, folder):
    """It takes no seed."""
    pairs = list(Cutting(tokenized=True).pairs(folder / "text"))
    paths = [folder / name for name in ("source", "target", "forward", "reverse")]
    for path, side in zip(paths, zip(*pairs, strict=True), strict=False):
        path.write_text("".join(f"{' '.join(words)}\n" for words in side))
    flags = [part for flag, path in zip("stfr", paths, strict=True) for part in (f"-{flag}", path)]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(["eflomal-align", *flags, "--overwrite"], check=True, capture_output=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    text, ways = ParallelText.of(pairs), [read_links(path) for path in paths[2:]]
    best = generated(text.target, ways[0], 1), generated(text.source, ways[1], 0)
    joined = {how: list(symmetrize(text, *best, how)) for how in (JOINED, "intersect")}
    seconds = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return joined, seconds, peak(resource.RUSAGE_CHILDREN)


def peak(who):
    """Largest resident memory in MiB."""
    return resource.getrusage(who).ru_maxrss / 1024


def generated(side, links, column):
    """The other word of each generated token, -1 for none."""
    best = np.full(len(side.tokens), -1, np.int32)
    starts = np.repeat(side.starts[:-1], np.diff(links.starts))
    best[starts + links.pairs[:, column]] = links.pairs[:, 1 - column]
    return best


def measured(system, pairs, gold, seeds):
    """Error rates, seconds and memory, means over the seeds; the rates and seconds of each seed, too."""
    rates, seconds, memory = {}, [], []
    for seed in seeds:
        with tempfile.TemporaryDirectory() as folder, ProcessPoolExecutor(1, get_context("spawn")) as pool:
            lines = (f"{' '.join(a)} ||| {' '.join(b)}\n" for a, b in pairs)
            Path(folder, "text").write_text("".join(lines))
            links, spent, held = pool.submit(system, seed, Path(folder)).result()
        seconds.append(round(spent, 1))
        memory.append(held)
        for how, found in links.items():
            score = alignment_error_rate(found[-len(gold) :], gold)
            rates.setdefault(how, []).append(round(score.error_rate, 4))
    mean = {how: round(float(np.mean(each)), 4) for how, each in rates.items()}
    return {
        "error_rate": mean[JOINED],
        "means": mean,
        "by_seed": rates,
        "seconds": round(float(np.mean(seconds)), 1),
        "seconds_by_seed": seconds,
        "peak_memory_mb": round(max(memory)),
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--sentences", default="3000,10000,30000", help="of Europarl, with commas")
    parser.add_argument("--german", action="store_true", help="all pairs of English and German instead")
    parser.add_argument("--seeds", type=int, default=3, help="from --seed on")
    _machine.add_options(parser, "1,000 sentences, one seed")
    options = parser.parse_args()
    sizes = [1000] if options.quick else [int(size) for size in options.sentences.split(",")]
    seeds = range(options.seed, options.seed + (1 if options.quick else options.seeds))
    systems = {
        "bayes": (partial(ours, BayesianAligner()), seeds),
        "diagonal": (partial(ours, DiagonalAligner()), seeds[:1]),
    }
    if importlib.util.find_spec("systran_align") is not None:
        systems["fast_align"] = fast_align, seeds[:1]
    if shutil.which("eflomal-align"):
        systems["eflomal"] = eflomal, seeds
    grows = {}
    for size in sizes if options.quick or not options.german else [None]:
        pairs, gold = (german if options.german else read)(options.data / "parallel", size)
        grows[size or len(pairs)] = {
            name: measured(system, pairs, gold, each) for name, (system, each) in systems.items()
        }
    result = {
        "question": "How good is word alignment, and how long does it take?",
        "sentences": list(grows)[-1],
        "scores": list(grows.values())[-1],
        "grows": grows,
    }
    _machine.report(_machine.rounded(result), options)


if __name__ == "__main__":
    main()
