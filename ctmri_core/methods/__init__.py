"""One folder per translation method: card.py (no torch) and method.py."""
