raise RuntimeError("should not be here")
