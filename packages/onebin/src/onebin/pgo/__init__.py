"""Profile-guided optimization: counters of a run to the compiler's profile."""
