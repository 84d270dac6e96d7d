"""The tables and sentences with figures in README and docs, made of `studies/results`.

Each entry of `BLOCKS` is a piece of a document, as it must stand there. The test suite compares them;

    python tools/figures.py

prints those that differ, to be pasted where they belong. A new table of the studies gets an entry here.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from statistics import fmean
from typing import Any

from jointalign.study._tables import markdown

ROOT = Path(__file__).parents[1]
RESULTS = ROOT / "studies" / "results"
STUDIES = "studies/README.md"


def result(name: str) -> Any:
    """What a file of the results holds."""
    return json.loads((RESULTS / name).read_text("utf-8"))


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table."""
    lines = [" | ".join(head), *(" | ".join(row) for row in rows)]
    lines.insert(1, "")
    marked = (f"| {line} |" if line else "|---" * len(head) + "|" for line in lines)
    return "\n".join(marked).replace("|  |", "| |")


def interval(facts: dict[str, Any], score: str = "p_at_1") -> str:
    """A score with its interval."""
    low, high = facts["ci"]
    return f"{facts[score]:.1f} [{low:.1f}, {high:.1f}]"


def spread(facts: dict[str, Any], score: str) -> str:
    """A score with its deviation over seeds."""
    return f"{facts[score]:.1f}" + ("" if facts["deviation"] is None else f" ± {facts['deviation']:.1f}")


def known(facts: dict[str, Any]) -> str:
    """The published figure."""
    return "–" if facts["published"] is None else f"{facts['published']:.1f}"


def bli(name: str) -> str:
    """Table 1, 2 or 4, as the study wrote it, without the notes at its end."""
    return markdown(result(name)).split("\n\n* significant")[0]


def names(name: str) -> str:
    """Table 3; only rows that were made."""
    facts = result(name)
    rows = []
    for row in facts["rows"]:
        cells = list(row["directions"].values())
        if any(cell["absent"] is not None for cell in cells):
            continue
        rows.append([row["title"], *(f"{spread(c, 'f1')} {_ci(c)} / {known(c)}" for c in cells)])
        exchanged = [cell.get("permuted") for cell in cells]
        if row["row"] in ("align", "joint-align") and all(exchanged):
            title = f"{row['title']}, the target's vectors exchanged at random"
            rows.append([title, *(spread(cell, "f1") for cell in exchanged)])
    return table(["", *facts["rows"][0]["directions"]], rows)


def _ci(facts: dict[str, Any]) -> str:
    return f"[{facts['ci'][0]:.1f}, {facts['ci'][1]:.1f}]"


def swahili() -> str:
    """Names in a small language, by source language and type."""
    rows = []
    for source, facts in result("swahili.json")["sources"].items():
        for row in facts["rows"]:
            cell = row["directions"]["swa"]
            types = (f"{cell['types'][name]:.1f}" for name in ("PER", "LOC", "ORG"))
            exchanged = "" if row["row"] == "floor" else f"{cell['permuted']['f1']:.1f}"
            rows.append([source, row["title"], f"{spread(cell, 'f1')} {_ci(cell)}", *types, exchanged])
    return table(["from", "", "F1", "PER", "LOC", "ORG", "vectors exchanged"], rows).replace("|  |", "| |")


def swahili_differences() -> str:
    """Differences of its rows."""
    sources = result("swahili.json")["sources"].items()
    return "\n".join(
        _differences(facts["differences"]).replace("- swa:", f"- {source}:") for source, facts in sources
    )


def carried() -> str:
    """How many words of labelled text are carried over."""
    rows = {row["row"]: row["directions"]["swa"] for row in result("swahili.json")["sources"]["en"]["rows"]}
    cell = rows["translate-train"]
    share = 100 * cell["translated"] / (cell["translated"] + cell["kept"])
    return f"the dictionary and the nearest neighbours translate {share:.0f} %"


def differences(name: str) -> str:
    """Differences of rows of Table 3."""
    return _differences(result(name)["differences"])


