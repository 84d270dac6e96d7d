"""Fine-tuning against a discriminator of languages (Keung, Lu and Bhardwaj 2019).

A logistic regression tells from a sentence's mean vector which language it is in; the encoder is
pulled, weakly, to where it tells wrongly. Only unlabelled text of the target language is read.

Difference from the paper: tagger, discriminator and encoder share one Adam, and the pull on the
encoder has a weight where theirs has a learning rate a hundredth of the tagger's.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from jointalign.contextual._encoder import Encoder
from jointalign.contextual._inputs import EncoderInputs
from jointalign.contextual._torch import import_torch
from jointalign.errors import JointalignError
from jointalign.ner import Sentence, Text

if TYPE_CHECKING:
    from torch import Tensor


class AdversarialInputs(EncoderInputs):
    """An encoder that is learnt with the tagger, and against a discriminator.

    Pass `extra_loss` to `ner.fit` besides.

    Args:
        encoder: Learnt in place.
        source: Text of the language with labels, which are not looked at.
        target: Text of the other language.
        weight: Of the pull on the encoder: 0.01, the ratio of the paper's learning rates.
        batch_size: Sentences of each language a step.
        start: Steps before the pull begins; the discriminator learns from the first.
        seed: Of the choice of sentences and the discriminator's first weights.

    Raises:
        JointalignError: If a text has no sentence.
    """

    def __init__(
        self,
        encoder: Encoder,
        source: Text,
        target: Text,
        *,
        weight: float = 0.01,
        batch_size: int = 16,
        start: int = 100,
        seed: int = 0,
    ) -> None:
        super().__init__(encoder)
        for text in (source, target):
            if not any(sentence.words for sentence in text.sentences):
                raise JointalignError(f"the text of '{text.language}' has no sentence")
        self._weight, self._batch, self._start, self._seed = weight, batch_size, start, seed
        self._texts = [self.prepare(_with_words(text.sentences), text.language) for text in (source, target)]
        self.accuracies: list[float] = []
        torch = import_torch()
        self._judge = torch.nn.utils.skip_init(torch.nn.Linear, self.dimensions, 1)
        torch.nn.init.zeros_(self._judge.weight)
        torch.nn.init.zeros_(self._judge.bias)
        self._judge = self._judge.to(self.device)
        self._network["discriminator"] = self._judge

    @property
    def key(self) -> str:
        """The encoder and the game."""
        sizes = [len(text.sizes) for text in self._texts]
        return f"{super().key} adversarial {self._weight} {self._batch} {self._start} {sizes}"

    def extra_loss(self, step: int) -> Tensor:
        """The discriminator's loss, which moves it alone, and the pull, which spares it."""
        torch = import_torch()
        rng = np.random.default_rng([self._seed, step, 2])
        parts = [text.means(rng.integers(len(text.sizes), size=self._batch).tolist()) for text in self._texts]
        means = torch.cat(parts)
        labels = torch.zeros(len(means), device=means.device)
        labels[: self._batch] = 1.0
        entropy = torch.nn.functional.binary_cross_entropy_with_logits
        layer = self._judge
        logits = layer(means.detach()).squeeze(1)
        self.accuracies.append(float(((logits > 0) == (labels > 0.5)).float().mean()))
        loss = entropy(logits, labels)
        if step >= self._start:
            weights, bias = layer.weight.detach()[0], layer.bias.detach()
            loss = loss + self._weight * entropy(means @ weights + bias, 1 - labels)
        return loss


def _with_words(sentences: Sequence[Sentence]) -> list[Sentence]:
    return [sentence for sentence in sentences if sentence.words]
