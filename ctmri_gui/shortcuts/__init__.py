"""Keys that the user may choose: what they are bound to, the dialog that changes them, the sheet that lists them."""
