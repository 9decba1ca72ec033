"""Worker processes: the pool's policy and the supervisor that forks them."""