def _differences(entries: Iterable[dict[str, Any]]) -> str:
    lines = []
    for entry in entries:
        low, high = entry["ci"]
        mark = "" if entry["significant"] else ": the interval holds zero"
        lines.append(
            f"- {entry['target']}: {entry['first']} - {entry['second']} = {entry['difference']:+.1f} "
            f"[{low:+.1f}, {high:+.1f}]{mark}"
        )
    return "\n".join(lines)


def ensembles() -> str:
    """Both trainings as one space: means over seeds, and how many seeds say so."""
    facts = result("ensembles.json")["rows"]
    pairs = ["en-es", "es-en", "en-de", "de-en", "en-fr", "fr-en"]

    def of(pair: str, identical: str) -> list[dict[str, Any]]:
        return [row for row in facts if (row["pair"], row["identical"]) == (pair, identical)]

    def score(name: str, pair: str) -> str:
        both = (fmean(row["muse"][name]["p_at_1"] for row in of(pair, i)) for i in ("kept", "removed"))
        return " / ".join(f"{mean:.1f}" for mean in both)

    def gain(rival: str, pair: str) -> str:
        parts = []
        for identical in ("kept", "removed"):
            entries = [row["reduced - "][rival] for row in of(pair, identical)]
            seeds = sum((low > 0) - (high < 0) for _, low, high in entries)
            parts.append(f"{fmean(entry[0] for entry in entries):+.1f} ({seeds})")
        return " / ".join(parts)

    titles = {
        "joint": "joint, gamma 0.9",
        "separate": "separate",
        "aligned, then side by side": "aligned, then side by side (600 dimensions)",
        "side by side": "side by side, then aligned (600)",
    }
    rows = [[title, *(score(name, pair) for pair in pairs)] for name, title in titles.items()]
    rows.append(["**the same, reduced to 300**", *(f"**{score('reduced', pair)}**" for pair in pairs)])
    rivals = ("joint", "separate", "aligned, then side by side")
    rows += [[f"reduced - {rival}", *(gain(rival, pair) for pair in pairs)] for rival in rivals]
    return table(["P@1, all / without identical pairs", *pairs], rows)


def small_dictionaries() -> str:
    """Self-learning from few pairs."""
    titles = {"25": "25 words", "100": "100 words", "500": "500 words", "identical": "words spelt alike"}
    rows = []
    for run in result("small_dictionaries.json")["runs"]:
        other = interval(run["procrustes"]) if run.get("procrustes") else "–"
        title = titles.get(run["pairs of"], run["pairs of"])
        rows.append(
            [title, f"{run['pairs']}", interval(run["vecmap"]), other, f"{run['vecmap']['cpu_seconds']:.0f}"]
        )
    return table(
        ["learnt from", "pairs", "VecMap's self-learning", "Procrustes", "CPU seconds of VecMap"], rows
    )


def layers(pair: str) -> str:
    """P@1 of aligned words by layer."""
    found = {row["method"]: row["layers"] for row in result(f"layers.{pair}.json")["rows"]}
    rows = []
    for title, before, after in (("CSLS", "before", "after"), ("cosine", "nearest_before", "nearest_after")):
        first = next(iter(found.values()))
        rows.append([f"{title}, before", *(f"{layer[before]:.1f}" for layer in first)])
        rows += [
            [f"{title}, {name}", *(f"{layer[after]:.1f}" for layer in some)] for name, some in found.items()
        ]
    return table(["", *(str(number) for number in range(len(rows[0]) - 1))], rows)


def translation() -> str:
    """Figure 2's test scores."""
    facts = result("figure2.en-de.json")
    ways = list(facts["baselines"]["Copied source"])
    scored = [(title, "", scores) for title, scores in facts["baselines"].items()]
    scored += [(c["title"], str(len(c["epochs"])), c["test"]) for c in facts["curves"].values()]
    rows = []
    for title, epochs, scores in scored:
        found = (scores[way] for way in ways)
        cells = (f"{s['bleu']:.2f} / {s['tokenised_bleu']:.2f} / {s['chrf']:.2f}" for s in found)
        rows.append(" | ".join([title, epochs, *cells]))
    head = " | ".join(["", "epochs", *(f"{way}: BLEU / tokenised / chrF2" for way in ways)])
    return "\n".join([f"|{head} |", "|---" * 4 + "|", *(f"| {row} |" for row in rows)])


