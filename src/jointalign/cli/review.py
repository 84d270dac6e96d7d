"""`jointalign review`: go through a dictionary in the browser, and take out what was accepted."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from jointalign.cli._console import answer, progress, say, show, show_json
from jointalign.cli._options import Json, writable


def command(
    run: Annotated[Path, typer.Argument(help="Folder of a finished run.")],
    port: Annotated[int, typer.Option(min=0, max=65535, help="Where to listen; 0: any that is free.")] = 8765,
    host: Annotated[
        str, typer.Option(help="0.0.0.0 lets in other machines that know the address.")
    ] = "127.0.0.1",
    reviewer: Annotated[str | None, typer.Option(help="Your name; default: that of your account.")] = None,
    merge: Annotated[list[Path] | None, typer.Option(help="Take over decisions from a table.")] = None,
    decisions: Annotated[
        Path | None,
        typer.Option(help="Write all decisions as a table, for others to merge.", callback=writable),
    ] = None,
    learn: Annotated[
        bool, typer.Option("--learn", help="Rank anew by what was decided, without opening a page.")
    ] = False,
    export: Annotated[
        list[Path] | None,
        typer.Option(
            help="Write what was accepted: .tsv, .csv, .json, .jsonl, .tmx, .tbx, .dix, .utf8 (OmegaT), "
            ".xdxf, .html, .ifo (StarDict, with pyglossary)."
        ),
    ] = None,
    undecided_from: Annotated[
        float | None,
        typer.Option(
            min=0, max=1, help="In exports, also what nobody has decided, from this probability on."
        ),
    ] = None,
    json: Json = False,
) -> None:
    """Go through the dictionary of a run in the browser, with sentences of both texts.

    Each decision is kept at once. With --merge, --learn, --decisions or --export, these are done, in this
    order, and no page is opened.
    """
    if merge or decisions or learn or export:
        _work(run, merge or [], learn, decisions, export or [], undecided_from, json)
    else:
        _serve(run, host, port, reviewer, json)


def _serve(run: Path, host: str, port: int, reviewer: str | None, json: bool) -> None:
    from getpass import getuser

    from jointalign.review.desk import Desk
    from jointalign.review.server import address, bound, check_extra, serve

    check_extra()
    with bound(host, port) as opened:
        desk = Desk(run)
        place = address(desk, opened, host)
        if json:
            show_json({"address": place})
        else:
            show(f"open {place}")
            say("decisions are kept at once; stop with Ctrl-C")
        serve(desk, opened, host, reviewer or getuser())


def _work(
    run: Path,
    merge: list[Path],
    learn: bool,
    decisions: Path | None,
    export: list[Path],
    undecided_from: float | None,
    json: bool,
) -> None:
    from dataclasses import asdict

    from jointalign.pipeline import texts
    from jointalign.review import exports, learning
    from jointalign.review.decisions import Decisions
    from jointalign.storage.files import spare_inputs

    for path in export:
        exports.check_export(path)
    spare_inputs(merge, [*export, *filter(None, [decisions])])
    languages = tuple(corpus.language for corpus in texts(run).values())
    entries = learning.present_entries(run)
    facts, lines = {}, []
    with Decisions(run / learning.FOLDER / learning.DECISIONS) as kept:
        for path in merge:
            merged = kept.merge(path)
            facts.setdefault("merged", []).append(asdict(merged))
            lines.append(f"{path}: {merged.added} added, {merged.known} known, {merged.older} older")
        if learn:
            with progress("learn") as bar:
                learnt = learning.learn(run, kept, entries, bar)
            entries = learning.present_entries(run)
            facts["learnt"] = asdict(learnt)
            lines.append(f"{learnt.changed} words have another first candidate; P@1 {learnt.p_at_1:.1f}")
        if decisions is not None:
            facts["decisions"] = kept.write(decisions).rows
            lines.append(f"{decisions}: {facts['decisions']} decisions")
        pairs = exports.listed(entries, kept, undecided_from) if export else []
        for path in export:
            exports.export(pairs, path, (languages[0], languages[1]), f"{languages[0]} to {languages[1]}")
            lines.append(f"{path}: {len(pairs)} pairs")
        facts |= {"pairs": len(pairs)} if export else {}
    answer(json, facts, "\n".join(lines))
