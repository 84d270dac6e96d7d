"""How much longer does it take to write features than to run the bare encoder?

    python benchmarks/features.py --encoder ENCODER --input TEXT [--sentences 1000] [--out FILE]

Both see the same batches of pieces, sorted by length; the bare encoder keeps nothing. One thread,
processor time.
"""

import argparse
import tempfile
import time
from itertools import islice
from pathlib import Path

import _machine

from jointalign.contextual import Encoder, FeatureSettings, Pooling, torch_threads, write_features
from jointalign.contextual._features import BATCH_PIECES
from jointalign.storage.files import read_lines


def bare(encoder, sentences):
    cut = sorted((encoder.cut(words).ids[: encoder.longest] for words in sentences), key=len)
    begun, at = time.process_time(), 0
    while at < len(cut):
        stop = at + 1
        while stop < len(cut) and (len(cut[stop]) + 2) * (stop + 1 - at) <= BATCH_PIECES:
            stop += 1
        ids = [[*encoder.prefix, *row, *encoder.suffix] for row in cut[at:stop]]
        encoder.states(ids, [encoder.layers])
        at = stop
    return time.process_time() - begun


def measured(encoder, sentences):
    pieces = sum(len(encoder.cut(words).ids) for words in sentences)
    bare(encoder, sentences[:50])
    plain = bare(encoder, sentences)
    rows = []
    for pooling in Pooling:
        with tempfile.TemporaryDirectory() as folder:
            begun = time.process_time()
            write_features(encoder, sentences, folder, FeatureSettings(pooling=pooling))
            seconds = time.process_time() - begun
        rows.append(
            {
                "pooling": str(pooling),
                "ours": round(seconds, 3),
                "ratio": round(seconds / plain, 3),
                "pieces_a_second": round(pieces / seconds),
            }
        )
    return {"pieces": pieces, "reference": plain, "bare_pieces_a_second": round(pieces / plain), "rows": rows}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--encoder", required=True)
    parser.add_argument("--input", type=Path, required=True, help="text, a sentence a line")
    parser.add_argument("--sentences", type=int, default=1000)
    _machine.add_options(parser, "200 sentences")
    options = parser.parse_args()
    count = 200 if options.quick else options.sentences
    with torch_threads(1):
        encoder = Encoder.load(options.encoder, local_only=True)
        lines = islice((line.split() for _, line in read_lines(options.input)), count)
        found = measured(encoder, [words for words in lines if words])
    result = {
        "question": "How much longer does it take to write features than to run the encoder?",
        "sentences": count,
        **found,
        "peak_memory_mb": _machine.peak_memory_mb(),
    }
    _machine.report(_machine.rounded(result), options)


if __name__ == "__main__":
    main()
