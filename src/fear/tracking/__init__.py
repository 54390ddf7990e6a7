"""Follows targets: the rules around the network."""
