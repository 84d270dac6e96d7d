"""torch, where and how it computes."""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING

from jointalign.errors import JointalignError, MissingExtraError

if TYPE_CHECKING:
    import torch

PACKAGES = ("torch", "tokenizers", "sacrebleu")


def check_extra() -> None:
    """Make sure that what translation needs is installed.

    Raises:
        MissingExtraError: If it is not.
    """
    for package in PACKAGES:
        if find_spec(package) is None:
            raise MissingExtraError(package, "mt")


def device_named(name: str) -> torch.device:
    """A device by its name, `auto` for a GPU where there is one.

    Raises:
        JointalignError: If there is no such device.
    """
    import torch

    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        torch.empty(0, device=name)
    except (RuntimeError, AssertionError) as error:
        reason = str(error).splitlines()[0]
        raise JointalignError(f"there is no device '{name}' here ({reason}); try cpu") from None
    return torch.device(name)


def precision_named(name: str, device: torch.device) -> torch.dtype:
    """The type to compute with; `auto` takes bfloat16 where it is made in hardware."""
    import torch

    if name == "auto":
        fast = _fast_bfloat16(device)
        return torch.bfloat16 if fast else torch.float32
    return torch.bfloat16 if name == "bfloat16" else torch.float32


def _fast_bfloat16(device: torch.device) -> bool:
    import torch

    if device.type == "cuda":
        return torch.cuda.is_bf16_supported()
    # There is no public question for it; where this one is gone, float32 is right as well.
    asked = getattr(torch.cpu, "_is_avx512_bf16_supported", None)
    return bool(asked is not None and asked())
