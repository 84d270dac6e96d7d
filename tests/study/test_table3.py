"""Table 3 of two tiny languages: every row made or its absence told, shared, and resumed."""

import json
import shutil

import pytest

pytest.importorskip("torch", reason="tagging needs torch")

from jointalign.cli.app import run as command_line  # noqa: E402
from jointalign.errors import JointalignError  # noqa: E402
from jointalign.ner import Sentence, TaggerFitSettings, TaggerSettings, conll  # noqa: E402
from jointalign.study import (  # noqa: E402
    NERStudySettings,
    Pair,
    StudySettings,
    table3,
)
from jointalign.study._rows import (  # noqa: E402
    NER_ROWS,
    Kind,
    _published,  # noqa: E402
)
from jointalign.training.skipgram import SkipGram  # noqa: E402
from languages import CONCEPTS, text, word, write_study_data  # noqa: E402

TRAINER = SkipGram(20, window=2, epochs=5, subsampling=0.0)
ROWS = ("floor", "align", "joint-align", "in-language", "xie", "m-bert-feature")
NER = NERStudySettings(
    "en",
    ("es",),
    ROWS,
    300,
    60,
    TaggerSettings(hidden=16, character_hidden=5),
    TaggerFitSettings(epochs=4, batch_size=8, learning_rate=2e-2),
)


def tagged(language, seed, lines):
    """The same text, with a tag that the concept decides."""
    spelt = {word(language, concept): concept for concept in range(CONCEPTS)}
    for line in text(language, seed, lines).splitlines():
        words = tuple(line.split())
        kinds = [("O", "B-PER", "O", "O", "B-LOC", "O")[spelt[one] % 6] for one in words]
        yield Sentence(words, tuple(kinds))


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    folder = write_study_data(tmp_path_factory.mktemp("data"))
    for language in ("en", "es"):
        for seed, (part, lines) in enumerate((("train", 400), ("valid", 80), ("test", 80)), 10):
            path = folder / "ner" / language / f"{part}.txt.bz2"
            conll.write(tagged(language, seed, lines), path)
    return folder


@pytest.fixture(scope="module")
def settings(data):
    return StudySettings(data, (Pair("en", "es"),), seeds=2, trainer=TRAINER)


@pytest.fixture(scope="module")
def done(settings, tmp_path_factory):
    folder = tmp_path_factory.mktemp("study")
    return folder, table3(settings, NER, folder, threads=1)


def cells(result):
    return {row["row"]: row["directions"]["es"] for row in result.facts["rows"]}


def test_alignment_is_above_the_floor_and_needs_its_vectors(done):
    found = cells(done[1])
    for name in ("align", "joint-align"):
        assert found[name]["f1"] > found["floor"]["f1"] + 5
        assert found[name]["permuted"]["f1"] < found[name]["f1"] - 5
    assert found["in-language"]["f1"] > found["align"]["f1"] + 5
    above = {(d["first"], d["second"]): d for d in done[1].facts["differences"]}["align", "floor"]
    assert above["ci"][0] <= above["difference"] <= above["ci"][1]
    assert above["significant"] == (above["ci"][0] > 0)
    assert above["difference"] == pytest.approx(found["align"]["f1"] - found["floor"]["f1"])


def test_seeds_intervals_and_published_numbers_stand_in_the_table(done):
    folder, result = done
    joint = cells(result)["joint-align"]
    assert len(joint["by_seed"]) == joint["n"] == 2
    assert joint["ci"][0] <= joint["f1"] <= joint["ci"][1]
    assert joint["published"] == 70.46 and joint["coverage"] == 100
    assert "/ 70.5 | 100 |" in result.markdown
    facts = json.loads((folder / "table3.json").read_text())
    assert facts["ner"]["sentences"] == 300 and facts["seeds"] == 2
    assert (folder / "table3.md").read_text().startswith("**Table 3")
    assert (folder / "table3.png").read_bytes()[:4] == b"\x89PNG"


def test_rows_that_cannot_be_made_say_why(done):
    found = cells(done[1])
    assert found["m-bert-feature"]["absent"] == "needs weights"
    assert found["xie"]["absent"] == "not run here"
    assert "| M-BERT feature | needs weights / 74.2 |" in done[1].markdown


