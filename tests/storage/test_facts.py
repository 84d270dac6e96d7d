"""What JSON holds, as the types that a reader goes by."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Any, Literal, NamedTuple, NotRequired, TypedDict

import numpy as np
import pytest

from jointalign.errors import FormatError, JointalignError
from jointalign.ranges import Range
from jointalign.storage.facts import Number, read_json, typed
from jointalign.storage.tensors import STATE, Array, Schema, check_arrays, read_tensors, write_tensors


class Colour(StrEnum):
    RED = "red"


@dataclass(frozen=True)
class Size:
    width: int
    height: float = 1.0


class Row(NamedTuple):
    kind: str
    width: int | None


class Facts(TypedDict):
    sizes: dict[str, Number]
    note: NotRequired[str]


@pytest.mark.parametrize(
    "value, kind, expected",
    [
        (3, int, 3),
        (3, float, 3.0),
        (None, int | None, None),
        ([1, 2], tuple[int, int], (1, 2)),
        ([1, 2], list[int], [1, 2]),
        ([["a", "b"]], tuple[tuple[str, str], ...], (("a", "b"),)),
        ("red", Colour, Colour.RED),
        ({"width": 2}, Size, Size(2)),
        (["<i4", None], Row, Row("<i4", None)),
        ({"sizes": {"a": 1}, "more": 5}, Facts, {"sizes": {"a": 1}, "more": 5}),
        ("x", Literal["x", "y"], "x"),
        ({"a": [1]}, Any, {"a": [1]}),
    ],
)
def test_what_fits(value, kind, expected):
    found = typed(value, kind)
    assert found == expected and type(found) is type(expected)


@pytest.mark.parametrize(
    "value, kind, message",
    [
        (True, int, "should be int, got True"),
        (1.0, int, "should be int, got 1.0"),
        (10**400, float, "should be float"),
        ("3", int | None, "got '3'"),
        ([1], tuple[int, int], "should be 2 values"),
        ({"a": 1}, list[int], "should be a list"),
        ("blue", Colour, "should be one of red, got 'blue'"),
        ({"width": 2, "depth": 3}, Size, "'depth' is not known"),
        ({}, Size, "'width' is missing"),
        ({"note": "x"}, Facts, "'sizes' is missing"),
        ({"sizes": {"a": -1}}, Facts, "'a' must be at least 0, got -1"),
        (float("nan"), Annotated[float, Range(least=0)], "must be at least 0, got nan"),
        (1, Literal["1"], "should be '1', got 1"),
    ],
)
def test_what_does_not_fit(value, kind, message):
    with pytest.raises(JointalignError, match=message):
        typed(value, kind)


@pytest.mark.parametrize("content", [b"", b"{", b"\xff", b"[" * 100_000, b"[1]", b"9" * 10_000])
def test_a_file_of_anything_else_is_named(tmp_path, content):
    (tmp_path / "a.json").write_bytes(content)
    with pytest.raises(FormatError, match=r"a\.json: expected sizes.*; write or copy it again"):
        read_json(tmp_path / "a.json", dict[str, int], "sizes")


GOOD = {"x": np.ones((2, 3), np.float32), "rows": np.array([0, 1])}
EXPECTED = {"x": Array("F32", ("n", 3)), "rows": Array("I64", ("n",), least=0, below=2)}


@pytest.mark.parametrize(
    "change, message",
    [
        ({"x": None}, "the array 'x' is missing"),
        ({"y": np.ones(1)}, "an array 'y', which belongs to another file"),
        ({"x": np.ones((2, 3))}, "'x' should be F32 .2, 3., got F64"),
        ({"x": np.ones((3, 3), np.float32)}, "'rows' should be I64 .3,., got I64 .2,."),
        ({"x": np.full((2, 3), np.nan, np.float32)}, "'x' holds NaN or infinity"),
        ({"rows": np.array([0, 2])}, "'rows' holds 2, where all should be below 2"),
        ({"rows": np.array([0, -1])}, "'rows' holds -1, below 0"),
    ],
)
def test_arrays_of_another_file(change, message):
    check_arrays(GOOD, EXPECTED)
    changed = {name: array for name, array in (GOOD | change).items() if array is not None}
    with pytest.raises(JointalignError, match=message):
        check_arrays(changed, EXPECTED)


def test_a_sealed_file_is_as_it_was_written(tmp_path):
    path = tmp_path / "state"
    write_tensors(path, GOOD, {"note": "x"}, sealed=True)
    arrays, facts = read_tensors(path, STATE)
    np.testing.assert_array_equal(arrays["x"], GOOD["x"])
    assert facts == {"note": "x"}
    whole = path.read_bytes()
    for place in range(8, len(whole)):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
        try:
            again, facts = read_tensors(path, STATE)
        except FormatError:
            continue
        assert facts == {"note": "x"} and all((again[name] == GOOD[name]).all() for name in GOOD)
    write_tensors(path, GOOD, {"note": "x"})
    with pytest.raises(FormatError, match="not as it was written"):
        read_tensors(path, STATE)


def test_facts_of_a_schema(tmp_path):
    schema = Schema("sizes", Facts, lambda facts: {"x": Array("F32", (facts["sizes"]["n"], 3))})
    write_tensors(tmp_path / "a", {"x": GOOD["x"]}, {"sizes": '{"n": 2}', "version": "1"})
    assert read_tensors(tmp_path / "a", schema)[1]["sizes"] == {"n": 2}
    write_tensors(tmp_path / "a", {"x": GOOD["x"]}, {"sizes": '{"n": "2"}'})
    with pytest.raises(FormatError, match="'n' should be int, got '2'"):
        read_tensors(tmp_path / "a", schema)
