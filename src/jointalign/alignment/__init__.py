"""How two sets of vectors are brought into one space, one method a file."""
