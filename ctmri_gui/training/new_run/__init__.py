"""Putting a new training run together, page by page."""
