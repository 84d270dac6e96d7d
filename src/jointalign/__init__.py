"""Cross-lingual word representations: joint training, vocabulary reallocation, alignment."""
