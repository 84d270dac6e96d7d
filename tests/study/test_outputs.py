"""Study tables as LaTeX, CSV and data frames, read back by other means than those that wrote them."""

import csv
import io
import json
import re

import pytest

from jointalign.cli.app import run
from jointalign.study import Pair, StudySettings, planned, study
from jointalign.study._outputs import latex, tidy
from jointalign.training.skipgram import SkipGram
from languages import write_study_data

TRAINER = SkipGram(20, window=2, epochs=5, subsampling=0.0)

MARKDOWN = """**Table 1: P@1, 100 % of {words}** (rule `paper`)

| | en-es | es-en |
|---|---|---|
| Joint_Align & w/o AR | 30.2 ± 1.0 ▲ / 30.0 | 12.0 / – |
| RCSLS | 5.0 | no word |

* significant (95 %)."""


def cells_of(text):
    """The cells of a tabular, its commands taken back."""
    body = re.search(r"\\begin{tabular}{(\w+)}(.*)\\end{tabular}", text, re.DOTALL)
    rows = [line.removesuffix(r" \\") for line in body[2].splitlines() if line.endswith(r"\\")]
    plain = [re.sub(r"\\([&%$#_{}])", r"\1", row.replace(r"\&", "AND")) for row in rows]
    return body[1], [[cell.strip().replace("AND", "&") for cell in row.split(" & ")] for row in plain]


def test_a_table_keeps_its_cells_in_latex():
    text = latex(MARKDOWN, "tab:table1")
    spec, rows = cells_of(text)
    assert spec == "lrr"
    assert rows[0] == ["", "en-es", "es-en"]
    assert rows[1] == ["Joint_Align & w/o AR", r"30.2 $\pm$ 1.0 $\blacktriangle$ / 30.0", "12.0 / --"]
    assert rows[2] == ["RCSLS", "5.0", "no word"]
    assert r"\caption{Table 1: P@1, 100 \% of \{words\} (rule \texttt{paper})}" in text
    assert r"\footnotesize * significant (95 \%)." in text
    assert text.count("{") - text.count(r"\{") == text.count("}") - text.count(r"\}")


def test_rows_hold_every_number_once():
    rule = {
        "p_at_1": 30.0,
        "deviation": None,
        "ci": (20.0, 40.0),
        "n": 7,
        "coverage": 80.0,
        "by_seed": (30.0,),
    }
    cell = {"published": 31.5, "method": {"name": "x"}, "gamma": 0.9, "seconds": [1.0], "failed": 0}
    facts = {
        "rows": [{"row": "a", "title": "A", "directions": {"en-es": cell | {"paper": rule, "muse": rule}}}]
    }
    first, second = tidy(facts)
    assert (first["rule"], second["rule"]) == ("paper", "muse")
    assert (first["low"], first["high"]) == (20.0, 40.0)
    assert (first["column"], first["published"], first["p_at_1"], first["n"]) == ("en-es", 31.5, 30.0, 7)
    absent = {"published": None, "absent": "not run here"}
    found = {"published": 1.0, "absent": None, "f1": 50.0, "ci": (1.0, 2.0)}
    rows = tidy({"rows": [{"row": "r", "title": "R", "directions": {"es": absent, "de": found}}]})
    assert [set(row) for row in rows] == [set(rows[0])] * 2  # the same columns in each
    assert rows[0]["absent"] == "not run here"
    assert (rows[1]["f1"], rows[1]["low"], rows[1]["high"]) == (50.0, 1.0, 2.0)


@pytest.fixture(scope="module")
def ranked(tmp_path_factory):
    data = write_study_data(tmp_path_factory.mktemp("data"), 300)
    rows = ("procrustes", "ranked", "both-ranked")
    settings = StudySettings(data, (Pair("en", "es"),), rows, 1, trainer=TRAINER)
    folder = tmp_path_factory.mktemp("study")
    return (
        folder,
        settings,
        study("table1", settings, folder, threads=1, command="jointalign study table1 a_b"),
    )


def test_ranked_rows_stand_beside_those_of_csls_and_say_so(ranked):
    folder, _, result = ranked
    titles = [row["title"] for row in result.facts["rows"]]
    assert titles == ["Procrustes", "Align + ranking", "Joint-Align and Align + ranking"]
    scores = [row["directions"]["en-es"]["muse"]["p_at_1"] for row in result.facts["rows"]]
    assert min(scores[1:]) >= scores[0] > 50
    for name, way in (("procrustes", "csls10"), ("ranked", "ranked"), ("both-ranked", "ranked")):
        cell = json.loads((folder / "cells" / f"cell.{name}.en-es.seed0.json").read_text())
        assert f"retrieval:{way}|" in cell["scores"]["table1"]["muse"]["signature"]


def test_too_few_pairs_leave_ranked_rows_out(tmp_path, caplog):
    data = write_study_data(tmp_path / "data")
    lexicon = data / "lexicons" / "en-es.0-5000.txt"
    lexicon.write_text("".join(lexicon.read_text().splitlines(keepends=True)[:60]))
    settings = StudySettings(data, (Pair("en", "es"),), ("joint", "ranked"), 1, trainer=TRAINER)
    found = study("table1", settings, tmp_path / "out", threads=1)
    assert [row["row"] for row in found.facts["rows"]] == ["joint"]
    assert "rows with ranking are left out" in caplog.text


def test_every_form_has_the_same_numbers(ranked):
    folder, _, result = ranked
    assert {path.name for path in result.files} >= {"table1.md", "table1.tex", "table1.csv", "table1.json"}
    frame = result.to_frame()
    assert len(frame) == 3 * 2 * 2  # rows, directions, rules
    read = list(csv.DictReader(io.StringIO((folder / "table1.csv").read_text())))
    assert [float(row["p_at_1"]) for row in read] == frame["p_at_1"].tolist()
    paper = frame[(frame.rule == "paper") & (frame.row == "ranked") & (frame.column == "en-es")].p_at_1.item()
    _, rows = cells_of((folder / "table1.tex").read_text())
    assert any(row[0] == "Align + ranking" and row[1].startswith(f"{paper:.1f} ") for row in rows)
    assert "jointalign study table1 a_b`" in (folder / "table1.md").read_text()
    assert r"\texttt{jointalign study table1 a\_b}" in (folder / "table1.tex").read_text()
    facts = json.loads((folder / "table1.json").read_text())
    assert facts["command"] == "jointalign study table1 a_b"
    assert facts["versions"]["jointalign"] == facts["version"]


def test_cells_are_planned_by_the_names_that_are_announced(ranked):
    folder, settings, _ = ranked
    said = []
    study("table2", settings, folder, threads=1, announce=lambda name, done: said.append(name))
    assert [name for name in said if name.startswith("cell.")] == planned(settings)


@pytest.mark.parametrize(("form", "start"), [("latex", r"\begin{table}"), ("csv", "row,title,column")])
def test_what_is_printed_is_the_form_that_was_asked_for(ranked, form, start, capsys):
    folder, settings, _ = ranked
    small = "--dimensions 20 --window 2 --subsampling 0 --threads 1".split()
    asked = ["--data", str(settings.data), "--pairs", "en-es", "--seeds", "1", "--methods", "procrustes"]
    assert run(["study", "table1", *asked, *small, "--out", str(folder), "--format", form]) == 0
    said = capsys.readouterr()
    assert said.out.startswith(start)
    assert "cell.procrustes" not in said.err  # all was made before
    assert "table1.tex" in said.err
