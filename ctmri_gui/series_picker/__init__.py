"""The choice among several series: what each is, a small picture of it, and what is odd about it."""
