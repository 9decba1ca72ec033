"""The tests of the whole repository, and in lib/ the parts that others share."""
