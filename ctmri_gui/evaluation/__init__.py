"""Evaluations in the window: asked for, run, read in tables, and followed into the viewer."""
