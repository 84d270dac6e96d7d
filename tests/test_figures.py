"""The figures in README and docs are those of `studies/results`, and no result lies there for nothing."""

import importlib.util
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.fixture
def figures():
    spec = importlib.util.spec_from_file_location("figures", ROOT / "tools" / "figures.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_documents_have_the_figures_of_the_results(figures):
    different = [f"{document}:\n{piece}" for document, piece in figures.wrong()]
    assert not different, "\n\n".join(["see tools/figures.py", *different])


def test_a_figure_that_differs_is_found(figures, monkeypatch):
    read = figures.result

    def changed(name):
        found = read(name)
        if name == "table3.es.json":
            found["rows"][1]["directions"]["es"]["f1"] += 0.1
        return found

    monkeypatch.setattr(figures, "result", changed)
    assert [document for document, _ in figures.wrong()] == ["studies/README.md", "README.md"]


def test_every_table_of_the_studies_is_made_of_results(figures):
    made = [figures.flowing(make()) for document, make in figures.blocks() if document == figures.STUDIES]
    text = (ROOT / figures.STUDIES).read_text("utf-8")
    tables = re.findall(r"(?:^\|.*\n)+", text, flags=re.MULTILINE)
    assert len(tables) > 15
    assert not [table for table in tables if not any(figures.flowing(table) in piece for piece in made)]


def test_every_result_is_cited_or_shown(figures, monkeypatch):
    read, names = figures.result, set()

    def noted(name):
        names.add(name)
        return read(name)

    monkeypatch.setattr(figures, "result", noted)
    assert not list(figures.wrong())
    documents = [ROOT / "README.md", *ROOT.glob("docs/*.md"), *ROOT.glob("studies/*.md")]
    cited = " ".join(path.read_text("utf-8") for path in documents)
    there = {path.name for path in figures.RESULTS.iterdir()}
    assert {name for name in there - names if name not in cited} == set()
