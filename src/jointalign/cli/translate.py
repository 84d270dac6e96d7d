"""`jointalign translate`: words in, scored translations out."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from jointalign.cli._console import messages, progress, say, show, show_json
from jointalign.cli._options import Json, KeepCase, KeepMarks, SpellSource, SpellTarget, Threads
from jointalign.cli._spaces import Source, SourceCode, Space, Target, TargetCode, VectorsFormat, read_space
from jointalign.dictionary.api import Answer, Translation
from jointalign.retrieval.api import Retrieval
from jointalign.storage.tables import escaped

if TYPE_CHECKING:
    from jointalign.embedding import BilingualEmbedding
    from jointalign.ranking.kept import KeptRanking
    from jointalign.retrieval.hubs import Hubs

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
    rank: Annotated[
        bool, typer.Option(help="The surest first, with probabilities, where `run` or `rank` has left them.")
    ] = True,
    ranking: Annotated[
        Path | None,
        typer.Option(help="ranking.safetensors of `rank`; default: what lies beside the --embedding."),
    ] = None,
    max_vocabulary: Annotated[
        int | None, typer.Option(min=1, help="Most frequent words of each side; default: all.")
    ] = None,
    export: Annotated[
        Path | None,
        typer.Option(help="Translate the whole vocabulary into .tsv, .csv, .json, .jsonl or .tmx."),
    ] = None,
    precision: Annotated[
        float | None,
        typer.Option(min=0.01, max=1, help="Export as many ranked entries as are right so often, e.g. 0.9."),
    ] = None,
    keep_marks: KeepMarks = False,
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
    from jointalign.dictionary.api import Translations, spelt_like
    from jointalign.numerics.processors import limited_to
    from jointalign.retrieval.hubs import kept

    by_score = mutual or threshold is not None or retrieval is not Retrieval.CSLS or not rank
    by_score |= max_vocabulary is not None and ranking is None
    wanted = _Wanted(count, mutual, retrieval, threshold, max_vocabulary, approximate, precision, keep_marks)
    wanted.check(export, words, by_score)
    if export is not None:
        _check_export(export, [embedding, source_vectors, target_vectors, ranking])
    with limited_to(threads):
        with progress("read"):
            space = read_space(
                *(embedding, source_vectors, target_vectors, max_vocabulary, (source, target)),
                codes=(source_language, target_language),
                format=format,
            )
        space = space.reversed() if reverse else space
        ranked = None if by_score else _ranking(ranking, embedding, space)
        hubs = None if embedding is None else kept(embedding, space, max_vocabulary)
        if export is not None:
            _export(export, space, wanted, hubs, ranked, json)
            return
        translations = Translations(space, retrieval, max_vocabulary, hubs)
        spelt = spelt_like(space.source.vocabulary, Spelling(space.source_language, not keep_case))

        def answered(batch: list[str]) -> list[Answer]:
            if ranked is not None:
                return ranked.answers(translations, batch, count=count)
            return translations.of(batch, count=count, threshold=threshold, mutual=mutual)

        def translated(asked: Iterable[str]) -> Iterator[Answer]:
            """An answer a word, batch by batch."""
            waiting = map(spelt, asked)
            while batch := list(islice(waiting, BATCH)):
                yield from answered(batch)

        if words:
            _show(translated(words), json)
        elif sys.stdin.isatty() and not json:
            _converse(translated)
        else:
            _show(translated(_lines()), json)


def _check_export(export: Path, given: list[Path | None]) -> None:
    from jointalign.storage.files import check_place, spare_inputs
    from jointalign.storage.tables import check_table

    spare_inputs([path for path in given if path is not None], [export])
    check_table(export)
    check_place(export)


def _ranking(path: Path | None, embedding: Path | None, space: BilingualEmbedding) -> KeptRanking | None:
    """What was ranked, and a word where there is nothing of the kind."""
    from jointalign.errors import JointalignError
    from jointalign.ranking.kept import KeptRanking, kept_ranking

    if path is not None:
        found = KeptRanking.read(path, space)
        if found is None:
            raise JointalignError(
                f"{path}: made for other vectors, another --max-vocabulary, or the other direction"
            )
        return found
    found = None if embedding is None else kept_ranking(embedding, space)
    if found is None and embedding is not None:
        say("no ranking of this direction beside the space: scores are those of CSLS, without probabilities")
    return found


@dataclass(frozen=True)
class _Wanted:
    """What an export holds."""

    count: int
    mutual: bool
    retrieval: Retrieval
    threshold: float | None
    max_vocabulary: int | None
    approximate: bool
    precision: float | None
    keep_marks: bool

    def check(self, export: Path | None, words: list[str] | None, by_score: bool) -> None:
        """Raises BadParameter for options that do not go together."""
        if self.approximate and (export is None or self.retrieval is not Retrieval.CSLS):
            raise typer.BadParameter("--approximate is for --export by CSLS; leave it out")
        if self.precision is not None and (export is None or self.approximate or by_score):
            raise typer.BadParameter("--precision is for --export of a ranking; leave the other out")
        if export is not None and words:
            raise typer.BadParameter("--export translates all words; leave the words out")


def _export(
    path: Path,
    space: BilingualEmbedding,
    wanted: _Wanted,
    hubs: Hubs | None,
    ranking: KeptRanking | None,
    json: bool,
) -> None:
    from jointalign.storage.tables import check_table

    check_table(path, (space.source_language, space.target_language))
    if wanted.precision is None:
        facts, text = _listed_by_score(path, space, wanted, hubs)
    else:
        facts, text = _listed_by_rank(path, space, ranking, wanted.precision, wanted.keep_marks)
    show_json(facts) if json else show(f"{path}: {text}")


def _listed_by_score(
    path: Path, space: BilingualEmbedding, wanted: _Wanted, hubs: Hubs | None
) -> tuple[dict[str, Any], str]:
    from jointalign.dictionary.api import induce, write_translations
    from jointalign.dictionary.approximate import induce_approximately

    recall = None
    with progress("translate"):
        if wanted.approximate:
            entries, recall = induce_approximately(
                space,
                count=wanted.count,
                mutual=wanted.mutual,
                threshold=wanted.threshold,
                max_vocabulary=wanted.max_vocabulary,
            )
        else:
            entries = induce(
                space,
                count=wanted.count,
                mutual=wanted.mutual,
                score=wanted.retrieval,
                threshold=wanted.threshold,
                max_vocabulary=wanted.max_vocabulary,
                hubs=hubs,
            )
        written = write_translations(entries, path, (space.source_language, space.target_language))
    facts = {"out": str(path), "entries": len(entries), "recall": recall, **written.to_json()}
    known = "" if recall is None else f", {100 * recall:.1f} % of the neighbours found"
    return facts, f"{len(entries):,} translations{known}{written.notes}"


def _listed_by_rank(
    path: Path, space: BilingualEmbedding, ranking: KeptRanking | None, precision: float, keep_marks: bool
) -> tuple[dict[str, Any], str]:
    from jointalign.errors import JointalignError
    from jointalign.ranking.table import entries, write_entries

    if ranking is None:
        raise JointalignError(
            "--precision lists what was ranked, and nothing was; name an --embedding of a run with a "
            "dictionary, or the --ranking of jointalign rank"
        )
    least = ranking.least(precision)
    if least > 1:
        say(f"no probability is right {precision:g} of the time: only the given pairs are listed")
    found = entries(ranking, least, keep_marks=keep_marks)
    written = write_entries(found, ranking, path, (space.source_language, space.target_language))
    facts = {"out": str(path), "entries": len(found), "threshold": least, **written.to_json()}
    return facts, f"{len(found):,} translations of probability {least:.2f} or more{written.notes}"


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
            numbers = [f"{found.score:.4f}", _margin(found)]
            if found.probability is not None:
                numbers.insert(0, _sure(found))
            show("\t".join([escaped(found.source), escaped(found.target), *numbers]))


def _converse(translated: Callable[[Iterable[str]], Iterator[Answer]]) -> None:
    say("one word a line; an empty line ends")
    while word := _asked():
        for answer in translated([word]):
            if not answer.known:
                show("  not in the vocabulary, and none of its n-grams is known")
            if answer.from_subwords:
                show("  not in the vocabulary; from its n-grams:")
            for found in answer.translations:
                sure = "" if found.probability is None else f"{_sure(found):>5}  "
                show(f"  {escaped(found.target):<24} {sure}{found.score:7.4f}  margin {_margin(found)}")


def _asked() -> str:
    try:
        return messages().input("> ").strip()
    except EOFError:
        return ""


def _sure(found: Translation) -> str:
    return "given" if found.given else f"{100 * (found.probability or 0):.0f} %"


def _margin(found: Translation) -> str:
    return "" if found.margin is None else f"{found.margin:.4f}"


def _facts(answer: Answer) -> dict[str, object]:
    return {
        "word": answer.word,
        "known": answer.known,
        "from_subwords": answer.from_subwords,
        "translations": [
            {
                "target": t.target,
                "probability": t.probability,
                "given": t.given,
                "score": t.score,
                "margin": t.margin,
                "rank": t.rank,
            }
            for t in answer.translations
        ],
    }
