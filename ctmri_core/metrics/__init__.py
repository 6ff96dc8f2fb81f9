"""Image similarity as pure functions with explicit data range."""
