"""Reader studies in the window: set up, made, opened, followed, closed, analysed. Reading itself is a process of its own."""
