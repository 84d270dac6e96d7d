"""Text: tokenisation, corpora in files, corpora as numbers of words, reading with many processes."""
