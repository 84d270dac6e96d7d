"""Pure functions on arrays: lengths, tiles, lists of the best, clusters, devices, processors."""
