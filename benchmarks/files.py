"""How fast are files of vectors read and written?

    python benchmarks/files.py                            200,000 words of 300 dimensions
    python benchmarks/files.py --vectors en.safetensors   the first words of a real embedding

`ours` and `reference` are seconds to read a `.vec` file, by `jointalign.read` and by gensim's
`load_word2vec_format`. `write` and `write_reference` are seconds to write it, by `jointalign.write`
and by a loop that formats each number with five decimals, as MUSE's export does. `open_ms` is how
long it takes to open the native file and look up a word's vector. `ceiling` is the seconds that
reading the bytes of the file takes. `equal` says that the two readers find the same words, and the
same numbers to the last bit. Four sizes, each twice the one before.
"""

import argparse
import sys
import tempfile
from pathlib import Path

import _machine
import numpy as np
from _machine import rounded, timed

import jointalign as ja


def random_embedding(words, dimensions, seed):
    """Numbers of the size that trained vectors have, and spellings of all lengths."""
    rng = np.random.default_rng(seed)
    vectors = rng.standard_normal((words, dimensions), dtype=np.float32) * np.float32(0.3)
    letters = rng.integers(97, 123, (words, 12)).astype(np.uint8).tobytes().decode()
    lengths = rng.integers(1, 12, words)
    spelt = (f"{letters[12 * i : 12 * i + lengths[i]]}{i}" for i in range(words))
    counts = np.arange(words, 0, -1)
    return ja.Embedding(ja.Vocabulary(tuple(spelt), counts), vectors)


def write_by_loop(embedding, path):
    with path.open("w", encoding="utf-8") as file:
        file.write(f"{len(embedding)} {embedding.dimensions}\n")
        for word, vector in zip(embedding.words, embedding.vectors, strict=True):
            file.write(f"{word} {' '.join(f'{value:.5f}' for value in vector)}\n")


def measure(embedding, folder):
    from gensim.models import KeyedVectors

    text, native, loop = (folder / name for name in ("ours.vec", "ours.safetensors", "loop.vec"))
    _, write, write_cpu = timed(lambda: ja.write(embedding, text))
    _, native_write, _ = timed(lambda: ja.write(embedding, native))
    _, ceiling, _ = timed(text.read_bytes)
    found, ours, ours_cpu = timed(lambda: ja.read(text))
    word = embedding.words[-1]
    vector, opened, _ = timed(lambda: ja.read(native).vector(word).copy())
    peak = _machine.peak_memory_mb()  # before the references take more
    _, loop_write, loop_write_cpu = timed(lambda: write_by_loop(embedding, loop))
    theirs, reference, reference_cpu = timed(lambda: KeyedVectors.load_word2vec_format(str(text)))
    equal = (
        list(found.words) == theirs.index_to_key
        and np.array_equal(found.vectors, theirs.vectors)
        and np.array_equal(vector, embedding.vectors[-1])
        and np.allclose(found.vectors, embedding.vectors, rtol=1e-4, atol=1e-6)
    )
    return rounded(
        {
            "words": len(embedding),
            "ours": ours,
            "reference": reference,
            "ratio": reference / ours,
            "ceiling": ceiling,
            "peak_memory_mb": peak,
            "equal": equal,
            "ours_cpu": ours_cpu,
            "reference_cpu": reference_cpu,
            "ratio_cpu": reference_cpu / ours_cpu,
            "write": write,
            "write_reference": loop_write,
            "write_ratio": loop_write / write,
            "write_cpu": write_cpu,
            "write_reference_cpu": loop_write_cpu,
            "write_ratio_cpu": loop_write_cpu / write_cpu,
            "native_write": native_write,
            "open_ms": 1000 * opened,
            "text_mb": text.stat().st_size / 1e6,
        }
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--vectors", type=Path, help="an embedding; default: random numbers")
    parser.add_argument("--words", type=int, default=200_000)
    parser.add_argument("--dimensions", type=int, default=300, help="of random numbers")
    _machine.add_options(parser, "40,000 words")
    arguments = parser.parse_args()
    words = min(arguments.words, 40_000) if arguments.quick else arguments.words
    whole = (
        ja.read(arguments.vectors).first(words)
        if arguments.vectors
        else random_embedding(words, arguments.dimensions, arguments.seed)
    )
    growth = []
    with tempfile.TemporaryDirectory() as folder:
        ja.write(whole.first(100), Path(folder, "small.vec"))  # compiled before the clock starts
        ja.read(Path(folder, "small.vec"))
        for share in (8, 4, 2, 1):
            growth.append(measure(whole.first(len(whole) // share), Path(folder)))
            print(growth[-1], file=sys.stderr)
    vectors = {"vectors": "real" if arguments.vectors else "random"}
    _machine.report(growth[-1] | vectors | {"growth": growth}, arguments)


if __name__ == "__main__":
    main()
