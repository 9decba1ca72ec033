import math


def main():
    """Print what needs the last bit: subnormal powers of two, the sign of a zero."""
    print([math.log2(2.0**power) == power for power in range(-1074, 1024)].count(False))
    print(math.log2(1e-308), math.log2(5e-324), math.log2(0.1))
    tiny = 1e-300
    zeros = [
        math.fma(tiny, -tiny, 0.0), math.fma(-tiny, tiny, -0.0), math.fma(0.0, -1.0, -0.0),
        math.fma(0.0, 1.0, -0.0), math.fma(-0.0, 1.0, 0.0), math.fma(1.0, 1.0, -1.0),
        math.fma(-1.0, 1.0, 1.0), math.fma(tiny, tiny, -0.0),
    ]  # fmt: skip
    print([math.copysign(1.0, zero) for zero in zeros], set(zeros))
    print(math.fma(0.1, 10.0, -1.0), math.fma(math.inf, 1.0, 0.0), math.fma(2.0, 3.0, 4.0))
