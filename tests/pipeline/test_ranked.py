"""A run ranks its dictionary, unless it is told not to."""

import dataclasses
import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from jointalign import pipeline
from jointalign.cli.app import run
from jointalign.dictionary.api import Translations, induce, translate, write_tsv
from jointalign.errors import JointalignError
from jointalign.formats.api import read_bilingual, write
from jointalign.lexicon import Lexicon
from jointalign.ranking.kept import kept_ranking
from jointalign.ranking.storage import read_ranker
from jointalign.training.skipgram import SkipGram
from jointalign.version import __version__
from languages import write_pair

COMMAND = [sys.executable, "-m", "jointalign", "run"]
FILES = ["dictionary.tsv", "dictionary.csls.tsv", "contradictions.tsv", "ranker.json", "ranking.json"]
KEPT = "aligned.ranking.safetensors"


def command(options, out, *more):
    return [*COMMAND, *(part for pair in options.items() for part in pair), "--out", str(out), *more]


def done(options, out, *more):
    found = subprocess.run(command(options, out, *more), capture_output=True, text=True, check=False)
    assert found.returncode == 0, found.stderr
    return found


def contents(out):
    return {name: (out / name).read_bytes() for name in [*FILES, KEPT, "scores.json", "report.html"]}


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
    assert "in 100 in the mean, which so few words say only roughly" in page
    assert f'<b lang="en" dir="auto">{rows[0]["source"]}</b>' in page
    assert page.count('<article class="example">') == 10  # all are sure here, so that none is doubtful
    assert page.count("<svg ") == 2
    assert page.count("<mark>") >= 20


def test_without_ranking_the_dictionary_is_that_of_csls(options, ranked, tmp_path):
    out, _ = ranked
    kept = contents(out)
    result = json.loads(done(options, out, "--json", "--no-rank").stdout)
    assert result["bli_ranked"] is result["bli_ranked_identical_removed"] is result["ranking"] is None
    write_tsv(induce(read_bilingual(out / "aligned.safetensors")), tmp_path / "plain.tsv")
    assert (out / "dictionary.tsv").read_bytes() == (tmp_path / "plain.tsv").read_bytes()
    assert "Nothing here says how sure a pair is." in (out / "report.html").read_text()
    done(options, out)
    assert contents(out) == kept
    assert kept["dictionary.csls.tsv"] == (tmp_path / "plain.tsv").read_bytes()


def test_stopped_while_it_ranks_it_ends_in_the_same_bytes(options, ranked, tmp_path):
    out, _ = ranked
    process = subprocess.Popen(
        command(options, tmp_path), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    )
    for line in process.stderr:
        if line.startswith("rank ("):
            break
    time.sleep(0.05)
    process.kill()
    assert process.wait() == -signal.SIGKILL
    process.stderr.close()
    assert not (tmp_path / "stages" / "rank.json").exists()
    again = done(options, tmp_path)
    assert "align (4 of 8): done before" in again.stderr
    assert contents(tmp_path) == contents(out)
    plain = json.loads((out / "scores.json").read_text())["source_to_target"]["identical_kept"]["muse"]
    better = json.loads((out / "ranking.json").read_text())["scores"]["identical_kept"]["muse"]
    low, high = better["ci"]
    lines = again.stdout.splitlines()
    shown = ["chosen", "quality", "entries", "files", "next", *["warning"] * 2]  # little text, twice
    assert [line.split(":")[0] for line in lines] == shown
    assert lines[1] == (
        f"quality:  P@1 {better['p_at_1']:.1f} [{low:.1f}, {high:.1f}] on {better['n']} test words (rule "
        f"muse), ranked; CSLS alone {plain['p_at_1']:.1f}"
    )
    rows = table(out / "dictionary.tsv")
    chances = [float(row["probability"]) for row in rows if "given" not in row["evidence"]]
    assert f"{len(rows)} in dictionary.tsv, about {100 * sum(chances) / len(chances):.0f} in 100" in lines[2]


def test_few_pairs_are_ranked_and_said(tmp_path):
    given = write_pair(tmp_path / "languages")
    pairs = Path(given["--lexicon"])
    pairs.write_text("".join(f"{line}\n" for line in pairs.read_text().splitlines()[:40]))
    found = json.loads(done(given, tmp_path / "run", "--json").stdout)
    assert any(warning.startswith("few pairs: ") for warning in found["warnings"])
    assert found["bli_ranked"]["muse"]["p_at_1"] >= found["bli"]["muse"]["p_at_1"]
    assert 0 <= found["ranking"]["calibration_error"] < 0.3


