"""A language model for another language: a new vocabulary whose rows are made of the old ones.

Needs the extra `contextual` (torch, transformers, tokenizers), when used and not before.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
