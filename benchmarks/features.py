"""How much longer does it take to write features than to run the bare encoder?

    python benchmarks/features.py ENCODER TEXT [SENTENCES]

Both see the same batches of pieces, sorted by length; the bare encoder keeps nothing.
"""

import sys
import tempfile
import time
from itertools import islice

from jointalign.contextual import Encoder, FeatureSettings, Pooling, write_features
from jointalign.contextual._features import BATCH_PIECES
from jointalign.files import read_lines


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


def main(name, path, count="1000"):
    import torch

    torch.set_num_threads(1)
    encoder = Encoder.load(name, local_only=True)
    lines = islice((line.split() for _, line in read_lines(path)), int(count))
    sentences = [words for words in lines if words]
    pieces = sum(len(encoder.cut(words).ids) for words in sentences)
    bare(encoder, sentences[:50])
    plain = bare(encoder, sentences)
    for pooling in Pooling:
        with tempfile.TemporaryDirectory() as folder:
            begun = time.process_time()
            write_features(encoder, sentences, folder, FeatureSettings(pooling=pooling))
            seconds = time.process_time() - begun
        print(
            f"{pooling}: {pieces / seconds:,.0f} pieces a CPU second, bare "
            f"{pieces / plain:,.0f}: {100 * (seconds / plain - 1):+.1f} % time"
        )


if __name__ == "__main__":
    main(*sys.argv[1:])
