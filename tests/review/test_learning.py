"""Learning from decisions: what goes into the dictionary, what comes out, and of which run it is."""

import json
import shutil
import time

import pytest

from jointalign.cli.app import run as command
from jointalign.errors import JointalignError, MissingExtraError
from jointalign.lexicon import Lexicon
from jointalign.review import server
from jointalign.review.decisions import Decision, Decisions, Verdict
from jointalign.review.learning import (
    CANDIDATES,
    DECISIONS,
    FOLDER,
    LEARNT,
    Learning,
    joined,
    learn,
    learnt_of,
    present_entries,
    rejections,
)
from review_runs import planted_run, table


@pytest.fixture(scope="module")
def learnt(tmp_path_factory):
    """A run, all its pairs, and what was learnt when a reviewer had gone on with the dictionary."""
    run, lexicon = planted_run(tmp_path_factory.mktemp("learning") / "run", size=240, given=120)
    before = present_entries(run)
    wrong = {entry.source: entry.candidates[0].target for entry in before[:3]}
    with Decisions(run / FOLDER / DECISIONS) as decisions:
        accepted = [Decision(*pair, Verdict.ACCEPT) for pair in lexicon.pairs[120:180]]
        rejected = [Decision(word, target, Verdict.REJECT) for word, target in wrong.items()]
        decisions.decide("ana", [*accepted, *rejected])
        decisions.decide("ana", [Decision("two words", "dos palabras", Verdict.ACCEPT)])
        told = []
        found = learn(run, decisions, before, lambda done, total, note="": told.append((done, total)))
    return run, lexicon, wrong, before, found, told


def test_what_holds_joins_the_dictionary_or_leaves_it(tmp_path):
    with Decisions(tmp_path / "d.sqlite") as decisions:
        decisions.decide("ana", [Decision("a", "x", Verdict.REJECT), Decision("b", "y", Verdict.REJECT)])
        decisions.decide("ben", [Decision("b", "y", Verdict.ACCEPT), Decision("c", "z", Verdict.ACCEPT)])
        assert rejections(decisions) == {("a", "x")} and decisions.accepted() == [("c", "z")]
    assert joined(None, [("c", "z")], set()).pairs == (("c", "z"),)
    given = Lexicon((("a", "x"), ("c", "z")))
    assert joined(given, [("c", "z"), ("b", "y")], {("a", "x")}).pairs == (("c", "z"), ("b", "y"))


def test_accepted_pairs_are_given_and_rejected_ones_are_not(learnt):
    run, lexicon, wrong, _, _, _ = learnt
    rows = table(run / FOLDER / CANDIDATES)[1:]
    given = {(row[0], row[1]) for row in rows if "given" in row[6].split(", ")}
    assert given == set(lexicon.pairs[:180]) - set(wrong.items())
    assert {row[0] for row in rows} == {pair[0] for pair in lexicon}  # all words, not only sure ones


def test_what_has_changed_is_told_without_what_was_rejected(learnt):
    _, _, wrong, before, found, told = learnt
    assert (found.accepted, found.rejected) == (61, 3)
    firsts = {entry.source: entry.candidates[0].target for entry in before}
    for change in found.changes:
        assert change.before == firsts[change.source] != change.after or change.source in wrong
        assert change.after != wrong.get(change.source)
    left = [
        entry for entry in before if any(one.target != wrong.get(entry.source) for one in entry.candidates)
    ]
    assert len(found.changes) <= found.changed and found.found == 240 - len(left)
    assert told == sorted(told) and told[0] == (0, 5) and told[-1] == (5, 5)


def test_what_was_learnt_is_of_one_dictionary(learnt, tmp_path):
    run, found = shutil.copytree(learnt[0], tmp_path / "run"), learnt[4]
    assert learnt_of(run) == found and len(present_entries(run)) == 240
    with (run / "dictionary.tsv").open("a") as file:
        file.write("made\tagain\t0.5\t1\t1\t1\t\n")
    assert learnt_of(run) is None and len(present_entries(run)) == len(learnt[3]) + 1
    (run / FOLDER / LEARNT).write_text("{}")
    with pytest.raises(JointalignError, match="remove it and learn again"):
        present_entries(run)


def test_a_process_that_fails_says_why(tmp_path):
    (tmp_path / FOLDER).mkdir()
    learning = Learning(tmp_path, lambda: None)
    learning.start()
    learning.start()  # one at a time
    for _ in range(600):
        if learning.state["state"] != "running":
            break
        time.sleep(0.1)
    assert learning.state["state"] == "failed" and "jointalign run" in learning.state["reason"]
    learning.stop()


def test_the_command_merges_learns_and_exports(learnt, tmp_path, capsys):
    run = shutil.copytree(learnt[0], tmp_path / "run")
    other = tmp_path / "ben.tsv"
    other.write_text("sea\tmar\taccept\tben\t2026-01-01T00:00:00+00:00\t\n")
    names = [tmp_path / f"out{suffix}" for suffix in (".tsv", ".tbx")]
    outs = [part for name in names for part in ("--export", str(name))]
    arguments = [
        "review",
        str(run),
        "--merge",
        str(other),
        "--decisions",
        str(tmp_path / "all.tsv"),
        *outs,
        "--json",
    ]
    assert command(arguments) == 0
    facts = json.loads(capsys.readouterr().out)
    assert facts == {"merged": [{"added": 1, "known": 0, "older": 0}], "decisions": 65, "pairs": 62}
    assert ["sea", "mar"] in [row[:2] for row in table(names[0])] and len(table(names[0])) == 63
    assert len(table(tmp_path / "all.tsv")) == 66
    assert command(["review", str(run), "--export", str(names[0]), "--undecided-from", "0"]) == 0
    statuses = [row[5] for row in table(names[0])[1:]]
    assert set(statuses) == {"accepted", "undecided"} and statuses.count("accepted") == 62


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nowhere"], "nowhere: no run here"),
        (["RUN", "--export", "x.doc"], "x.doc: there are no dictionaries of this suffix"),
        (["RUN", "--merge", "none.tsv"], "none.tsv: no such file"),
        (["RUN", "--host", "192.0.2.1"], "192.0.2.1, port 8765: cannot be listened on"),
    ],
)
def test_mistakes_have_one_line(learnt, capsys, arguments, message):
    given = [str(learnt[0]) if one == "RUN" else one for one in arguments]
    assert command(["review", *given]) == 2
    assert message in capsys.readouterr().err


def test_without_the_extra_the_line_to_install_it_is_shown(monkeypatch):
    monkeypatch.setattr(server, "find_spec", lambda name: None)
    with pytest.raises(MissingExtraError, match=r"pip install 'jointalign\[review\]'"):
        server.check_extra()
