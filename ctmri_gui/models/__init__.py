"""Qt item models over core types."""
