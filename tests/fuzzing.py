"""Damaged and foreign files: what each reader is given, what is done to it, and what may come of it."""

from __future__ import annotations

import json
import random
import shutil
import traceback
import warnings
from collections import Counter
from collections.abc import Callable
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from types import SimpleNamespace
from typing import NamedTuple

import numpy as np

from jointalign.alignment.base import Mapping
from jointalign.alignment.storage import read_mapping, write_mapping
from jointalign.bli.base import DEPTH
from jointalign.contextual._mapping import LayerMappings, read_layer_mappings, write_layer_mappings
from jointalign.contextual.base import Pooling
from jointalign.corpora.corpus import Corpus
from jointalign.corpora.encoding import EncodedCorpus, encode
from jointalign.dictionary.api import Translations, read_tsv
from jointalign.embedding import BilingualEmbedding, Embedding
from jointalign.errors import JointalignError
from jointalign.formats import native
from jointalign.formats.api import read, write
from jointalign.lexicon import Lexicon
from jointalign.multilingual import MultilingualEmbedding, Part
from jointalign.ner import conll
from jointalign.ranking.api import Ranker
from jointalign.ranking.calibration import Calibration
from jointalign.ranking.features import NAMES
from jointalign.ranking.kept import KeptRanking
from jointalign.ranking.learner import Logistic, fit_trees
from jointalign.ranking.storage import read_ranker, write_ranker
from jointalign.ranking.table import entries
from jointalign.retrieval.hubs import Hubs
from jointalign.review.decisions import Decision, Decisions, Verdict
from jointalign.storage.checkpoint import Checkpoint, OtherWorkError
from jointalign.storage.files import read_lines, write_text
from jointalign.storage.stages import Stages, in_step
from jointalign.subwords import SubwordTable
from jointalign.training.skipgram import SkipGram
from jointalign.vocabulary import Vocabulary
from jointalign.word_alignment.reading import read_gold, read_links, read_parallel
from jointalign.word_alignment.tmx import read_tmx
from languages import text, word


class Target(NamedTuple):
    """Files of one kind: how they are made in a folder, and read and used again."""

    make: Callable[[Path], None]
    use: Callable[[Path], object]


# Spaces


def embedding(words, seed=0, subwords=False):
    rng = np.random.default_rng(seed)
    table = None
    if subwords:
        table = SubwordTable(
            np.array([2, 5, 7, 9], np.uint32), rng.normal(size=(4, 3)).astype(np.float32), 2, 4, 10
        )
    counts = np.sort(rng.integers(1, 1000, len(words)))[::-1]
    vectors = rng.normal(size=(len(words), 3)).astype(np.float32)
    return Embedding(Vocabulary(tuple(words), counts), vectors, table, {"seed": 1, "rate": 0.5})


def bilingual():
    shared = embedding(("bar", "radio"), 3)
    source, target = embedding(("house", "dog", "über"), 1, True), embedding(("casa", "perro", "sí"), 2, True)
    return BilingualEmbedding(source, target, shared, np.array([7, 3]), np.array([9, 1]), "en", "es")


def multilingual():
    own = [
        Part((code,), embedding((code, f"{code}2"), n), np.ones((2, 1), int)) for n, code in enumerate("abc")
    ]
    shared = Part(("a", "c"), embedding(("radio",), 9), np.ones((1, 2), int))
    return MultilingualEmbedding(("a", "b", "c"), (*own, shared))


def translated(space):
    space.target.check_finite()
    return Translations(space).of(["house", "houses", "bar"], mutual=True)


def use_hubs(folder):
    hubs, space = Hubs.read(folder / "hubs.safetensors"), bilingual()
    return Translations(space, hubs=hubs).of(["house"]) if hubs.fits(*space.sides(), 10) else None


def make_ranking(folder):
    space, firsts = bilingual(), (np.array([0.9, 0.2]), np.array([True, False]))
    rows, chances = np.full((2, DEPTH), -1), np.linspace(1, 0, 2 * DEPTH).reshape(2, DEPTH)
    rows[:, :2] = [[0, 1], [1, 0]]
    marks, known = np.ones((2, DEPTH), np.uint8), np.array([[0, 1]])
    ranking = KeptRanking(space.sides(), np.arange(2), rows, chances, marks, known, firsts)
    ranking.write(folder / "ranking.safetensors")


def use_ranking(folder):
    space = bilingual()
    ranking = KeptRanking.read(folder / "ranking.safetensors", space)
    return None if ranking is None else (ranking.rank(space.source.words, DEPTH), entries(ranking))


