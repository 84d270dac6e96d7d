"""Unsupervised machine translation, initialised by any of our spaces (Lample et al. 2018b)."""
