"""Named-entity recognition across languages: a tagger learnt in one, used in another."""
