"""Python services shipped as one static executable, in an image with nothing else in it."""

__version__ = "0.1.0"
