"""Many cases, one after another and shared among processes: found, translated, kept account of, taken up again."""
