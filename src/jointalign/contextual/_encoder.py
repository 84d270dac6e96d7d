"""Any encoder of the Hugging Face format: from its hub, or from a folder."""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Sequence
from pathlib import Path
from threading import RLock
from typing import TYPE_CHECKING, Any, NamedTuple

from jointalign.contextual._identity import encoder_identity
from jointalign.contextual._torch import import_torch, import_transformers, quiet_transformers
from jointalign.errors import FormatError, JointalignError
from jointalign.numerics.devices import device_named
from jointalign.storage.facts import fits, read_json

if TYPE_CHECKING:
    from torch import Tensor

logger = logging.getLogger(__name__)

DOCUMENTED = "bert-base-multilingual-cased"
"""M-BERT, which the paper uses."""

_LARGEST, _MOST_LAYERS = 1 << 24, 1 << 9  # numbers in a config
_LONGEST_REASON = 200
_STRANGE = "\u4e56\u0e5b\u1361\u0a74"  # of four scripts: unknown to nearly all vocabularies
_MOST_REMEMBERED = 1 << 18  # words whose pieces are kept


class Pieces(NamedTuple):
    """A sentence as its encoder sees it, without the marks at both ends.

    Args:
        ids: The pieces of all its words.
        lengths: How many pieces each word has; at least one.
    """

    ids: list[int]
    lengths: list[int]


