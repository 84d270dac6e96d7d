"""`jointalign align METHOD --pivot`: each of several languages is aligned to one of them."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import Any

import typer

from jointalign.alignment.base import Aligner
from jointalign.cli._console import progress, say, show, show_json
from jointalign.cli._languages import check_code
from jointalign.cli._settings import Changes, plain
from jointalign.multilingual import MultilingualEmbedding

ALIGNED = "aligned.safetensors"


def align_several(
    method: str,
    changes: Changes,
    embedding: Path,
    pivot: str,
    given: list[str],
    out: Path,
    max_vocabulary: int,
    keep_case: bool,
    threads: int | None,
    seed: int,
    json: bool,
) -> None:
    """Align, and write one file with all of it and one `.vec` a language.

    Args:
        method: Name of the method.
        changes: Settings that were given; the others are chosen for each language on
            held-out pairs, or are the defaults.
        embedding: A file of several languages.
        pivot: Code of the language that stays.
        given: `language=path` of each dictionary from the pivot.
        out: Folder for the results.
        max_vocabulary: Learn from so many words of each language.
        keep_case: Whether dictionaries are read as they are spelt.
        threads: How many; `None` for all processors.
        seed: The only source of randomness.
        json: Whether to print one JSON object.
    """
    from jointalign.alignment.api import training_pairs
    from jointalign.alignment.pivot import align_languages, check_pivot_method, others_than
    from jointalign.formats.api import read_multilingual, write
    from jointalign.lexicon import Lexicon, few_pairs
    from jointalign.numerics.processors import limited_to
    from jointalign.selection.base import FAILED
    from jointalign.selection.wishes import Wishes, decide
    from jointalign.storage.files import spare_inputs
    from jointalign.storage.stages import claimed, spare_others

    if method == "auto":
        raise typer.BadParameter("auto is for two languages; name a method to go with --pivot")
    paths = _paths(given)
    with changes.named():
        wishes = Wishes(method, None, changes.values)
    check_pivot_method(wishes.aligner)
    with progress("align") as bar, limited_to(threads), ExitStack() as held:
        space = read_multilingual(embedding)
        spare_inputs([embedding, *paths.values()], [out / name for name in _outputs(space)])
        spare_others(out, _outputs(space), ALIGNED)
        lexicons = {}
        for code, path in paths.items():
            lexicons[code] = Lexicon.read(path, not keep_case, pivot, code)
            say(f"{path}: {lexicons[code].report}")
        held.enter_context(claimed(out))
        tuned, reports, warnings = {}, {}, []
        for code in others_than(pivot, space.languages, lexicons):
            bar.title(f"align {code}")
            pair, lexicon = space.pair(code, pivot), lexicons[code].reversed()
            _, reports[code] = training_pairs(pair, lexicon)
            warnings += [f"{code}: {warning}" for warning in few_pairs(reports[code].used)]
            tuned[code] = decide(pair, lexicon, wishes, seed=seed, progress=bar)
        methods = {code: chosen.method for code, chosen in tuned.items()}
        aligned = align_languages(space, methods, lexicons, pivot, seed=seed, max_vocabulary=max_vocabulary)
        bar.title("write")
        write(aligned, out / ALIGNED)
        for code in aligned.languages:
            write(aligned.language(code), out / f"{code}.vec")
    if json:
        chosen = {
            code: {**tuned[code].to_json(), "pairs": report.to_json(), "settings": used(tuned[code].method)}
            for code, report in reports.items()
        }
        facts = {"pivot": pivot, "languages": chosen, "parts": aligned.sizes, "out": str(out)}
        show_json(facts | {"warnings": warnings})
    else:
        for code, report in reports.items():
            show(f"{code}: {tuned[code]}\n{code}: {report}")
            if tuned[code].worked is False:
                show(f"{code}: {FAILED}")
        sizes = ", ".join(f"{size:,} {name}" for name, size in aligned.sizes.items())
        show(f"{out}: {', '.join(_outputs(space))}: {sizes}")
        for warning in warnings:
            show(f"warning: {warning}")


def used(method: Aligner) -> dict[str, Any]:
    """All settings of a method as a file has them, those of one behind a normalisation among them."""
    found = plain(method.core) | plain(method)
    return {name: value for name, value in found.items() if not isinstance(value, dict)}


def _outputs(space: MultilingualEmbedding) -> list[str]:
    return [*(f"{check_code(code)}.vec" for code in space.languages), ALIGNED]


def _paths(given: list[str]) -> dict[str, Path]:
    paths: dict[str, Path] = {}
    for entry in given:
        code, equals, path = entry.partition("=")
        if not equals or not code or not path:
            raise typer.BadParameter(f"expected --pivot-lexicon es=en-es.txt, got '{entry}'")
        if code in paths:
            raise typer.BadParameter(f"got two --pivot-lexicon for '{code}'")
        paths[code] = Path(path)
    return paths
