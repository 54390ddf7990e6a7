"""Finds and loads models: from what a user wrote to a network that runs.

`reference` turns a name or a path into a `Model`, `convert` makes other forms of it, `auto` measures which runtime is the fastest, `load`
loads the network.
"""
