"""The same facts as text, for a terminal or the log of a job."""
