"""Tables of two tiny languages: trained once, shared, resumed, and beside the published numbers."""

import dataclasses
import gzip
import json
import shutil

import numpy as np
import pytest

from jointalign.cli.app import run as command_line
from jointalign.embedding import Embedding
from jointalign.errors import JointalignError
from jointalign.lexicon import Lexicon
from jointalign.reallocation import reallocate
from jointalign.storage.checkpoint import OtherWorkError
from jointalign.study import Pair, StudySettings, study
from jointalign.study._cells import without_torn_pairs
from jointalign.study._data import text_of
from jointalign.study._rows import ROWS, _published, published, rows_named
from jointalign.study._statistics import difference, hits, mean
from jointalign.training.skipgram import SkipGram
from jointalign.vocabulary import Counts, Vocabulary
from languages import write_study_data
from toy_package import written

ROW_NAMES = ("procrustes", "rcsls", "joint", "without-alignment", "joint-align-procrustes")
TRAINER = SkipGram(20, window=2, epochs=5, subsampling=0.0)


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return write_study_data(tmp_path_factory.mktemp("data"))


@pytest.fixture(scope="module")
def settings(data):
    return StudySettings(data, (Pair("en", "es"),), ROW_NAMES, 2, trainer=TRAINER)


@pytest.fixture(scope="module")
def done(settings, tmp_path_factory):
    folder = tmp_path_factory.mktemp("study")
    return folder, study("table1", settings, folder, threads=1)


def test_every_row_has_both_directions_and_both_rules(done):
    _, result = done
    assert [row["row"] for row in result.facts["rows"]] == list(ROW_NAMES)
    for row in result.facts["rows"]:
        assert set(row["directions"]) == {"en-es", "es-en"}
        for facts in row["directions"].values():
            for rule in ("paper", "muse"):
                low, high = facts[rule]["ci"]
                assert low <= facts[rule]["p_at_1"] <= high
                assert len(facts[rule]["by_seed"]) == 2


def test_aligned_rows_translate_and_chance_does_not(done):
    _, result = done
    scores = {row["row"]: row["directions"]["en-es"]["muse"]["p_at_1"] for row in result.facts["rows"]}
    assert scores["joint-align-procrustes"] > 50
    assert scores["procrustes"] > 30
    assert scores["without-alignment"] < scores["joint-align-procrustes"]


def test_published_numbers_stand_beside_ours(done):
    folder, result = done
    rcsls = result.facts["rows"][1]
    assert rcsls["directions"]["en-es"]["published"] == 84.1
    assert rcsls["directions"]["es-en"]["published"] == 86.3
    assert "/ 84.1" in result.markdown
    assert "turned round, where there is no official one: es-en" in result.markdown
    assert (folder / "table1.md").read_text().startswith("**Table 1")
    assert json.loads((folder / "table1.json").read_text())["seeds"] == 2


def column(markdown, title, row):
    """The cell of a row under the heading after `title`."""
    lines = [[cell.strip() for cell in line.split("|")] for line in markdown.splitlines() if "|" in line]
    return next(line for line in lines if line[1] == row)[lines[0].index(title) + 1]


def test_each_figure_stands_beside_its_coverage(done, settings):
    _, result = done
    found = result.facts["rows"][0]["directions"]
    for direction in ("en-es", "es-en"):
        shown = column(result.markdown, direction, "Procrustes")
        assert shown == f"{found[direction]['paper']['coverage']:.0f}"
    assert result.facts["warnings"] == [] and "carry weight" not in result.markdown


def test_figures_of_few_of_the_test_words_are_marked(data, tmp_path):
    """A dictionary most of whose words no text has: what is right by rule `paper` is copied."""
    folder = tmp_path / "data"
    shutil.copytree(data, folder)
    test = folder / "lexicons" / "en-es.5000-6500.txt"
    known = test.read_text().splitlines()[:6]
    test.write_text("".join(f"{line}\n" for line in known) + "".join(f"zzz{n} zzz{n}\n" for n in range(30)))
    few = StudySettings(folder, (Pair("en", "es"),), ("procrustes",), 1, trainer=TRAINER)
    result = study("table1", few, tmp_path / "out", threads=1)
    scores = result.facts["rows"][0]["directions"]["en-es"]["paper"]
    assert scores["p_at_1"] > 80 and scores["coverage"] < 20
    (note,) = result.facts["warnings"]
    assert f"en-es ({scores['coverage']:.0f} %)" in note and note in result.markdown
    assert json.loads((tmp_path / "out" / "table1.json").read_text())["warnings"] == [note]


def test_neighbours_are_compared_within_their_group(done):
    _, result = done
    compared = {(entry["first"], entry["second"]) for entry in result.facts["neighbours"]}
    assert compared == {("rcsls", "procrustes"), ("joint-align-procrustes", "without-alignment")}


