"""The page of the whole paper: every cell has a figure or a reason, claims are decided by intervals."""

import csv
import json
import re
import shutil
from dataclasses import replace

import numpy as np
import pytest

from jointalign.cli.app import run as command_line
from jointalign.errors import JointalignError
from jointalign.study import NERStudySettings, Pair, StudyResult, StudySettings, paper
from jointalign.study._rows import all_published
from jointalign.study._statistics import difference
from jointalign.study.claims import Claim, Evidence, bleu_evidence, ner_evidence, verdict
from jointalign.study.paper import PARTS, PaperSettings, Work, study_paper
from jointalign.training.skipgram import SkipGram
from languages import write_study_data

METHODS = (
    "procrustes",
    "rcsls",
    "joint",
    "without-reallocation",
    "joint-align-procrustes",
    "joint-align-rcsls",
)


def sentence_table(correct):
    return [[correct, 2, 2]] * 50


def fake_names(settings, work):
    """Table 3 with a planted answer: Joint-Align finds every name, Align half of them."""
    (work.folder / "cells").mkdir(parents=True, exist_ok=True)
    rows = []
    for name, title, correct in (("align", "Align", 1), ("joint-align", "Joint-Align", 2)):
        facts = {"counts": sentence_table(correct)}
        (work.folder / "cells" / f"ner.{name}.en-es.seed0.json").write_text(json.dumps(facts))
        cell = {"published": 1.0, "absent": None, "f1": 50.0 * correct, "deviation": None, "ci": [40, 100]}
        cell["coverage"] = 30.0 * correct
        rows.append({"row": name, "title": title, "directions": {"es": cell}})
    reported = {"es": {"published": 71.67, "absent": "not run here"}}
    rows.append({"row": "xie", "title": "Xie et al. 2018 (reported)", "directions": reported})
    facts = {"title": "Table 3", "rows": rows, "seeds": 1, "source": "en"}
    return StudyResult("table3", facts, "", ())


def fails(settings, work):
    raise JointalignError("the model <broke>")


@pytest.fixture(scope="module")
def settings(tmp_path_factory):
    data = write_study_data(tmp_path_factory.mktemp("data"))
    trainer = SkipGram(20, window=2, subsampling=0.0)
    tables = StudySettings(data, (Pair("en", "es"),), METHODS, 1, trainer=trainer)
    lacking = {"en-fr": "no text", "nl": "no ner/nl with text", "de": "no ner/de with text"}
    return PaperSettings(data, True, tables, NERStudySettings("en", ("es",)), 1, 1.0, lacking)


@pytest.fixture(scope="module")
def made(settings, tmp_path_factory):
    folder = tmp_path_factory.mktemp("paper")
    with pytest.MonkeyPatch.context() as patch:
        faked = {"table3": fake_names, "figure2": fails}
        parts = tuple(replace(p, make=faked.get(p.name, p.make)) for p in PARTS)
        patch.setattr(paper, "PARTS", parts)
        first = study_paper(settings, folder, Work(folder, threads=1))
        said = []
        again = study_paper(settings, folder, Work(folder, 1, None, lambda *a: said.append(a)))
    return folder, first, again, said


def test_a_part_that_fails_is_told_and_the_others_are_there(made):
    folder, result, again, _ = made
    assert result.failures == again.failures == {"figure2": "JointalignError: the model <broke>"}
    page = result.page.read_text("utf-8")
    assert "Failed: Figure 2." in page and "the model &lt;broke&gt;" in page
    for name in ("table1.json", "table2.tex", "table4.png", "figure1.png"):
        assert (folder / "tables" / name).is_file()
    assert page.count("data:image/png;base64,") == 4
    linked = re.findall(r'(?:src|href)="(?!data:|#)([^"]*)', page)
    assert {"tables/table1.tex", "tables/table2.csv", "table4.cells.csv"} <= set(linked)
    assert all((folder / path).is_file() for path in linked)


def test_what_was_made_is_not_made_again_and_time_adds_up(made):
    folder, first, again, said = made
    titles = {part.title for part in PARTS}
    assert [name for name, done in said if not done and name not in titles] == []
    assert all(b.seconds > a.seconds for a, b in zip(first.parts, again.parts, strict=True))
    record = json.loads((folder / "table1.record.json").read_text())
    assert record["command"].startswith("jointalign study table1 --pairs en-es")


def test_every_cell_of_the_paper_has_a_figure_or_a_reason(made):
    folder = made[0]
    for table in ("table1", "table2", "table3", "table4"):
        with (folder / f"{table}.cells.csv").open(encoding="utf-8", newline="") as file:
            cells = {(row["row"], row["column"]): row for row in csv.DictReader(file)}
        for title, columns in all_published(table).items():
            for column, value in columns.items():
                if column != "avg" and value is not None:
                    cell = cells[title, column]
                    assert float(cell["published"]) == value
                    assert bool(cell["ours"]) != bool(cell["reason"])
    with (folder / "table1.cells.csv").open(encoding="utf-8", newline="") as file:
        cells = {(row["row"], row["column"]): row for row in csv.DictReader(file)}
    assert cells["RCSLS", "en-es"]["ours"] and cells["MUSE", "en-es"]["reason"] == "left out by --quick"
    assert cells["RCSLS", "fr-en"]["reason"] == "no data"


