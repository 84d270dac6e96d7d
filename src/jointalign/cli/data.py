"""`jointalign data`: dictionaries, vectors and text from the web."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from jointalign.cli._console import answer, progress, say, show, show_json
from jointalign.cli._options import Group, Json, OutFile, OutFolder
from jointalign.data import PublishedVectors

application = typer.Typer(
    cls=Group,
    help="Dictionaries, vectors and text from the web.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
get = typer.Typer(
    cls=Group, help="Download; stopped, it goes on where it was.", no_args_is_help=True, rich_markup_mode=None
)
application.add_typer(get, name="get")


@get.command("muse")
def muse(
    pair: Annotated[str, typer.Option(help="Source and target language: en-es.")],
    out: OutFolder,
    sha256: Annotated[
        list[str] | None,
        typer.Option(help="What the files must be; repeat it for each of the three, in any order."),
    ] = None,
    json: Json = False,
) -> None:
    """A MUSE dictionary (CC BY-NC 4.0): all pairs, 5,000 words to train, 1,500 to test."""
    from jointalign.data import MUSE_LICENCE
    from jointalign.data import muse as download

    with progress(pair) as bar:
        found = download(pair, out, sha256=sha256 or (), progress=bar)
    say(MUSE_LICENCE)
    if json:
        files = [{**_plain(asdict(file)), "pairs": len(found[file])} for file in found]
        show_json({"pair": pair, "licence": MUSE_LICENCE, "files": files})
        return
    for file, lexicon in found.items():
        show(f"{file.path}: {lexicon.report}{'' if file.downloaded else ', was there already'}")


@get.command("fasttext")
def fasttext(
    language: Annotated[str, typer.Option(help="Code as fasttext.cc has it: es, sw.")],
    out: OutFolder,
    kind: Annotated[
        PublishedVectors,
        typer.Option(
            help="text: Common Crawl and Wikipedia, .vec.gz; model: the same with n-grams, .bin of 7 GB; "
            "wikipedia: of it alone; aligned: 44 of these languages in one space."
        ),
    ] = PublishedVectors.TEXT,
    sha256: Annotated[str | None, typer.Option(help="What the downloaded file must be.")] = None,
    json: Json = False,
) -> None:
    """Published vectors of a language (CC BY-SA 3.0), as every command reads them."""
    from jointalign.data import FASTTEXT_LICENCE
    from jointalign.data import fasttext as download

    with progress(language) as bar:
        file = download(language, out, kind=kind, sha256=sha256, progress=bar)
    say(FASTTEXT_LICENCE)
    facts = {"language": language, "kind": str(kind), "licence": FASTTEXT_LICENCE, **_plain(asdict(file))}
    answer(json, facts, f"{file.path}{'' if file.downloaded else ', was there already'}")


@get.command("wikipedia")
def wikipedia(
    language: Annotated[str, typer.Option(help="Code of the Wikipedia: es, simple.")],
    out: OutFile,
    articles: Annotated[int | None, typer.Option(min=1, help="Stop after so many; default: all.")] = None,
    workers: Annotated[int | None, typer.Option(min=1, help="Processes; default: one a processor.")] = None,
    json: Json = False,
) -> None:
    """Text of a Wikipedia (CC BY-SA 4.0), one paragraph a line; the dump stays beside it."""
    from jointalign.data import WIKIPEDIA_LICENCE
    from jointalign.data import wikipedia as download

    with progress(f"{language}wiki") as bar:
        result = download(language, out, articles=articles, workers=workers, progress=bar)
    say(WIKIPEDIA_LICENCE)
    content = _plain(asdict(result)) | {"dump": _plain(asdict(result.dump))}
    answer(json, {"language": language, "licence": WIKIPEDIA_LICENCE, **content}, str(result))


def _plain(fields: dict[str, Any]) -> dict[str, Any]:
    return {name: str(value) if isinstance(value, Path) else value for name, value in fields.items()}
