"""The window in which a study is read. It runs in a process of its own that has no way to the truth (docs/decisions/0022)."""
