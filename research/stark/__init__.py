"""STARK's way of two templates, beside FEAR's: the network, and what it costs."""
