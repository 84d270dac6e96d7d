"""How vectors are learnt from text."""
