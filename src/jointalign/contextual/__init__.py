"""Contextual vectors: features of any encoder, aligned between languages layer by layer.

Needs the extra `contextual` (torch, transformers, tokenizers), when used and not before.
"""

from jointalign.contextual._encoder import Encoder, check_name
from jointalign.contextual._features import Extracted, extract
from jointalign.contextual._identity import encoder_identity
from jointalign.contextual._mapping import (
    CrossCovariances,
    FeatureSide,
    LayerMappings,
    LayerScore,
    Solution,
    fit_aligner,
    read_layer_mappings,
    write_layer_mappings,
)
from jointalign.contextual._pairs import AlignedText, LearntMappings, MappingSettings, learn_mappings
from jointalign.contextual._pretraining import Pretrained, PretrainingSettings, pretrain
from jointalign.contextual._store import FeatureStore, sentence_digest, write_features
from jointalign.contextual._torch import import_torch, import_transformers, quiet_transformers, torch_threads
from jointalign.contextual.api import choice, mapping_settings, read_aligned_text
from jointalign.contextual.base import Combine, FeatureSettings, Pooling

__all__ = [
    "AlignedText",
    "Combine",
    "CrossCovariances",
    "Encoder",
    "Extracted",
    "FeatureSettings",
    "FeatureStore",
    "LayerMappings",
    "LayerScore",
    "LearntMappings",
    "MappingSettings",
    "Pooling",
    "Pretrained",
    "PretrainingSettings",
    "FeatureSide",
    "Solution",
    "check_name",
    "choice",
    "encoder_identity",
    "extract",
    "fit_aligner",
    "import_torch",
    "import_transformers",
    "learn_mappings",
    "mapping_settings",
    "pretrain",
    "quiet_transformers",
    "read_aligned_text",
    "read_layer_mappings",
    "sentence_digest",
    "torch_threads",
    "write_features",
    "write_layer_mappings",
]
