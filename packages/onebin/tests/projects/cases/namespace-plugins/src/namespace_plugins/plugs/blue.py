ID = 2
