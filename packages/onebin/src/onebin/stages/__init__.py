"""One module a stage: a value in, the next value out; no stage imports another."""
