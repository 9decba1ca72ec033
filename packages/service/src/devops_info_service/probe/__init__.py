"""System calls tried one by one, each in a separate process; on request only."""
