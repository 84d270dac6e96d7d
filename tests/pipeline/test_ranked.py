"""A run ranks its dictionary, unless it is told not to or there is too little to learn from."""

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from jointalign.dictionary.api import induce, write_tsv
from jointalign.formats.api import read_bilingual
from jointalign.lexicon import Lexicon
from jointalign.ranking.storage import read_ranker
from languages import write_pair

COMMAND = [sys.executable, "-m", "jointalign", "run"]
FILES = ["dictionary.tsv", "dictionary.csls.tsv", "contradictions.tsv", "ranker.json", "ranking.json"]


def command(options, out, *more):
    return [*COMMAND, *(part for pair in options.items() for part in pair), "--out", str(out), *more]


def done(options, out, *more):
    found = subprocess.run(command(options, out, *more), capture_output=True, text=True, check=False)
    assert found.returncode == 0, found.stderr
    return found


def contents(out):
    return {name: (out / name).read_bytes() for name in [*FILES, "scores.json", "report.html"]}


def table(path):
    lines = [line.split("\t") for line in path.read_text().splitlines()]
    return [dict(zip(lines[0], line, strict=True)) for line in lines[1:]]


@pytest.fixture(scope="module")
def options(tmp_path_factory):
    return write_pair(tmp_path_factory.mktemp("languages"), 300)


@pytest.fixture(scope="module")
def ranked(options, tmp_path_factory):
    out = tmp_path_factory.mktemp("runs") / "run"
    return out, json.loads(done(options, out, "--json").stdout)


def test_the_object_has_ranked_scores_no_lower_than_those_of_csls(ranked):
    _, result = ranked
    for suffix in ("", "_identical_removed"):
        plain, better = result["bli" + suffix], result["bli_ranked" + suffix]
        assert {rule: set(facts) for rule, facts in plain.items()} == {
            rule: set(facts) for rule, facts in better.items()
        }
        assert better["muse"]["n"] == plain["muse"]["n"] > 80
        assert better["muse"]["p_at_1"] >= plain["muse"]["p_at_1"]
        assert "ranked" in better["muse"]["signature"]
        plain = result["bli_reversed"]["identical" + (suffix.removeprefix("_identical") or "_kept")]
        back = result["bli_ranked_reversed"]["identical" + (suffix.removeprefix("_identical") or "_kept")]
        assert back["muse"]["n"] == plain["muse"]["n"] > 80
        assert back["muse"]["p_at_1"] >= plain["muse"]["p_at_1"]
    assert set(result["ranking"]) == {"calibration_error", "candidate_recall", "seconds"}
    assert 0 <= result["ranking"]["calibration_error"] < 0.15
    assert 50 < result["ranking"]["candidate_recall"] <= 100
    assert result["ranking"]["seconds"] == result["seconds"]["rank"] > 0


def test_the_dictionary_is_the_ranked_one_with_given_pairs_kept(options, ranked):
    out, _ = ranked
    head = (out / "dictionary.tsv").read_text().splitlines()[0].split("\t")
    assert head == ["source", "target", "probability", "rank", "source_count", "target_count", "evidence"]
    rows = table(out / "dictionary.tsv")
    given = {(row["source"], row["target"]) for row in rows if "given" in row["evidence"].split(", ")}
    with Path(options["--lexicon"]).open() as lexicon:
        assert given == {tuple(line.split()) for line in lexicon}
    counts = [int(row["source_count"]) for row in rows]
    assert counts == sorted(counts, reverse=True)
    back = Lexicon.read(out / "dictionary.tsv")
    assert back.pairs == tuple((row["source"], row["target"]) for row in rows)
    read_ranker(out / "ranker.json")
    page = (out / "report.html").read_text()
    assert "what speaks for it" in page
    assert "points in the mean" in page
    assert "Ranked: P@1 " in page
    assert f"<td>{rows[0]['source']}</td><td>{rows[0]['target']}</td>" in page


def test_without_ranking_the_dictionary_is_that_of_csls(options, ranked, tmp_path):
    out, _ = ranked
    kept = contents(out)
    result = json.loads(done(options, out, "--json", "--no-rank").stdout)
    assert result["bli_ranked"] is result["bli_ranked_identical_removed"] is result["ranking"] is None
    write_tsv(induce(read_bilingual(out / "aligned.safetensors")), tmp_path / "plain.tsv")
    assert (out / "dictionary.tsv").read_bytes() == (tmp_path / "plain.tsv").read_bytes()
    assert "what speaks for it" not in (out / "report.html").read_text()
    done(options, out)
    assert contents(out) == kept
    assert kept["dictionary.csls.tsv"] == (tmp_path / "plain.tsv").read_bytes()


def test_stopped_while_it_ranks_it_ends_in_the_same_bytes(options, ranked, tmp_path):
    out, _ = ranked
    process = subprocess.Popen(
        command(options, tmp_path), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    )
    for line in process.stderr:
        if line.strip() == "rank":
            break
    time.sleep(0.05)
    process.kill()
    assert process.wait() == -signal.SIGKILL
    process.stderr.close()
    assert not (tmp_path / "stages" / "rank.json").exists()
    again = done(options, tmp_path)
    assert "align: done before" in again.stderr
    assert contents(tmp_path) == contents(out)
    plain = json.loads((out / "scores.json").read_text())["source_to_target"]["identical_kept"]["muse"]
    better = json.loads((out / "ranking.json").read_text())["scores"]["identical_kept"]["muse"]
    line = f"ranked: P@1 {better['p_at_1']:.1f} (CSLS {plain['p_at_1']:.1f}), test words, rule muse"
    assert line in again.stdout.splitlines()


def test_too_few_pairs_are_said_and_not_ranked(tmp_path):
    found = done(write_pair(tmp_path / "languages"), tmp_path / "run")
    assert "not ranked: ranking learns from 100 pairs or more, of which the spaces know 90" in found.stdout
    out = tmp_path / "run"
    assert (out / "dictionary.tsv").read_bytes() == (out / "dictionary.csls.tsv").read_bytes()
    assert not (out / "ranker.json").exists()
    page = (out / "report.html").read_text()
    assert "what speaks for it" not in page
    assert "Not ranked: ranking learns from 100 pairs" in page
