"""Embeddings in files: native, text, word2vec binary, gensim."""