def cipher_figure() -> str:
    """The same of the toy cipher."""
    facts = result("figure2.cipher.json")
    curves = {name: curve["test"] for name, curve in facts["curves"].items()}
    rows = [
        ("copied source", facts["baselines"]["Copied source"]),
        ("word by word, Align vectors", facts["baselines"]["Word by word, Align vectors"]),
        ("word by word, Joint-Align vectors", facts["baselines"]["Word by word, Joint-Align vectors"]),
        ("random vectors", curves["random"]),
        ("Joint", curves["joint"]),
        ("Joint-Align", curves["joint-align"]),
        ("Align", curves["align"]),
    ]
    cells = [
        [title, *(f"{scores[way]['bleu']:.1f}" for way in ("one-two", "two-one"))] for title, scores in rows
    ]
    return table(["", "BLEU", ""], cells)


def start() -> str:
    """Where translation begins from."""
    titles = {
        "joint-align, two tables": "Joint-Align, two tables",
        "align": "Align, two tables",
        "joint-align": "Joint-Align, one table",
        "joint-align, half turned": "Joint-Align, one table, half turned",
        "joint, two tables": "Joint, two tables",
        "joint-align, turned": "Joint-Align, one table, turned",
        "joint": "Joint, one table",
    }
    found = result("translation_start.json")["rows"]
    rows = [
        [title, f"{found[name]['p_at_1']:.1f}", *(f"{bleu:.2f}" for bleu in found[name]["bleu"][:3])]
        for name, title in titles.items()
    ]
    return table(["", "P@1", "epoch 1", "2", "3"], rows)


def cipher() -> str:
    """Which parts of unsupervised translation are needed."""
    facts = result("cipher.json")
    titles = {
        "all": "all",
        "no noise": "without noise",
        "no back-translation": "without back-translation",
        "neither": "without either",
        "random vectors": "random vectors",
    }
    rows = []
    for name, title in titles.items():
        row = [title, *(f"{first:.1f}, {second:.1f}" for first, second in facts["bleu"][name])]
        gap = facts["differences"].get(f"all minus {name}")
        row.append("" if gap is None else "{:.1f} [{:.1f}, {:.1f}]".format(*gap[1]))
        rows.append(row)
    seeds = [f"seed {seed}" for seed in range(facts["seeds"])]
    return table(["", *seeds, "all parts minus this one, after 200 [95 %, t]"], rows)


_RULES = {
    "muse, identical kept": "muse",
    "muse, identical removed": "muse, no identical pairs",
    "paper, identical kept": "paper",
    "paper, identical removed": "paper, no identical pairs",
}
_OTHERS = ("Joint-Align w/o VR + RCSLS", "RCSLS", "Joint-Align + Procrustes")


def steps(name: str) -> str:
    """What each step of the framework is worth, with its heading."""
    facts = result(name)
    rows = []
    for row in facts["rows"]:
        gamma = "" if row["gamma"] is None else f"{row['gamma']:g}"
        rows.append(" | ".join([row["system"], gamma, *(interval(row["scores"][rule]) for rule in _RULES)]))
    gaps = "; ".join(
        f"{found['second']} (identical {found['identical']}): "
        f"{found['difference']:+.1f} [{found['ci'][0]:+.1f}, {found['ci'][1]:+.1f}]"
        for found in facts["comparisons"]
        if found["rule"] == "muse" and found["second"] in _OTHERS
    )
    pairs = facts["training_pairs_by_gamma"]["1"]
    whole = pairs["used"] + pairs["shared"]
    head, tokens = ["system", "gamma", *_RULES.values()], facts["trainings"]["joint"]["tokens"]
    return "\n".join(
        [
            f"### {facts['pair']}, {facts['corpus']}, {tokens / 1e6:.1f}M tokens together",
            f"\n`{facts['command']}`\n",
            f"| {' | '.join(head)} |",
            "|---" * len(head) + "|",
            *(f"| {row} |" for row in rows),
            f"\nJoint-Align + RCSLS minus, same words, rule muse: {gaps}.",
            f"Of {whole:,} known training pairs, {pairs['shared']:,} "
            f"({100 * pairs['shared'] / whole:.0f} %) have a shared word without reallocation.",
        ]
    )


