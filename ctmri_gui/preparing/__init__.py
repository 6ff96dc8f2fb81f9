"""Scans prepared for learning in a window: looked at, laid on each other, through the recipe, into a folder."""
