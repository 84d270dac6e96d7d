"""Cross-lingual word representations: joint training, vocabulary reallocation, alignment."""

from jointalign import bli
from jointalign.alignment.api import align, apply, fit
from jointalign.alignment.base import Aligner, Mapping
from jointalign.alignment.dema import DeMaBWE
from jointalign.alignment.geomm import GeoMM
from jointalign.alignment.geomm_multilingual import MultilingualGeoMM
from jointalign.alignment.geomm_semi import SemiSupervisedGeoMM
from jointalign.alignment.iterative_normalization import IterativeNormalization
from jointalign.alignment.muse import MUSE
from jointalign.alignment.pivot import align_languages
from jointalign.alignment.procrustes import Procrustes
from jointalign.alignment.rcsls import RCSLS
from jointalign.alignment.refinement import RefinedProcrustes
from jointalign.alignment.seeds import Seeds, pairs_of
from jointalign.alignment.unsupervised import align_unsupervised
from jointalign.alignment.vecmap import VecMap
from jointalign.corpora.corpus import Corpus
from jointalign.corpora.encoding import EncodedCorpus, encode
from jointalign.dictionary.api import Translations, induce, translate, write_tsv
from jointalign.embedding import BilingualEmbedding, Embedding
from jointalign.errors import FormatError, JointalignError, MissingExtraError
from jointalign.formats.api import (
    read,
    read_bilingual,
    read_multilingual,
    write,
    write_bilingual,
    write_multilingual,
)
from jointalign.formats.gensim import from_gensim, to_gensim
from jointalign.lexicon import Lexicon
from jointalign.multilingual import MultilingualEmbedding
from jointalign.multilingual_reallocation import reallocate_languages
from jointalign.overshared import oversharing
from jointalign.reallocation import reallocate
from jointalign.retrieval.api import Retrieval, Score, neighbours
from jointalign.selection.api import choose, choose_settings
from jointalign.selection.auto import Spaces, choose_all
from jointalign.subwords import SubwordTable
from jointalign.training.base import Balance, Noise, Trainer
from jointalign.training.cbow import CBOW
from jointalign.training.duong import SupervisedJoint
from jointalign.training.replace import JointReplace
from jointalign.training.skipgram import SkipGram
from jointalign.version import __version__
from jointalign.vocabulary import Counts, Vocabulary

__all__ = [
    "MultilingualEmbedding",
    "align_languages",
    "read_multilingual",
    "reallocate_languages",
    "write_multilingual",
    "pairs_of",
    "choose_all",
    "align_unsupervised",
    "VecMap",
    "SupervisedJoint",
    "Spaces",
    "SemiSupervisedGeoMM",
    "Seeds",
    "RefinedProcrustes",
    "Noise",
    "MultilingualGeoMM",
    "JointReplace",
    "IterativeNormalization",
    "GeoMM",
    "DeMaBWE",
    "MUSE",
    "CBOW",
    "RCSLS",
    "Aligner",
    "Balance",
    "BilingualEmbedding",
    "Corpus",
    "Counts",
    "Embedding",
    "EncodedCorpus",
    "FormatError",
    "JointalignError",
    "Lexicon",
    "Mapping",
    "MissingExtraError",
    "Procrustes",
    "Retrieval",
    "Score",
    "SkipGram",
    "SubwordTable",
    "Trainer",
    "Translations",
    "Vocabulary",
    "__version__",
    "align",
    "apply",
    "bli",
    "choose",
    "choose_settings",
    "encode",
    "fit",
    "from_gensim",
    "induce",
    "neighbours",
    "oversharing",
    "read",
    "read_bilingual",
    "reallocate",
    "to_gensim",
    "translate",
    "write",
    "write_bilingual",
    "write_tsv",
]
