"""The public names and where each is defined."""

from .api import (
    METHODS as METHODS,
    TransferReport as TransferReport,
    map_tokens as map_tokens,
    method_named as method_named,
    space_of_text as space_of_text,
    transfer as transfer,
)
from .base import (
    Copied as Copied,
    Fallback as Fallback,
    TokenMap as TokenMap,
    TransferMethod as TransferMethod,
    Weights as Weights,
)
from .focus import Focus as Focus
from .mean import MeanRows as MeanRows
from .models import load_model as load_model, load_tokenizer as load_tokenizer, move as move
from .random import RandomRows as RandomRows
from .tokalign import TokAlign as TokAlign
from .tokens import Tokens as Tokens, Units as Units
from .wechsel import Wechsel as Wechsel
