"""One reader study: what it is, who has answered, and what may be done next."""
