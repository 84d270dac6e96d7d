"""What the commands that use an encoder share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import typer


def parsed_layers(text: str) -> tuple[int, ...]:
    """Layers as they are typed, `-4,-3,-2,-1`."""
    try:
        return tuple(int(part) for part in text.split(","))
    except ValueError:
        raise typer.BadParameter(f"expected layers such as -4,-3,-2,-1, got '{text}'") from None


def sentences(path: Path, language: str, tokenized: bool, conll: bool) -> Iterator[list[str]]:
    """Words of each line, an empty list for an empty one; or of a file with a word a line."""
    from jointalign.corpora.tokenization import tokenizer
    from jointalign.storage.files import read_lines

    if not conll:
        cut = tokenizer(language, lowercase=False, tokenized=tokenized)
        yield from (cut(line) for _, line in read_lines(path))
        return
    from jointalign.ner.conll import read

    yield from (list(sentence.words) for sentence in read(path, tagged=False).sentences)
