"""The laboratory: what measures, compares and ablates. It is not part of the installed package."""
