"""What a run has found, as a page."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from jointalign.overshared import OversharingReport
from jointalign.pipeline.base import DictionarySize, quality
from jointalign.pipeline.page import Chart, Charts, Part, Picture, Prose, Report, Table, oversharing_table

FIGURE = (
    "Pairs of your dictionary after joint training, after reallocation and after alignment: words that mean "
    "the same move together"
)
_PRECISION = 0.9
_MANY = 500  # words from which on a calibration error is more than a rough figure

RULES = {
    "muse": "pairs with an unknown word left out",
    "paper": "unknown source words copied, unknown translations wrong",
    "released": "copied whenever no pair of the word can be scored",
    "strict": "everything unknown is wrong",
}


@dataclass(frozen=True)
class Found:
    """What a run has found.

    Args:
        languages: Codes of source and target.
        settings: Of the run.
        choice: What was chosen on held-out pairs.
        scores: By direction, identical pairs, and rule; `None` without a test dictionary.
        ranking: Held-out figures and scores of the ranking; `None` where none was asked for.
        oversharing: What reallocation does.
        listed: The dictionary.
    """

    languages: tuple[str, str]
    settings: dict[str, Any]
    choice: dict[str, Any]
    scores: dict[str, Any] | None
    ranking: dict[str, Any] | None
    oversharing: OversharingReport
    listed: DictionarySize

    @property
    def held_out(self) -> dict[str, Any] | None:
        """How good the ranking is on words that it had not seen; `None` where nothing was ranked."""
        return self.ranking and self.ranking["held_out"]


def run_report(found: Found, dictionary: Sequence[Part], figure: bytes | None) -> Report:
    """Put the results of a run on a page.

    Args:
        found: The results.
        dictionary: Its first entries, and examples.
        figure: Figure 1 of the paper as a PNG; `None` for none.
    """
    parts: list[Part] = [Prose("How far it can be trusted", list(_trust(found)))]
    if found.ranking is not None:
        parts.append(_diagrams(found.ranking))
    parts += [*dictionary, Prose("What was chosen, and why", list(_chosen(found.choice)))]
    if found.choice["trials"]:
        parts.append(_trials(found.choice))
    parts += score_tables(found.scores, found.ranking)
    if figure is not None:
        parts.append(Picture(figure, FIGURE, "Figure 1: what the steps do"))
    parts.append(oversharing_table(found.oversharing))
    facts = [(name, str(value)) for name, value in found.settings.items()]
    return Report(f"{found.languages[0]} to {found.languages[1]}", _summary(found), facts, parts)


def _summary(found: Found) -> str:
    space = found.choice["space"]
    if found.choice["gamma"] is not None:
        space += f", gamma {found.choice['gamma']:g}"
    failed = " The alignment failed: do not trust this dictionary." * (found.choice["worked"] is False)
    text = f"{found.listed.entries:,} entries from {space}, aligned by {found.choice['method']['name']}."
    score = quality(found.scores, found.ranking)
    return f"{text}{failed} {score[0].upper()}{score[1:]}."


def _trust(found: Found) -> Iterator[str]:
    held_out = found.held_out
    if held_out is None:
        yield (
            "Nothing here says how sure a pair is. The entries are mutual nearest neighbours by CSLS, "
            "whose score compares translations of one word, and not one word with another."
        )
        return
    yield (
        "“Right” means: in a dictionary like the one you gave. A good translation that such a dictionary "
        "lacks counts as wrong, so that to a reader the list is rather better than its numbers; where your "
        "dictionary is wrong itself, so is the list."
    )
    whose = "of your words" if held_out["own"] else "words of other pairs of languages"
    yield (
        f"{held_out['words']:,} {whose} were translated without having been seen: the first "
        f"translation was right for {held_out['p_at_1']:.0f} in 100 (by nearest neighbours alone, CSLS, for "
        f"{held_out['p_at_1_unranked']:.0f}), and {held_out['candidate_recall']:.0f} in 100 had a right one "
        "among the candidates at all. The chances given were off by "
        f"{100 * held_out['calibration_error']:.1f} in 100 in the mean{_few(held_out['words'])}."
    )
    if found.listed.expected is not None:
        yield (
            f"By these chances about {found.listed.expected:.0f} in 100 of the entries that you did not give "
            "are right. The words tested are as frequent as those of your dictionary; rarer ones are judged "
            "by the same rule, and nothing has tested it."
        )


def _few(words: int) -> str:
    return ", which so few words say only roughly" if words < _MANY else ""


def _diagrams(ranking: dict[str, Any]) -> Charts:
    steps, bins = ranking["trade_off"], ranking["held_out"]["reliability"]
    words = ranking["held_out"]["words"]
    at = next((one for one in reversed(steps) if one["precision"] >= _PRECISION), None)
    say = (
        f"{100 * at['coverage']:.0f} % of the words can be listed with {100 * _PRECISION:.0f} % of them "
        f"right: those with a chance of {100 * at['probability']:.0f} or more."
        if at
        else f"No list of any length is right {100 * _PRECISION:.0f} % of the time."
    )
    listed = Chart(
        "Precision against coverage",
        "words listed, %",
        "of them right, %",
        [(one["coverage"], one["precision"]) for one in steps],
        f"First translations of {words:,} held-out words, the surest first. {say}",
    )
    calibrated = Chart(
        "Are the chances true?",
        "chance given, %",
        "right, %",
        [(one["expected"], one["observed"]) for one in bins],
        "On the broken line they are. A dot is a tenth of the scale, larger where it stands for more words.",
        [one["n"] for one in bins],
        diagonal=True,
    )
    return Charts("On words that nothing had seen", [listed, calibrated])


def _chosen(choice: dict[str, Any]) -> Iterator[str]:
    if not choice["trials"]:
        yield f"{choice['reason'][0].upper()}{choice['reason'][1:]}."
        return
    yield (
        f"Everything was tried on {choice['held_out']:,} source words held out of your dictionary, and the "
        "best taken; of what is equally good within the error of the trial, the simplest. In short: "
        f"{' '.join(choice['reason'].removeprefix('chosen: ').split())}."
    )


def score_tables(scores: dict[str, Any] | None, ranking: dict[str, Any] | None) -> list[Table]:
    """One table a direction: a row for each rule, identical pairs kept and removed, ranked rows below.

    Args:
        scores: By CSLS; `None` for none.
        ranking: With the scores of ranked translations, if there are any.
    """
    if scores is None:
        return []
    ranked = ranking or {"scores": None, "scores_reversed": None}
    both = zip(scores.items(), (ranked["scores"], ranked["scores_reversed"]), strict=True)
    tables = []
    for (direction, plain), better in both:
        kinds = {"CSLS": plain} | ({"ranked": better} if better else {})
        rows = [
            [by, rule, kind.removeprefix("identical_"), *_cells(facts)]
            for by, table in kinds.items()
            for kind, rules in table.items()
            for rule, facts in rules.items()
        ]
        head = ["by", "rule", "identical pairs", "P@1", "95 %", "P@5", "P@10", "MRR", "n", "coverage"]
        note = "; ".join(f"{rule}: {meaning}" for rule, meaning in RULES.items())
        title = direction.replace("_", " ")
        tables += [_bands(kinds, title), Table(f"Scores, {title}", head, rows, note)]
    return tables


def _bands(kinds: dict[str, Any], title: str) -> Table:
    """P@1 by how frequent a word is, by CSLS and ranked."""
    firsts = {by: table["identical_kept"]["muse"] for by, table in kinds.items()}
    columns = [facts["bands"] for facts in firsts.values()]
    rows = [
        [bands[0]["name"], f"{bands[0]['n']:,}", *(_number(band["p_at_1"]) for band in bands)]
        for bands in zip(*columns, strict=True)
        if bands[0]["n"]
    ]
    last = list(firsts)[-1]
    head = ["rank of the word", "test words", *(f"P@1, {by}" for by in firsts)]
    return Table(f"By frequency, {title}", head, rows, firsts[last]["signature"], f"P@1, {last}")


def _trials(choice: dict[str, Any]) -> Table:
    rows = [
        [
            ", ".join(
                [trial["space"] or "joint", *([] if trial["gamma"] is None else [f"{trial['gamma']:g}"])]
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
