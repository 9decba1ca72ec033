"""Numbers that the processes of one service share: counters, route metrics, shutdown records."""
