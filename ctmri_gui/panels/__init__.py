"""What stands in the docks beside the views."""
