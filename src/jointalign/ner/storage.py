"""A tagger as a folder: its weights and its words' vectors (safetensors), and the rest (JSON)."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, NotRequired, TypedDict

import numpy as np

from jointalign.errors import FormatError, JointalignError
from jointalign.ner._settings import TaggerSettings
from jointalign.ner._tagger import Alphabet, Tagger, WordInputs
from jointalign.ner._words import StaticInputs, WordTable
from jointalign.ner.base import is_tag
from jointalign.storage.checkpoint import as_arrays, as_tensors
from jointalign.storage.facts import fits, read_json, typed
from jointalign.storage.files import atomic
from jointalign.storage.tensors import Array, Schema, check_arrays, like, read_tensors, write_tensors
from jointalign.version import __version__

FORMAT = "jointalign-ner-1"
FACTS, WEIGHTS, WORDS = "tagger.json", "tagger.safetensors", "words.safetensors"
STATIC = "static"
INPUTS = "inputs."
_CURE = "train or copy it again"


class TaggerFacts(TypedDict):
    """What the file `tagger.json` holds."""

    kind: str
    settings: TaggerSettings
    labels: tuple[str, ...]
    alphabet: str
    made: str
    about: dict[str, Any]
    made_of: NotRequired[dict[str, Any]]
    learnt_vectors: NotRequired[bool]


class _Mark(TypedDict):
    made: str


_WEIGHTS = Schema("the weights of a tagger", _Mark, cure=_CURE)
_WORDS = Schema("the vectors of a tagger's words", _Mark, cure=_CURE)


def write(
    tagger: Tagger,
    folder: str | Path,
    about: Mapping[str, Any],
    kind: str = STATIC,
    made_of: Mapping[str, Any] | None = None,
) -> None:
    """Write a tagger, and the vectors of its words if they come from a table.

    Args:
        tagger: What to write.
        folder: Made if missing; files of these names in it are replaced.
        about: What else is worth knowing, as plain types: where it comes from, its scores.
        kind: `static` for vectors from a table; other inputs are not written, only named so, and
            what they learnt is left to who writes them.
        made_of: What is needed to make the other inputs again, as plain types.

    Raises:
        JointalignError: If it cannot be written.
    """
    weights = as_arrays(_own(tagger, kind))
    mark = {"made": _digest(weights)}
    inputs = tagger.inputs
    facts = {
        "format": FORMAT,
        "version": __version__,
        "kind": kind,
        "settings": asdict(tagger.settings),
        "labels": tagger.labels,
        "alphabet": "".join(tagger.alphabet.characters),
        **mark,
        "about": dict(about),
    }
    if made_of is not None:
        facts["made_of"] = dict(made_of)
    if isinstance(inputs, StaticInputs):
        facts["learnt_vectors"] = inputs.is_learnt
        write_tensors(Path(folder) / WORDS, _from_table(inputs.table), mark)
    write_tensors(Path(folder) / WEIGHTS, weights, mark)
    with atomic(Path(folder) / FACTS, "w") as file:
        json.dump(facts, file, ensure_ascii=False, indent=1)
        file.write("\n")


def read(
    folder: str | Path, device: str = "cpu", inputs: WordInputs | None = None
) -> tuple[Tagger, dict[str, Any]]:
    """Read a tagger and what was said about it.

    Args:
        folder: As `write` made it.
        device: Where it is to compute, for vectors from a table.
        inputs: What gives words their vectors, for a tagger of another kind.

    Raises:
        JointalignError: If there is no tagger, or one that needs `inputs`.
        FormatError: If its files are damaged or not of one writing.
        MissingExtraError: If torch is not installed.
    """
    facts, folder = facts_of(folder), Path(folder)
    arrays, mark = read_tensors(folder / WEIGHTS, _WEIGHTS)
    _check_mark(folder / WEIGHTS, mark, facts)
    if _digest(arrays) != facts["made"]:
        raise FormatError(folder / WEIGHTS, None, "it is not as it was written; train or copy it again")
    if inputs is None:
        inputs = _inputs(folder, facts, device)
    with fits(folder / FACTS, "the facts of a tagger", _CURE):
        _check_sizes(facts["settings"], arrays)
        tagger = Tagger(facts["settings"], inputs, facts["labels"], Alphabet(tuple(facts["alphabet"])))
        own = as_arrays(_own(tagger, facts["kind"]))
        check_arrays(arrays, like(own))
        others = {name: part for name, part in tagger.network.state_dict().items() if name not in own}
        tagger.network.load_state_dict(others | as_tensors(arrays))
    tagger.network.eval()
    return tagger, facts["about"]


def _check_sizes(settings: TaggerSettings, arrays: Mapping[str, np.ndarray]) -> None:
    """Refuse a network larger than its weights before memory is asked for it."""
    largest = max((size for array in arrays.values() for size in array.shape), default=0)
    sizes = [settings.hidden] if settings.layers else []
    sizes += [settings.character_dimensions, settings.character_hidden] if settings.character_hidden else []
    if max(sizes, default=0) > largest or settings.layers > len(arrays):
        raise JointalignError("the settings are of a larger network than the weights")


def _own(tagger: Tagger, kind: str) -> dict[str, Any]:
    """Weights that go into the tagger's file: all, but for those of inputs of another kind."""
    return {
        name: weights
        for name, weights in tagger.network.state_dict().items()
        if kind == STATIC or not name.startswith(INPUTS)
    }


