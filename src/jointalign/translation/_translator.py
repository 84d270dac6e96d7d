"""A model with all that is needed to translate text, as one file."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, TypedDict

import numpy as np

from jointalign.embedding import Setting
from jointalign.errors import JointalignError
from jointalign.numerics.devices import device_named
from jointalign.storage.facts import fits
from jointalign.storage.tensors import Array, Schema, check_arrays, read_tensors, write_tensors
from jointalign.translation._decode import TranslationSearch, decode
from jointalign.translation._model import Network, Plan, precision_named
from jointalign.translation._text import Segmentation, Sentences
from jointalign.translation.base import END, SPECIAL, Shape
from jointalign.version import __version__

if TYPE_CHECKING:
    import torch

_KIND = "jointalign translation model"


@dataclass(frozen=True, eq=False)
class Translator:
    """A trained model, for both directions.

    Args:
        plan: What the weights are.
        weights: By name, float32.
        segmentation: Of text into pieces.
        languages: Codes of source and target.
        allowed: Tokens that each language's text has, and the end, int64 `(v,)` each: all that a
            translation into it may hold.
        settings: How it was made: names and values, kept in the file.
        precision: To compute with: `auto`, `float32` or `bfloat16`.
    """

    plan: Plan
    weights: Mapping[str, torch.Tensor]
    segmentation: Segmentation
    languages: tuple[str, str]
    allowed: tuple[np.ndarray, np.ndarray]
    settings: Mapping[str, Setting] = field(default_factory=dict)
    precision: str = "auto"

    def direction(self, text: str) -> tuple[int, int]:
        """Numbers of the languages of `en-de`.

        Raises:
            JointalignError: If the model has not these two.
        """
        codes = text.split("-")
        if sorted(codes) != sorted(self.languages):
            one, two = self.languages
            raise JointalignError(f"expected {one}-{two} or {two}-{one}, got '{text}'")
        source = self.languages.index(codes[0])
        return source, 1 - source

    def network(self) -> Network:
        """The model, ready to work without gradients."""
        device = next(iter(self.weights.values())).device
        frozen = {name: weight.detach() for name, weight in self.weights.items()}
        return Network(self.plan, frozen, precision_named(self.precision, device))

    def translate(
        self, lines: Sequence[str], direction: str, search: TranslationSearch | None = None
    ) -> list[str]:
        """Translate lines of text, one sentence each.

        Args:
            lines: Text as it is; an empty line stays empty.
            direction: Such as `en-de`.
            search: Greedy by default.

        Raises:
            JointalignError: If the model has not these languages.
        """
        sentences = self.segmentation.encode(lines)
        found = self.translate_tokens(sentences, self.direction(direction), search)
        return self.segmentation.decode(found)

    def translate_tokens(
        self, sentences: Sentences, direction: tuple[int, int], search: TranslationSearch | None = None
    ) -> list[np.ndarray]:
        """The same on tokens, int32 `(t,)` a sentence."""
        found = [np.zeros(0, np.int32)] * len(sentences)
        filled = np.flatnonzero(sentences.lengths)
        allowed = self.allowed[direction[1]]
        part = sentences.take(filled)
        for row, tokens in decode(self.network(), part, direction, allowed, search):
            found[filled[row]] = tokens
        return found


def tokens_of(sentences: Sentences) -> np.ndarray:
    """All tokens of a text, and the end, int64 `(v,)`, by number."""
    return np.unique(np.concatenate([[END], sentences.tokens])).astype(np.int64)


def write_translator(translator: Translator, path: str | Path) -> None:
    """Write a model, as safetensors with everything in it; equal models give equal bytes.

    Raises:
        JointalignError: If the file cannot be written.
    """
    tensors = {
        f"weight.{name}": weight.detach().cpu().float().numpy() for name, weight in translator.weights.items()
    }
    for language, allowed in enumerate(translator.allowed):
        tensors[f"allowed.{language}"] = allowed
    facts = {
        "kind": _KIND,
        "version": __version__,
        "shape": json.dumps(asdict(translator.plan.shape)),
        "separate": json.dumps(translator.plan.separate),
        "languages": json.dumps(translator.languages),
        "segmentation": translator.segmentation.to_text(),
        "lowercase": json.dumps(translator.segmentation.lowercase),
        "settings": json.dumps(dict(translator.settings)),
    }
    write_tensors(path, tensors, facts)


def read_translator(path: str | Path, device: str = "auto", precision: str = "auto") -> Translator:
    """Read what `write_translator` wrote.

    Args:
        path: The file.
        device: `cpu`, `cuda`, or `auto` for a GPU where there is one.
        precision: To compute with: `auto`, `float32` or `bfloat16`.

    Raises:
        JointalignError: If the file cannot be opened, or there is no such device.
        FormatError: If it holds no translation model, or is damaged.
    """
    import torch

    tensors, facts = read_tensors(path, _SCHEMA)
    with fits(path, _SCHEMA.what):
        segmentation = Segmentation.from_text(facts["segmentation"], facts["lowercase"])
        plan = Plan(facts["shape"], len(segmentation) + SPECIAL, facts["separate"])
        if max(plan.shape.encoder_layers, plan.shape.decoder_layers) > len(tensors):
            raise JointalignError("the shape is that of a larger model")
        weights = {f"weight.{name}": Array("F32", size) for name, size in plan.sizes().items()}
        allowed = Array("I64", (None,), least=END, below=plan.vocabulary)
        check_arrays(tensors, weights | {"allowed.0": allowed, "allowed.1": allowed})
    place = device_named(device, "mt")
    return Translator(
        plan,
        {name: torch.tensor(tensors[f"weight.{name}"], device=place) for name in plan.sizes()},
        segmentation,
        facts["languages"],
        (np.array(tensors["allowed.0"]), np.array(tensors["allowed.1"])),
        facts["settings"],
        precision,
    )


class _Facts(TypedDict):
    shape: Shape
    separate: bool
    languages: tuple[str, str]
    segmentation: str
    lowercase: bool
    settings: dict[str, Setting]


_SCHEMA = Schema("a translation model of `jointalign mt train`", _Facts, kind=_KIND)
