"""Do static models find the translation of a sentence, and which weights of words are best?

For each pair a joint training on the first tokens of both texts, reallocation at gamma 0.9, VecMap
with the training dictionary, and `convert --to static`. The folder is opened by
`sentence-transformers`. Each of 2,000 Europarl sentences is searched among those of the other
language, by cosine and by CSLS.

    pip install sentence-transformers
    python studies/sentences.py --data DATA --tokens 3000000 --seeds 2
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import tempfile
from pathlib import Path

import numpy as np
from sentence_transformers import SentenceTransformer

from jointalign import BilingualEmbedding, Corpus, Lexicon, SkipGram, VecMap, align, mine, reallocate
from jointalign.formats import static
from jointalign.retrieval.api import neighbours
from jointalign.storage.files import atomic, read_lines
from jointalign.version import __version__

PAIRS = {
    "en-es": ("novels", "europarl.en-es/test.en-es.en", "europarl.en-es/test.en-es.es"),
    "en-de": ("novels", "europarl.en-de/comtrans.e.bz2", "europarl.en-de/comtrans.g.bz2"),
    "en-fr": ("europarl", "europarl.en-fr/parallel30k.en.bz2", "europarl.en-fr/parallel30k.fr.bz2"),
}
SENTENCES = 2000


def first_tokens(path: Path, language: str, tokens: int, folder: Path) -> Corpus:
    shortened, seen = folder / f"{language}.txt", 0
    with shortened.open("w", encoding="utf-8") as file:
        for line in Corpus(path, language).lines():
            file.write(" ".join(line) + "\n")
            seen += len(line)
            if seen >= tokens:
                break
    return Corpus(shortened, language, tokenized=True)


def space_of(data: Path, pair: str, text: str, tokens: int, seed: int) -> BilingualEmbedding:
    languages = pair.split("-")
    with tempfile.TemporaryDirectory() as folder:
        corpora = [
            first_tokens(data / "mono" / f"{text}.{code}.txt.bz2", code, tokens, Path(folder))
            for code in languages
        ]
        joint = SkipGram().fit(corpora, seed=seed, threads=1)
        split = reallocate(joint, *(corpus.counts() for corpus in corpora), 0.9, *languages)
    training = Lexicon.read(data / "lexicons" / f"{pair}.0-5000.txt")
    return align(split, VecMap.supervised(), training, seed=seed)


def sentences(source: Path, target: Path) -> list[tuple[str, str]]:
    """The first pairs of which neither side comes twice."""
    both = zip(*([line for _, line in read_lines(path)] for path in (source, target)), strict=True)
    found, seen = [], set()
    for pair in both:
        if len(found) < SENTENCES and all(pair) and not seen & set(pair):
            found.append(pair)
            seen |= set(pair)
    return found


def recall(x: np.ndarray, z: np.ndarray, score: str) -> float:
    """Share of the rows of `x` whose nearest of `z` is the one of the same number, in per cent."""
    best = neighbours(x, z, 1, score=score, sources=x).rows[:, 0]
    return round(100 * float(np.mean(best == np.arange(len(x)))), 1)


def mined(space: BilingualEmbedding, texts: list[tuple[str, str]], weighting: static.Weighting) -> dict:
    """Precision and recall of pairs of which a third has no partner, and of the surer half."""
    quarter = len(texts) // 4
    source, target = [s for s, _ in texts[: 3 * quarter]], [t for _, t in texts[quarter:]]
    both = {(" ".join(s.split()), " ".join(t.split())) for s, t in texts[quarter : 3 * quarter]}
    found = mine(space, source, target, weighting=weighting)
    right = [(pair.source, pair.target) in both for pair in found]
    half = right[: len(right) // 2]
    return {
        "pairs": len(found),
        "precision": round(100 * float(np.mean(right)), 1),
        "recall": round(100 * sum(right) / len(both), 1),
        "precision_of_surer_half": round(100 * float(np.mean(half)), 1),
    }


def measure(space: BilingualEmbedding, texts: list[tuple[str, str]], weighting: static.Weighting) -> dict:
    with tempfile.TemporaryDirectory() as folder:
        facts = static.write_static(space, folder, weighting)
        model = SentenceTransformer(folder, device="cpu")
        x, z = (np.asarray(model.encode(list(side))) for side in zip(*texts, strict=True))
    found: dict[str, object] = {"weighting": str(weighting), "words": facts.words, "merged": facts.merged}
    for score in ("nn", "csls"):
        found[score] = {"there": recall(x, z, score), "back": recall(z, x, score)}
    return found | {"mined": mined(space, texts, weighting)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=os.environ.get("JOINTALIGN_DATA"))
    parser.add_argument("--tokens", type=int, default=3_000_000)
    parser.add_argument("--seeds", type=int, default=1)
    options = parser.parse_args()
    runs = []
    for seed in range(options.seeds):
        for pair, (text, *files) in PAIRS.items():
            texts = sentences(*(options.data / "parallel" / name for name in files))
            space = space_of(options.data, pair, text, options.tokens, seed)
            for weighting in static.Weighting:
                facts = {"pair": pair, "seed": seed, "sentences": len(texts)}
                runs.append(facts | measure(space, texts, weighting))
                sys.stderr.write(f"{runs[-1]}\n")
    result = {
        "question": "Do static models find the translation of a sentence?",
        "command": f"python studies/sentences.py --data DATA --tokens {options.tokens} "
        f"--seeds {options.seeds}",
        "version": __version__,
        "machine": f"{platform.machine()}, {os.cpu_count()} cores",
        "runs": runs,
    }
    with atomic(Path(__file__).parent / "results" / "sentences.json", "w") as file:
        json.dump(result, file, indent=1)
        file.write("\n")


if __name__ == "__main__":
    main()
