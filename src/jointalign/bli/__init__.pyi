"""The public names and where each is defined."""

from .api import evaluate as evaluate, evaluate_parts as evaluate_parts, evaluate_rules as evaluate_rules
from .base import (
    Band as Band,
    BLIResult as BLIResult,
    Conditions as Conditions,
    Identical as Identical,
    OutOfVocabulary as OutOfVocabulary,
)
from .comparison import Comparison as Comparison, compare as compare
