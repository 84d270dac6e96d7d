"""A tagger as a folder: its weights and its words' vectors (safetensors), and the rest (JSON)."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from jointalign.errors import FormatError, JointalignError
from jointalign.ner._settings import TaggerSettings
from jointalign.ner._tagger import Alphabet, Tagger, WordInputs
from jointalign.ner._words import StaticInputs, WordTable
from jointalign.ner.base import Scheme
from jointalign.storage.checkpoint import as_arrays, as_tensors
from jointalign.storage.files import atomic, plain_errors
from jointalign.storage.tensors import read_tensors, write_tensors
from jointalign.version import __version__

FORMAT = "jointalign-ner-1"
FACTS, WEIGHTS, WORDS = "tagger.json", "tagger.safetensors", "words.safetensors"
STATIC = "static"
INPUTS = "inputs."


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
    total = hashlib.sha256()
    for name in sorted(weights):
        total.update(name.encode() + weights[name].tobytes())
    mark = {"made": total.hexdigest()}
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
    facts = facts_of(folder)
    try:
        settings = TaggerSettings(**{**facts["settings"], "scheme": Scheme(facts["settings"]["scheme"])})
        if inputs is None:
            inputs = _inputs(Path(folder), facts, device)
        tagger = Tagger(settings, inputs, facts["labels"], Alphabet(tuple(facts["alphabet"])))
        arrays, mark = read_tensors(Path(folder) / WEIGHTS)
        _check_mark(Path(folder) / WEIGHTS, mark, facts)
        tagger.network.load_state_dict(
            {
                name: weights
                for name, weights in tagger.network.state_dict().items()
                if name not in _own(tagger, facts["kind"])
            }
            | as_tensors(arrays)
        )
    except JointalignError:
        raise
    except (KeyError, TypeError, ValueError, RuntimeError) as error:
        reason = f"the parts of the tagger do not fit together ({error}); train or copy it again"
        raise FormatError(Path(folder) / FACTS, None, " ".join(reason.split())) from error
    tagger.network.eval()
    return tagger, facts["about"]


def _own(tagger: Tagger, kind: str) -> dict[str, Any]:
    """Weights that go into the tagger's file: all, but for those of inputs of another kind."""
    return {
        name: weights
        for name, weights in tagger.network.state_dict().items()
        if kind == STATIC or not name.startswith(INPUTS)
    }


def facts_of(folder: str | Path) -> dict[str, Any]:
    """What a tagger's folder says of it, `kind` and `made_of` among the rest.

    Raises:
        JointalignError: If there is no such folder.
        FormatError: If its file is damaged or says something else.
    """
    path = Path(folder) / FACTS
    if not path.parent.is_dir():
        raise JointalignError(f"{path.parent}: expected the folder of a tagger; there is none")
    with plain_errors(path):
        text = path.read_text("utf-8")
    try:
        facts = json.loads(text)
    except ValueError as error:
        raise FormatError(path, None, f"expected JSON ({error}); train or copy it again") from None
    came = facts.get("format") if isinstance(facts, dict) else None
    if came != FORMAT:
        reason = f"expected format '{FORMAT}', got '{came}'; is it the folder of a tagger?"
        raise FormatError(path, None, reason)
    return facts


def _inputs(folder: Path, facts: dict[str, Any], device: str) -> StaticInputs:
    if facts["kind"] != STATIC:
        raise JointalignError(
            f"{folder}: the vectors of this tagger are of the kind '{facts['kind']}', not from a "
            "table of words; give them"
        )
    arrays, mark = read_tensors(folder / WORDS)
    _check_mark(folder / WORDS, mark, facts)
    rows = {}
    for name in arrays:
        if name.startswith("words."):
            code = name.removeprefix("words.")
            words = arrays[name].tobytes().decode("utf-8", "surrogateescape").split("\n")
            rows[code] = dict(zip(words, arrays[f"rows.{code}"].tolist(), strict=True))
    table = WordTable(np.array(arrays["vectors"]), rows)
    return StaticInputs(table, facts["learnt_vectors"], device=device)


def _from_table(table: WordTable) -> dict[str, np.ndarray]:
    arrays = {"vectors": table.vectors}
    for code, rows in table.rows.items():
        text = "\n".join(rows).encode("utf-8", "surrogateescape")
        arrays[f"words.{code}"] = np.frombuffer(text, np.uint8)
        arrays[f"rows.{code}"] = np.fromiter(rows.values(), np.int64, len(rows))
    return arrays


def _check_mark(path: Path, mark: Mapping[str, str], facts: Mapping[str, Any]) -> None:
    if mark.get("made") != facts["made"]:
        raise FormatError(path, None, f"not of the same writing as {FACTS}; train or copy it again")
