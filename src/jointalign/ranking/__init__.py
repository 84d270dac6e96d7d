"""Translations ranked by a learner that sees vectors, frequency, spelling and affixes."""
