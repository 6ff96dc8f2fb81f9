"""The seeded digital head."""
