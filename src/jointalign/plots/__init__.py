"""Figure 1 of the paper: what reallocation and alignment do to a joint space."""

from jointalign.plots.api import Pair, default_pairs, figure_one, principal_axes

__all__ = ["Pair", "default_pairs", "figure_one", "principal_axes"]
