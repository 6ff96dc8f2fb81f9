"""Generators of hostile and defective input, and how a verdict on it is judged. No tests in here."""
