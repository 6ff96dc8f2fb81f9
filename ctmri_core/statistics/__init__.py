"""Statistics of few readers and few cases: functions of tables, pure and repeatable.

One way to answer: a function returns its result, or `NotComputable` with the reason where the data allow none (`answers.py`).
`ValueError` means that a caller mixed something up (more correct answers than trials, a probability beyond 1).
"""
