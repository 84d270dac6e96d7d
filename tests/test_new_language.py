"""Table 3 of a language of which there is a corpus and a tagged text, and nothing else."""

import copy
import shutil

import pytest

pytest.importorskip("torch", reason="tagging needs torch")

from jointalign.cli.app import run as command_line  # noqa: E402
from jointalign.errors import JointalignError
from jointalign.ner import Sentence, TaggerFitSettings, TaggerSettings, conll  # noqa: E402
from jointalign.study import NERStudySettings, Pair, StudySettings, table3  # noqa: E402
from jointalign.study._tables import ner_markdown  # noqa: E402
from jointalign.training.skipgram import SkipGram  # noqa: E402
from languages import CONCEPTS, text, word  # noqa: E402

TRAINER = SkipGram(20, window=2, epochs=5, subsampling=0.0)
TAGS = ("O", "B-PER", "O", "O", "B-LOC", "O", "O")
SPELT = {word("en", concept): concept for concept in range(CONCEPTS)}
ROWS = ("floor", "supervised-joint", "joint-replace", "align", "joint-align")
NER = NERStudySettings(
    "en",
    ("nl",),
    ROWS,
    300,
    60,
    TaggerSettings(hidden=32, character_hidden=0),
    TaggerFitSettings(epochs=8, batch_size=8, learning_rate=2e-2),
)


def dutch(concept):
    """Every third word is spelt as in English; the others have letters of their own."""
    return word("en" if concept % 3 == 0 else "es", concept)


def lines(language, seed, count):
    """English text, or the same concepts in the other language."""
    for line in text("en", seed, count).splitlines():
        concepts = [SPELT[one] for one in line.split()]
        spell = dutch if language == "nl" else lambda concept: word("en", concept)
        yield concepts, tuple(spell(concept) for concept in concepts)


def tagged(language, seed, count):
    for concepts, words in lines(language, seed, count):
        yield Sentence(words, tuple(TAGS[concept % len(TAGS)] for concept in concepts))


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    folder = tmp_path_factory.mktemp("data")
    (folder / "mono").mkdir()
    for seed, language in enumerate(("en", "nl"), 1):
        text = "".join(" ".join(words) + "\n" for _, words in lines(language, seed, 4000))
        (folder / "mono" / f"toy.{language}.txt").write_text(text)
    for language, part, seed, count in (
        ("en", "train", 10, 400),
        ("en", "valid", 11, 80),
        ("nl", "test", 12, 80),
    ):
        conll.write(tagged(language, seed, count), folder / "ner" / language / f"{part}.txt")
    return folder


def study(data, **changes):
    settings = {"seeds": 1, "trainer": TRAINER} | changes
    return StudySettings(data, (Pair("en", "nl"),), **settings)


@pytest.fixture(scope="module")
def done(data, tmp_path_factory):
    folder = tmp_path_factory.mktemp("study")
    return folder, table3(study(data), NER, folder, threads=1)


def cells(result):
    return {row["row"]: row["directions"]["nl"] for row in result.facts["rows"]}


def test_corpora_and_a_tagged_text_are_enough(done):
    found = cells(done[1])
    above = {(d["first"], d["second"]): d["ci"] for d in done[1].facts["differences"]}
    for name in ("align", "joint-align"):
        assert above[name, "floor"][0] > 0
        assert found[name]["permuted"]["f1"] < found["floor"]["f1"]
    assert found["joint-align"]["gamma"] == 0.9  # the paper's: nothing can be held out


def test_the_table_says_how_the_languages_were_aligned(done):
    ways = done[1].facts["alignment"]["nl"]
    own, alike = (ways[name]["by_seed"][0] for name in ("joint-align", "align"))
    assert own["dictionary"] is None and own["worked"] and alike["worked"]
    assert own["attempts"][-1].startswith("own from")
    assert alike["attempts"][-1].startswith("identical from")
    (line,) = [x for x in done[1].markdown.splitlines() if x.startswith("- nl: Align without")]
    assert own["attempts"][-1] in line and alike["attempts"][-1] in line
    assert "gamma 0.9 (the paper's; nothing can be held out)" in line


def test_rows_that_need_a_dictionary_are_absent(done):
    found = cells(done[1])
    for name in ("supervised-joint", "joint-replace"):
        assert found[name]["absent"] == "needs a dictionary"
    assert "| Joint-Replace | needs a dictionary / 68.4 |" in done[1].markdown


def test_alignments_are_kept(done, data):
    folder, first = done
    said = []
    again = table3(study(data), NER, folder, threads=1, announce=lambda *a: said.append(a))
    assert ("unsupervised.separate.en-nl.seed0", True) in said
    assert all(finished for _, finished in said)
    assert again.facts == first.facts


def test_alignment_that_fails_is_said_to(done):
    facts = copy.deepcopy(done[1].facts)
    attempts = ["identical from 60 pairs: failed (...)", "similarity: failed (...)"]
    facts["alignment"]["nl"]["align"]["by_seed"][0] |= {"worked": False, "attempts": attempts}
    assert f"do not trust this row ({', '.join(attempts)})" in ner_markdown(facts)


def test_a_training_dictionary_alone_will_do(done, data, tmp_path):
    folder, both = tmp_path / "study", tmp_path / "data"
    shutil.copytree(done[0], folder)
    shutil.copytree(data, both, copy_function=shutil.copy2)
    (both / "lexicons").mkdir()
    pairs = "".join(f"{word('en', c)} {dutch(c)}\n" for c in range(CONCEPTS))
    (both / "lexicons" / "en-nl.0-5000.txt").write_text(pairs)
    few = NERStudySettings(
        "en", ("nl",), ("joint-replace", "joint-align"), 100, 30, NER.tagger, TaggerFitSettings(epochs=1)
    )
    with pytest.raises(JointalignError, match=r"\(training_dictionary: \[\], now \w+\).*--fresh"):
        table3(study(both), few, folder, threads=1)
    result = table3(study(both), few, folder, threads=1, fresh=True)
    assert all(cell["absent"] is None for cell in cells(result).values())
    assert "- nl: Procrustes from 150 pairs of the training dictionary; gamma" in result.markdown
    assert "(chosen on a held-out fifth)" in result.markdown


def test_what_is_not_there_is_told_before_anything_is_trained(data, tmp_path, capsys):
    bare, out = tmp_path / "data", tmp_path / "out"
    shutil.copytree(data, bare)
    (bare / "ner" / "nl" / "test.txt").unlink()
    arguments = ["study", "table3", "--data", str(bare), "--out", str(out), "--languages", "nl"]
    assert command_line([*arguments, "--rows", "align"]) == 2
    assert "ner/nl/test.txt" in capsys.readouterr().err
    assert not list(out.glob("*.safetensors"))
    (bare / "mono" / "toy.nl.txt").unlink()
    assert command_line([*arguments, "--rows", "align"]) == 2
    assert "expected one corpus with both languages of en-nl" in capsys.readouterr().err
