"""Two pictures in one pane: through one another, beside one another, or their difference; and masks over them."""
