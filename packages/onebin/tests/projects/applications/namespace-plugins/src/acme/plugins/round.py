class Round:
    def area(self, r):
        return round(3.14 * r * r)
