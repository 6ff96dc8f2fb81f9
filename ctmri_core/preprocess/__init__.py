"""Preparation of volumes for networks, and its undoing."""
