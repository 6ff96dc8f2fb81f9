"""The window of CT-MRI Studio."""
