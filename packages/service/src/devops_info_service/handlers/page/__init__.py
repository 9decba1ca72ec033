"""The platform's report for people: one page, whole without a script and from nowhere else."""
