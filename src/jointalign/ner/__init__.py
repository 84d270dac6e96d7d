"""Named-entity recognition across languages: a tagger learnt in one, used in another.

`Tagger` and `fit` know nothing of where vectors come from: `StaticInputs` looks words up, and
whatever else implements `WordInputs` (contextual features, an encoder that is learnt, too) goes the
same way.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
