NAME = [__name__, __file__.rpartition('/')[2]]