class Encoder:
    """A pretrained encoder and its way to cut words into pieces.

    Args:
        model: A transformers model that gives hidden states.
        tokenizer: Its tokenizer.
        name: Where it comes from, for messages and files.
        device: Where it computes, e.g. `cpu` or `cuda`.
        identity: What tells it from others, see `encoder_identity`; empty if that is not known.

    Raises:
        MissingExtraError: If torch or transformers is not installed.
    """

    def __init__(
        self, model: Any, tokenizer: Any, name: str, device: str = "cpu", identity: str = ""
    ) -> None:
        self.model = model.to(device).eval()
        self.tokenizer, self.name, self.device = tokenizer, name, device
        self.identity = identity
        self._known: dict[str, tuple[int, ...]] = {}
        self._cutting = RLock()  # tokenizers are changed by each call, and refuse a second one meanwhile
        self.prefix, self.suffix = self._marks()
        if self._lowercases():
            logger.warning(
                "%s lower-cases its text; names are harder to tell. A cased model needs "
                "'do_lower_case': false in its tokenizer_config.json",
                name,
            )

    @classmethod
    def load(cls, name: str | Path, *, device: str = "cpu", local_only: bool = False) -> Encoder:
        """Load an encoder.

        Args:
            name: A folder as `save_pretrained` writes it (config, weights, tokenizer), or a name on
                the hub, e.g. `bert-base-multilingual-cased`, which is downloaded once.
            device: Where it computes.
            local_only: Never ask the hub; use what was downloaded before.

        Raises:
            JointalignError: If it cannot be found, fetched or understood, or the device is not
                there.
            MissingExtraError: If torch or transformers is not installed.
        """
        device = str(device_named(device, "contextual"))
        check_name(name)
        transformers = import_transformers()
        _check_config(Path(name))
        # A folder's own Python files are never run, nor are pickled weights unpacked: both are code.
        given = {"local_files_only": local_only or Path(name).is_dir(), "trust_remote_code": False}
        try:
            with quiet_transformers():
                tokenizer = transformers.AutoTokenizer.from_pretrained(str(name), **given)
                model, found = transformers.AutoModel.from_pretrained(
                    str(name), **given, use_safetensors=True, output_loading_info=True
                )
        except Exception as error:  # files of others, of which each part may be anything
            if Path(name, "pytorch_model.bin").exists() and not Path(name, "model.safetensors").exists():
                raise JointalignError(
                    f"the encoder '{name}' has pickled weights only (pytorch_model.bin), which can run any "
                    "code when they are read; expected model.safetensors: save it with `save_pretrained` of "
                    "transformers where you trust it"
                ) from error
            reason = " ".join(str(error).split())[:_LONGEST_REASON] or type(error).__name__
            raise JointalignError(
                f"the encoder '{name}' could not be loaded ({reason}); name a folder with its "
                f"config, weights and tokenizer, or a hub name such as '{DOCUMENTED}' that this "
                "machine can reach or has in its cache"
            ) from error
        if getattr(model, "pooler", None) is not None:
            model.pooler = None  # nothing here reads it, and many files lack it: it would be random
        lacking = [key for key in found["missing_keys"] if not key.startswith("pooler.")]
        if lacking:
            logger.warning(
                "%s lacks %d of the encoder's weights (%s, ...), which are random now",
                name,
                len(lacking),
                min(lacking),
            )
        with fits(name, "an encoder, its config and its tokenizer", "save or copy it again"):
            _check_pieces(model, tokenizer)
            encoder = cls(model, tokenizer, str(name), device, encoder_identity(name))
            encoder.check()
            return encoder

    def check(self) -> None:
        """Run it once on one piece.

        Raises:
            JointalignError: If it does not give finite vectors of its size for each layer.
        """
        if self.longest < 1:
            raise JointalignError(f"it can read {self.longest} pieces at once")
        self.cut([_STRANGE])
        ids = [*self.prefix, self.tokenizer.unk_token_id or 0, *self.suffix]
        languages = getattr(self.model.config, "lang2id", None)
        states, _ = self.states(
            [ids], range(self.layers + 1), next(iter(languages), None) if languages else None
        )
        if any(state.shape[2] != self.dimensions for state in states) or not states[-1].isfinite().all():
            raise JointalignError("its vectors hold NaN, or are not of the size that its config says")

    @property
    def dimensions(self) -> int:
        """Length of a vector."""
        config = self.model.config
        return int(getattr(config, "hidden_size", None) or config.emb_dim)

    @property
    def layers(self) -> int:
        """Layers after the embedding layer."""
        config = self.model.config
        return int(getattr(config, "num_hidden_layers", None) or config.n_layers)

    @property
    def longest(self) -> int:
        """Pieces that can be read at once, without the marks at both ends."""
        config = self.model.config
        positions = getattr(config, "max_position_embeddings", None) or 512
        if config.model_type in ("roberta", "xlm-roberta", "camembert"):
            positions -= 2  # their positions count from the padding's number on
        positions = min(positions, self.tokenizer.model_max_length)
        return int(positions) - len(self.prefix) - len(self.suffix)

    def digest(self) -> str:
        """Tells these weights and pieces from all others, whatever they are called."""
        torch, total = import_torch(), hashlib.sha256()
        pieces = sorted(self.tokenizer.get_vocab().items())
        total.update(json.dumps(pieces).encode("utf-8", "surrogatepass"))
        for name, tensor in sorted(self.model.state_dict().items()):
            data = tensor.detach().cpu().contiguous().reshape(-1).view(torch.uint8)
            total.update(name.encode() + data.numpy().tobytes())
        return total.hexdigest()

    def cut(self, words: Sequence[str]) -> Pieces:
        """Pieces of a sentence's words, each cut on its own; one without any is the unknown one."""
        with self._cutting:
            self.remember(words)
            found = [self._known[word] for word in words]
        return Pieces([piece for pieces in found for piece in pieces], list(map(len, found)))

    def _learn(self, words: list[str]) -> None:
        if len(self._known) + len(words) > _MOST_REMEMBERED:
            self._known.clear()
        try:
            with quiet_transformers():  # it would warn of words longer than the model
                found = self.tokenizer(
                    [[word] for word in words], is_split_into_words=True, add_special_tokens=False
                )["input_ids"]
        except Exception as error:  # tokenizers raise nothing narrower
            raise JointalignError(
                f"{self.name}: its tokenizer can't cut all words ({error}); save or copy it again"
            ) from error
        unknown = (self.tokenizer.unk_token_id,)
        for word, ids in zip(words, found, strict=True):
            self._known[word] = tuple(ids) or unknown

    def remember(self, words: Sequence[str]) -> None:
        """Cut many words in one call, which is faster than one by one; `cut` then knows them."""
        with self._cutting:
            missing = sorted({word for word in words if word not in self._known})
            if missing:
                self._learn(missing)

    def states(
        self, ids: list[list[int]], layers: Sequence[int], language: str | None = None
    ) -> tuple[list[Tensor], Tensor]:
        """Hidden states of some windows.

        Args:
            ids: Pieces of each, with the marks at both ends.
            layers: Which layers, from 0, the embedding layer.
            language: For encoders that are told the language (XLM).

        Returns:
            A `(b, l, d)` tensor for each layer, and which of its places are pieces, bool `(b, l)`.
        """
        torch = import_torch()
        inputs = self.inputs(ids, language)
        with torch.inference_mode():
            hidden = self.model(**inputs, output_hidden_states=True).hidden_states
        return [hidden[layer].float() for layer in layers], inputs["attention_mask"].bool()

    def inputs(self, ids: list[list[int]], language: str | None = None) -> dict[str, Tensor]:
        """What the model takes: windows padded to equal length, and where they end."""
        torch = import_torch()
        length = max(map(len, ids))
        padding = self.tokenizer.pad_token_id or 0
        rows = [row + [padding] * (length - len(row)) for row in ids]
        mask = [[1] * len(row) + [0] * (length - len(row)) for row in ids]
        inputs = {
            "input_ids": torch.tensor(rows, device=self.device),
            "attention_mask": torch.tensor(mask, device=self.device),
        }
        number = self._language_number(language)
        if number is not None:
            inputs["langs"] = torch.full_like(inputs["input_ids"], number)
        return inputs

    def _language_number(self, language: str | None) -> int | None:
        """For models with language embeddings, such as XLM."""
        config = self.model.config
        numbers = getattr(config, "lang2id", None)
        if not numbers or not getattr(config, "use_lang_emb", True):
            return None
        if language not in numbers:
            raise JointalignError(
                f"{self.name} was trained on {', '.join(sorted(numbers))} and must be told which; "
                f"got '{language}'"
            )
        return int(numbers[language])

    def _marks(self) -> tuple[list[int], list[int]]:
        """What stands before and after a sentence's pieces."""
        given = {"is_split_into_words": True}
        bare = self.tokenizer(["a"], add_special_tokens=False, **given)["input_ids"]
        whole = self.tokenizer(["a"], **given)["input_ids"]
        for start in range(len(whole) - len(bare) + 1):
            if whole[start : start + len(bare)] == bare:
                return whole[:start], whole[start + len(bare) :]
        raise JointalignError(f"{self.name}: its tokenizer changes words at a sentence's ends")

    def _lowercases(self) -> bool:
        return self.cut(["A"]) == self.cut(["a"]) and self.cut(["A"]).ids != [self.tokenizer.unk_token_id]