def expected() -> str:
    """README's table of what to expect."""
    titles = {
        "Joint": "Joint",
        "Joint-Align w/o AR": "Joint-Align without alignment",
        "Joint-Align w/o VR + RCSLS": "Joint-Align without reallocation + RCSLS",
        "Procrustes": "Procrustes on two trainings",
        "RCSLS": "RCSLS on two trainings",
        "Joint-Align + Procrustes": "Joint-Align + Procrustes",
        "Joint-Align + RCSLS": "Joint-Align + RCSLS",
    }
    files = [result(f"alignment.{pair}.seed0.json")["rows"] for pair in ("en-fr", "en-es")]
    found = [{row["system"]: row["scores"] for row in rows} for rows in files]
    rules = list(_RULES)[:2]
    rows = [
        [title, *(interval(of[name][rule]) for of in found for rule in rules)]
        for name, title in titles.items()
    ]
    without = "without identical pairs"
    return table(["system", "en-fr, Europarl", without, "en-es, novels", without], rows)


def choice() -> str:
    """By which rule space and mapping are chosen."""
    cells = result("choice.json")["cells"]
    rows = []
    for method, title in (("procrustes", "Procrustes"), ("vecmap", "VecMap")):
        for rule, words in (
            ("one slice", "one slice (a third)" if method == "procrustes" else "one slice"),
            ("three folds", "three folds"),
            ("one standard error", "simplest within one standard error"),
        ):
            name = f"{method}, {rule}"
            means = [
                fmean(cell["rules"][name]["p_at_1"] for cell in cells if cell["pair"] == pair)
                for pair in ("en-es", "en-de", "en-fr")
            ]
            whole = fmean(cell["rules"][name]["p_at_1"] for cell in cells)
            rows.append([f"{title}, {words}", *(f"{mean:.1f}" for mean in [*means, whole])])
    return table(["rule", "en-es", "en-de", "en-fr", "mean"], rows)


def leak() -> str:
    """Why alignment without reallocation does not fail here."""
    rows = []
    for row in result("leak.json")["rows"]:
        pairs = row["without reallocation"]["pairs"]
        shared = 100 * pairs["shared"] / (pairs["shared"] + pairs["used"])
        scores = (
            row[n]["identical removed"] for n in ("joint alone", "without reallocation", "with reallocation")
        )
        rows.append([f"{100 * row['share']:.1f} %", f"{shared:.0f} %", *map(interval, scores)])
    shared = "training pairs with a shared word at gamma 1"
    return table(["foreign lines", shared, "Joint", "without reallocation", "Joint-Align (gamma 0.9)"], rows)


def parity() -> str:
    """Our trainer beside fastText."""
    found = result("fasttext_parity.json")["mean_and_deviation"]
    rows = []
    for name, title, form in (
        ("p_at_1", "P@1", "{:.1f} ± {:.1f}"),
        ("p_at_1_identical_removed", "P@1 without identical pairs", "{:.1f} ± {:.1f}"),
        ("words_per_cpu_second", "words per CPU-second", "{:,.0f} ± {:,.0f}"),
    ):
        rows.append([title, *(form.format(*found[who][name]) for who in ("jointalign", "fasttext"))])
    return table(["", "jointalign (1 thread)", "fastText (12 threads)"], rows)


def training() -> str:
    """Which choices of joint training help."""
    found = result("training.json")["difference_to_the_papers_noise"]
    titles = {
        "noise by language, en-es": ("3", True),
        "noise by language, en-de": ("3", True),
        "noise by language, en-fr": ("3", True),
        "noise by language, all": ("", True),
        "noise of its own for each context, en-es": ("3", True),
        "noise shared by 16 centres, en-es": ("2", False),
        "texts in the other order, en-es": ("2", False),
        "no balancing, en-es": ("2", False),
        "learning rate 0.025, en-es": ("2", False),
        "learning rate 0.1, en-es": ("2", False),
    }
    rows = []
    for name, (seeds, sure) in titles.items():
        cells = []
        for method in ("none", "procrustes", "vecmap"):
            gain, low, high = found[name][f"{method} muse kept"]
            text = f"{gain:+.1f}" if round(gain, 1) else "0.0"
            cells.append(f"{text} [{low:.1f}, {high:.1f}]" if sure else text)
        title = name.replace(", all", ", all nine").replace("16 centres", "16 centres, not 8")
        rows.append([title, seeds, *cells])
    return table(["", "seeds", "Joint as it is", "+ Procrustes", "+ VecMap's mapping"], rows)