def use_mapping(folder):
    mapping = read_mapping(folder / "mapping.safetensors")
    return np.ones((2, mapping.source.shape[0])) @ mapping.source


def use_layers(folder):
    maps = read_layer_mappings(folder / "maps.safetensors")
    layer = next(iter(maps.layers), 0)
    return maps.moved(np.ones((1, 2, 3), np.float32), [layer], "source"), maps.digest()


def layer_mappings():
    turn, means = np.eye(3), (np.ones(3),)
    return LayerMappings(
        {1: Mapping(turn, turn, {}, means, means), 2: Mapping(turn, turn)}, "e", ("en", "es")
    )


# Rankers, corpora, state


def make_ranker(folder, model):
    views, held = SimpleNamespace(each=[1]), SimpleNamespace(to_json=lambda: {"p": 1.0})
    lines = Calibration((1.0, 0.0), (2.0, 1.0))
    write_ranker(
        SimpleNamespace(
            ranker=Ranker(), views=views, model=model, calibration=lines, held_out=held, known=()
        ),
        folder / "ranker.json",
    )


def line():
    return Logistic(np.ones(len(NAMES) + 1), np.zeros(len(NAMES)), np.ones(len(NAMES)))


def trees():
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(300, len(NAMES)))
    return fit_trees(rows, rows[:, 0] > 0, np.arange(300) // 3, 0, listwise=False)


def use_ranker(folder):
    model, calibration, columns = read_ranker(folder / "ranker.json")
    width = len(columns)
    scores = model.scores(np.ones((3, width)))
    return calibration.probabilities(scores, np.ones(3, bool)), columns


def make_corpus(folder):
    (folder / "text").write_text("the house by the sea\nthe old house\nsea\n" * 5)
    encode(Corpus(folder / "text", "en"), folder, workers=1)
    (folder / "text").unlink()


def use_corpus(folder):
    corpus = EncodedCorpus.open(folder)
    return np.asarray(corpus.counts.words)[corpus.tokens], np.split(corpus.tokens, corpus.line_ends)


def checkpoint(folder):
    return Checkpoint(folder / "state", {"seed": 1})


def stages(folder):
    work = Stages(folder)
    for name, after in (("one", []), ("two", ["one"])):
        work.do(name, {"seed": 1}, [f"{name}.txt"], lambda n=name: (folder / f"{n}.txt").write_text(n), after)
    return in_step(folder, ["one", "two"])


# Networks


def make_tagger(folder):
    from grammar import sentences, space
    from jointalign.ner import TaggerFitSettings, TaggerSettings, Text
    from jointalign.ner import api as ner

    text = Text(sentences("en", 20, 0), "en")
    small = TaggerSettings(hidden=4, character_dimensions=3, character_hidden=3)
    ner.write(ner.train(space(), text, text, small, TaggerFitSettings(epochs=1)), folder)


def use_tagger(folder):
    from grammar import sentences
    from jointalign.ner import api as ner

    return ner.predict(ner.read(folder), sentences("es", 2, 1), "es")


def make_translator(folder):
    from jointalign.translation._model import Plan, initial_weights
    from jointalign.translation._text import Segmentation
    from jointalign.translation._translator import Translator, tokens_of, write_translator
    from jointalign.translation.base import Shape

    lines = ["the cat", "the dog sees the cat"]
    pieces = Segmentation.learn([lines, lines], 270)
    plan = Plan(Shape(8, 16, 2, 1, 1, 0, 0), pieces.vocabulary, True)
    allowed = tokens_of(pieces.encode(lines))
    model = Translator(plan, initial_weights(plan, 0), pieces, ("en", "de"), (allowed, allowed), {"a": 1})
    write_translator(model, folder / "model.safetensors")


def use_translator(folder):
    from jointalign.translation._translator import read_translator

    return read_translator(folder / "model.safetensors", "cpu").translate(["the cat"], "en-de")


def make_encoder(folder):
    from tiny_encoder import save_tiny_bert

    save_tiny_bert(folder, ["Ana", "sees", "Madrid"], dimensions=8, layers=1)


def use_encoder(folder):
    from jointalign.contextual._encoder import Encoder
    from jointalign.contextual._features import extract

    return list(extract(Encoder.load(folder, local_only=True), [["Ana", "sees", "Roma"]], [0, 1]))


def make_features(folder, pooling=Pooling.MEAN):
    from jointalign.contextual import FeatureSettings, write_features
    from jointalign.contextual._encoder import Encoder

    make_encoder(folder / "encoder")
    encoder = Encoder.load(folder / "encoder", local_only=True)
    shutil.rmtree(folder / "encoder")
    text = [["Ana", "sees", "Madrid"], ["Ana"], []]
    write_features(encoder, text, folder, FeatureSettings((0, 1), pooling))


def use_features(folder):
    from jointalign.contextual._store import FeatureStore

    store = FeatureStore.open(folder)
    return [(store.sentence(n)[:, store.first_pieces(n)], store.rows_of) for n in range(len(store))]


# Folders of whole jobs, gone on with after the damage; their texts lie elsewhere


@cache
def texts():
    """Where two tiny texts and their dictionaries are, for as long as this process lives."""
    place = TemporaryDirectory(prefix="fuzz-texts-")
    folder = Path(place.name)
    kept.append(place)
    for language in ("en", "es"):
        (folder / f"{language}.txt").write_text(text(language, 1, lines=60, size=24))
    pairs = [f"{word('en', c)} {word('es', c)}\n" for c in range(24)]
    (folder / "train.txt").write_text("".join(pairs[:18]))
    (folder / "test.txt").write_text("".join(pairs[18:]))
    (folder / "mono").mkdir()
    (folder / "lexicons").mkdir()
    for name in ("en", "es"):
        shutil.copy(folder / f"{name}.txt", folder / "mono" / f"toy.{name}.txt")
    shutil.copy(folder / "train.txt", folder / "lexicons" / "en-es.0-5000.txt")
    shutil.copy(folder / "test.txt", folder / "lexicons" / "en-es.5000-6500.txt")
    return folder


kept = []
TINY = SkipGram(4, window=2, epochs=1, minimum_count=1, maximum_ngram=3, buckets=50)


def run_again(folder):
    from jointalign.pipeline import RunSettings, run
    from jointalign.selection.wishes import Wishes

    given = (texts() / name for name in ("en.txt", "es.txt", "train.txt", "test.txt"))
    wishes = Wishes("procrustes", 0.9)
    # Learning to rank takes seconds; what is kept of it is damaged by itself.
    settings = RunSettings(*given, wishes=wishes, trainer=TINY, rank=False)
    result = run(settings, folder, threads=1)
    return result.to_json(), result.table()


def plot_run(folder):
    from jointalign.pipeline import finished
    from jointalign.plots import default_pairs, figure_one

    done = finished(folder, texts() / "train.txt")
    pairs = default_pairs(done.joint, done.reallocated, done.lexicon, 3)
    figure_one(done.joint, done.reallocated, done.aligned, pairs, folder.parent / "figure.svg")


def concordance_of_run(folder):
    from jointalign.concordance import Concordance
    from jointalign.pipeline import texts as texts_of

    found = {side: Concordance.of(corpus, folder / side) for side, corpus in texts_of(folder).items()}
    return [one.best(word("en", 3), 2) for one in found.values()]


def study_again(folder):
    from jointalign.study import Pair, StudySettings, study

    settings = StudySettings(texts(), (Pair("en", "es"),), ("procrustes", "joint"), 1, trainer=TINY)
    return study("table1", settings, folder, threads=1).markdown


def mt_again(folder):
    from jointalign.translation.base import Shape, TranslationFitSettings
    from jointalign.translation.job import JobSettings, train_from_texts
    from jointalign.translation.vectors import VectorSettings

    lines = tuple(tuple((texts() / f"{name}.txt").read_text().splitlines()[:20]) for name in ("en", "es"))
    settings = JobSettings(
        shape=Shape(4, 8, 1, 1, 1, 0, 0),
        fit=TranslationFitSettings(batch_sentences=4, epoch_sentences=8),
        vectors=VectorSettings(TINY, pieces=300),
    )
    lexicon = Lexicon.read(texts() / "train.txt")
    result = train_from_texts(lines, ("en", "es"), folder, settings, lexicon=lexicon, epochs=1, threads=1)
    return result.translator.translate(["the"], "en-es")


def pretrain_again(folder):
    from jointalign.contextual import PretrainingSettings, pretrain

    settings = PretrainingSettings(
        vocabulary=100, hidden=8, layers=1, heads=1, length=8, batch_size=2, steps=2, positions=8
    )
    given = [texts() / f"{name}.txt" for name in ("en", "es")]
    return pretrain(given, ["en", "es"], folder, settings, threads=1)


def make_concordance(folder):
    run_again(folder)
    concordance_of_run(folder)


# Decisions of reviewers


def make_decisions(folder):
    with Decisions(folder / "decisions.sqlite") as kept:
        kept.decide("ana", [Decision("house", "casa", Verdict.ACCEPT)])
        kept.decide(
            "eva", [Decision("house", "casa", Verdict.REJECT, note="no"), Decision("a", "b", Verdict.ACCEPT)]
        )
        kept.undo("eva")


def use_decisions(folder):
    with Decisions(folder / "decisions.sqlite") as kept:
        kept.decide("ana", [Decision("dog", "perro", Verdict.ACCEPT)])
        return kept.undo("eva"), kept.accepted(), [kept.conflicts(word) for word in kept.sources]


def make_decision_table(folder):
    with Decisions(folder / "decisions.sqlite") as kept:
        kept.decide(
            "ana", [Decision("house", "casa", Verdict.ACCEPT, note="=x"), Decision("a", "b", Verdict.REJECT)]
        )
        kept.write(folder / "decisions.tsv")
    (folder / "decisions.sqlite").unlink()


def use_decision_table(folder):
    with Decisions(folder / "other.sqlite") as kept:
        return kept.merge(folder / "decisions.tsv"), kept.accepted()


# Text

TMX = (
    '<?xml version="1.0"?><tmx version="1.4"><header srclang="en"/><body><tu><tuv xml:lang="en">'
    '<seg>a <bpt i="1">b</bpt> house</seg></tuv><tuv xml:lang="es-MX"><seg>una casa</seg></tuv></tu>'
    "</body></tmx>"
)
VEC = "3 2\nhouse 0.5 -1.25\nüber 1e-3 2\ndog 3 4\n"
DICTIONARY = "house casa\ndog\tperro;can\nsea  mar\nbook ; libro\n"
CONLL = "-DOCSTART- -X- O O\n\nAna NNP B-NP B-PER\nsees VBZ O O\nMadrid NNP B-NP B-LOC\n\nEva NNP O S-PER\n"
PARALLEL = "the house ||| la casa\nthe old dog ||| el perro viejo\n"
TSV = "source\ttarget\tscore\tmargin\trank\nhouse\tcasa\t0.5\t0.25\t1\nhouse\thogar\t0.25\t\t2\n"
WIKI = (
    '<mediawiki xmlns="http://www.mediawiki.org/xml/export-0.11/"><siteinfo><namespaces>'
    '<namespace key="6">File</namespace></namespaces></siteinfo><page><title>A</title><ns>0</ns><revision>'
    "<model>wikitext</model><text>'''Sea''' is [[water|salt]]. &lt;ref name=a&gt;x&lt;/ref&gt; {{t|a=b}}\n\n"
    "Another paragraph of plain text.</text></revision></page></mediawiki>\n"
)
TOML = '[tagger]\nhidden = 20\nscheme = "bio2"\n[fit]\nepochs = 3\n'


def text_target(name, content, use):
    return Target(lambda folder: (folder / name).write_text(content), lambda folder: use(folder / name))


def compressed_target(suffix):
    def make(folder):
        with write_text(folder / f"lines{suffix}") as file:
            file.write("casa grande\nperro über\n" * 20)

    return Target(make, lambda folder: list(read_lines(folder / f"lines{suffix}")))


def use_settings(path):
    from jointalign.cli._settings import Options, _read
    from jointalign.ner import TaggerFitSettings, TaggerSettings

    tables = {"tagger": Options(TaggerSettings()), "fit": Options(TaggerFitSettings())}
    changes = _read(path, {name: options.settings() for name, options in tables.items()})
    return changes["tagger"].over(TaggerSettings()), changes["fit"].over(TaggerFitSettings())


def use_wiki(path):
    from jointalign.data._wikipedia import extract

    with (path.parent / "out").open("w") as out:
        return extract(path, out, None, 1, None)


def written(name, content, use):
    return Target(lambda folder: write(content, folder / name), lambda folder: use(folder / name))


TARGETS = {
    "native": written(
        "a.safetensors", embedding(("a", "b", "ñ"), subwords=True), lambda p: read(p).vector("ab")
    ),
    "bilingual": written("a.safetensors", bilingual(), lambda p: translated(native.read_bilingual(p))),
    "multilingual": written(
        "a.safetensors", multilingual(), lambda p: native.read_multilingual(p).pair("a", "c")
    ),
    "mapping": Target(
        lambda f: write_mapping(
            Mapping(np.eye(3), np.eye(3), {"loss": (1.0, 0.5)}, (np.ones(3),)), f / "mapping.safetensors"
        ),
        use_mapping,
    ),
    "hubs": Target(lambda f: Hubs.of(*bilingual().sides()).write(f / "hubs.safetensors"), use_hubs),
    "ranking": Target(make_ranking, use_ranking),
    "layer maps": Target(
        lambda f: write_layer_mappings(layer_mappings(), f / "maps.safetensors"), use_layers
    ),
    "ranker": Target(lambda f: make_ranker(f, line()), use_ranker),
    "trees": Target(lambda f: make_ranker(f, trees()), use_ranker),
    "encoded corpus": Target(make_corpus, use_corpus),
    "checkpoint": Target(
        lambda f: checkpoint(f).save({"weights": np.ones((2, 2))}, {"step": 7}),
        lambda f: checkpoint(f).load(),
    ),
    "stages": Target(stages, stages),
    "tagger": Target(make_tagger, use_tagger),
    "translator": Target(make_translator, use_translator),
    "encoder": Target(make_encoder, use_encoder),
    "features": Target(make_features, use_features),
    "features of pieces": Target(lambda f: make_features(f, Pooling.PIECES), use_features),
    "vec": text_target("a.vec", VEC, read),
    "vec without header": text_target("a.txt", VEC.partition("\n")[2], read),
    "word2vec binary": written("a.bin", embedding(("a", "b", "ñ")), read),
    "dictionary": text_target("a.txt", DICTIONARY, Lexicon.read),
    "dictionary table": text_target("a.tsv", TSV, lambda p: (read_tsv(p), Lexicon.read(p))),
    "conll": text_target("a.conll", CONLL, conll.read),
    "parallel text": text_target("a.txt", PARALLEL, read_parallel),
    "links": text_target("a.txt", "0-0 1-1\n2-0 1-2\n", read_links),
    "gold links": text_target("a.txt", "1-1 2-2\n1p2 3-3\n", read_gold),
    "wikipedia": text_target("a.xml", WIKI, use_wiki),
    "settings": text_target("a.toml", TOML, use_settings),
    "fasttext": Target(
        lambda f: write(embedding(("a", "b", "ñ"), subwords=True), f / "a.bin", "fasttext"),
        lambda f: read(f / "a.bin").vector("ab"),
    ),
    "dictionary of commas": text_target(
        "a.csv", 'word,translation\nhouse,"casa; hogar"\ndog,"perro"\n', Lexicon.read
    ),
    "translation memory": text_target("a.tmx", TMX, lambda p: list(read_tmx(p, ("en", "es")))),
    "decisions": Target(make_decisions, use_decisions),
    "table of decisions": Target(make_decision_table, use_decision_table),
    "run": Target(run_again, run_again),
    "plot": Target(run_again, plot_run),
    "concordance": Target(make_concordance, concordance_of_run),
    "study": Target(study_again, study_again),
    "mt": Target(mt_again, mt_again),
    "pretraining": Target(pretrain_again, pretrain_again),
    **{f"lines{suffix}": compressed_target(suffix) for suffix in (".gz", ".bz2", ".xz", ".zst", ".txt")},
}

SLOW = {"tagger", "encoder", "features", "features of pieces", "trees", "translator"}
SLOW |= {"run", "plot", "concordance", "study", "mt", "pretraining"}
"""Those that take long; fewer mutations of them are tried in the suite."""


# Damage

ODD = [
    -1,
    0,
    1,
    3,
    10**6,
    2**31,
    2**63,
    10**30,
    1e308,
    float("nan"),
    None,
    True,
    "",
    "x",
    "0",
    [],
    {},
    [1],
    {"a": 1},
]


def bytes_damaged(data, rng):
    """Flipped, overwritten, cut, doubled or inserted bytes."""
    place, length = rng.randrange(len(data) + 1), rng.choice((1, 1, 2, 8, 64))
    end = place + length
    match rng.randrange(6):
        case 0:
            place = min(place, len(data) - 1)
            return data[:place] + bytes([data[place] ^ 1 << rng.randrange(8)]) + data[place + 1 :]
        case 1:
            return data[:place] + rng.randbytes(len(data[place:end])) + data[end:]
        case 2:
            return data[:place]
        case 3:
            return data[:place] + data[place:end] * 2 + data[end:]
        case 4:
            return data[:place] + rng.choice(
                (b"\0", b"\xff", b"-", b"9999999999", b"\n", b"NaN", b"\r", b"[" * 9)
            )
        case _:
            return data[:place] + data[end:]


def value_damaged(value, rng):
    """A value of JSON with one part replaced or lost."""
    if isinstance(value, dict | list) and value and rng.random() < 0.85:
        copy = dict(value) if isinstance(value, dict) else list(value)
        key = rng.choice(list(copy)) if isinstance(copy, dict) else rng.randrange(len(copy))
        if rng.random() < 0.15:
            del copy[key]
        else:
            copy[key] = value_damaged(copy[key], rng)
        return copy
    return rng.choice(ODD)


def tensors_damaged(path, rng):
    """Another type, shape or content of an array, or other metadata, in a whole safetensors file."""
    from safetensors import safe_open
    from safetensors.numpy import save_file

    with safe_open(path, "numpy") as file:
        metadata = file.metadata() or {}
        arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    if metadata and rng.random() < 0.5:
        name = rng.choice(list(metadata))
        try:
            value = json.dumps(value_damaged(json.loads(metadata[name]), rng))
        except ValueError:
            value = rng.choice(["", "x", "{}", "9" * 30, metadata[name] + "x"])
        metadata[name] = value
        if rng.random() < 0.1:
            del metadata[name]
    elif arrays:
        name = rng.choice(list(arrays))
        arrays[name] = array_damaged(arrays[name], rng)
        if arrays[name] is None:
            del arrays[name]
    save_file({name: np.ascontiguousarray(array) for name, array in arrays.items()}, path, metadata)


def array_damaged(array, rng):
    match rng.randrange(7):
        case 0:
            return None
        case 1:
            return array.astype(
                rng.choice((np.float64, np.float32, np.int64, np.uint8, np.float16, np.int32))
            )
        case 2:
            return array.reshape(-1)[: rng.randrange(array.size + 1)]
        case 3:
            return array[None]
        case 4:
            return np.concatenate([array, array])
        case 5:
            return array.T
        case _:
            copy, odd = array.copy().reshape(-1), [0, -1, 2**31, 10**15, 255]
            if copy.size:
                odd += [np.nan, np.inf, 1e38] if copy.dtype.kind == "f" else []
                with np.errstate(all="ignore"):
                    copy[rng.randrange(copy.size)] = np.array(rng.choice(odd)).astype(copy.dtype)
            return copy.reshape(array.shape)


def damage(folder, rng):
    """Damage one of the files of a folder; says what was done."""
    files = sorted(path for path in folder.rglob("*") if path.is_file() and path.stat().st_size)
    path, way = rng.choice(files), rng.random()
    if way < 0.3 and path.suffix == ".safetensors":
        tensors_damaged(path, rng)
    elif way < 0.4 and path.suffix == ".json":
        path.write_text(json.dumps(value_damaged(json.loads(path.read_text()), rng)))
    elif way < 0.45 and len(files) > 1:
        other = rng.choice(files)
        one, two = path.read_bytes(), other.read_bytes()
        path.write_bytes(two)
        other.write_bytes(one)
    elif way > 0.98:
        path.unlink()
    else:
        path.write_bytes(bytes_damaged(path.read_bytes(), rng))


def fuzzed(name, count, work, seed=0):
    """Try so many damaged files of a kind; how many were accepted and refused, and the faults.

    Returns:
        Counts by outcome, and for each fault its seed and traceback.
    """
    target, outcomes, faults = TARGETS[name], Counter(), []
    whole, folder = work / "whole", work / "damaged"
    whole.mkdir(parents=True)
    target.make(whole)
    target.use(whole)  # what is whole is read
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for number in range(seed, seed + count):
            shutil.rmtree(folder, ignore_errors=True)
            shutil.copytree(whole, folder)
            damage(folder, random.Random(f"{name} {number}"))
            try:
                target.use(folder)
                outcomes["accepted"] += 1
            except JointalignError as error:
                outcomes["refused"] += 1
                if len(str(error)) > 2000 and not isinstance(error, OtherWorkError):
                    faults.append(f"{name} {number}: an error of {len(str(error))} characters")
            except BaseException as error:
                if isinstance(error, KeyboardInterrupt):
                    raise
                faults.append(f"{name} {number}: {''.join(traceback.format_exception(error))}")
    return outcomes, faults
