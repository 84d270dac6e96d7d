import numpy as np
import pytest

from jointalign.errors import JointalignError
from jointalign.storage.checkpoint import (
    Checkpoint,
    OtherWorkError,
    differences,
    digest_of,
    optimizer_arrays,
    or_fresh,
    plain_facts,
    restore_optimizer,
)

FACTS = {"seed": 1, "trainer": {"epochs": 5}, "pair": ("en", "es"), "text": digest_of("a", "b")}


@pytest.fixture
def kept(tmp_path):
    work = Checkpoint(tmp_path / "state", FACTS)
    work.save({"weights": np.arange(6.0).reshape(2, 3)}, {"step": 7, "losses": [0.1, 1 / 3]})
    return work


def test_what_was_saved_comes_back(kept):
    loaded = Checkpoint(kept.path, dict(FACTS)).load()
    assert loaded is not None
    arrays, state = loaded
    np.testing.assert_array_equal(arrays["weights"], [[0, 1, 2], [3, 4, 5]])
    assert state == {"step": 7, "losses": [0.1, 1 / 3]}


def test_nothing_there_is_nothing_to_go_on_from(tmp_path):
    assert Checkpoint(tmp_path / "state", FACTS).load() is None


def test_other_facts_are_refused_by_name_and_the_file_stays(kept):
    before = kept.path.read_bytes()
    other = Checkpoint(kept.path, FACTS | {"trainer": {"epochs": 9}, "text": digest_of("ab")})
    with pytest.raises(JointalignError) as caught:
        other.load()
    text = f"text: {digest_of('a', 'b')}, now {digest_of('ab')}"
    assert f"(trainer.epochs: 5, now 9; {text})" in str(caught.value)
    assert "--fresh" in str(caught.value)
    assert kept.path.read_bytes() == before


@pytest.mark.parametrize("damage", [b"", b"rubbish", None])
def test_a_damaged_file_is_reported_and_not_used(kept, damage, caplog):
    kept.path.write_bytes(kept.path.read_bytes()[:-8] if damage is None else damage)
    assert kept.load() is None
    assert f"{kept.path}: this unfinished work is damaged" in caplog.text


def test_fresh_removes_only_what_is_in_the_way(kept, caplog):
    assert or_fresh(kept.load, True)[1]["step"] == 7
    assert not caplog.text
    other = Checkpoint(kept.path, FACTS | {"seed": 2})
    with pytest.raises(OtherWorkError):
        or_fresh(other.load, False)
    assert or_fresh(other.load, True) is None
    assert "removed" in caplog.text
    assert not kept.path.exists()


@pytest.mark.parametrize(
    ("before", "now", "told"),
    [
        ({"a": 1}, {"a": 1}, ""),
        ({"a": None}, {}, "a: None, now not there"),
        ({}, {"a": {"b": 2}}, "a.b: not there, now 2"),
        ({"a": [1, 2]}, {"a": [2, 1]}, "a: [1, 2], now [2, 1]"),
        ({"a": {}}, {"a": {"b": 1}}, "a: {}, now not there; a.b: not there, now 1"),
    ],
)
def test_differences_are_told_by_name(before, now, told):
    assert differences(before, now) == told


def test_long_values_that_begin_alike_are_told_apart():
    one, other = (plain_facts({"words": {"source": "a" * size}}) for size in (999, 998))
    before, _, now = differences(one, other).partition(", now ")
    assert before.removeprefix("words.source: ") != now
    assert len(now) == 16


def test_an_optimizer_goes_on_exactly(tmp_path):
    torch = pytest.importorskip("torch")

    def begin():
        weight = torch.nn.Parameter(torch.arange(3.0))
        return weight, torch.optim.AdamW([weight], 0.1)

    def steps(weight, optimizer, count):
        for _ in range(count):
            optimizer.zero_grad()
            (weight**2).sum().backward()
            optimizer.step()

    whole, optimizer = begin()
    steps(whole, optimizer, 5)
    part, optimizer = begin()
    steps(part, optimizer, 2)
    work = Checkpoint(tmp_path / "state", {})
    work.save(optimizer_arrays(optimizer), {})
    rest, optimizer = begin()
    rest.data.copy_(part.data)
    restore_optimizer(optimizer, work.load()[0])
    steps(rest, optimizer, 3)
    assert torch.equal(rest, whole)
