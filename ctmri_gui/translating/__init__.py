"""Translating in the window: what is wanted of it, what comes of it, and what a person sees of both."""
