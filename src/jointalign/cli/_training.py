"""Options of the training, for all commands that train."""

from __future__ import annotations

from typing import Annotated

import typer

from jointalign.training.base import Balance, Noise

Dimensions = Annotated[int, typer.Option(min=1, max=10_000, help="Length of the vectors (300: the paper).")]
Epochs = Annotated[int, typer.Option(min=1, help="How often the text is read (5: fastText).")]
Window = Annotated[int, typer.Option(min=1, help="Largest distance of a context (5: fastText).")]
MinimumCount = Annotated[int, typer.Option(min=1, help="Rarer words get no vector (5: fastText).")]
Negatives = Annotated[int, typer.Option(min=1, help="Noise words a context (5: fastText).")]
MinimumNgram = Annotated[int, typer.Option(min=1, help="Shortest n-gram (3: fastText).")]
MaximumNgram = Annotated[int, typer.Option(min=0, help="Longest n-gram (6: fastText); 0 for no n-grams.")]
Subsampling = Annotated[
    float, typer.Option(min=0.0, help="Threshold for frequent words (1e-4: fastText); 0: none.")
]
TrainingRate = Annotated[
    float, typer.Option(help="Learning rate at the start, falling to zero (0.05: fastText).")
]
BalanceOption = Annotated[
    Balance,
    typer.Option(
        help="tokens: repeat smaller corpora up to the largest; lines: bring the first to the "
        "lines of the last, as in the paper's released code; none."
    ),
]
NoiseOption = Annotated[
    Noise,
    typer.Option(
        help="Whose word counts decide noise words and subsampling: joint, of all text (the "
        "paper); language, of each sentence's own --input, one a language."
    ),
]
SharedNoise = Annotated[
    int, typer.Option(min=1, help="Centre words that share noise words; 1: none (fastText; slower).")
]
CheckpointSeconds = Annotated[
    float, typer.Option(min=0.0, help="Time between two checkpoints; more if saving is slow.")
]
