"""How many words a CPU-second does joint training read, beside fastText and gensim?

    pip install fasttext-numpy2 gensim
    python benchmarks/training.py --source en.txt --target es.txt

Skip-gram with subwords, 300 dimensions, 5 noise words, n-grams of 3 to 6 letters, on the same two
texts joined; words read over all epochs by CPU-second (user and system), and by second of the
clock. Every training runs in a process of its own, so that peak memory is its own; reading and
counting the text is part of it, compiling is not. fastText runs with 12 threads: with fewer than 11
it leaves part of its input matrix without initial values. Without texts, random words.
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
from pathlib import Path
from time import perf_counter

import _machine
import numpy as np

REFERENCES = ("fasttext", "gensim")


def cpu():
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def train_ours(paths, threads, epochs):
    import jointalign as ja

    with tempfile.TemporaryDirectory() as folder:
        tiny = Path(folder) / "tiny.txt"
        tiny.write_text("some words to compile the loops with\n" * 20)
        ja.SkipGram(epochs=1).fit(ja.Corpus(tiny, tokenized=True), threads=threads)
    corpora = [ja.Corpus(path, path.stem, tokenized=True) for path in paths]
    trainer = ja.SkipGram(epochs=epochs, balance="none", noise="joint")
    return lambda: trainer.fit(corpora, threads=threads)


def train_fasttext(paths, threads, epochs):
    import fasttext

    joined = paths[0].parent / "joined.txt"
    return lambda: fasttext.train_unsupervised(
        str(joined), model="skipgram", dim=300, epoch=epochs, thread=threads, verbose=0
    )


def train_gensim(paths, threads, epochs):
    from gensim.models import FastText

    joined = paths[0].parent / "joined.txt"
    return lambda: FastText(
        corpus_file=str(joined),
        sg=1,
        vector_size=300,
        negative=5,
        min_n=3,
        max_n=6,
        window=5,
        sample=1e-4,
        ns_exponent=0.5,
        alpha=0.05,
        bucket=2_000_000,
        epochs=epochs,
        workers=threads,
    )


TRAININGS = {"ours": train_ours, "fasttext": train_fasttext, "gensim": train_gensim}


def worker(name, paths, threads, epochs):
    """Train, and print seconds and memory as JSON."""
    work = TRAININGS[name](paths, threads, epochs)
    wall, processor = perf_counter(), cpu()
    work()
    facts = {"wall": perf_counter() - wall, "cpu": cpu() - processor}
    print(json.dumps(facts | {"peak_memory_mb": _machine.peak_memory_mb()}))


def measure(name, paths, words, threads, epochs):
    command = [sys.executable, __file__, "--worker", name, "--threads", str(threads)]
    command += ["--epochs", str(epochs), *(str(path) for path in paths)]
    output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    facts = json.loads(output.splitlines()[-1])
    read = words * epochs
    return {
        "trainer": name,
        "threads": threads,
        "words": words,
        "epochs": epochs,
        "words_per_cpu_second": round(read / facts["cpu"]),
        "words_per_second": round(read / facts["wall"]),
        **{key: round(value, 1) for key, value in facts.items()},
    }


def prepare(sources, tokens, folder):
    """The first tokens of each text, one file a language and one of both; and how many."""
    folder.mkdir()
    paths = [folder / f"{name}.txt" for name in ("en", "es")]
    total = 0
    for number, path in enumerate(paths):
        seen = 0
        with path.open("w") as file:
            for line in lines_of(sources[number] if sources else None, tokens, number):
                file.write(" ".join(line) + "\n")
                seen += len(line)
                if seen >= tokens:
                    break
        total += seen
    lines = [line for path in paths for line in path.open()]
    np.random.default_rng(0).shuffle(lines)
    (folder / "joined.txt").write_text("".join(lines))
    return paths, total


def lines_of(source, tokens, seed):
    if source:
        import jointalign as ja

        yield from ja.Corpus(source).lines()
        return
    rng = np.random.default_rng(seed)
    letters = np.array(list("abcdefghijklmnopqrstuvwxyz"))
    words = ["".join(rng.choice(letters, rng.integers(2, 10))) for _ in range(30_000)]
    chances = 1 / np.arange(10, 30_010)
    drawn = rng.choice(words, 2 * tokens, p=chances / chances.sum())
    yield from (drawn[start : start + 20].tolist() for start in range(0, len(drawn), 20))


def ceiling():
    """Words a CPU-second if nothing but the products of a group cost time, at the matrix rate.

    For eight centres at the mean reach of 3: 14 words around, 33 noise words and one row to fill
    up, each in three products with 8 lanes of 304 numbers; of 100 words read about 66 are centres.
    """
    operations = 3 * 2 * 48 * 304
    rate = _machine.sgemm_rate() / _machine.usable_processors() * 1e9
    return {"words_per_cpu_second": round(rate / operations / 0.66)}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--source", type=Path)
    parser.add_argument("--target", type=Path)
    parser.add_argument("--tokens", type=int, default=4_000_000, help="of each text, at most")
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--json", action="store_true", help="one JSON object and nothing else")
    parser.add_argument("--quick", action="store_true", help="under two minutes")
    parser.add_argument("--worker", choices=TRAININGS, help=argparse.SUPPRESS)
    parser.add_argument("--threads", type=int, default=1, help=argparse.SUPPRESS)
    parser.add_argument("paths", nargs="*", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.worker:
        worker(arguments.worker, arguments.paths, arguments.threads, arguments.epochs)
        return
    if bool(arguments.source) != bool(arguments.target):
        parser.error("--source and --target go together")
    sources = [arguments.source, arguments.target] if arguments.source else None
    tokens, epochs = arguments.tokens, arguments.epochs
    if arguments.quick:
        tokens, epochs = min(tokens, 200_000), min(epochs, 2)
    rows = []
    with tempfile.TemporaryDirectory() as temporary:
        for share in (8, 4, 2, 1):
            paths, words = prepare(sources, tokens // share, Path(temporary) / str(share))
            runs = [("ours", 1)]
            if share == 1:
                runs += [("ours", 2), ("fasttext", 12), ("gensim", 1)]
            for name, threads in runs:
                rows.append(measure(name, paths, words, threads, epochs))
                print(rows[-1], file=sys.stderr)
    by_name = {(row["trainer"], row["threads"]): row for row in rows}
    ours, fasttext = by_name["ours", 1], by_name["fasttext", 12]
    report = {
        "unit": "words read a CPU-second",
        "ours": ours["words_per_cpu_second"],
        "ours_two_threads": by_name["ours", 2]["words_per_cpu_second"],
        "reference": fasttext["words_per_cpu_second"],
        "gensim": by_name["gensim", 1]["words_per_cpu_second"],
        "ratio": ours["words_per_cpu_second"] / fasttext["words_per_cpu_second"],
        "ratio_two_threads": by_name["ours", 2]["words_per_cpu_second"] / fasttext["words_per_cpu_second"],
        "ceiling": ceiling()["words_per_cpu_second"],
        "peak_memory_mb": ours["peak_memory_mb"],
        "reference_peak_memory_mb": fasttext["peak_memory_mb"],
        "text": "real" if sources else "random words",
        "machine": _machine.facts(),
        "rows": rows,
    }
    print(json.dumps(report, indent=None if arguments.json else 2))


if __name__ == "__main__":
    main()
