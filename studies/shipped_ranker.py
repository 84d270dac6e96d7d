"""Learn the ranker that comes with the package, and see how good it is on pairs that it was not learnt on.

Rows are candidates of words of the training dictionaries, both ways, as of words that mapping and counts
have not seen: from dictionaries of several sizes and from none, from joint and separate training together
and from each alone. Half of the words of each are ranked without any known pairs, so that the trees know
what to do without letters and affixes. For each pair in turn, trees are learnt on the others: their
probabilities, calibrated, are those that the file keeps. The test dictionaries are not read.

    python studies/shipped_ranker.py --data DATA --out runs/ranking --write src/jointalign/ranking/shipped.safetensors
"""

from __future__ import annotations

import argparse
import json
import shlex
import sys
import time
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

import jointalign as ja
from jointalign.numerics.processors import limited_to
from jointalign.ranking.api import CrossFitted, Ranker, first_of, is_right, usable
from jointalign.ranking.calibration import Calibration, calibration_error
from jointalign.ranking.features import Surface, features
from jointalign.ranking.learner import Learner, Trees, fit_trees
from jointalign.ranking.shipped import Shipped
from jointalign.ranking.spaces import Views, propose
from jointalign.storage.files import atomic
from ranking import CORPORA, spaces_of

KINDS = {"both": (0, 1), "joint": (0,), "separate": (1,)}
CONDITIONS = (("both", 2000), ("both", 1000), ("both", 300), ("both", 100), ("both", 0))
CONDITIONS += (("joint", 2000), ("separate", 2000), ("separate", 0))
QUERIES = 1500
"""Words that are ranked, at most, of those that the dictionary of a condition leaves."""
