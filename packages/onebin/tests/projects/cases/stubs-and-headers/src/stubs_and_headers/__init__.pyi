from .deep import slow as slow