def test_columns_that_carry_no_weight_are_named(made):
    page = made[1].page.read_text("utf-8")
    assert "can&#x27;t carry weight, by the lowest coverage of a row: es (30 %)" in page


def test_claims_are_decided_by_the_cells(made):
    folder, result, *_ = made
    claims = {
        (part.name, one.better, one.worse): found for part in result.parts for one, found in part.claims
    }
    found = claims["table1", "joint-align-rcsls", "rcsls"]
    assert [one.column for one in found] == ["en-es", "es-en"]
    scores = [
        json.loads((folder / "tables" / "cells" / f"cell.{row}.en-es.seed0.json").read_text())["scores"]
        for row in ("joint-align-rcsls", "rcsls")
    ]
    expected = difference(*([score["table1"]["paper"]] for score in scores))
    assert (found[0].difference, found[0].ci) == (expected.difference, expected.ci)
    assert claims["table1", "joint-align-geomm", "geomm"] == []  # not among the rows
    (names,) = claims["table3", "joint-align", "align"]
    assert names == Evidence("es", 50.0, (50.0, 50.0)) and verdict([names]) == "holds"
    assert claims["table3", "align", "joint"] == []
    assert "a row is left out by --quick" in result.page.read_text("utf-8")
    assert "not measured" in result.page.read_text("utf-8")


@pytest.mark.parametrize(
    "intervals, wanted",
    [
        ([], "not measured"),
        ([(1, 2), (1, 3)], "holds"),
        ([(1, 2), (-1, 3)], "holds in part"),
        ([(-1, 2)], "not decided"),
        ([(-1, 2), (-3, -1)], "does not hold"),
        ([(1, 2), (-3, -1)], "differs by column"),
        ([None], "not decided"),
    ],
)
def test_verdicts(intervals, wanted):
    assert verdict([Evidence("x", 0.0, interval) for interval in intervals]) == wanted


def test_translation_is_compared_by_the_best_epochs():
    claim = Claim("", "joint-align", "align")
    scores = {"joint-align": 9.0, "align": 7.5}
    curves = {name: {"test": {"en-de": {"bleu": bleu}}} for name, bleu in scores.items()}
    assert bleu_evidence("figure2", claim, {"curves": curves}, None) == [Evidence("en-de", 1.5, None)]
    curves["align"]["test"] = None
    assert bleu_evidence("figure2", claim, {"curves": curves}, None) == []


def test_names_are_compared_over_seeds(tmp_path):
    (tmp_path / "cells").mkdir()
    for row, counts in (("a", (2, 1)), ("b", (1, 1))):
        for seed, correct in enumerate(counts):
            facts = {"counts": sentence_table(correct)}
            (tmp_path / "cells" / f"ner.{row}.en-es.seed{seed}.json").write_text(json.dumps(facts))
    rows = [{"row": row, "directions": {"es": {"absent": None}}} for row in "ab"]
    (found,) = ner_evidence(
        "table3", Claim("", "a", "b"), {"rows": rows, "seeds": 2, "source": "en"}, tmp_path
    )
    assert found.difference == 25.0 and found.ci is not None and found.ci[0] <= 25.0 <= found.ci[1]
    assert np.isclose(found.ci[1], 50.0)


def test_what_the_data_lacks_is_found_out(settings, tmp_path):
    data = tmp_path / "data"
    shutil.copytree(settings.data, data)
    found = PaperSettings.of(data, quick=True)
    assert found.tables.pairs == (Pair("en", "es"),) and "en-fr" in found.lacking and "nl" in found.lacking
    assert len(PaperSettings.of(data).tables.methods) == 0  # all of them
    shutil.rmtree(data / "lexicons")
    with pytest.raises(JointalignError, match="no pair of the paper"):
        PaperSettings.of(data)


@pytest.mark.slow
def test_the_quick_command_makes_the_page(settings, tmp_path, capsys):
    pytest.importorskip("torch", reason="needs torch")
    arguments = ["study", "paper", "--data", str(settings.data), "--out", str(tmp_path), "--quick", "--json"]
    code = command_line(arguments)
    facts = json.loads(capsys.readouterr().out)
    # The data has no tagged text, so Table 3 fails; all else is made.
    assert code == 1 and set(facts["failures"]) == {"table3"}
    assert {claim["part"] for claim in facts["claims"]} == {"table1", "table2", "table4", "figure2"}
    assert "Figure 2: unsupervised translation" in (tmp_path / "index.html").read_text("utf-8")
