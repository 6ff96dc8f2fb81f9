"""Reader studies: set up, read blinded, kept, merged, analysed, reported."""
