"""Training from the window: starting runs, following them, what became of them."""
