"""A bilingual dictionary from a space, exact or approximate, and translations of single words."""
