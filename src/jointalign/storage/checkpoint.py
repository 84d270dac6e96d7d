"""Unfinished work on disk, so that it can be stopped at any moment, and what it was begun with."""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from jointalign.errors import JointalignError
from jointalign.storage.tensors import STATE, read_tensors, write_tensors

if TYPE_CHECKING:
    from torch import Tensor
    from torch.optim import Optimizer

logger = logging.getLogger(__name__)

_OPTIMIZER = "optimizer."
_LONG = 200  # characters of a fact as JSON; of more, its digest is kept
Result = TypeVar("Result")


class OtherWorkError(JointalignError):
    """Work begun with other settings is in the way.

    Args:
        path: Its file.
        differences: From `differences`.
    """

    def __init__(self, path: Path, differences: str) -> None:
        super().__init__(
            f"{path}: begun with other settings ({differences}); give the same again to go on, or "
            "--fresh to start anew (or remove this file)"
        )
        self.path, self.differences = path, differences


@dataclass(frozen=True)
class Checkpoint:
    """One file, replaced as a whole.

    Args:
        path: The file.
        facts: All that the state depends on, by name; see `plain_facts`.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     work = Checkpoint(Path(folder) / "state", {"seed": 1})
        ...     work.save({"weights": np.ones(2)}, {"step": 7})
        ...     arrays, state = work.load()
        >>> state
        {'step': 7}
    """

    path: Path
    facts: Mapping[str, Any]

    def save(self, arrays: Mapping[str, np.ndarray], state: Mapping[str, Any]) -> None:
        """Replace the state.

        Args:
            arrays: Of one dimension or more.
            state: Plain types.

        Raises:
            JointalignError: If the file cannot be written; the state before stays.
        """
        metadata = {"facts": json.dumps(self._plain), "state": json.dumps(dict(state))}
        write_tensors(self.path, arrays, metadata, sealed=True)

    def load(self) -> tuple[dict[str, np.ndarray], dict[str, Any]] | None:
        """The arrays, read-only, and the state; `None` if there is nothing to go on from.

        A damaged file is reported and not used.

        Raises:
            OtherWorkError: If the state is of other facts; the file stays.
        """
        if not self.path.exists():
            return None
        try:
            arrays, metadata = read_tensors(self.path, STATE)
            before, state = json.loads(metadata["facts"]), json.loads(metadata["state"])
        except (JointalignError, KeyError, ValueError):
            logger.warning("%s: this unfinished work is damaged; it is begun again", self.path)
            return None
        if changed := differences(before, self._plain):
            raise OtherWorkError(self.path, changed)
        return arrays, state

    @cached_property
    def _plain(self) -> Any:
        return plain_facts(self.facts)


def digest_of(*parts: str | bytes | memoryview) -> str:
    """A short name of long values, for facts.

    Example:
        >>> digest_of("one", "two") == digest_of("onetwo")
        False
    """
    whole = hashlib.sha256()
    for part in parts:
        data = part.encode("utf-8", "surrogatepass") if isinstance(part, str) else memoryview(part)
        whole.update(memoryview(data).nbytes.to_bytes(8, "little"))
        whole.update(data)
    return whole.hexdigest()[:16]


def plain_facts(facts: Mapping[str, Any]) -> dict[str, Any]:
    """Facts as they are kept and read again: plain types by dotted name, what is long as a digest.

    Example:
        >>> plain_facts({"trainer": {"epochs": 5}, "files": [Path("a.txt")]})
        {'trainer.epochs': 5, 'files': ['a.txt']}
    """
    plain = dict(_flat(json.loads(json.dumps(facts, default=str))))
    texts = {name: json.dumps(value) for name, value in plain.items()}
    return {n: digest_of(texts[n]) if len(texts[n]) > _LONG else value for n, value in plain.items()}


def differences(before: Any, now: Any) -> str:
    """Which values differ, by name, the old and the new one; empty if none does.

    Example:
        >>> differences({"seed": 1, "trainer": {"epochs": 5}}, {"seed": 1, "trainer": {"epochs": 9}})
        'trainer.epochs: 5, now 9'
    """
    old, new = dict(_flat(before)), dict(_flat(now))
    names = [name for name in {**old, **new} if (name in old, old.get(name)) != (name in new, new.get(name))]
    return "; ".join(f"{name}: {_shown(old, name)}, now {_shown(new, name)}" for name in names)


def _flat(value: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(value, Mapping) and (value or not name):
        for key, inner in value.items():
            yield from _flat(inner, f"{name}.{key}" if name else str(key))
    else:
        yield name, value


def _shown(values: Mapping[str, Any], name: str) -> str:
    if name not in values:
        return "not there"
    return str(values[name]).replace("\n", " ")


def or_fresh(work: Callable[[], Result], fresh: bool) -> Result:
    """Do work; work of other settings that is in its way is removed if that is wished.

    Args:
        work: Can be called again after an `OtherWorkError`.
        fresh: Whether to remove, with a warning, what is in the way, and to call it again.

    Raises:
        OtherWorkError: If something is in the way, and `fresh` is not set.
    """
    while True:
        try:
            return work()
        except OtherWorkError as error:
            if not fresh:
                raise
            logger.warning("%s: begun with other settings (%s), now removed", error.path, error.differences)
            error.path.unlink(missing_ok=True)


# Torch


def as_arrays(tensors: Mapping[str, Tensor], prefix: str = "") -> dict[str, np.ndarray]:
    """Tensors as arrays of a file; those without a dimension, which files do not have, get one."""
    return {prefix + name: np.atleast_1d(tensor.detach().cpu().numpy()) for name, tensor in tensors.items()}


def as_tensors(arrays: Mapping[str, np.ndarray], prefix: str = "") -> dict[str, Tensor]:
    """Those arrays of a file whose names begin so, as tensors of their own memory."""
    import torch

    return {
        name.removeprefix(prefix): torch.from_numpy(np.array(array))
        for name, array in arrays.items()
        if name.startswith(prefix)
    }


def optimizer_arrays(optimizer: Optimizer) -> dict[str, np.ndarray]:
    """What an optimiser knows of each weight."""
    arrays = {}
    for number, state in optimizer.state_dict()["state"].items():
        arrays |= as_arrays(state, f"{_OPTIMIZER}{number}.")
    return arrays


def restore_optimizer(optimizer: Optimizer, arrays: Mapping[str, np.ndarray]) -> None:
    """Put that back, from all arrays of a file."""
    whole = optimizer.state_dict()
    whole["state"] = {}
    for name, tensor in as_tensors(arrays, _OPTIMIZER).items():
        number, _, part = name.partition(".")
        value = tensor.reshape(()) if part == "step" else tensor
        whole["state"].setdefault(int(number), {})[part] = value
    optimizer.load_state_dict(whole)
