"""The public names and where each is defined."""

from ._encoder import Encoder as Encoder, check_name as check_name
from ._features import Extracted as Extracted, extract as extract
from ._identity import encoder_identity as encoder_identity
from ._mapping import (
    CrossCovariances as CrossCovariances,
    FeatureSide as FeatureSide,
    LayerMappings as LayerMappings,
    LayerScore as LayerScore,
    Solution as Solution,
    fit_aligner as fit_aligner,
    read_layer_mappings as read_layer_mappings,
    write_layer_mappings as write_layer_mappings,
)
from ._pairs import (
    AlignedText as AlignedText,
    LearntMappings as LearntMappings,
    MappingSettings as MappingSettings,
    learn_mappings as learn_mappings,
)
from ._pretraining import (
    Pretrained as Pretrained,
    PretrainingSettings as PretrainingSettings,
    pretrain as pretrain,
)
from ._store import (
    FeatureStore as FeatureStore,
    sentence_digest as sentence_digest,
    write_features as write_features,
)
from ._torch import (
    import_torch as import_torch,
    import_transformers as import_transformers,
    quiet_transformers as quiet_transformers,
    torch_threads as torch_threads,
)
from .api import (
    choice as choice,
    mapping_settings as mapping_settings,
    read_aligned_text as read_aligned_text,
)
from .base import Combine as Combine, FeatureSettings as FeatureSettings, Pooling as Pooling
