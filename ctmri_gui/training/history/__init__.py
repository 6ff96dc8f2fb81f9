"""What became of runs: the table of all, one looked at, several compared, the verdict on one."""
