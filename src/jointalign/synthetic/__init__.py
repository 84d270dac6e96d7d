"""Two small artificial languages with a known dictionary, for demonstrations and tests.

Both talk about the same concepts, in texts drawn independently of each other (`_meaning.py`), in
words of their own (`_spelling.py`), with contact between them:

* true cognates: names, spelt alike in both languages;
* near cognates: the same stem with another suffix;
* false friends: one spelling, two meanings, frequent in one language and rare in the other;
* leaks: now and then a text quotes the other language, so that most of its frequent words turn up,
  as "the" does in Spanish text. This is the oversharing of section 2.3 of the paper.

Nothing here knows how the text will be used: that joint training without reallocation fails, and
why, follows from the quotations.
"""

from jointalign.synthetic.api import make_languages, write
from jointalign.synthetic.base import DEMO, TINY, PairFiles, PairSettings, SyntheticPair

__all__ = ["DEMO", "TINY", "PairFiles", "PairSettings", "SyntheticPair", "make_languages", "write"]
