"""Figure 2 as JSON, and its table (c)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from jointalign.storage.files import atomic


def write_json(facts: dict[str, Any], path: Path) -> None:
    """Write the facts as JSON."""
    with atomic(path, "w") as file:
        json.dump(facts, file, indent=1)
        file.write("\n")


def table_c(facts: dict[str, Any]) -> str:
    """Table (c): test BLEU of each model and baseline, both directions."""
    ways = list(facts["baselines"]["Copied source"])
    lines = ["| | epochs | " + " | ".join(f"{way}: BLEU / tokenised / chrF2" for way in ways) + " |"]
    lines.append("|---" * (len(ways) + 2) + "|")
    rows = [(title, "", scores) for title, scores in facts["baselines"].items()]
    rows += [
        (curve["title"], str(len(curve["epochs"])), curve["test"])
        for curve in facts["curves"].values()
        if curve["test"] is not None
    ]
    for title, epochs, scores in rows:
        cells = [
            f"{scores[w]['bleu']:.2f} / {scores[w]['tokenised_bleu']:.2f} / {scores[w]['chrf']:.2f}"
            for w in ways
        ]
        lines.append(f"| {title} | {epochs} | " + " | ".join(cells) + " |")
    first = facts["baselines"]["Copied source"][ways[0]]
    lines.append(f"\nTest set of {first['sentences']} sentences; sacreBLEU {first['signature']}.")
    return "\n".join(lines)
