"""Print the committed results of `alignment.py` as Markdown, for the page beside this file.

python studies/tables.py
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

COLUMNS = (
    ("muse, identical kept", "muse"),
    ("muse, identical removed", "muse, no identical pairs"),
    ("paper, identical kept", "paper"),
    ("paper, identical removed", "paper, no identical pairs"),
)
OTHERS = ("Joint-Align w/o VR + RCSLS", "RCSLS", "Joint-Align + Procrustes")


def table(result: dict) -> str:
    head = ["system", "gamma", *(f"{title}" for _, title in COLUMNS)]
    lines = ["| " + " | ".join(head) + " |", "|---" * len(head) + "|"]
    for row in result["rows"]:
        cells = []
        for name, _ in COLUMNS:
            facts = row["scores"][name]
            low, high = facts["ci"]
            cells.append(f"{facts['p_at_1']:.1f} [{low:.1f}, {high:.1f}]")
        gamma = "" if row["gamma"] is None else f"{row['gamma']:g}"
        lines.append(f"| {row['system']} | {gamma} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def differences(result: dict) -> str:
    parts = []
    for found in result["comparisons"]:
        if found["rule"] == "muse" and found["second"] in OTHERS:
            low, high = found["ci"]
            parts.append(
                f"{found['second']} (identical {found['identical']}): "
                f"{found['difference']:+.1f} [{low:+.1f}, {high:+.1f}]"
            )
    return "Joint-Align + RCSLS minus, same words, rule muse: " + "; ".join(parts) + "."


def pairs(result: dict) -> str:
    found = result["training_pairs_by_gamma"]["1"]
    known = found["used"] + found["shared"]
    return (
        f"Of {known:,} known training pairs, {found['shared']:,} "
        f"({100 * found['shared'] / known:.0f} %) have a shared word without reallocation."
    )


def main() -> None:
    for path in sorted((Path(__file__).parent / "results").glob("alignment.*.json")):
        result = json.loads(path.read_text("utf-8"))
        tokens = result["trainings"]["joint"]["tokens"]
        sys.stdout.write(
            f"### {result['pair']}, {result['corpus']}, {tokens / 1e6:.1f}M tokens together\n\n"
            f"`{result['command']}`\n\n{table(result)}\n\n{differences(result)}\n{pairs(result)}\n\n"
        )


if __name__ == "__main__":
    main()
