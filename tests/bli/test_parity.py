"""The figures of MUSE, VecMap and fastText on two `.vec` files without unknown words.

Each tool's evaluation is written here in plain NumPy from its description, as a check to the last
query: which word each one retrieves, and what it counts.
"""

import json

import numpy as np
import pytest

from jointalign import BilingualEmbedding, Embedding, Lexicon, Vocabulary, bli, read, write
from jointalign.cli.app import run

WORDS, DIMENSIONS, SOURCES = 400, 12, 150


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("parity")
    random = np.random.default_rng(7)
    target = random.normal(size=(WORDS, DIMENSIONS)) + random.normal(size=DIMENSIONS)  # hubs
    source = target + 0.9 * random.normal(size=target.shape)
    for name, vectors in (("source", source), ("target", target)):
        words = tuple(f"{name[0]}{i}" for i in range(WORDS))
        write(Embedding(Vocabulary(words), vectors.astype(np.float32)), folder / f"{name}.vec")
    lines = []
    for i in range(SOURCES):
        golds = {i, *random.integers(0, WORDS, random.integers(0, 3)).tolist()}
        lines += [f"s{i} t{gold}\n" for gold in sorted(golds)]
    (folder / "test.txt").write_text("".join(lines))
    return folder


def loaded(folder):
    unit = []
    for name in ("source", "target"):
        rows = [line.split() for line in (folder / f"{name}.vec").read_text().splitlines()[1:]]
        x = np.array([[float(number) for number in row[1:]] for row in rows])
        unit.append(x / np.linalg.norm(x, axis=1, keepdims=True))
    pairs = [line.split() for line in (folder / "test.txt").read_text().splitlines()]
    return *unit, np.array([[int(s[1:]), int(t[1:])] for s, t in pairs])


def top_mean(scores, k=10):
    return np.sort(scores, axis=1)[:, -k:].mean(axis=1)


def muse(x, z, pairs, csls):
    """word_translation.py: a row a pair, top 10, hits added up a source word and cut at one."""
    cosines = x @ z.T
    scores = cosines[pairs[:, 0]]
    if csls:
        scores = 2 * scores - top_mean(cosines)[pairs[:, 0], None] - top_mean(cosines.T)
    best = np.argsort(-scores, axis=1)[:, :10]
    figures = []
    for k in (1, 5, 10):
        hits = {}
        for (source, target), found in zip(pairs.tolist(), best[:, :k].tolist(), strict=True):
            hits[source] = min(hits.get(source, 0) + (target in found), 1)
        figures.append(100 * np.mean(list(hits.values())))
    return figures


def vecmap(x, z, pairs, csls):
    """eval_translation.py: the argmax of each source word is in its set of translations."""
    cosines = x @ z.T
    scores = 2 * cosines - top_mean(cosines.T) if csls else cosines
    gold = {}
    for source, target in pairs.tolist():
        gold.setdefault(source, set()).add(target)
    return 100 * np.mean([scores[source].argmax() in gold[source] for source in gold])


def fasttext(x, z, pairs, csls):
    """eval.py: as VecMap's, but divided by all source words of the file."""
    sources = len(set(pairs[:, 0].tolist()))
    hits = vecmap(x, z, pairs, csls) * sources / 100
    return 100 * hits / sources


@pytest.mark.parametrize("retrieval", ["nn", "csls"])
def test_figures_are_those_of_the_tools(files, capsys, retrieval):
    options = ["--source-vectors", files / "source.vec", "--target-vectors", files / "target.vec"]
    options += ["--lexicon", files / "test.txt", "--retrieval", retrieval, "--json"]
    assert run(["evaluate", "bli", *map(str, options)]) == 0
    ours = json.loads(capsys.readouterr().out)
    x, z, pairs = loaded(files)
    csls = retrieval == "csls"
    expected = muse(x, z, pairs, csls)
    assert [ours["p_at_1"], ours["p_at_5"], ours["p_at_10"]] == pytest.approx(expected, abs=1e-9)
    assert ours["p_at_1"] == pytest.approx(vecmap(x, z, pairs, csls), abs=1e-9)
    assert ours["p_at_1"] == pytest.approx(fasttext(x, z, pairs, csls), abs=1e-9)
    assert 20 < ours["p_at_1"] < 90


def test_all_rules_agree_where_no_word_is_unknown(files):
    space = BilingualEmbedding.separate(read(files / "source.vec"), read(files / "target.vec"))
    results = bli.evaluate_rules(space, Lexicon.read(files / "test.txt"))
    kept = {results[rule, bli.Identical.KEPT].p_at_1 for rule in bli.OutOfVocabulary}
    assert len(kept) == 1
