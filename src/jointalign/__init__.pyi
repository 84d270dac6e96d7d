"""The public names and where each is defined: the one list of them, for Python and for tools."""

from . import bli as bli
from .alignment.api import align as align, apply as apply, fit as fit
from .alignment.base import Aligner as Aligner, Mapping as Mapping
from .alignment.dema import DeMaBWE as DeMaBWE
from .alignment.geomm import GeoMM as GeoMM
from .alignment.geomm_multilingual import MultilingualGeoMM as MultilingualGeoMM
from .alignment.geomm_semi import SemiSupervisedGeoMM as SemiSupervisedGeoMM
from .alignment.iterative_normalization import IterativeNormalization as IterativeNormalization
from .alignment.muse import MUSE as MUSE
from .alignment.pivot import align_languages as align_languages
from .alignment.procrustes import Procrustes as Procrustes
from .alignment.rcsls import RCSLS as RCSLS
from .alignment.refinement import RefinedProcrustes as RefinedProcrustes
from .alignment.scikit import to_sklearn as to_sklearn
from .alignment.seeds import Seeds as Seeds, pairs_of as pairs_of
from .alignment.unsupervised import align_unsupervised as align_unsupervised
from .alignment.vecmap import VecMap as VecMap
from .concordance import Concordance as Concordance, Passage as Passage
from .corpora.corpus import Corpus as Corpus
from .corpora.encoding import EncodedCorpus as EncodedCorpus, encode as encode
from .dictionary.api import (
    Translations as Translations,
    induce as induce,
    translate as translate,
    write_translations as write_translations,
    write_tsv as write_tsv,
)
from .dictionary.sentences import mine as mine
from .embedding import BilingualEmbedding as BilingualEmbedding, Embedding as Embedding
from .ensemble import reduced as reduced
from .ensemble import side_by_side as side_by_side
from .errors import (
    FormatError as FormatError,
    JointalignError as JointalignError,
    MissingExtraError as MissingExtraError,
)
from .formats.api import (
    read as read,
    read_bilingual as read_bilingual,
    read_multilingual as read_multilingual,
    write as write,
)
from .formats.gensim import from_gensim as from_gensim, to_gensim as to_gensim
from .formats.hub import push_to_hub as push_to_hub
from .formats.static import Weighting as Weighting, write_static as write_static
from .lexicon import Lexicon as Lexicon
from .loading import load as load, save as save
from .storage.lines import longest_line as longest_line
from .multilingual import MultilingualEmbedding as MultilingualEmbedding
from .overshared import oversharing as oversharing
from .ranking.api import FittedRanker as FittedRanker, Ranked as Ranked, Ranker as Ranker, rank as rank
from .ranking.kept import KeptRanking as KeptRanking, kept_ranking as kept_ranking
from .multilingual_reallocation import reallocate_languages as reallocate_languages
from .reallocation import reallocate as reallocate
from .retrieval.api import Retrieval as Retrieval, Score as Score, neighbours as neighbours
from .selection.api import choose as choose
from .selection.base import Choice as Choice, Spaces as Spaces
from .subwords import SubwordTable as SubwordTable
from .training.base import Balance as Balance, Noise as Noise, Trainer as Trainer
from .training.cbow import CBOW as CBOW
from .training.duong import SupervisedJoint as SupervisedJoint
from .training.replace import JointReplace as JointReplace
from .training.skipgram import SkipGram as SkipGram
from .version import __version__ as __version__
from .vocabulary import Counts as Counts, Vocabulary as Vocabulary
