"""`jointalign translate`: words in, scored translations out."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Annotated

import typer

from jointalign.cli._console import messages, progress, say, show, show_json
from jointalign.cli._options import Json, KeepCase, SpellSource, SpellTarget, Threads
from jointalign.cli._spaces import Source, SourceCode, Space, Target, TargetCode, VectorsFormat, read_space
from jointalign.dictionary.api import Answer, Translation
from jointalign.retrieval.api import Retrieval
from jointalign.storage.tables import escaped

BATCH = 1024


def command(
    words: Annotated[
        list[str] | None,
        typer.Argument(help="Words; without any, one a line from standard input, or a prompt."),
    ] = None,
    embedding: Space = None,
    source_vectors: Source = None,
    target_vectors: Target = None,
    source: SourceCode = None,
    target: TargetCode = None,
    count: Annotated[int, typer.Option(min=1, help="Translations a word.")] = 5,
    retrieval: Annotated[Retrieval, typer.Option(help="csls, nn or isf.")] = Retrieval.CSLS,
    threshold: Annotated[float | None, typer.Option(help="Leave lower scores out.")] = None,
    mutual: Annotated[
        bool, typer.Option("--mutual", help="Only words that are among each other's best.")
    ] = False,
    reverse: Annotated[bool, typer.Option("--reverse", help="Translate from target to source.")] = False,
    max_vocabulary: Annotated[
        int | None, typer.Option(min=1, help="Most frequent words of each side; default: all.")
    ] = None,
    export: Annotated[
        Path | None,
        typer.Option(help="Translate the whole vocabulary into .tsv, .csv, .json, .jsonl or .tmx."),
    ] = None,
    approximate: Annotated[
        bool,
        typer.Option(
            "--approximate", help="Export by CSLS in a fraction of the time, most right; says how many."
        ),
    ] = False,
    source_language: SpellSource = "und",
    target_language: SpellTarget = "und",
    format: VectorsFormat = None,
    keep_case: KeepCase = False,
    threads: Threads = None,
    json: Json = False,
) -> None:
    """Translate words, or export the whole dictionary."""
    from jointalign.corpora.tokenization import Spelling
    from jointalign.dictionary.api import Translations, induce, spelt_like, write_translations
    from jointalign.dictionary.approximate import induce_approximately
    from jointalign.numerics.processors import limited_to
    from jointalign.retrieval.hubs import kept
    from jointalign.storage.files import check_place, spare_inputs
    from jointalign.storage.tables import check_table

    if approximate and (export is None or retrieval is not Retrieval.CSLS):
        raise typer.BadParameter("--approximate is for --export by CSLS; leave it out")
    if export is not None:
        if words:
            raise typer.BadParameter("--export translates all words; leave the words out")
        given = (embedding, source_vectors, target_vectors)
        spare_inputs([path for path in given if path is not None], [export])
        check_table(export)
        check_place(export)
    with limited_to(threads):
        with progress("read"):
            space = read_space(
                *(embedding, source_vectors, target_vectors, max_vocabulary, (source, target)),
                codes=(source_language, target_language),
                format=format,
            )
        space = space.reversed() if reverse else space
        hubs = None if embedding is None else kept(embedding, space, max_vocabulary)
        if export is not None:
            languages = space.source_language, space.target_language
            check_table(export, languages)
            recall = None
            with progress("translate"):
                if approximate:
                    entries, recall = induce_approximately(
                        space, count=count, mutual=mutual, threshold=threshold, max_vocabulary=max_vocabulary
                    )
                else:
                    entries = induce(
                        space,
                        count=count,
                        mutual=mutual,
                        score=retrieval,
                        threshold=threshold,
                        max_vocabulary=max_vocabulary,
                        hubs=hubs,
                    )
                written = write_translations(entries, export, languages)
            facts = {"out": str(export), "entries": len(entries), "recall": recall, **written.to_json()}
            known = "" if recall is None else f", {100 * recall:.1f} % of the neighbours found"
            show_json(facts) if json else show(
                f"{export}: {len(entries):,} translations{known}{written.notes}"
            )
            return
        translations = Translations(space, retrieval, max_vocabulary, hubs)
        spelt = spelt_like(space.source.vocabulary, Spelling(space.source_language, not keep_case))

        def translated(asked: Iterable[str]) -> Iterator[Answer]:
            """An answer a word, batch by batch."""
            waiting = map(spelt, asked)
            while batch := list(islice(waiting, BATCH)):
                yield from translations.of(batch, count=count, threshold=threshold, mutual=mutual)

        if words:
            _show(translated(words), json)
        elif sys.stdin.isatty() and not json:
            _converse(translated)
        else:
            _show(translated(_lines()), json)


def _lines() -> Iterator[str]:
    from jointalign.storage.files import read_lines

    return (word for _, line in read_lines("-") if (word := line.strip()))


def _show(answers: Iterator[Answer], json: bool) -> None:
    if json:
        show_json({"words": [_facts(answer) for answer in answers]})
        return
    for answer in answers:
        if not answer.known:
            say(f"{escaped(answer.word)}: not in the vocabulary, and none of its n-grams is known")
        elif not answer.translations:
            say(f"{escaped(answer.word)}: no translation good enough")
        if answer.from_subwords:
            say(f"{escaped(answer.word)}: not in the vocabulary; translated by its n-grams")
        for found in answer.translations:
            words = f"{escaped(found.source)}\t{escaped(found.target)}"
            show(f"{words}\t{found.score:.4f}\t{_margin(found)}")


def _converse(translated: Callable[[Iterable[str]], Iterator[Answer]]) -> None:
    say("one word a line; an empty line ends")
    while word := _asked():
        for answer in translated([word]):
            if not answer.known:
                show("  not in the vocabulary, and none of its n-grams is known")
            if answer.from_subwords:
                show("  not in the vocabulary; from its n-grams:")
            for found in answer.translations:
                show(f"  {escaped(found.target):<24} {found.score:7.4f}  margin {_margin(found)}")


def _asked() -> str:
    try:
        return messages().input("> ").strip()
    except EOFError:
        return ""


def _margin(found: Translation) -> str:
    return "" if found.margin is None else f"{found.margin:.4f}"


def _facts(answer: Answer) -> dict[str, object]:
    return {
        "word": answer.word,
        "known": answer.known,
        "from_subwords": answer.from_subwords,
        "translations": [
            {"target": t.target, "score": t.score, "margin": t.margin, "rank": t.rank}
            for t in answer.translations
        ],
    }
