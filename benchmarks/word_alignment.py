"""How long does aligning the words of a parallel text take, and how good is it?

    python benchmarks/word_alignment.py --data DATA [--sentences 30000] [--out FILE]

Europarl, and the Hansards pairs that have links by hand, which are scored. With the package
systran-align installed (fast_align's bindings), that is measured, too. One thread, processor time.
"""

import argparse
import importlib.util
import tempfile
import time
from itertools import islice
from pathlib import Path

import _machine

from jointalign.corpora.tokenization import tokenizer
from jointalign.word_alignment import Links, ParallelText, align_text, alignment_error_rate, read_gold
from jointalign.word_alignment.reading import raw_pairs


def read(folder, sentences):
    """So many pairs of Europarl, then those with links by hand; lower-cased."""
    cuts = tokenizer("en"), tokenizer("fr")
    files = [folder / f"europarl.en-fr/parallel30k.{code}.bz2" for code in ("en", "fr")]
    pairs = [(cuts[0](one), cuts[1](other)) for one, other in islice(raw_pairs(*files), sentences)]
    pairs = [pair for pair in pairs if all(0 < len(words) < 100 for words in pair)]
    for one, other in raw_pairs(folder / "gold.en-fr/enfr.src-tgt"):
        pairs.append((one.lower().split(), other.lower().split()))
    return pairs, read_gold(folder / "gold.en-fr/enfr.gold")


def ours(pairs):
    align_text(ParallelText.of([(["a"], ["b"])] * 2), threads=1)  # compile first
    text = ParallelText.of(pairs)
    begun = time.process_time()
    links = align_text(text, threads=1).links
    return list(links), time.process_time() - begun


def reference(pairs):
    import systran_align

    with tempfile.TemporaryDirectory() as folder:
        lines, tables = Path(folder, "text"), [str(Path(folder, way)) for way in ("to", "from")]
        lines.write_text("".join(f"{' '.join(a)} ||| {' '.join(b)}\n" for a, b in pairs))
        begun = time.process_time()
        systran_align.generate_alignment_probabilities(
            str(lines), *tables, favor_diagonal=True, optimize_tension=True, variational_bayes=True
        )
        aligner = systran_align.Aligner(*tables)
        found = aligner.align_batch([a for a, _ in pairs], [b for _, b in pairs])
        seconds = time.process_time() - begun
    return list(Links.of([one["alignments"] for one in found])), seconds


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--sentences", type=int, default=30_000)
    _machine.add_options(parser, "2,000 sentences")
    options = parser.parse_args()
    sentences = 2_000 if options.quick else options.sentences
    pairs, gold = read(options.data / "parallel", sentences)
    has_reference = importlib.util.find_spec("systran_align") is not None
    seconds, scores = {"ours": None, "reference": None}, {}
    for name, system in (("ours", ours), ("reference", reference)):
        if name == "ours" or has_reference:
            links, seconds[name] = system(pairs)
            score = alignment_error_rate(links[-len(gold) :], gold)
            scores[name] = score.to_json()
    result = _machine.rounded(
        {
            "question": "How long does aligning the words of a parallel text take?",
            "sentences": len(pairs),
            **seconds,
            "ratio": seconds["reference"] / seconds["ours"] if has_reference else None,
            "scores": scores,
            "peak_memory_mb": _machine.peak_memory_mb(),
        }
    )
    _machine.report(result, options)


if __name__ == "__main__":
    main()
