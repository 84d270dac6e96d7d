"""Word alignment of parallel text: which word of a sentence translates which of the other."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
