"""Decisions: what holds is what a list of all that was done says, whoever did it and whatever was killed."""

import os
import signal
import subprocess
import sys
import time
from threading import Thread

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jointalign.errors import FormatError, JointalignError
from jointalign.review.decisions import Decision, Decisions, Merged, Verdict

ACCEPT, REJECT, SKIP, NOTE, CLEAR = Verdict


@pytest.fixture
def path(tmp_path):
    return tmp_path / "run" / "decisions.sqlite"


def held(kept):
    return {
        (one.source, one.target, str(one.verdict), one.reviewer, one.note)
        for source in kept.sources
        for one in kept.of(source)
    }


choices = st.builds(
    lambda word, target, verdict: Decision(
        word, target if verdict in (ACCEPT, REJECT, CLEAR) else "", verdict, ""
    ),
    *(st.sampled_from(["a", "b"]), st.sampled_from(["x", "y"]), st.sampled_from(Verdict)),
)
actions = st.tuples(
    st.sampled_from(["ana", "ben"]), st.one_of(st.none(), st.lists(choices, min_size=1, max_size=3))
)


def simple(done):
    """What holds after some steps, by a list of them from which undone ones are removed."""
    steps = []
    for reviewer, step in done:
        if step is not None:
            steps.append((reviewer, step))
        elif own := [at for at, (who, _) in enumerate(steps) if who == reviewer]:
            del steps[own[-1]]
    state = {}
    for reviewer, step in steps:
        for one in step:
            state[one.source, one.target, reviewer, one.verdict is NOTE] = str(one.verdict)
    return {(s, t, verdict, who, "") for (s, t, who, _), verdict in state.items() if verdict != "clear"}


@settings(max_examples=30)
@given(st.lists(actions, max_size=12))
def test_what_holds_is_what_a_list_of_steps_says(tmp_path_factory, done):
    path = tmp_path_factory.mktemp("run") / "decisions.sqlite"
    with Decisions(path) as one, Decisions(path) as other:
        places = {"ana": one, "ben": other}
        for reviewer, step in done:
            if step is None:
                places[reviewer].undo(reviewer)
            else:
                places[reviewer].decide(reviewer, step)
        one.refresh()
        other.refresh()
        assert held(one) == held(other) == simple(done)
    with Decisions(path) as again:
        assert held(again) == simple(done)


def test_two_reviewers_see_each_other_and_where_they_disagree(path):
    with Decisions(path) as ana, Decisions(path) as ben:
        ana.decide("ana", [Decision("bank", "banco", ACCEPT), Decision("bank", "orilla", ACCEPT)])
        assert ben.of("bank") == [] and ben.refresh() == {"bank"} and ben.refresh() == set()
        ben.decide("ben", [Decision("bank", "banco", REJECT)])
        assert ana.refresh() == {"bank"} and ana.conflicts("bank") == ("banco",)
        assert ana.accepted() == [("bank", "orilla")]
        assert ben.undo("ben") == ("bank",) and ben.undo("ben") == ()
        assert ana.refresh() == {"bank"} and ana.conflicts("bank") == ()
        assert ana.accepted() == [("bank", "banco"), ("bank", "orilla")]


def test_undo_goes_back_to_the_first_step_and_keeps_the_history(path):
    with Decisions(path) as kept:
        for number in range(50):
            kept.decide("ana", [Decision(f"w{number}", "x", ACCEPT)])
        assert [kept.undo("ana") for _ in range(51)] == [(f"w{n}",) for n in reversed(range(50))] + [()]
        assert kept.sources == []
        rows = kept._base.execute("SELECT verdict, count(*) FROM event GROUP BY verdict").fetchall()
        assert rows == [("accept", 50), ("undo", 50)]


def test_threads_lose_nothing(path):
    with Decisions(path) as kept:

        def work(name):
            for number in range(25):
                kept.decide(name, [Decision(f"{name}{number}", "x", ACCEPT)])

        threads = [Thread(target=work, args=(name,)) for name in "abcd"]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(kept.accepted()) == 100


