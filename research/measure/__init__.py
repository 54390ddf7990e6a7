"""Side-by-side measurements; each writes a table into `docs/results/`."""
