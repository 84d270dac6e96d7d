"""A language model for another language: a new vocabulary whose rows are made of the old ones.

Needs the extra `contextual` (torch, transformers, tokenizers), when used and not before.
"""

from jointalign.transfer.api import METHODS, TransferReport, map_tokens, method_named, space_of_text, transfer
from jointalign.transfer.base import Copied, Fallback, TokenMap, TransferMethod, Weights
from jointalign.transfer.focus import Focus
from jointalign.transfer.mean import MeanRows
from jointalign.transfer.models import load_model, load_tokenizer, move
from jointalign.transfer.random import RandomRows
from jointalign.transfer.tokalign import TokAlign
from jointalign.transfer.tokens import Tokens, Units
from jointalign.transfer.wechsel import Wechsel

__all__ = [
    "METHODS",
    "Copied",
    "Fallback",
    "Focus",
    "MeanRows",
    "RandomRows",
    "TokAlign",
    "TokenMap",
    "Tokens",
    "TransferMethod",
    "TransferReport",
    "Units",
    "Wechsel",
    "Weights",
    "load_model",
    "load_tokenizer",
    "map_tokens",
    "method_named",
    "move",
    "space_of_text",
    "transfer",
]
