"""When a kept value is read again."""

import itertools

from devops_info_service.ttl_cache import Derived, TtlCache


class Reader:
    """Counts its reads; each takes *seconds*."""

    def __init__(self, seconds: float = 0.0) -> None:
        self.seconds = seconds
        self.now = 0.0
        self.reads = 0

    def read(self) -> int:
        self.now += self.seconds
        self.reads += 1
        return self.reads

    def monotonic(self) -> float:
        return self.now


def test_fresh() -> None:
    """A value serves until its time is over, and then a new one."""
    reader = Reader()
    cache = TtlCache(reader.read, 2.0, reader.monotonic)

    assert (cache.fresh(), reader.reads) == (None, 0)
    assert (cache.get(), cache.get(), cache.fresh()) == (1, 1, 1)
    reader.now = 1.99
    assert cache.get() == 1
    reader.now = 2.0
    assert (cache.fresh(), reader.reads) == (None, 1)
    assert (cache.get(), cache.fresh()) == (2, 2)


def test_slow_read() -> None:
    """The time counts from the end of a read, however long it takes."""
    reader = Reader(seconds=10.0)
    cache = TtlCache(reader.read, 1.0, reader.monotonic)

    assert (cache.get(), cache.get()) == (1, 1)
    reader.now += 1.0
    assert cache.get() == 2


def test_false_is_a_value() -> None:
    """A false value is kept like any other."""
    found = iter([False, True])
    cache = TtlCache(lambda: next(found), 1.0, lambda: 0.0)

    assert [cache.get(), cache.get(), cache.fresh()] == [False] * 3


def test_derived() -> None:
    """A result is kept for the same object, not for an equal one."""
    numbers = itertools.count()

    def number(_: list[int]) -> int:
        return next(numbers)

    derived = Derived(number)
    one, equal = [1], [1]

    assert [derived.of(each) for each in (one, one, equal, equal, one)] == [0, 0, 1, 1, 2]
