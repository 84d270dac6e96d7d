"""How long does aligning the words of a parallel text take, and how good is it?

Run with a text of `source ||| target` lines whose last lines have links by hand:

    python benchmarks/word_alignment.py TEXT GOLD

With the package systran-align installed (fast_align's bindings), that is measured, too.
"""

import importlib.util
import sys
import tempfile
import time
from pathlib import Path

from jointalign.word_alignment import (
    Links,
    ParallelText,
    align_text,
    alignment_error_rate,
    read_gold,
    read_parallel,
)


def ours(text):
    align_text(ParallelText.of([(["a"], ["b"])] * 2), threads=1)  # compile first
    begun = time.process_time()
    links = align_text(text, threads=1).links
    return list(links), time.process_time() - begun


def reference(text):
    import systran_align

    pairs = [(text.source[k], text.target[k]) for k in range(len(text))]
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


def main(path, gold_path):
    text, gold = read_parallel(path, tokenized=True), read_gold(gold_path)
    systems = {"jointalign": ours}
    if importlib.util.find_spec("systran_align"):
        systems["fast_align (systran-align)"] = reference
    for name, system in systems.items():
        links, seconds = system(text)
        score = alignment_error_rate(links[-len(gold) :], gold)
        print(f"{name}: {seconds:.1f} CPU s, {score}")


if __name__ == "__main__":
    main(*sys.argv[1:])
