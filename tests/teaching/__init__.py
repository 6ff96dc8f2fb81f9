"""A bare trainer and digital heads to learn from, for the tests and the longer runs."""
