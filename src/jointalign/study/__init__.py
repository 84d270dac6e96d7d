"""The tables and figures of the paper on any languages: `jointalign study`."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
