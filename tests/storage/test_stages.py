import json
import shutil
import subprocess
import sys
import zlib

import pytest

from jointalign.errors import JointalignError
from jointalign.storage.checkpoint import Checkpoint, OtherWorkError
from jointalign.storage.stages import Stages, in_step, locked


class Work:
    """Counts how often it is done."""

    def __init__(self, folder, content="result"):
        self.folder, self.content, self.times = folder, content, 0

    def __call__(self):
        self.times += 1
        (self.folder / "file.txt").write_text(self.content)


def do(folder, work, setting="a", **how):
    return Stages(folder, **how).do("stage", {"setting": setting, "seed": 0}, ["file.txt"], work)


def test_done_once(tmp_path):
    work = Work(tmp_path)
    first, second = do(tmp_path, work), do(tmp_path, work)
    assert work.times == 1
    assert not first.repeated
    assert second.repeated
    assert second.made == first.made


def test_other_settings_are_refused_by_name_and_nothing_changes(tmp_path):
    do(tmp_path, Work(tmp_path, "mine"))
    record = (tmp_path / "stages/stage.json").read_bytes()
    work = Work(tmp_path)
    with pytest.raises(JointalignError, match=r"\(setting: a, now b\).*--fresh"):
        do(tmp_path, work, "b")
    assert work.times == 0
    assert (tmp_path / "file.txt").read_text() == "mine"
    assert (tmp_path / "stages/stage.json").read_bytes() == record
    assert do(tmp_path, work).repeated


def test_fresh_makes_only_what_differs_and_what_comes_after(tmp_path, caplog):
    done = []

    def chain(setting, **how):
        stages = Stages(tmp_path, **how)
        for name, after in (("before", []), ("changed", ["before"]), ("after", ["changed"])):
            settings = {"setting": setting} if name == "changed" else {}
            stages.do(name, settings, [], lambda name=name: done.append(name), after)

    chain("a")
    done.clear()
    chain("b", fresh=True)
    assert done == ["changed", "after"]
    assert "changed: made before with other settings (setting: a, now b), now replaced" in caplog.text
    done.clear()
    chain("b")
    assert done == []


def test_begun_work_of_other_settings_is_refused_or_removed_in_a_stage_too(tmp_path):
    Checkpoint(tmp_path / "state", {"seed": 1}).save({}, {"step": 9})
    found = []

    def begin():
        found.append(Checkpoint(tmp_path / "state", {"seed": 2}).load())

    with pytest.raises(OtherWorkError, match=r"state: .*\(seed: 1, now 2\)"):
        Stages(tmp_path).do("stage", {}, [], begin)
    assert Checkpoint(tmp_path / "state", {"seed": 1}).load()[1] == {"step": 9}
    Stages(tmp_path, fresh=True).do("stage", {}, [], begin)
    assert found == [None]


@pytest.mark.parametrize("damage", ["missing", "shorter", "changed", "record"])
def test_damage_is_mended(tmp_path, damage):
    work = Work(tmp_path)
    do(tmp_path, work)
    if damage == "missing":
        (tmp_path / "file.txt").unlink()
    elif damage == "shorter":
        (tmp_path / "file.txt").write_text("res")
    elif damage == "changed":
        (tmp_path / "file.txt").write_text("resalt")  # one bit, the same size
    else:
        (tmp_path / "stages/stage.json").write_text('{"key": ')
    do(tmp_path, work)
    assert work.times == 2
    assert (tmp_path / "file.txt").read_text() == "result"


def test_failing_work_leaves_no_record(tmp_path):
    def fail():
        (tmp_path / "file.txt").write_text("half")
        raise RuntimeError

    with pytest.raises(RuntimeError):
        do(tmp_path, fail)
    work = Work(tmp_path)
    do(tmp_path, work)
    assert work.times == 1


