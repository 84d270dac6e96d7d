"""Help fits a screen and leaves no option out; long work says how far it is."""

import re
import time

import pytest

from jointalign.cli import _console
from jointalign.cli._console import Plan, progress
from jointalign.cli.app import COMMANDS, run

SCREEN = 53
GROUPS = ("align", "data", "evaluate", "mt", "ner", "study")
WORDS = [name for name in COMMANDS if name not in GROUPS]
WORDS += [
    "align rcsls",
    "align vecmap",
    "evaluate bli",
    "ner train",
    "ner predict",
    "mt train",
    "mt translate",
]
WORDS += ["study table1", "study table3", "study figure2", "data get muse"]


def shown(words, option, capsys):
    assert run([*words.split(), option]) == 0
    return capsys.readouterr().out


@pytest.mark.parametrize("words", WORDS)
def test_every_command_has_a_screen_of_help_that_names_every_option(words, capsys):
    short, whole = shown(words, "--help", capsys), shown(words, "--help-all", capsys)
    assert short.count("\n") <= SCREEN
    options = re.findall(r"^  (--[a-z-]+)", whole, re.MULTILINE)
    assert len(options) >= 2 and "--help" in options
    assert set(options) <= set(re.findall(r"--[a-z-]+", short))
    assert "--help-all explains" not in whole


def test_what_a_training_learns_with_is_in_groups(capsys):
    short = shown("run", "--help", capsys)
    assert re.search(r"^  Settings of the trainer: --dimensions, --window, --epochs,", short, re.MULTILINE)
    assert re.search(r"^  How it runs: .*--threads", short, re.MULTILINE)
    assert "Length of the vectors" not in short
    assert "Length of the vectors" in shown("run", "--help-all", capsys)
    assert "Length of the vectors" in shown("run --dimensions 5", "--help-all", capsys)


def test_what_is_left_is_estimated_from_what_was_done(monkeypatch):
    clock = [1000.0]
    monkeypatch.setattr(time, "monotonic", lambda: clock[0])
    plan = Plan({"count": 60.0, "train": 600.0, "rank": 1200.0}, are_seconds=True)
    assert plan.left() == "about 31 min left in all"
    plan.begin("count")
    assert plan.number("count") == " (1 of 3)"
    clock[0] += 150  # (150 + 30) / (60 + 30): twice as slow as expected
    plan.begin("train")
    assert plan.left() == "about 60 min left in all"
    clock[0] += 600
    assert plan.left() == "about 50 min left in all"
    plan.begin("rank", done=True)
    assert plan.left() == "about 1 min left in all"
    assert plan.number("other") == ""
    cells = Plan({"a": 1.0, "b": 1.0, "c": 1.0})
    cells.begin("a")
    assert cells.left() == ""  # nothing is known yet
    clock[0] += 300
    cells.begin("b")
    assert cells.left() == "about 10 min left in all"


def test_where_there_is_no_terminal_work_that_says_nothing_has_its_lines_too(monkeypatch, capsys):
    monkeypatch.setattr(_console, "LINE_SECONDS", 0.05)
    _console.messages.cache_clear()
    with progress("work") as bar:
        bar.plan({"first": 1.0, "second": 1.0})
        bar.stage("first")
        bar(1, 4, "81k words/s")
        time.sleep(0.3)
        bar.stage("second")
    _console.messages.cache_clear()
    lines = capsys.readouterr().err.splitlines()
    assert lines[0] == "first (1 of 2)"
    assert lines[1:3] == ["  first (1 of 2): 25 %, 81k words/s"] * 2
    assert lines[-1].startswith("second (2 of 2, about 1 min left in all)")
    assert len(lines) <= 9
