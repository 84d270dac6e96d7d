"""Raw arrays that grow: they go on after a stop, and nothing damaged, begun or of others counts as whole."""

import numpy as np
import pytest

from jointalign.errors import FormatError, JointalignError
from jointalign.storage.bundle import INFO, Bundle, Kind, read_bundle
from jointalign.storage.checkpoint import OtherWorkError, or_fresh

KINDS = {"rows": Kind("<f2", 3), "ends": Kind("<i8")}
ROWS = np.arange(12, dtype=np.float32).reshape(4, 3)


def bundle(folder, seed=1, checked=False):
    return Bundle(folder, {"seed": seed, "text": {"language": "en"}}, KINDS, checked)


def write(folder, stop=4, **how):
    """Write the rows one by one from where they are, and note each; killed at `stop`."""
    own = bundle(folder, **how)
    note = own.load()
    if note is not None and note.complete:
        return note.state
    begun = 0 if note is None else note.state["done"]
    with own.writing(note) as writer:
        for row in range(begun, 4):
            if row == stop:
                writer.append("rows", ROWS[:1])  # not noted: it must not count
                raise KeyboardInterrupt
            writer.append("rows", ROWS[row : row + 1])
            writer.append("ends", np.array([3 * row]))
            writer.note({"done": row + 1})
        writer.finish({"done": 4})
    return None


def read(folder):
    return read_bundle(folder, "rows", "write them again")


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_what_was_stopped_goes_on_to_the_same_bytes(tmp_path):
    write(tmp_path / "whole")
    for stop in (1, 3):
        with pytest.raises(KeyboardInterrupt):
            write(tmp_path / "parts", stop)
        with pytest.raises(JointalignError, match="no complete rows here; write them again"):
            read(tmp_path / "parts")
    write(tmp_path / "parts")
    assert contents(tmp_path / "parts") == contents(tmp_path / "whole")
    arrays, note = read(tmp_path / "parts")
    np.testing.assert_array_equal(arrays["rows"], ROWS)
    assert arrays["ends"].tolist() == [0, 3, 6, 9]
    assert note.facts == {"seed": 1, "text.language": "en"}
    assert write(tmp_path / "parts") == {"done": 4}  # nothing is left to do


@pytest.mark.parametrize("stop", [2, 4])
def test_other_facts_are_refused_by_name_begun_or_whole(tmp_path, stop):
    try:
        write(tmp_path, stop)
    except KeyboardInterrupt:
        pass
    before = contents(tmp_path)
    with pytest.raises(OtherWorkError, match=r"\(seed: 1, now 2\).*--fresh"):
        write(tmp_path, seed=2)
    assert contents(tmp_path) == before
    or_fresh(lambda: write(tmp_path, seed=2), True)
    assert read(tmp_path)[1].facts["seed"] == 2


def test_what_nothing_vouches_for_is_removed_and_other_files_stay(tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(KeyboardInterrupt):
        write(tmp_path, 0)
    assert set(contents(tmp_path)) == {"notes.txt"}


@pytest.mark.parametrize("damage", ["shorter", "missing", "longer", "note"])
def test_damage_is_never_read_and_is_made_again(tmp_path, damage, caplog):
    write(tmp_path)
    whole, path = contents(tmp_path), tmp_path / "rows.bin"
    if damage == "missing":
        path.unlink()
    elif damage == "note":
        (tmp_path / INFO).write_bytes(whole[INFO][:-9])
    else:
        path.write_bytes(whole["rows.bin"][:-2] if damage == "shorter" else whole["rows.bin"] + b"12")
    error = JointalignError if damage == "note" else FormatError
    with pytest.raises(error, match="write them again"):
        read(tmp_path)
    write(tmp_path)
    assert contents(tmp_path) == whole
    assert damage == "note" or "made again" in caplog.text


def test_a_beginning_that_lost_its_end_is_not_gone_on_from(tmp_path):
    with pytest.raises(KeyboardInterrupt):
        write(tmp_path, 2)
    (tmp_path / "ends.bin").write_bytes(b"12345678")
    assert bundle(tmp_path).load() is None


def test_a_changed_bit_is_found_where_digests_are_kept(tmp_path):
    write(tmp_path, checked=True)
    data = bytearray((tmp_path / "rows.bin").read_bytes())
    data[5] ^= 1
    (tmp_path / "rows.bin").write_bytes(data)
    with pytest.raises(FormatError, match=r"rows\.bin: this is not as it was written"):
        read(tmp_path)


def test_arrays_that_are_mapped_stay_when_others_are_written(tmp_path):
    write(tmp_path)
    rows = read(tmp_path)[0]["rows"]
    with bundle(tmp_path).writing() as writer:
        writer.append("rows", ROWS + 1)
        writer.finish({})
    np.testing.assert_array_equal(rows, ROWS)
    np.testing.assert_array_equal(read(tmp_path)[0]["rows"], ROWS + 1)


def test_an_empty_array_is_read(tmp_path):
    with bundle(tmp_path).writing() as writer:
        writer.finish({})
    assert read(tmp_path)[0]["rows"].shape == (0, 3)