def sentences() -> str:
    """How many sentences find their translation."""
    rows = [
        [
            f"{run['pair']}, `{run['weighting']}`",
            *(f"{run[kind]['there']:.1f}, {run[kind]['back']:.1f}" for kind in ("nn", "csls")),
            *(f"{run['mined'][name]:.1f}" for name in ("precision", "recall", "precision_of_surer_half")),
        ]
        for run in result("sentences.json")["runs"]
    ]
    head = ["pair, weights of words", "nearest by cosine", "by CSLS", "`mine`: precision", "recall"]
    return table([*head, "precision of the surer half"], rows)


def ranked() -> str:
    """How good ranking is, by learner."""
    runs = result("ranking.json")["rows"]
    learners = {"csls": "CSLS, mean of both spaces", "shipped": "shipped, learnt without the pair"}
    learners |= {"refined": "refined", "boosting": "own"}
    rows = [
        [name, *(f"{run['all'][key]:.1f} / {run['no identical'][key]:.1f}" for run in runs)]
        for key, name in learners.items()
    ]
    for name in ("own - csls", "shipped - csls", "refined - own"):
        gains = [[run[f"{kind}, differences"][name] for kind in ("all", "no identical")] for run in runs]
        rows.append(
            [
                name,
                *(
                    " / ".join(f"{d:+.1f} [{low:.1f}, {high:.1f}]" for d, low, high in kinds)
                    for kinds in gains
                ),
            ]
        )
    held = [run["held_out"] for run in runs]
    for key in ("csls", "shipped", "refined", "boosting"):
        found = [one[key] if key == "csls" else one[key]["p_at_1"] for one in held]
        rows.append([f"training words, {learners[key].split(',')[0]}", *(f"{value:.1f}" for value in found)])
    rows.append(["candidates hold a right one for", *(f"{one['candidates']:.1f} %" for one in held)])
    rows.append(["calibration error, own", *(f"{one['boosting']['calibration_error']:.3f}" for one in held)])
    return table(["P@1, all / without identical pairs", *(run["direction"] for run in runs)], rows)


def names_in_spanish() -> str:
    """README's sentence on Table 3."""
    f1 = {row["row"]: row["directions"]["es"]["f1"] for row in result("table3.es.json")["rows"]}
    return f"F1 {f1['joint-align']:.1f} with Joint-Align, {f1['align']:.1f} with Align, {f1['floor']:.1f}"


def both_trainings() -> str:
    """README's sentence on ensembles."""
    rows = [row for row in result("ensembles.json")["rows"] if row["pair"] == "en-es"]
    mean = {
        name: " / ".join(
            f"{fmean(row['muse'][name]['p_at_1'] for row in rows if row['identical'] == identical):.1f}"
            for identical in ("kept", "removed")
        )
        for name in ("reduced", "joint", "separate")
    }
    return (
        f"P@1 {mean['reduced']} without identical pairs on en-es novels of 5M tokens a language, against "
        f"{mean['joint']} joint and {mean['separate']} separate"
    )


def ranking_sentence() -> str:
    """README's sentence on ranking."""
    found = {run["direction"]: (run["all"], run["no identical"]) for run in result("ranking.json")["rows"]}
    spanish, german, french = (
        " / ".join(f"{kind['boosting']:.1f}" for kind in found[pair]) for pair in ("en-es", "en-de", "en-fr")
    )
    return f"P@1 {spanish} on the same text, {german} on en-de, {french} on en-fr"