KILLED = """
import sys
from jointalign.review.decisions import Decision, Decisions, Verdict
kept = Decisions(sys.argv[1])
for number in range(100_000):
    print(number, flush=True)  # the key is being pressed
    word, both = f"w{number}", {"x": Verdict.ACCEPT, "y": Verdict.REJECT}
    kept.decide("ana", [Decision(word, target, verdict) for target, verdict in both.items()])
"""


@pytest.mark.parametrize("wait", [0.0, 0.013, 0.1])
def test_a_kill_loses_at_most_the_key_being_pressed(path, wait):
    process = subprocess.Popen([sys.executable, "-c", KILLED, str(path)], stdout=subprocess.PIPE, text=True)
    for _ in range(20):
        process.stdout.readline()
    time.sleep(wait)
    os.kill(process.pid, signal.SIGKILL)
    pressed = 20 + len(process.stdout.read().split())
    assert process.wait() == -signal.SIGKILL
    with Decisions(path) as kept:
        words = kept.sources
        assert pressed - 1 <= len(words) <= pressed and words == [f"w{n}" for n in range(len(words))]
        assert all(len(kept.of(word)) == 2 for word in words)  # a step is there as a whole
        kept.decide("ana", [Decision("after", "x", ACCEPT)])


def test_people_work_apart_and_merge(tmp_path):
    with Decisions(tmp_path / "1.sqlite") as here, Decisions(tmp_path / "2.sqlite") as there:
        here.decide(
            "ana", [Decision("a", "x", ACCEPT), Decision("a", "", NOTE, "=two\tcells\nand \\n a line")]
        )
        here.write(tmp_path / "ana.tsv")
        assert there.merge(tmp_path / "ana.tsv") == Merged(2) and held(there) == held(here)
        assert there.merge(tmp_path / "ana.tsv") == Merged(known=2)
        there.decide("ana", [Decision("a", "x", REJECT)])
        there.decide("ben", [Decision("b", "y", ACCEPT)])
        assert there.merge(tmp_path / "ana.tsv") == Merged(known=1, older=1)
        there.write(tmp_path / "all.tsv")
        assert here.merge(tmp_path / "all.tsv") == Merged(added=2, known=1) and held(here) == held(there)
        assert here.undo("ana") == ("a",)  # the step made here
        assert here.undo("ana") == () == here.undo("ben")


def test_a_decision_after_the_clock_was_put_back_is_the_later_one(path, monkeypatch):
    with Decisions(path) as kept:
        kept.decide("ana", [Decision("a", "x", ACCEPT)])
        monkeypatch.setattr("jointalign.review.decisions._now", lambda: "2001-01-01T00:00:00.000000+00:00")
        kept.decide("ana", [Decision("a", "x", REJECT)])
        assert [one.verdict for one in kept.of("a")] == [REJECT]


@pytest.mark.parametrize(
    "line",
    ["a\tx\taccept\tana\n", "a\tx\tmaybe\tana\t2026-01-01T00:00:00+00:00\t", "a\tx\taccept\tana\tnow\t"],
)
def test_a_damaged_table_changes_nothing(path, tmp_path, line):
    good = "a\tx\taccept\tana\t2026-01-01T00:00:00+00:00\t\n"
    (tmp_path / "table.tsv").write_text("source\ttarget\tverdict\treviewer\ttime\tnote\n" + good + line)
    with Decisions(path) as kept:
        with pytest.raises(FormatError, match=r"table\.tsv, line 3: expected source, target"):
            kept.merge(tmp_path / "table.tsv")
        assert kept.sources == []


@pytest.mark.parametrize(
    ("reviewer", "choice"),
    [
        ("", Decision("a", "x", ACCEPT)),
        ("ana", Decision("", "x", ACCEPT)),
        ("ana", Decision("a", " ", REJECT)),
        ("ana", Decision("a", "\ud800", ACCEPT)),
    ],
)
def test_what_is_no_decision_is_refused(path, reviewer, choice):
    with Decisions(path) as kept, pytest.raises(JointalignError, match="a decision"):
        kept.decide(reviewer, [choice])


def test_another_file_is_left_as_it_is(tmp_path):
    other = tmp_path / "decisions.sqlite"
    other.write_bytes(b"no base" * 1000)
    with pytest.raises(JointalignError, match="decisions cannot be kept or read here"):
        Decisions(other)
    assert other.read_bytes() == b"no base" * 1000