def test_nothing_is_done_twice_and_a_lost_cell_is_made_again(done, settings, tmp_path):
    folder, first = done
    said = []
    again = table3(settings, NER, folder, threads=1, announce=lambda *a: said.append(a))
    assert all(finished for _, finished in said)
    assert again.facts == first.facts
    copy = tmp_path / "copy"
    shutil.copytree(folder, copy)
    (copy / "cells" / "ner.align.en-es.seed1.json").unlink()
    said.clear()
    repeated = table3(settings, NER, copy, threads=1, announce=lambda *a: said.append(a))
    assert [name for name, finished in said if not finished] == ["ner.align.en-es.seed1"]
    assert repeated.facts == first.facts


def test_contextual_rows_go_through_the_seam(done, settings):
    folder, first = done
    asked = []

    class Contextual:
        def missing(self, row, target):
            return None

        def __call__(self, row, target, seed):
            asked.append((row.name, target, seed))
            return {"counts": [[1, 1, 2]] * 80}

    result = table3(settings, NER, folder, contextual=Contextual(), threads=1)
    assert asked == [("m-bert-feature", "es", 0), ("m-bert-feature", "es", 1)]
    assert cells(result)["m-bert-feature"]["f1"] == pytest.approx(200 / 3)
    assert cells(result)["align"] == cells(first)["align"]


def test_a_language_without_labels_to_learn_from_is_tagged_all_the_same(done, data, settings, tmp_path):
    bare = tmp_path / "data"
    shutil.copytree(data, bare, copy_function=shutil.copy2)
    (bare / "ner" / "es" / "train.txt.bz2").unlink()
    fewer = NERStudySettings("en", ("es",), ("floor", "in-language"), 100, 30, NER.tagger, NER.fit)
    where = StudySettings(bare, settings.pairs, seeds=1, trainer=TRAINER)
    found = cells(table3(where, fewer, tmp_path / "out", threads=1))
    assert found["in-language"]["absent"] == "needs ner/es/train.txt"
    assert found["floor"]["absent"] is None


def test_published_names_are_known():
    known = set(_published()["table3"])
    assert known <= {row.title for row in NER_ROWS}
    ours = {"floor", "floor-no-characters", "align-no-characters", "joint-align-no-characters", "in-language"}
    ours |= {"translate-train", "translate-train-ranked"}
    assert {row.name for row in NER_ROWS if row.title not in known} == ours
    assert sum(row.kind is Kind.CONTEXTUAL for row in NER_ROWS) == 7


def test_the_command_and_its_complaints(data, tmp_path, capsys):
    arguments = ["study", "table3", "--data", str(data), "--out", str(tmp_path / "out")]
    assert command_line([*arguments, "--languages", "es", "--rows", "flor"]) == 2
    assert "no row 'flor'" in capsys.readouterr().err
    assert command_line([*arguments, "--languages", "es-en"]) == 2
    assert "error" in capsys.readouterr().err
    small = ["--quick", "--rows", "floor,m-bert-feature", "--epochs", "1", "--json"]
    assert command_line([*arguments, "--languages", "es", *small]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert [row["row"] for row in facts["rows"]] == ["floor", "m-bert-feature"]
    with pytest.raises(JointalignError, match="no language"):
        NERStudySettings("en", ())


def test_the_tables_of_a_folder_share_its_vectors_or_say_why_not(data, tmp_path, capsys):
    out = tmp_path / "out"
    common = ["--data", str(data), "--out", str(out), "--seeds", "1", "--threads", "1"]
    common += ["--dimensions", "10", "--minimum-count", "2", "--noise", "joint"]
    first = ["study", "table1", *common, "--pairs", "en-es", "--methods", "procrustes"]
    assert command_line([*first, "--epochs", "2"]) == 0
    trained = {path: path.stat().st_mtime_ns for path in out.glob("*.seed0.safetensors")}
    assert len(trained) == 3
    second = ["study", "table3", *common, "--languages", "es", "--rows", "align", "--epochs", "1"]
    second += ["--sentences", "50", "--development", "20"]
    capsys.readouterr()
    assert command_line(second) == 2
    assert "(trainer.epochs: 2, now 5)" in capsys.readouterr().err
    assert command_line([*second, "--vector-epochs", "2"]) == 0
    assert trained == {path: path.stat().st_mtime_ns for path in trained}