def _check_config(folder: Path) -> None:
    """Refuse sizes that no encoder has, before memory is asked for them."""
    if not folder.is_dir():
        return
    what = "the config of an encoder"
    config = read_json(folder / "config.json", dict[str, Any], what)
    for size, value in config.items():
        if isinstance(value, int) and abs(value) > (_MOST_LAYERS if "layers" in size else _LARGEST):
            reason = f"expected {what}, its '{size}' is {value}; save or copy it again"
            raise FormatError(folder / "config.json", None, reason)


def _check_pieces(model: Any, tokenizer: Any) -> None:
    """Make sure that the encoder has a vector for each piece."""
    most, rows = max(tokenizer.get_vocab().values()), model.get_input_embeddings().num_embeddings
    if most >= rows:
        raise JointalignError(f"its tokenizer has a piece {most}, and its weights have {rows} rows")


def check_name(name: str | Path) -> None:
    """Tell a folder that is not there, or has no model, from a name on the hub.

    Raises:
        JointalignError: If the name is a path, and there is no model.
    """
    path = Path(name)
    if path.is_dir():
        if not (path / "config.json").is_file():
            raise JointalignError(f"{path}: expected a model's folder, there is no config.json")
    elif path.is_file() or path.is_absolute() or str(name).startswith((".", "~")):
        raise JointalignError(f"{path}: expected the folder of a model, there is none")
