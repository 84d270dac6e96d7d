"""Models and tokenisers of transformers: read, given the rows of a new vocabulary, written."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from jointalign.contextual import check_name, import_torch, import_transformers, quiet_transformers
from jointalign.errors import JointalignError
from jointalign.storage.files import check_folder, plain_errors
from jointalign.transfer.base import TokenMap
from jointalign.transfer.tokens import Tokens

_LONGEST_REASON = 200
_CONFIG = "config.json"


def load_tokenizer(name: str | Path, local_only: bool = False) -> Any:
    """A tokeniser of transformers, from a folder or the hub.

    Raises:
        JointalignError: If it cannot be found, fetched or understood.
        MissingExtraError: If torch or transformers is not installed.
    """
    return _loaded(import_transformers().AutoTokenizer, name, "tokenizer", local_only)


def load_model(name: str | Path, local_only: bool = False) -> Any:
    """A model of transformers with the head that it was saved with, from a folder or the hub.

    A folder's own Python files are never run, nor are pickled weights unpacked: both are code.

    Raises:
        JointalignError: If it cannot be found, fetched or understood.
        MissingExtraError: If torch or transformers is not installed.
    """
    check_name(name)
    transformers = import_transformers()
    config = _loaded(transformers.AutoConfig, name, "model", local_only)
    named = next(iter(config.architectures or ()), "")
    kind = getattr(transformers, named, transformers.AutoModel)
    return _loaded(kind, name, "model", local_only, use_safetensors=True)


def _loaded(kind: Any, name: str | Path, what: str, local_only: bool, **options: bool) -> Any:
    local = local_only or Path(name).is_dir()
    try:
        with quiet_transformers():
            return kind.from_pretrained(str(name), local_files_only=local, trust_remote_code=False, **options)
    except Exception as error:  # files of others, of which each part may be anything
        reason = " ".join(str(error).split())[:_LONGEST_REASON] or type(error).__name__
        raise JointalignError(
            f"the {what} '{name}' could not be loaded ({reason}); name a folder that `save_pretrained` has "
            "written, with weights in safetensors, or a name on the hub that can be reached"
        ) from error


def move(model: Any, tokens: TokenMap, old: Tokens, new: Tokens, seed: int = 0) -> None:
    """Give a model the rows of a new vocabulary, in place: input, output, and the output's biases.

    Output matrices that are the input's stay so; others are filled in the same way.

    Args:
        model: Of transformers.
        tokens: What each new token is made of.
        old: The model's tokens so far.
        new: Those to come.
        seed: Of rows that are random.

    Raises:
        JointalignError: If the model has fewer rows than old tokens.
    """
    torch = import_torch()
    output = model.get_output_embeddings()
    inputs = model.get_input_embeddings().weight
    tied = output is not None and output.weight.data_ptr() == inputs.data_ptr()
    given = {"input": inputs}
    if output is not None and not tied:
        given["output"] = output.weight
    if output is not None and getattr(output, "bias", None) is not None:
        given["bias"] = output.bias
    if len(inputs) < len(old):
        raise JointalignError(
            f"the model has {len(inputs)} rows and its tokenizer {len(old)} tokens; give the tokenizer that "
            "it was trained with"
        )
    filled = {
        name: torch.from_numpy(tokens.apply(one.detach().float().cpu().numpy()[: len(old)], seed))
        for name, one in given.items()
    }
    with quiet_transformers(), torch.no_grad():
        model.resize_token_embeddings(len(new), mean_resizing=False)
        output = model.get_output_embeddings()
        model.get_input_embeddings().weight.copy_(filled["input"])
        if "output" in filled:
            output.weight.copy_(filled["output"])
        if "bias" in filled:
            output.bias.copy_(filled["bias"])
    for config in (model.config, getattr(model, "generation_config", None)):
        _renumber(config, old, new)


def _renumber(config: Any, old: Tokens, new: Tokens) -> None:
    """Special tokens in a config: by role, and others, as the decoder's first, by the token they were."""
    if config is None:
        return
    translated = {number: new.roles.get(role) for role, number in old.roles.items()}
    translated |= {before: now for now, before in new.special_pairs(old).items()}
    for name in [name for name in vars(config) if name.endswith("_token_id")]:
        before = getattr(config, name)
        if isinstance(before, int):
            role = name.removesuffix("_token_id")
            setattr(config, name, new.roles.get(role, translated.get(before)))
        elif isinstance(before, list):
            setattr(config, name, [now for one in before if (now := translated.get(one)) is not None])


def write_model(model: Any, tokenizer: Any, folder: Path) -> None:
    """Write a folder that `from_pretrained` reads: whole files, its config last."""
    check_folder(folder)
    with plain_errors(folder), TemporaryDirectory(dir=folder, prefix=".tmp-") as temporary:
        with quiet_transformers():
            model.save_pretrained(temporary)
            tokenizer.save_pretrained(temporary)
        names = sorted(path.name for path in Path(temporary).iterdir())
        for name in [*(name for name in names if name != _CONFIG), _CONFIG]:
            Path(temporary, name).replace(folder / name)
