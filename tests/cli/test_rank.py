"""`jointalign rank` as its users meet it."""

import json

import pytest

from jointalign import write
from jointalign.cli.app import run
from planted import language_pair


@pytest.fixture(scope="module")
def options(tmp_path_factory):
    folder = tmp_path_factory.mktemp("rank")
    space, lexicon = language_pair(size=300, noise=1.2)
    write(space.source, folder / "source.vec")
    write(space.target, folder / "target.vec")
    for name, pairs in (("train", lexicon.pairs[::2]), ("test", lexicon.pairs[1::2])):
        (folder / f"{name}.txt").write_text("".join(f"{a} {b}\n" for a, b in pairs))
    names = {"--source-vectors": "source.vec", "--target-vectors": "target.vec", "--lexicon": "train.txt"}
    return folder, [str(part) for key, name in names.items() for part in (key, folder / name)]


def test_rank_writes_a_dictionary_and_prints_scores(options, tmp_path, capsys):
    folder, given = options
    assert run(["rank", *given, "--test", str(folder / "test.txt"), "--out", str(tmp_path), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert set(found) >= {"bli", "bli_ranked", "bli_identical_removed", "bli_ranked_identical_removed"}
    assert set(found["bli_ranked"]) == set(found["bli"]) == {"muse", "paper", "released", "strict"}
    assert found["bli_ranked"]["muse"]["p_at_1"] > found["bli"]["muse"]["p_at_1"] + 10
    assert found["bli_ranked"]["muse"]["n"] == found["bli"]["muse"]["n"] == 150
    assert found["ranking"]["calibration_error"] < 0.1
    assert found["ranking"]["candidate_recall"] > 50
    lines = [line.split("\t") for line in (tmp_path / "dictionary.tsv").read_text().splitlines()]
    assert lines[0][:4] == ["source", "target", "probability", "rank"]
    assert len(lines) == found["ranking"]["entries"] + 1
    assert (tmp_path / "ranker.json").exists()


def test_languages_and_format_are_taken_as_by_align(options, tmp_path, capsys):
    folder, given = options
    sides = ["--source-language", "en", "--target-language", "es", "--format", "text"]
    assert run(["rank", *given, *sides, "--out", str(tmp_path), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["ranking"]["entries"] > 0


def test_higher_precision_lists_fewer_pairs(options, tmp_path, capsys):
    _, given = options
    sizes = []
    for precision in ("0.5", "0.95"):
        out = tmp_path / precision
        assert run(["rank", *given, "--out", str(out), "--precision", precision, "--json"]) == 0
        assert "bli" not in (found := json.loads(capsys.readouterr().out))
        sizes.append(found["ranking"]["entries"])
    assert sizes[0] > sizes[1] >= 150


def test_without_a_dictionary_other_pairs_of_languages_teach(options, tmp_path, capsys):
    folder, given = options
    assert run(["rank", *given, "--out", str(tmp_path / "learnt"), "--json"]) == 0
    capsys.readouterr()
    given = given[: given.index("--lexicon")]
    test = ["--test", str(folder / "test.txt")]
    assert run(["rank", *given, *test, "--out", str(tmp_path / "taught"), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["ranking"]["own"] is False
    assert any(warning.startswith("no dictionary") for warning in found["warnings"])
    assert found["bli_ranked"]["muse"]["p_at_1"] >= found["bli"]["muse"]["p_at_1"]
    assert "given" not in (tmp_path / "taught" / "dictionary.tsv").read_text()


def test_inputs_are_spared_and_mistakes_have_one_line(options, tmp_path, capsys):
    folder, given = options
    (tmp_path / "pairs.txt").write_text("no such\n")
    given = [str(tmp_path / "pairs.txt") if part.endswith("train.txt") else part for part in given]
    assert run(["rank", *given, "--out", str(tmp_path / "out")]) == 2
    assert "check the order of the languages" in capsys.readouterr().err
    clash = [part if not part.endswith("source.vec") else str(tmp_path / "dictionary.tsv") for part in given]
    (tmp_path / "dictionary.tsv").write_bytes((folder / "source.vec").read_bytes())
    assert run(["rank", *clash, "--out", str(tmp_path)]) == 2
    assert "this is an input" in capsys.readouterr().err
