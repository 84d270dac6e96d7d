"""Zero-shot names in a small language: what helps most, and which source language?

Taggers learn from 3,000 English or Spanish sentences (CoNLL, four epochs) and tag Swahili news
(MasakhaNER 2.0), whose text has 279k tokens. Types are those that both have, PER, ORG and LOC: MISC of
the training text and DATE of the test text are words like others. For English there is a dictionary
(Wiktionary); that for Spanish is made of it and of MUSE's, through English.

Rows are those of Table 3; `types` has each type's F1.

    python studies/swahili.py --data DATA --out runs/swahili
"""

from __future__ import annotations

import argparse
import json
import shlex
import sys
from pathlib import Path

import jointalign as ja
from jointalign.ner import Sentence, TaggerFitSettings, conll, spans
from jointalign.ner.base import Scheme, written
from jointalign.storage.files import atomic
from jointalign.study import NERStudySettings, Pair, StudySettings, table3

TARGET, TYPES = "swa", ("PER", "ORG", "LOC")
ROWS = "floor,align,joint-align,translate-train"


def only_types(path: Path) -> list[Sentence]:
    """Sentences of a file, whose entities of other types are words like others."""
    found = []
    for sentence in conll.read(path).sentences:
        kept = [span for span in spans(sentence.tags or ()) if span.type in TYPES]
        found.append(Sentence(sentence.words, written(kept, len(sentence), Scheme.BIO2)))
    return found


def training_dictionary(data: Path, source: str) -> ja.Lexicon:
    """To Swahili from English, or from another language through it."""
    swahili = ja.Lexicon.read(data / "lowres" / "swa" / f"en-{TARGET}.train.txt")
    if source == "en":
        return swahili
    to_source = ja.Lexicon.read(data / "lexicons" / f"en-{source}.0-5000.txt").grouped()
    pairs = ((mine, target) for english, target in swahili for mine in to_source.get(english, ()))
    return ja.Lexicon(tuple(dict.fromkeys(pairs)))


def prepare(data: Path, source: str, folder: Path) -> int:
    """Lay out the data of a source language as `jointalign study` reads it; pairs in the dictionary."""
    for part in ("mono", "lexicons", f"ner/{source}", f"ner/{TARGET}"):
        (folder / part).mkdir(parents=True, exist_ok=True)
    texts = {source: data / "mono" / f"novels.{source}.txt.bz2", TARGET: data / "lowres/swa/text.swa.txt.bz2"}
    for language, path in texts.items():
        link = folder / "mono" / f"news.{language}.txt.bz2"
        link.unlink(missing_ok=True)
        link.symlink_to(path.resolve())
    for language, where in ((source, data / "ner" / source), (TARGET, data / "lowres" / "swa" / "ner")):
        for part in ("train", "valid", "test"):
            path = folder / "ner" / language / f"{part}.txt"
            if not path.is_file():  # a study goes on only with the same files
                conll.write(only_types(where / f"{part}.txt.bz2"), path)
    lexicon = training_dictionary(data, source)
    with atomic(folder / "lexicons" / f"{source}-{TARGET}.0-5000.txt", "w") as file:
        file.writelines(f"{one}\t{other}\n" for one, other in lexicon)
    return len(lexicon)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--sources", default="en,es")
    parser.add_argument("--rows", default=ROWS, help="of Table 3; ranking takes far longer than the rest")
    parser.add_argument("--tokens", type=int, default=2_000_000, help="of the source's text")
    parser.add_argument("--sentences", type=int, default=3000)
    parser.add_argument("--epochs", type=int, default=4)
    parser.add_argument("--seeds", type=int, default=3)
    options = parser.parse_args()
    tables = {}
    for source in options.sources.split(","):
        folder = options.out / source
        pairs = prepare(options.data, source, folder / "data")
        settings = StudySettings(
            folder / "data", (Pair(source, TARGET),), seeds=options.seeds, tokens=options.tokens
        )
        ner = NERStudySettings(
            source,
            (TARGET,),
            tuple(options.rows.split(",")),
            options.sentences,
            fit=TaggerFitSettings(options.epochs),
        )
        result = table3(settings, ner, folder / "table", announce=lambda *a: print(*a, flush=True))
        tables[source] = result.facts | {"dictionary_pairs": pairs}
        print(result.markdown, flush=True)
    command = shlex.join(["python", "studies/swahili.py", *sys.argv[1:]])
    path = Path(__file__).parent / "results" / "swahili.json"
    with atomic(path, "w") as file:
        json.dump({"command": command, "version": ja.__version__, "sources": tables}, file, indent=1)
        file.write("\n")


if __name__ == "__main__":
    main()
