"""Reviewing a dictionary: what people decide of its entries."""
