"""Seeing volumes: linked panes, presets, metrics."""
