"""Nearest neighbours: cosine, CSLS, inverted softmax and hubness, exact and without large matrices."""
