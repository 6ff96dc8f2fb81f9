"""What the answers of a study say, once the truth is held against them: numbers alone, as JSON both ways."""
