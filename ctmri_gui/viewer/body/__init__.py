"""The outline of the body: found, shown over the pictures, changed by hand, used by translations."""
