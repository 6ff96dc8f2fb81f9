"""Volume in, synthetic volume out."""
