"""What a run has found, as a page."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from jointalign.dictionary.api import Translation
from jointalign.overshared import OversharingReport
from jointalign.pipeline.page import Report, Table, dictionary_table, oversharing_table

RULES = {
    "muse": "pairs with an unknown word left out",
    "paper": "unknown source words copied, unknown translations wrong",
    "released": "copied whenever no pair of the word can be scored",
    "strict": "everything unknown is wrong",
}


def run_report(
    languages: tuple[str, str],
    settings: dict[str, Any],
    choice: dict[str, Any],
    scores: dict[str, Any] | None,
    oversharing: OversharingReport,
    entries: Sequence[Translation],
    ranked: Sequence[Table] = (),
    note: str = "",
) -> Report:
    """Put the results of a run on a page.

    Args:
        languages: Codes of source and target.
        settings: Of the run.
        choice: What was chosen on held-out pairs.
        scores: By direction, identical pairs, and rule; `None` without a test dictionary.
        oversharing: What reallocation does.
        entries: The whole dictionary by CSLS.
        ranked: Scores and dictionary of a ranking, shown in its place.
        note: A line on the ranking; empty for none.
    """
    title = f"{languages[0]} to {languages[1]}"
    tables = score_tables(scores) if scores else []
    tables += [oversharing_table(oversharing), *(ranked or [dictionary_table(entries)])]
    if choice["trials"]:
        tables.append(_trials(choice))
    facts = [(name, str(value)) for name, value in settings.items()]
    summary = _summary(languages, choice, scores, entries)
    if note:
        summary += f" {note[0].upper()}{note[1:]}."
    return Report(title, summary, facts, tables)


def _summary(
    languages: tuple[str, str],
    choice: dict[str, Any],
    scores: dict[str, Any] | None,
    entries: Sequence[Translation],
) -> str:
    gamma, space = choice["gamma"], choice["space"]
    if gamma is not None:
        space += f", gamma {gamma:g},"
    text = (
        f"{len(entries):,} mutual translations with {space} and {choice['method']['name']} "
        f"({choice['reason']})."
    )
    if choice["worked"] is False:
        text += " The alignment failed: do not trust this dictionary."
    if scores is None:
        return text + " No test dictionary was given, so there are no scores."
    facts = scores["source_to_target"]["identical_kept"]["muse"]
    return text + (
        f" P@1 {_number(facts['p_at_1'])} {_interval(facts['ci'])} from {languages[0]} to "
        f"{languages[1]} on {facts['n']} test words (rule muse)."
    )


def score_tables(scores: dict[str, Any]) -> list[Table]:
    """One table a direction: a row for each rule, identical pairs kept and removed."""
    tables = []
    for direction, kinds in scores.items():
        rows = [
            [rule, kind.removeprefix("identical_"), *_cells(facts)]
            for kind, rules in kinds.items()
            for rule, facts in rules.items()
        ]
        head = ["rule", "identical pairs", "P@1", "95 %", "P@5", "P@10", "MRR", "n", "coverage"]
        note = "; ".join(f"{rule}: {meaning}" for rule, meaning in RULES.items())
        tables.append(Table(f"Scores, {direction.replace('_', ' ')}", head, rows, note))
        bands = kinds["identical_kept"]["muse"]["bands"]
        tables.append(
            Table(
                f"By frequency of the source word, {direction.replace('_', ' ')}",
                ["rank", "words", "P@1"],
                [[band["name"], str(band["n"]), _number(band["p_at_1"])] for band in bands],
                kinds["identical_kept"]["muse"]["signature"],
            )
        )
    return tables


def _trials(choice: dict[str, Any]) -> Table:
    rows = [
        [
            ", ".join(
                filter(None, [trial["space"], "" if trial["gamma"] is None else f"{trial['gamma']:g}"])
            ),
            trial["method"]["name"],
            ", ".join(f"{name.replace('_', ' ')} {value:g}" for name, value in trial["chosen"].items()),
            f"{trial['precision']:.1f}",
        ]
        for trial in choice["trials"]
    ]
    note = f"P@1 on {choice['held_out']:,} source words held out of the training dictionary"
    head = ["space, gamma", "method", "chosen settings", "P@1"]
    return Table("What was tried", head, rows, note)


def _cells(facts: dict[str, Any]) -> list[str]:
    numbers = [_number(facts[name]) for name in ("p_at_5", "p_at_10", "mrr")]
    first = [_number(facts["p_at_1"]), _interval(facts["ci"])]
    return [*first, *numbers, f"{facts['n']:,}", _number(facts["coverage"])]


def _interval(ends: Sequence[float | None]) -> str:
    return f"[{_number(ends[0])}, {_number(ends[1])}]"


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.1f}"