def test_without_a_dictionary_other_pairs_of_languages_teach(options, tmp_path):
    given = {name: value for name, value in options.items() if name != "--lexicon"}
    found = done(given, tmp_path, "--json")
    result = json.loads(found.stdout)
    assert result["ranking"]["calibration_error"] is result["ranking"]["candidate_recall"] is None
    plain, ranked = result["bli"]["muse"], result["bli_ranked"]["muse"]
    assert ranked["n"] == plain["n"] and ranked["p_at_1"] >= plain["p_at_1"] - 1
    rows = table(tmp_path / "dictionary.tsv")
    assert rows and not any("given" in row["evidence"].split(", ") for row in rows)
    assert "words of other pairs of languages were translated" in (tmp_path / "report.html").read_text()
    untested = {name: value for name, value in given.items() if name != "--test"}
    lines = done(untested, tmp_path / "again").stdout.splitlines()
    assert lines[1] == (
        "quality:  ranked by what other pairs of languages teach; no test dictionary, so no scores"
    )
    assert "a dictionary given by --lexicon or --test would say how good it is" in lines[4]


def test_translate_gives_the_probabilities_of_the_dictionary(options, ranked, capsys):
    out, _ = ranked
    rows = table(out / "dictionary.tsv")
    words = list(dict.fromkeys(row["source"] for row in rows))
    embedding = str(out / "aligned.safetensors")
    assert run(["translate", "--embedding", embedding, "--json", *words]) == 0
    said = capsys.readouterr()
    answers = {answer["word"]: answer["translations"] for answer in json.loads(said.out)["words"]}
    assert said.err == ""
    for row in rows:
        [found] = [one for one in answers[row["source"]] if one["target"] == row["target"]]
        assert f"{found['probability']:.4f}" == row["probability"]
        assert str(found["rank"]) == row["rank"]
        assert found["given"] == ("given" in row["evidence"].split(", "))
    for some in answers.values():
        chances = [one["probability"] for one in some]
        assert len(some) == 5 and chances == sorted(chances, reverse=True)
    space = read_bilingual(embedding)
    plain = translate(space, words[:20], count=1)
    for one in plain:  # the score is that of CSLS, wherever the ranking has put the word
        found = {t["target"]: t["score"] for t in answers[one.word]}
        assert found.get(one.translations[0].target, one.translations[0].score) == one.translations[0].score
    assert run(["translate", "--embedding", embedding, words[0]]) == 0
    for line, one in zip(capsys.readouterr().out.splitlines(), answers[words[0]], strict=True):
        sure = "given" if one["given"] else f"{100 * one['probability']:.0f} %"
        assert line.startswith(f"{words[0]}\t{one['target']}\t{sure}\t{one['score']:.4f}\t")


def test_scores_of_pairs_are_those_of_the_search(ranked):
    space = read_bilingual(ranked[0] / "aligned.safetensors")
    translations = Translations(space)
    word = space.source.words[3]
    [answer] = translations.of([word], count=len(space.target))
    expected = {one.target: one.score for one in answer.translations}
    wanted = list(space.target.words[5:90:7])
    assert translations.scores(word, wanted) == [expected[one] for one in wanted]
    with pytest.raises(JointalignError, match="has no vector"):
        translations.scores(word, ["nowhere"])


def test_without_a_ranking_scores_are_as_ever_and_that_is_said(ranked, tmp_path, capsys):
    out, _ = ranked
    copy = tmp_path / "aligned.safetensors"
    copy.write_bytes((out / "aligned.safetensors").read_bytes())
    word = table(out / "dictionary.tsv")[0]["source"]
    cases = ([str(copy)], [str(out / "aligned.safetensors"), "--reverse"])
    for case in cases:
        assert run(["translate", "--embedding", *case, "--json", word]) == 0
        said = capsys.readouterr()
        assert "no ranking of this direction beside the space" in said.err
        found = json.loads(said.out)["words"][0]["translations"]
        assert all(one["probability"] is None for one in found)
    (tmp_path / KEPT).write_bytes((out / KEPT).read_bytes()[:-4])
    assert run(["translate", "--embedding", str(copy), word]) == 2
    assert f"{tmp_path / KEPT}: " in capsys.readouterr().err
    other = read_bilingual(copy)
    write(dataclasses.replace(other, source_only=other.source_only.take(np.arange(50))), copy)
    (tmp_path / KEPT).write_bytes((out / KEPT).read_bytes())
    assert kept_ranking(copy, read_bilingual(copy)) is None  # of other vectors


