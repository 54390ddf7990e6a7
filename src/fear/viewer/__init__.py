"""A person at a run: chooses its targets, watches it, and corrects them.

`viewing` says what a person can do, on a `Screen`: a window of OpenCV (`window`), or a page that is served on this machine (`server`, with
the files in `page/`). `opening` takes the one that there is.
"""