def test_killed_work_of_other_settings_does_not_count_as_the_old(tmp_path):
    def killed():
        (tmp_path / "file.txt").write_text("RESULT")  # as long as the old one
        raise KeyboardInterrupt

    do(tmp_path, Work(tmp_path))
    with pytest.raises(KeyboardInterrupt):
        do(tmp_path, killed, "b", fresh=True)
    again = Work(tmp_path)
    assert not do(tmp_path, again).repeated
    assert (tmp_path / "file.txt").read_text() == "result"


def two(folder, setting, work):
    stages = Stages(folder, fresh=True)
    stages.do("first", {"setting": setting}, [], lambda: None)
    return stages.do("second", {}, [], work, after=["first"])


def test_a_stage_is_done_again_after_an_earlier_one(tmp_path):
    times = []
    two(tmp_path, "a", lambda: times.append(1))
    assert two(tmp_path, "a", lambda: times.append(2)).repeated
    assert in_step(tmp_path, ["first", "second"])
    # Back to settings that were once done: the files before it are others all the same.
    Stages(tmp_path, fresh=True).do("first", {"setting": "b"}, [], lambda: None)
    assert not in_step(tmp_path, ["first", "second"])
    two(tmp_path, "a", lambda: times.append(3))
    assert times == [1, 3]


def test_records_say_what_it_cost(tmp_path):
    do(tmp_path, Work(tmp_path))
    record = json.loads((tmp_path / "stages/stage.json").read_text())
    assert record["outputs"] == {"file.txt": [6, zlib.crc32((tmp_path / "file.txt").read_bytes())]}
    assert record["seconds"] >= 0
    assert record["peak_memory_mb"] > 10


def test_one_at_a_time(tmp_path):
    with locked(tmp_path), pytest.raises(JointalignError, match="another process"), locked(tmp_path):
        raise AssertionError("both got in")
    with locked(tmp_path):
        assert (tmp_path / ".lock").exists()


def test_leftovers_of_killed_writers_are_removed(tmp_path):
    leftover = tmp_path / "deep" / ".0123456789abcdef.jointalign-tmp"
    leftover.parent.mkdir()
    leftover.write_text("half")
    other = tmp_path / "another" / "run" / ".0123456789abcdef.jointalign-tmp"
    other.parent.mkdir(parents=True)
    other.write_text("of a living process")
    (tmp_path / "stages").mkdir()
    with locked(tmp_path):
        assert not leftover.exists()
        assert other.exists()


def test_other_people_s_folders_are_left_alone(tmp_path):
    (tmp_path / "settings.json").write_text("mine")
    with pytest.raises(JointalignError, match="holds other files"), locked(tmp_path):
        raise AssertionError("it got in")
    assert [path.name for path in tmp_path.iterdir()] == ["settings.json"]


ELSEWHERE = """
import sys
sys.modules["fcntl"] = sys.modules["resource"] = None  # as on Windows
from pathlib import Path
from jointalign.cli import app
from jointalign.corpora.corpus import Corpus
from jointalign.data import api
from jointalign.pipeline import run
from jointalign.storage.stages import Stages, locked
from jointalign.training.skipgram import SkipGram

folder = Path(sys.argv[1])
text = folder / "text.en.txt"
text.write_text("one small step\\n" * 20)
with locked(folder / "work"):
    stages = Stages(folder / "work")
    trainer = SkipGram(dimensions=4, epochs=1, minimum_count=1, buckets=10)
    done = stages.do("train", {}, [], lambda: print(len(trainer.fit(Corpus(text, "en"), threads=1))))
assert done.peak_memory_mb is None
assert Stages(folder / "work").do("train", {}, [], exit).peak_memory_mb is None
"""


def test_systems_without_fcntl_and_resource_work_too(tmp_path):
    done = subprocess.run(
        [sys.executable, "-c", ELSEWHERE, str(tmp_path)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == "3\n"


def test_a_folder_that_is_removed_during_the_work_is_told(tmp_path):
    with pytest.raises(JointalignError, match="was removed meanwhile"), locked(tmp_path / "run"):
        shutil.rmtree(tmp_path / "run")
        (tmp_path / "run").mkdir()
