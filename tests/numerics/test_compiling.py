"""Where compiled code is kept, in copies of the package that can, and cannot, be written beside.

A file where a folder should be stops everybody, root included, from keeping anything there.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

import jointalign
from jointalign.numerics import _compiler

SCRIPT = """
import json, logging, sys
said = []
class Kept(logging.Handler):
    def emit(self, record):
        said.append((record.levelname, record.getMessage()))
logging.getLogger("jointalign").addHandler(Kept())
logging.getLogger("jointalign").setLevel("INFO")
import numpy as np
from jointalign.numerics.scanning import dot
product = dot(np.arange(9.0), np.ones(9))
compiled = sum(dot.dispatcher.stats.cache_misses.values())
print(json.dumps({"product": product, "said": said, "compiled": compiled}))
"""


@pytest.fixture
def package(tmp_path):
    """A copy of the package that nothing was compiled in yet."""
    root = Path(jointalign.__file__).parent
    shutil.copytree(root, tmp_path / "site" / "jointalign", ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path / "site" / "jointalign"


def started(package, home):
    """What a fresh Python says that multiplies two vectors."""
    environment = {
        **{
            name: value
            for name, value in os.environ.items()
            if name not in {"NUMBA_CACHE_DIR", "XDG_CACHE_HOME"}
        },
        "HOME": str(home),
        "TMPDIR": str(package.parent),
        "PYTHONPATH": str(package.parent),
    }
    done = subprocess.run([sys.executable, "-c", SCRIPT], env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    assert answer["product"] == 36.0
    return answer


def kept_in(folder):
    return [path.name for path in folder.rglob("scanning.dot-*.nbc")]


def unwritable(package):
    for folder in [package, *package.iterdir()]:
        if folder.is_dir():
            (folder / "__pycache__").touch()


def test_compiled_code_is_kept_beside_the_package(package, tmp_path):
    first, second = started(package, tmp_path / "home"), started(package, tmp_path / "home")
    assert kept_in(package) and not (tmp_path / "home").exists()
    assert first["compiled"] == 1 and [level for level, _ in first["said"]] == ["INFO"]
    assert "once per installation" in first["said"][0][1]
    assert (second["compiled"], second["said"]) == (0, [])


def test_a_package_that_cannot_be_written_keeps_it_in_the_users_cache(package, tmp_path):
    unwritable(package)
    assert started(package, tmp_path / "home")["compiled"] == 1
    assert kept_in(tmp_path / "home") and not kept_in(package.parent)
    assert started(package, tmp_path / "home")["compiled"] == 0


def test_without_a_home_it_goes_into_a_folder_for_temporary_files_and_says_so_once(package):
    unwritable(package)
    first, second = started(package, "/dev/null"), started(package, "/dev/null")
    (folder,) = package.parent.glob("jointalign-*")
    assert kept_in(folder) and folder.stat().st_mode & 0o777 == 0o700
    warnings = [message for level, message in first["said"] if level == "WARNING"]
    assert len(warnings) == 1 and str(folder) in warnings[0] and "NUMBA_CACHE_DIR" in warnings[0]
    assert (first["compiled"], second["compiled"]) == (1, 0)


def test_a_folder_that_others_can_write_is_not_trusted(package):
    unwritable(package)
    folder = package.parent / f"jointalign-{os.getuid()}"
    folder.mkdir()
    folder.chmod(0o777)
    (_, message), *_ = started(package, "/dev/null")["said"]
    assert "every start compiles anew" in message and "open to others" in message
    assert list(folder.iterdir()) == []


def test_a_link_to_another_folder_is_not_trusted(tmp_path, monkeypatch, caplog):
    (tmp_path / "theirs").mkdir(mode=0o700)
    (tmp_path / f"jointalign-{os.getuid()}").symlink_to(tmp_path / "theirs")
    monkeypatch.setattr(tempfile, "gettempdir", lambda: str(tmp_path))
    assert _compiler._temporary_folder.__wrapped__() is None
    assert "every start compiles anew" in caplog.text


def test_a_machine_without_any_folder_for_temporary_files_still_compiles(monkeypatch, caplog):
    def none():
        raise FileNotFoundError("no usable temporary directory found")

    monkeypatch.setattr(tempfile, "gettempdir", none)
    assert _compiler._temporary_folder.__wrapped__() is None
    assert "no usable temporary directory" in caplog.text


# A loop that takes in another file's loop and number, and loops made for a length.
INNER = """
from jointalign.numerics.compiling import compiled
NUMBER = 2
@compiled()
def part(x):
    return x + 1
"""
OUTER = """
from jointalign.numerics.compiling import compiled
from loops import inner
from loops.inner import part

def sum_of(length):
    @compiled()
    def sum_(x):
        total = 0
        for place in range(x):
            total += place * length % 7
        return total
    return sum_

def twice(length):
    sum_ = sum_of(length)
    @compiled()
    def both(x):
        return sum_(x) + 1000 * sum_(x + 1)
    return both

@compiled()
def whole(x):
    return part(x) * inner.NUMBER
"""


@pytest.fixture
def called(tmp_path):
    """Calls loops of the files above in a fresh Python: results, and how many were compiled."""
    (tmp_path / "loops").mkdir()
    (tmp_path / "loops" / "inner.py").write_text(INNER)
    (tmp_path / "loops" / "outer.py").write_text(OUTER)

    def call(*loops):
        lines = ["import json", "from loops import outer", f"loops = [{','.join(loops)}]"]
        lines += ["found = [loop(9) for loop in loops]"]
        lines += ["misses = [loop.dispatcher.stats.cache_misses for loop in loops]"]
        lines += ["print(json.dumps([found, sum(sum(one.values()) for one in misses)]))"]
        environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(tmp_path), *sys.path])}
        command = [sys.executable, "-B", "-c", "\n".join(lines)]
        done = subprocess.run(command, env=environment, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    return call


def test_a_change_in_another_file_that_is_compiled_in_is_noticed(called, tmp_path):
    assert [called("outer.whole"), called("outer.whole")] == [[[20], 1], [[20], 0]]
    source = INNER
    for old, new, found in [
        ("x + 1", "x + 3", 24),
        ("NUMBER = 2", "NUMBER = 5", 60),
        ("compiled()", "compiled(fastmath=True)", 60),
    ]:
        source = source.replace(old, new)
        (tmp_path / "loops" / "inner.py").write_text(source)
        assert called("outer.whole") == [[found], 1]


def test_loops_that_enclose_loops_are_compiled_once_and_not_mixed_up(called):
    def expected(length):
        first, second = (sum(place * length % 7 for place in range(count)) for count in (9, 10))
        return first + 1000 * second

    for length in (1, 2):  # each in a process of its own, so that both bear the first number of a process
        assert called(f"outer.twice({length})") == [[expected(length)], 1]
    assert called("outer.twice(1)", "outer.twice(2)") == [[expected(1), expected(2)], 0]
