"""Plain supervised regression: a network and the mean absolute error."""
