"""Slices of cases for training."""