def test_a_precision_lists_as_many_as_are_right_so_often(options, ranked, tmp_path, capsys):
    out, _ = ranked
    embedding, listed = str(out / "aligned.safetensors"), tmp_path / "list.tsv"
    asked = ["--embedding", embedding, "--export", str(listed), "--precision", "0.9", "--json"]
    assert run(["translate", *asked]) == 0
    facts = json.loads(capsys.readouterr().out)
    rows = table(listed)
    assert len(rows) == facts["entries"] > 200
    new = [row for row in rows if "given" not in row["evidence"]]
    assert all(float(row["probability"]) >= facts["threshold"] - 5e-5 for row in new)
    with Path(options["--test"]).open() as test:
        right = {tuple(line.split()) for line in test}
    sources = {source for source, _ in right}
    tested = [(row["source"], row["target"]) in right for row in new if row["source"] in sources]
    assert len(tested) > 50 and sum(tested) >= 0.85 * len(tested)
    again = json.loads(done(options, tmp_path / "run", "--json", "--precision", "0.9").stdout)
    assert again["entries"] == len(rows)
    assert (tmp_path / "run" / "dictionary.tsv").read_bytes() == listed.read_bytes()


def test_evaluate_shows_the_ranked_score_beside_that_of_csls(options, ranked, capsys):
    out, result = ranked
    asked = ["--embedding", str(out / "aligned.safetensors"), "--lexicon", options["--test"]]
    assert run(["evaluate", "bli", *asked, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["ranked"]["p_at_1"] == result["bli_ranked"]["muse"]["p_at_1"]
    assert "retrieval:ranked" in found["ranked"]["signature"]
    assert found["p_at_1"] == result["bli"]["muse"]["p_at_1"]
    assert run(["evaluate", "bli", *asked]) == 0
    lines = capsys.readouterr().out.splitlines()
    after = lines[lines.index("+ ranking") + 1]
    assert after.startswith(f"P@1 = {result['bli_ranked']['muse']['p_at_1']:.1f} [")
    assert run(["evaluate", "bli", *asked, "--max-vocabulary", "50", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["ranked"] is None


def test_the_record_says_what_was_typed_and_with_what(ranked):
    record = json.loads((ranked[0] / "record.json").read_text())
    assert record["command"].startswith("jointalign run --source ")
    assert f"--out {ranked[0]}" in record["command"]
    assert record["threads"] == 1
    assert record["versions"]["jointalign"] == __version__
    assert set(record["versions"]) >= {"python", "numpy", "numba", "platform"}


def test_scores_come_out_as_a_frame_and_as_flat_numbers(options, ranked):
    out, found = ranked
    trainer = SkipGram(20, epochs=5, window=2, subsampling=0.0)
    files = [Path(options[f"--{name}"]) for name in ("source", "target", "lexicon", "test")]
    typed = json.loads((out / "record.json").read_text())["command"]
    result = pipeline.run(pipeline.RunSettings(*files, trainer=trainer), out, threads=1, command=typed)
    frame = result.to_frame()
    assert len(frame) == 2 * 2 * 2 * 4  # directions, by, identical, rules
    chosen = frame[(frame.by == "ranked") & (frame.rule == "muse") & (frame.identical == "removed")]
    forward = chosen[chosen.direction == "source_to_target"]
    assert forward.p_at_1.tolist() == [found["bli_ranked_identical_removed"]["muse"]["p_at_1"]]
    metrics = result.metrics()
    assert metrics["source_to_target.csls.kept.muse.p_at_1"] == found["bli"]["muse"]["p_at_1"]
    assert metrics["seconds.train"] == found["seconds"]["train"]
    assert all(isinstance(value, int | float) for value in metrics.values())
    assert result.to_json()["entries"] == len(table(out / "dictionary.tsv"))