def facts_of(folder: str | Path) -> TaggerFacts:
    """What a tagger's folder says of it, `kind` and `made_of` among the rest.

    Raises:
        JointalignError: If there is no such folder.
        FormatError: If its file is damaged or says something else.
    """
    path = Path(folder) / FACTS
    if not path.parent.is_dir():
        raise JointalignError(f"{path.parent}: expected the folder of a tagger; there is none")
    came = read_json(path, dict[str, Any], "the facts of a tagger", _CURE)
    if came.get("format") != FORMAT:
        reason = f"expected format '{FORMAT}', got '{came.get('format')}'; is it the folder of a tagger?"
        raise FormatError(path, None, reason)
    with fits(path, "the facts of a tagger", _CURE):
        facts = typed(came, TaggerFacts)
        if wrong := [label for label in facts["labels"] if not is_tag(label)]:
            raise JointalignError(f"'labels' holds '{wrong[0]}', which is no tag")
    return facts


def _inputs(folder: Path, facts: TaggerFacts, device: str) -> StaticInputs:
    if facts["kind"] != STATIC:
        raise JointalignError(
            f"{folder}: the vectors of this tagger are of the kind '{facts['kind']}', not from a "
            "table of words; give them"
        )
    arrays, mark = read_tensors(folder / WORDS, _WORDS)
    _check_mark(folder / WORDS, mark, facts)
    with fits(folder / WORDS, _WORDS.what, _CURE):
        codes = [name.removeprefix("words.") for name in arrays if name.startswith("words.")]
        check_arrays(arrays, {"vectors": Array("F32", ("words", "dimensions"))} | _columns(codes, arrays))
        rows = {}
        for code in codes:
            words = arrays[f"words.{code}"].tobytes().decode("utf-8", "surrogateescape").split("\n")
            known = arrays[f"rows.{code}"].tolist()
            rows[code] = dict(zip(words if known else [], known, strict=True))
        table = WordTable(np.array(arrays["vectors"]), rows)
        return StaticInputs(table, facts.get("learnt_vectors", False), device=device)


def _columns(codes: Sequence[str], arrays: Mapping[str, np.ndarray]) -> dict[str, Array]:
    """The words of each language, and their rows in the vectors."""
    found, size = {}, len(arrays.get("vectors", ()))
    for code in codes:
        found[f"words.{code}"] = Array("U8", (None,))
        found[f"rows.{code}"] = Array("I64", (None,), least=0, below=size)
    return found


def _from_table(table: WordTable) -> dict[str, np.ndarray]:
    arrays = {"vectors": table.vectors}
    for code, rows in table.rows.items():
        text = "\n".join(rows).encode("utf-8", "surrogateescape")
        arrays[f"words.{code}"] = np.frombuffer(text, np.uint8)
        arrays[f"rows.{code}"] = np.fromiter(rows.values(), np.int64, len(rows))
    return arrays


def _check_mark(path: Path, mark: _Mark, facts: TaggerFacts) -> None:
    if mark["made"] != facts["made"]:
        raise FormatError(path, None, f"not of the same writing as {FACTS}; train or copy it again")


def _digest(weights: Mapping[str, np.ndarray]) -> str:
    total = hashlib.sha256()
    for name in sorted(weights):
        total.update(name.encode() + weights[name].tobytes())
    return total.hexdigest()
