"""Boxes, windows and cells: all arithmetic of places."""
