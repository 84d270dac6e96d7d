"""A language model for another language: its vocabulary is replaced, all other weights stay."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from itertools import islice
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np

from jointalign.checks import checked
from jointalign.embedding import BilingualEmbedding
from jointalign.errors import JointalignError
from jointalign.formats.api import read_bilingual
from jointalign.lexicon import Lexicon
from jointalign.pipeline import RunSettings, run
from jointalign.progress import Progress
from jointalign.storage.files import atomic, check_folder, digest, read_lines, write_text
from jointalign.storage.stages import spare_others
from jointalign.transfer.base import Copied, TokenMap, TransferMethod, Weights
from jointalign.transfer.focus import Focus
from jointalign.transfer.mean import MeanRows
from jointalign.transfer.models import load_model, load_tokenizer, move, write_model
from jointalign.transfer.random import RandomRows
from jointalign.transfer.tokalign import TokAlign
from jointalign.transfer.tokens import Tokens, Units
from jointalign.transfer.wechsel import Wechsel
from jointalign.version import __version__

METHODS: Mapping[str, TransferMethod] = MappingProxyType(
    {
        "wechsel": Wechsel(),
        "focus": Focus(),
        "tokalign": TokAlign(),
        "mean": MeanRows(),
        "random": RandomRows(),
    }
)
"""All methods by name, with their published settings."""

REPORT, MAPPING = "transfer.json", "mapping.json"
FILES = (REPORT, MAPPING, "config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json")
"""What a folder holds besides what belongs to one kind of model; the report is written first."""

_EXAMPLES, _SOURCES_SHOWN = 8, 3
_LINES_AT_ONCE = 10_000


def method_named(name: str) -> TransferMethod:
    """A method with its published settings.

    Raises:
        JointalignError: If there is none of this name.

    Example:
        >>> method_named("wechsel").neighbours
        10
    """
    if name not in METHODS:
        raise JointalignError(f"there is no method '{name}'; choose from {', '.join(METHODS)}")
    return METHODS[name]


@checked
def map_tokens(
    old_tokenizer: Any,
    new_tokenizer: Any,
    space: BilingualEmbedding | None = None,
    method: TransferMethod | str = "wechsel",
    units: Units = Units.WORDS,
) -> TokenMap:
    """What each token of a new tokeniser is made of.

    Args:
        old_tokenizer: That of the model, of transformers.
        new_tokenizer: The new one.
        space: Aligned: source the model's language, target the new one. `None` for methods without.
        method: A method, or its name for its published settings.
        units: Whether the words of the space are words or tokens.

    Raises:
        JointalignError: If the method needs a space and has none, a vector is not finite, or the space
            knows no token of one side.
    """
    method = method_named(method) if isinstance(method, str) else method
    return _mapped(Tokens.of(old_tokenizer), Tokens.of(new_tokenizer), space, method, units)


def _mapped(
    old: Tokens, new: Tokens, space: BilingualEmbedding | None, method: TransferMethod, units: Units
) -> TokenMap:
    if space is None and method.uses_space:
        raise JointalignError(
            f"{type(method).__name__} goes by vectors of words; give a space, or text of both languages"
        )
    vectors = [np.zeros((len(side), 1), np.float32) for side in (old, new)]
    if space is not None and method.uses_space:
        languages = space.source_language, space.target_language
        vectors = [
            tokens.vectors(side, language, units)
            for tokens, side, language in zip((old, new), space.sides(), languages, strict=True)
        ]
        for name, rows in zip(("model's", "new"), vectors, strict=True):
            if not rows.any():
                raise JointalignError(
                    f"the space knows no token of the {name} tokenizer; source must be the model's language "
                    f"and target the new one, and the words of the space {units}"
                )
    shared = new.shared_pairs(old)
    found = method.fit(vectors[0], vectors[1], shared)
    pairs = shared if method.copied is Copied.SHARED else np.array(sorted(new.special_pairs(old).items()))
    copied = np.zeros(len(new), bool)
    pairs = pairs.reshape(-1, 2).astype(np.int64)
    copied[pairs[:, 0]] = True
    kept = ~copied[found.rows]
    rows = np.concatenate([pairs[:, 0], found.rows[kept]])
    order = np.argsort(rows, kind="stable")
    sources = np.concatenate([pairs[:, 1], found.sources[kept]])[order]
    weights = np.concatenate([np.ones(len(pairs)), found.weights[kept]])[order]
    merged = Weights.of(len(new), rows[order], sources, weights)
    return TokenMap(old.forms, new.forms, merged, copied, method.fallback)


@dataclass(frozen=True)
class TransferReport:
    """What became of a new vocabulary.

    Args:
        method: The method and its settings.
        tokens: New tokens.
        copied: Tokens that have an old token's row.
        mapped: Tokens that are means of old ones.
        fallback: Tokens of which nothing was known.
        copied_examples: Some of the copied ones.
        mapped_examples: Some of the mapped ones, evenly over the vocabulary, with their heaviest sources.
        fallback_examples: Some of the others.
    """

    method: dict[str, Any]
    tokens: int
    copied: int
    mapped: int
    fallback: int
    copied_examples: tuple[str, ...]
    mapped_examples: dict[str, list[tuple[str, float]]]
    fallback_examples: tuple[str, ...]

    @classmethod
    def of(cls, tokens: TokenMap, method: TransferMethod) -> TransferReport:
        """Counts and examples of a map."""
        kinds = (tokens.copied, tokens.known & ~tokens.copied, ~tokens.known)
        copied, mapped, fallback = map(_spread, kinds)
        return cls(
            {"name": type(method).__name__.lower(), **asdict(method)},  # type: ignore[call-overload]
            len(tokens.new),
            **tokens.counts,
            copied_examples=tuple(tokens.new[number] for number in copied),
            mapped_examples={
                tokens.new[number]: [
                    (form, round(weight, 3)) for form, weight in tokens.sources_of(number)[:_SOURCES_SHOWN]
                ]
                for number in mapped
            },
            fallback_examples=tuple(tokens.new[number] for number in fallback),
        )

    def to_json(self) -> dict[str, Any]:
        """All of it as plain types."""
        return asdict(self)

    def __str__(self) -> str:
        counts = f"{self.copied:,} copied, {self.mapped:,} mapped, {self.fallback:,} left to the fallback"
        examples = [
            f"  {token} = {' + '.join(f'{weight:.2f} {source}' for source, weight in sources)}"
            for token, sources in self.mapped_examples.items()
        ]
        return "\n".join([f"{self.tokens:,} tokens: {counts}", *examples])


def _spread(chosen: np.ndarray) -> list[int]:
    """A few numbers of those chosen, evenly over them."""
    numbers = np.flatnonzero(chosen)
    places = np.unique(np.linspace(0, len(numbers) - 1, min(_EXAMPLES, len(numbers))).astype(int))
    return numbers[places].tolist()


@checked
def transfer(
    model: str | Path,
    tokenizer: str | Path,
    out: str | Path,
    space: BilingualEmbedding | None = None,
    method: TransferMethod | str = "wechsel",
    *,
    units: Units = Units.WORDS,
    seed: int = 0,
    local_only: bool = False,
) -> TransferReport:
    """Write a model for a new vocabulary: its rows are made of the old ones, all other weights stay.

    The folder can be opened by `from_pretrained`. Beside the model, `mapping.json` has the sources and
    weights of each new token, and `transfer.json` the report.

    Args:
        model: A folder of transformers, or a name on the hub; encoder or decoder.
        tokenizer: The new tokeniser, likewise.
        out: Folder for the new model.
        space: As for `map_tokens`.
        method: A method, or its name for its published settings.
        units: Whether the words of the space are words or tokens.
        seed: Of random rows.
        local_only: Never ask the hub; use what was fetched before.

    Raises:
        JointalignError: As `map_tokens`; and if a model or tokeniser cannot be loaded, or the folder
            cannot be written or is that of the model.
        MissingExtraError: If torch or transformers is not installed.
    """
    method, folder = method_named(method) if isinstance(method, str) else method, Path(out)
    if any(Path(one).resolve() == folder.resolve() for one in (model, tokenizer)):
        raise JointalignError(
            f"{folder}: the new model would replace what it is made of; name another folder"
        )
    spare_others(folder, FILES, REPORT)
    old = Tokens.of(load_tokenizer(model, local_only))
    new = Tokens.of(load_tokenizer(tokenizer, local_only))
    tokens = _mapped(old, new, space, method, units)
    loaded = load_model(model, local_only)
    move(loaded, tokens, old, new, seed)
    report = TransferReport.of(tokens, method)
    facts = {"version": __version__, "model": str(model), "tokenizer": str(tokenizer), "units": str(units)}
    check_folder(folder)
    with write_text(folder / REPORT) as file:
        json.dump({**facts, "seed": seed, **report.to_json()}, file, indent=2, ensure_ascii=False)
    with atomic(folder / MAPPING, "w") as file:
        file.writelines(_lines(tokens))
    write_model(loaded, new.tokenizer, folder)
    return report


def _lines(tokens: TokenMap) -> Iterator[str]:
    """One JSON object, a token a line."""
    for number, (token, sources) in enumerate(tokens.items()):
        pairs = [(form, round(weight, 6)) for form, weight in sources]
        yield f"{',' if number else '{'}\n{json.dumps(token)}: {json.dumps(pairs)}"
    yield "\n}\n"


@checked
def space_of_text(
    settings: RunSettings,
    folder: str | Path,
    *,
    tokenizers: tuple[Any, Any] | None = None,
    threads: int | None = None,
    fresh: bool = False,
    progress: Progress | None = None,
) -> BilingualEmbedding:
    """Train a space for `transfer` from text of both languages, with a dictionary or none.

    Args:
        settings: As for `pipeline.run`, which does it: spaces and mappings are chosen on held-out pairs.
        folder: Of the run, which goes on where it was.
        tokenizers: The model's and the new one, for a space of tokens: both texts are cut by them, and of
            the dictionary those pairs are used that are one token on both sides.
        threads: As for `pipeline.run`.
        fresh: Likewise.
        progress: Likewise.

    Raises:
        JointalignError: As `pipeline.run`; or if no pair of the dictionary is one of tokens.
    """
    folder = Path(folder)
    if tokenizers is not None:
        old, new = map(Tokens.of, tokenizers)
        texts = {"source": (settings.source, old), "target": (settings.target, new)}
        cut = {}
        for side, (text, tokens) in texts.items():
            cut[side] = folder.with_name(f"{folder.name}-{side}.txt")
            _write_changed(cut[side], _cut(tokens, text))
        lexicon = None
        if settings.lexicon is not None:
            lexicon = folder.with_name(f"{folder.name}-lexicon.txt")
            _write_changed(lexicon, _pairs(settings, old, new))
        settings = replace(settings, **cut, lexicon=lexicon, tokenized=True, lowercase=False)
    run(replace(settings, rank=False), folder, threads=threads, fresh=fresh, progress=progress)
    return read_bilingual(folder / "aligned.safetensors")


def _write_changed(path: Path, lines: Iterable[str]) -> None:
    """Write a file anew, unless it would stay as it is: a run that has read it then goes on."""
    new = path.with_suffix(".new")
    with write_text(new) as file:
        file.writelines(lines)
    if path.exists() and digest(path) == digest(new):
        new.unlink()
    else:
        new.replace(path)


def _cut(tokens: Tokens, text: Path) -> Iterator[str]:
    """The lines of a text, as tokens with blanks between."""
    lines = (line for _, line in read_lines(text))
    while block := list(islice(lines, _LINES_AT_ONCE)):
        for numbers in tokens.cut(block):
            yield " ".join(tokens.forms[number] for number in numbers) + "\n"


def _pairs(settings: RunSettings, old: Tokens, new: Tokens) -> list[str]:
    """The pairs of a dictionary that are one token on both sides, after a blank."""
    assert settings.lexicon is not None
    lexicon = Lexicon.read(
        settings.lexicon, settings.lowercase, settings.source_language, settings.target_language
    )
    sides = zip(*lexicon.pairs, strict=True)
    ids = [
        tokens.cut([f" {word}" for word in words]) for tokens, words in zip((old, new), sides, strict=True)
    ]
    pairs = [
        f"{old.forms[one[0]]}\t{new.forms[two[0]]}\n"
        for one, two in zip(*ids, strict=True)
        if len(one) == len(two) == 1
    ]
    if not pairs:
        raise JointalignError(
            f"{settings.lexicon}: expected pairs that are one token in both vocabularies, found none of "
            f"{len(lexicon)}; leave the dictionary out, or train on words"
        )
    return pairs