def test_the_picture_shows_all_directions(done):
    folder, _ = done
    assert (folder / "table1.png").read_bytes()[:4] == b"\x89PNG"


def test_nothing_is_done_twice_and_tables_share_everything(done, settings):
    folder, first = done
    said = []
    again = study("table1", settings, folder, threads=1, announce=lambda *args: said.append(args))
    assert all(finished for _, finished in said)
    assert again.facts == first.facts
    said.clear()
    other = study("table2", settings, folder, threads=1, announce=lambda *args: said.append(args))
    assert all(finished for _, finished in said)
    assert other.facts["rows"] != first.facts["rows"]


def test_a_method_of_another_package_is_a_row(done, settings, tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(written(tmp_path, "toys", toy="module:Toy"))
    folder, first = done
    copy = shutil.copytree(folder, tmp_path / "study")
    more = dataclasses.replace(settings, methods=("procrustes", "toy", "joint-align-toy"))
    rows = {row["row"]: row for row in study("table1", more, copy, threads=1).facts["rows"]}
    assert set(rows) == {"procrustes", "toy", "joint-align-toy"}
    for direction, facts in rows["procrustes"]["directions"].items():
        # The toy is a scaled Procrustes, which retrieval cannot tell from it.
        assert rows["toy"]["directions"][direction]["muse"]["by_seed"] == facts["muse"]["by_seed"]
    cell = json.loads((copy / "cells" / "cell.toy.en-es.seed0.json").read_text())
    assert cell["method"] == {"name": "toy", "scale": 2.0}


def test_another_dictionary_is_refused_or_learnt_from_again(done, data, settings, tmp_path):
    folder, first = done
    copy, changed = tmp_path / "study", tmp_path / "data"
    shutil.copytree(folder, copy)
    shutil.copytree(data, changed)
    path = changed / "lexicons" / "en-es.0-5000.txt"
    lines = path.read_text().splitlines()
    path.write_text("\n".join(lines[: len(lines) // 2]) + "\n")
    said = []
    fewer = StudySettings(changed, settings.pairs, ("procrustes",), 2, trainer=TRAINER)
    with pytest.raises(OtherWorkError, match=r"\(training_dictionary: \w+, now \w+\)"):
        study("table1", fewer, copy, threads=1)
    # Texts go by content, so trainings stay; dictionaries decide the choices alone.
    study("table1", fewer, copy, threads=1, announce=lambda *args: said.append(args), fresh=True)
    assert ("gamma.en-es", False) in said
    assert ("toy.en+es.seed0", True) in said


def test_a_pair_that_reallocation_tears_apart_is_left_out():
    joint = Embedding(Vocabulary(("age", "casa", "house", "radio")), np.eye(4, dtype=np.float32))
    source = Counts.from_pairs([("age", 99), ("house", 50), ("radio", 20)])
    target = Counts.from_pairs([("age", 1), ("casa", 50), ("radio", 20)])
    before, after = (reallocate(joint, source, target, gamma) for gamma in (1.0, 0.9))
    test = Lexicon((("age", "age"), ("house", "casa"), ("radio", "radio"), ("new", "word")))
    kept = without_torn_pairs(test, before, after)
    assert kept.pairs == (("house", "casa"), ("radio", "radio"), ("new", "word"))


def test_the_mean_is_over_seeds_and_the_interval_over_words():
    scores = [
        {"p_at_1": 50.0, "coverage": 80.0, "words": ["a", "b"], "right": "10"},
        {"p_at_1": 100.0, "coverage": 80.0, "words": ["a", "b"], "right": "11"},
    ]
    assert hits(scores) == {"a": 1.0, "b": 0.5}
    summary = mean(scores)
    assert summary.p_at_1 == 75.0 and summary.ci == (50.0, 100.0)
    assert summary.deviation == pytest.approx(np.std([50, 100], ddof=1))


def test_differences_tell_a_better_system_from_an_equal_one():
    rng = np.random.default_rng(0)
    words = [str(number) for number in range(400)]

    def score(right):
        return [{"words": words, "right": "".join("1" if r else "0" for r in right)}]

    base = rng.random(400) < 0.4
    better = base | (rng.random(400) < 0.15)
    level = rng.permutation(base)
    found = difference(score(better), score(base))
    assert found.significant and found.difference == pytest.approx(100 * (better.mean() - base.mean()))
    assert found.p_value < 0.01
    assert not difference(score(level), score(base)).significant


def test_no_word_to_count_is_no_number_and_no_crash():
    empty = {"p_at_1": None, "coverage": None, "words": [], "right": ""}
    full = {"p_at_1": 50.0, "coverage": 80.0, "words": ["a", "b"], "right": "10"}
    assert np.isnan(mean([empty]).p_at_1) and mean([empty]).n == 0
    found = difference([empty], [full])
    assert found.n == 0 and not found.significant


def test_titles_of_the_paper_have_their_published_rows():
    for table in ("table1", "table2", "table4"):
        known = set(_published()[table])
        assert known <= {row.title for row in ROWS}
    assert published("table1", "GeoMM", "en-de") == 74.7
    assert published("table1", "Procrustes, refined", "en-de") is None


def test_unknown_names_are_refused(settings, tmp_path):
    with pytest.raises(JointalignError, match="no row 'rcls'"):
        rows_named(("rcls",))
    with pytest.raises(JointalignError, match="no 'table9'"):
        study("table9", settings, tmp_path)
    with pytest.raises(JointalignError, match="language codes"):
        Pair.parse("english-spanish")


def test_a_pair_that_is_named_twice_counts_once(done, settings):
    folder, first = done
    twice = dataclasses.replace(settings, pairs=(Pair("en", "es"), Pair("es", "en")))
    assert study("table1", twice, folder, threads=1).facts == first.facts


def test_missing_texts_and_dictionaries_are_named(data, tmp_path, capfd):
    arguments = ["study", "table1", "--out", str(tmp_path / "out"), "--methods", "procrustes"]
    assert command_line([*arguments, "--data", str(data), "--pairs", "en-fr"]) == 2
    assert "data get muse --pair en-fr" in capfd.readouterr().err
    shutil.copytree(data / "lexicons", tmp_path / "data" / "lexicons")
    assert command_line([*arguments, "--data", str(tmp_path / "data"), "--pairs", "en-es"]) == 2
    assert "expected one corpus with both languages of en-es" in capfd.readouterr().err


def test_a_text_that_is_there_twice_is_not_guessed(data, tmp_path):
    shutil.copytree(data, tmp_path / "data")
    with gzip.open(tmp_path / "data" / "mono" / "toy.en.txt.gz", "wb") as file:
        file.write(b"older words\n")
    settings = StudySettings(tmp_path / "data", (Pair("en", "es"),))
    with pytest.raises(JointalignError, match=r"toy.en.txt and toy.en.txt.gz, which may differ"):
        text_of(settings, settings.pairs[0], "en")
    assert text_of(settings, settings.pairs[0], "es")[1].name == "toy.es.txt"


def test_no_state_of_a_training_is_left(done):
    assert not list(done[0].glob("*.parts"))


def contents(folder):
    return {path: path.stat().st_mtime_ns for path in folder.rglob("*") if path.is_file()}


def test_work_of_other_settings_is_refused_by_name_and_stays(done, settings, tmp_path, caplog):
    folder, _ = done
    copy = tmp_path / "study"
    shutil.copytree(folder, copy)
    before = contents(copy)
    other = dataclasses.replace(settings, trainer=dataclasses.replace(TRAINER, noise="joint"))
    with pytest.raises(OtherWorkError, match=r"\(trainer\.noise: language, now joint\).*--fresh"):
        study("table1", other, copy, threads=1)
    with pytest.raises(OtherWorkError, match=r"\(tokens: None, now 99\).*--fresh"):
        study("table1", dataclasses.replace(settings, tokens=99), copy, threads=1)
    assert contents(copy) == before
    one = dataclasses.replace(other, methods=("procrustes",), seeds=1)
    said = []
    study("table1", one, copy, threads=1, announce=lambda *args: said.append(args), fresh=True)
    assert ("toy.en", True) in said and ("toy.en.seed0", False) in said
    assert "(trainer.noise: language, now joint), now replaced" in caplog.text


class Killed(Exception):
    pass


def test_a_study_that_was_killed_goes_on_and_one_with_another_seed_shares_its_cells(settings, tmp_path):
    one = dataclasses.replace(settings, methods=("procrustes",), seeds=1)

    def killed(done, total, note=""):
        if (tmp_path / "toy.en+es.seed0.safetensors").exists():  # in the next training
            raise Killed

    with pytest.raises(Killed):
        study("table1", one, tmp_path, threads=1, progress=killed)
    said = []
    result = study("table1", one, tmp_path, threads=1, announce=lambda *args: said.append(args))
    assert {("toy.en", True), ("toy.en+es.seed0", True), ("toy.en.seed0", False)} < set(said)
    more = dataclasses.replace(one, seeds=2)
    said.clear()
    study("table1", more, tmp_path, threads=1, announce=lambda *args: said.append(args))
    cells = {name: finished for name, finished in said if name.startswith("cell.")}
    assert cells["cell.procrustes.en-es.seed0"] and not cells["cell.procrustes.en-es.seed1"]
    assert study("table1", one, tmp_path, threads=1).facts == result.facts
