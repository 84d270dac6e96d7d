import json

import pytest

from jointalign.errors import JointalignError
from jointalign.stages import Stages, locked


class Work:
    """Counts how often it is done."""

    def __init__(self, folder, content="result"):
        self.folder, self.content, self.times = folder, content, 0

    def __call__(self):
        self.times += 1
        (self.folder / "file.txt").write_text(self.content)


def do(folder, work, settings=("a",)):
    stages = Stages(folder)
    return stages.do("stage", list(settings), ["file.txt"], work)


def test_done_once(tmp_path):
    work = Work(tmp_path)
    first, second = do(tmp_path, work), do(tmp_path, work)
    assert work.times == 1
    assert not first.repeated
    assert second.repeated
    assert second.key == first.key


def test_other_settings_are_other_work(tmp_path):
    work = Work(tmp_path)
    do(tmp_path, work)
    do(tmp_path, work, settings=("b",))
    assert work.times == 2


@pytest.mark.parametrize("damage", ["missing", "shorter", "record"])
def test_damage_is_mended(tmp_path, damage):
    work = Work(tmp_path)
    do(tmp_path, work)
    if damage == "missing":
        (tmp_path / "file.txt").unlink()
    elif damage == "shorter":
        (tmp_path / "file.txt").write_text("res")
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


def test_a_stage_depends_on_earlier_ones(tmp_path):
    keys = []
    for setting in ("a", "b"):
        stages = Stages(tmp_path)
        stages.do("first", [setting], [], lambda: None)
        keys.append(stages.do("second", [], [], lambda: None, after=["first"]).key)
    assert keys[0] != keys[1]


def test_records_say_what_it_cost(tmp_path):
    do(tmp_path, Work(tmp_path))
    record = json.loads((tmp_path / "stages/stage.json").read_text())
    assert record["outputs"] == {"file.txt": 6}
    assert record["seconds"] >= 0
    assert record["peak_memory_mb"] > 10


def test_one_at_a_time(tmp_path):
    with (
        locked(tmp_path),
        pytest.raises(JointalignError, match="another process"),
        locked(tmp_path),
    ):
        raise AssertionError("both got in")
    with locked(tmp_path):
        assert (tmp_path / ".lock").exists()


def test_leftovers_of_killed_writers_are_removed(tmp_path):
    leftover = tmp_path / "deep" / ".0123456789abcdef.jointalign-tmp"
    leftover.parent.mkdir()
    leftover.write_text("half")
    with locked(tmp_path):
        assert not leftover.exists()
