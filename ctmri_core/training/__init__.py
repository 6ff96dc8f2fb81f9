"""The trainer that every method shares."""