def killed() -> str:
    """How many kills hit a running process, and whether the bytes are the same."""
    facts = result("kills.json")
    hit = sum(kill["alive"] for kill in facts["kills"])
    same = "Yes" if all(facts["equal"].values()) else "No"
    return f"{same}: {hit} of {len(facts['kills'])} `kill -9` hit a running process"


def one_run() -> str:
    """What one command prints."""
    facts = result("run.en-es.5000000.json")["result"]
    muse, removed = facts["bli"]["muse"], facts["bli_identical_removed"]["muse"]
    return (
        f"gamma {facts['gamma']:g} and RCSLS with learning rate 1 and 20 steps, and scored {interval(muse)} "
        f"(`muse`, {muse['n']} words), {removed['p_at_1']:.1f} without identical pairs"
    )


def calibrated() -> str:
    """The sentence of `docs/ner.md` on probabilities."""
    home, abroad = (result("calibration.json")["languages"][code] for code in ("en", "swa"))
    return (
        f"has an expected calibration error of {home['calibration_error']:.2f} on English, where "
        f"{100 * home['right']:.0f} % of the names found are right and it expects "
        f"{100 * home['mean_probability']:.0f} %, and of {abroad['calibration_error']:.2f} on Swahili, where "
        f"{100 * abroad['right']:.0f} % are right and it expects {100 * abroad['mean_probability']:.0f} % "
        f"(`python studies/calibration.py`, {home['names']:,} and {abroad['names']:,} names)"
    )


def in_language() -> str:
    """The sentence of `docs/ner.md` on the upper end of the scale."""
    rows = {row["row"]: row["directions"]["es"] for row in result("table3.es.json")["rows"]}
    return f"it is {spread(rows['in-language'], 'f1')} (three seeds, ten epochs"


def blocks() -> Iterator[tuple[str, Callable[[], str]]]:
    """Documents, and what makes a piece of each."""
    for size, tables in ((5_000_000, "124"), (1_000_000, "12")):
        for number in tables:
            yield STUDIES, lambda name=f"table{number}.{size}.json": bli(name)
    yield STUDIES, ensembles
    yield STUDIES, small_dictionaries
    yield STUDIES, lambda: names("table3.es.json")
    yield STUDIES, lambda: differences("table3.es.json")
    yield STUDIES, lambda: names("table3.reduced.json")
    yield STUDIES, lambda: differences("table3.reduced.json")
    yield STUDIES, lambda: names("table3.contextual.json")
    yield STUDIES, swahili
    yield STUDIES, swahili_differences
    yield STUDIES, carried
    for pair in ("en-de", "en-es"):
        yield STUDIES, lambda pair=pair: layers(pair)
        yield "docs/contextual.md", lambda pair=pair: layers(pair)
    yield STUDIES, translation
    yield STUDIES, start
    yield STUDIES, cipher
    for path in sorted(RESULTS.glob("alignment.*.json")):
        yield STUDIES, lambda name=path.name: steps(name)
    yield STUDIES, choice
    yield STUDIES, leak
    yield STUDIES, parity
    yield STUDIES, training
    yield STUDIES, sentences
    yield STUDIES, killed
    yield STUDIES, one_run
    yield "README.md", expected
    yield "README.md", names_in_spanish
    yield "README.md", both_trainings
    yield "README.md", ranking_sentence
    yield "docs/ranking.md", ranked
    yield "docs/translation.md", cipher_figure
    yield "docs/ner.md", in_language
    yield "docs/ner.md", calibrated


def flowing(text: str) -> str:
    """Text without the ends of its lines, which paragraphs may have anywhere."""
    return " ".join(text.split())


def wrong() -> Iterator[tuple[str, str]]:
    """Documents, and pieces that should stand there and don't."""
    for document, make in blocks():
        piece = make()
        if flowing(piece) not in flowing((ROOT / document).read_text("utf-8")):
            yield document, piece


def main() -> None:
    """Print what differs."""
    count = 0
    for document, piece in wrong():
        count += 1
        sys.stdout.write(f"{document} should have:\n\n{piece}\n\n")
    sys.exit(f"{count} pieces differ" if count else 0)


if __name__ == "__main__":
    main()
