"""From files and names, as commands give them, to what the library takes."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from itertools import islice
from pathlib import Path
from typing import TypeVar

from jointalign.alignment.api import check_extras, method_named, method_names
from jointalign.contextual._mapping import FeatureSide, Solution
from jointalign.contextual._pairs import AlignedText, MappingSettings
from jointalign.corpora.tokenization import tokenizer
from jointalign.errors import JointalignError
from jointalign.progress import Progress
from jointalign.word_alignment.api import TextAligner, align_text
from jointalign.word_alignment.base import Computation, Links, ParallelText
from jointalign.word_alignment.reading import check_links, raw_pairs, read_links

Choice = TypeVar("Choice", bound=StrEnum)


def choice(kind: type[Choice], name: str) -> Choice:
    """A member by its name.

    Raises:
        JointalignError: If there is none.
    """
    try:
        return kind(name)
    except ValueError:
        raise JointalignError(f"expected {', '.join(kind)}; got '{name}'") from None


def mapping_settings(
    method: str, *, layers: tuple[int, ...], side: str, sample: int, held_out: int
) -> MappingSettings:
    """Settings from a method's name: a `Solution`, or an alignment method.

    `whitened` moves both sides. Alignment methods learn from a sample, and move both sides as
    they will.

    Raises:
        JointalignError: If there is no such method, or it cannot move the side that is asked for.
    """
    chosen = choice(FeatureSide, side)
    known = [*Solution, *method_names()]
    if method not in known:
        raise JointalignError(f"there is no method '{method}'; choose from {', '.join(known)}")
    one_sided = [one for one in Solution if one is not Solution.WHITENED]
    if chosen is FeatureSide.TARGET and method not in one_sided:
        raise JointalignError(
            f"'{method}' decides itself which side moves; --side target is for {', '.join(one_sided)}"
        )
    if method in list(Solution):
        return MappingSettings(layers, Solution(method), chosen, sample=sample, held_out=held_out)
    aligner = method_named(method)
    check_extras(aligner, supervised=True)
    return MappingSettings(layers, side=chosen, aligner=aligner, sample=sample, held_out=held_out)


def read_aligned_text(
    files: Sequence[Path],
    links: Path | None,
    languages: tuple[str, str],
    *,
    word_aligner: TextAligner | None = None,
    tokenized: bool = False,
    most: int | None = None,
    longest: int = 99,
    threads: int | None = None,
    progress: Progress | None = None,
) -> tuple[AlignedText, int]:
    """Read a parallel text, cased, and its links; without a file of links, find them.

    Words are lower-cased only to find links.

    Args:
        files: One file of `source ||| target` lines, or two files.
        links: Pharaoh links of all lines of the text; `None`: find them.
        languages: Codes of both languages.
        word_aligner: What finds links; `None` for `BayesianAligner()`.
        tokenized: Whether white space separates the words already.
        most: Use so many usable sentence pairs from the start; `None`: all.
        longest: Words of a usable sentence, on either side.
        threads: To find links; `None` for all processors.
        progress: Told how far the aligner is.

    Returns:
        The text, and how many pairs were left out on the way to the last that is used.

    Raises:
        JointalignError: If a file cannot be read, or no pair is usable.
    """
    cuts = [tokenizer(language, lowercase=False, tokenized=tokenized) for language in languages]
    cut = ((cuts[0](one), cuts[1](other)) for one, other in raw_pairs(*files, languages=languages))
    numbered = enumerate(cut)
    usable = (item for item in numbered if all(1 <= len(side) <= longest for side in item[1]))
    kept = list(islice(usable, most))
    if not kept:
        raise JointalignError(f"{files[0]}: no sentence pair has 1 to {longest} words on both sides")
    pairs = [pair for _, pair in kept]
    lowered = ParallelText.of(([w.lower() for w in one], [w.lower() for w in other]) for one, other in pairs)
    if links is None:
        computation = Computation(threads=threads, progress=progress)
        found = align_text(lowered, word_aligner, computation=computation).links
    else:
        every = read_links(links)
        if len(every) <= kept[-1][0]:
            raise JointalignError(
                f"{links}: expected a line for each of the text's, at least {kept[-1][0] + 1}, "
                f"got {len(every)}"
            )
        found = Links.of(every[number].tolist() for number, _ in kept)
        check_links(found, lowered, links)
    text = AlignedText([one for one, _ in pairs], [other for _, other in pairs], found)
    return text, kept[-1][0] + 1 - len(kept)
