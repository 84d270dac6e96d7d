"""The whole job on two tiny languages, stopped and started again."""

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from filelock import FileLock

from jointalign import read, read_bilingual
from languages import write_pair

COMMAND = [sys.executable, "-m", "jointalign", "run", "--json"]
RESULTS = [
    "joint.safetensors",
    "choice.json",
    "reallocated.safetensors",
    "aligned.safetensors",
    "oversharing.json",
    "dictionary.tsv",
    "scores.json",
    "report.html",
]


def command(options, out, *more):
    return [*COMMAND, *(part for pair in options.items() for part in pair), "--out", str(out), *more]


def finish(options, out, *more):
    done = subprocess.run(command(options, out, *more), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def contents(out):
    return {name: (Path(out) / name).read_bytes() for name in RESULTS}


def times(out):
    """When each file was written; but for what a run notes of itself at its start."""
    noted = {".lock", "settings.json"}  # and record.json, which is written again only if it changes
    return {path: path.stat().st_mtime_ns for path in out.rglob("*.*") if path.name not in noted}


@pytest.fixture(scope="module")
def options(tmp_path_factory):
    return write_pair(tmp_path_factory.mktemp("languages"))


@pytest.fixture(scope="module")
def finished(options, tmp_path_factory):
    out = tmp_path_factory.mktemp("runs") / "run"
    return out, finish(options, out)


def test_the_object_has_what_programs_read(finished):
    out, result = finished
    aligned, joint = read_bilingual(out / "aligned.safetensors"), read(out / "joint.safetensors")
    assert aligned.dimensions == joint.dimensions  # whichever spaces were put together
    assert set(result["bli"]) == {"muse", "paper", "released", "strict"}
    for table in (result["bli"], result["bli_identical_removed"]):
        for facts in table.values():
            assert {"p_at_1", "p_at_5", "p_at_10", "mrr", "coverage", "n", "ci"} <= set(facts)
            assert facts["ci"][0] <= facts["p_at_1"] <= facts["ci"][1]
    assert set(result["seconds"]) >= {"count", "train", "align", "induce", "evaluate"}
    assert result["gamma"] in (None, 0.7, 0.8, 0.9, 0.95)  # none where separate trainings were better
    assert result["space"] in ("joint", "separate", "joint and separate")
    assert (result["gamma"] is None) == (result["space"] == "separate")
    assert result["peak_memory_mb"] > 50


def test_what_a_run_cannot_carry_weight_for_is_said(finished, options, tmp_path):
    """Little text, few pairs; and a choice no better than chance, of a dictionary that is wrong."""
    _, result = finished
    assert [note[:19] for note in result["warnings"]] == ["little text in 'en'", "little text in 'es'"]
    assert result["worked"] is True  # held-out words are translated
    words = [line.split() for line in Path(options["--lexicon"]).read_text().splitlines()]
    others = words[7:] + words[:7]
    wrong = tmp_path / "wrong.txt"
    pairs = zip(words[:90], others[:90], strict=True)
    wrong.write_text("".join(f"{source} {target}\n" for (source, _), (_, target) in pairs))
    given = {**options, "--lexicon": str(wrong), "--method": "rcsls", "--gamma": "0.9"}
    command_line = command(given, tmp_path / "run", "--no-rank", "--alignment-rate", "1")
    done = subprocess.run(command_line, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["worked"] is False
    assert "no more than chance would" in done.stderr
    assert [note[:9] for note in found["warnings"]] == ["little te", "little te", "few pairs"]
    assert "warning: few pairs: 90" in done.stderr and "warning: little text" in done.stderr
    assert "alignment failed" in (tmp_path / "run" / "report.html").read_text()


def test_the_languages_are_translated(finished):
    _, result = finished
    # By chance it would be 0.7 %.
    assert result["bli"]["muse"]["p_at_1"] > 60
    assert result["bli_identical_removed"]["muse"]["p_at_1"] > 60
    assert result["bli"]["muse"]["coverage"] == 100


def test_nothing_is_done_twice(options, finished):
    out, result = finished
    before = times(out)
    again = finish(options, out)
    assert times(out) == before
    assert again["bli"] == result["bli"]
    assert again["seconds"] == result["seconds"]


def test_a_new_setting_is_done_again_from_there(options, finished, tmp_path):
    out, _ = finished
    joint = (out / "joint.safetensors").stat().st_mtime_ns
    kept = contents(out)
    other = ["--gamma", "0.95", "--method", "procrustes"]
    refused = subprocess.run(command(options, out, *other), capture_output=True, text=True, check=False)
    assert refused.returncode == 2
    assert "(method: auto, now procrustes; gamma: None, now 0.95)" in refused.stderr
    assert contents(out) == kept
    changed = finish(options, out, *other, "--fresh")
    assert changed["gamma"] == 0.95
    assert changed["method"]["name"] == "procrustes"
    assert (out / "joint.safetensors").stat().st_mtime_ns == joint
    finish(options, out, "--fresh")
    assert contents(out) == kept


def test_kill_dash_nine_and_start_again_gives_the_same_bytes(options, finished, tmp_path):
    out, _ = finished
    disturbed = tmp_path / "disturbed"
    killed = 0
    for pause in (0.0, 0.0, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.6, 0.9):  # a whole run takes a second
        process = subprocess.Popen(
            command(options, disturbed, "--checkpoint-seconds", "0"),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        process.stderr.readline()  # Python and its packages are there, the first stage begins
        time.sleep(pause)
        killed += process.poll() is None
        process.kill()
        _, messages = process.communicate()
        assert process.returncode in (0, -signal.SIGKILL), messages
    assert killed >= 1
    finish(options, disturbed)
    assert contents(disturbed) == contents(out)
    assert not list(disturbed.rglob("*.jointalign-tmp"))


@pytest.mark.parametrize("stage", ["count", "train", "align", "evaluate"])
def test_killed_in_every_stage(options, finished, tmp_path, stage):
    out, _ = finished
    process = subprocess.Popen(
        command(options, tmp_path, "--checkpoint-seconds", "0"),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    for line in process.stderr:
        if line.startswith(f"{stage} ("):
            break
    time.sleep(0.05)
    process.kill()
    process.wait()
    process.stderr.close()
    if stage != "evaluate":  # which is over in a moment
        assert not (tmp_path / "stages" / "evaluate.json").exists()
    finish(options, tmp_path)
    assert contents(tmp_path) == contents(out)


def test_two_runs_in_one_folder_do_not_meet(options, finished):
    out, _ = finished
    with FileLock(out / ".lock"):
        done = subprocess.run(command(options, out), capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "another process is at work" in done.stderr
    assert done.stdout == ""


def test_a_broken_file_of_an_earlier_stage_is_made_again(options, finished, tmp_path):
    out, _ = finished
    kept = contents(out)
    path = out / "aligned.safetensors"
    path.write_bytes(path.read_bytes()[:1000])
    finish(options, out)
    assert contents(out) == kept
