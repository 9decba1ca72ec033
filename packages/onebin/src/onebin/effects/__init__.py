"""The only modules that start processes, read the network or keep a cache."""
