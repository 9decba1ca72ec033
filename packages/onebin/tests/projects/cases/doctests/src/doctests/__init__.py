"""
>>> double(2)
4
"""
import doctest
import sys

def double(x):
    """
    >>> double("a")
    'aa'
    """
    return x * 2

def main():
    print(doctest.testmod(sys.modules[__name__]))
