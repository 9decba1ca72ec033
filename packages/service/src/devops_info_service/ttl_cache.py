"""Values kept for a time, and values computed once for each input."""

from collections.abc import Callable
from typing import Generic, TypeVar

S = TypeVar("S")
T = TypeVar("T")


class TtlCache(Generic[T]):
    """Keeps what *read* returned, never ``None``, for *seconds* of the clock *monotonic*.

    The time counts from the end of a read: a slow read is not followed by the next one at once.
    """

    __slots__ = ("_monotonic", "_read", "_seconds", "_until", "_value")

    def __init__(
        self, read: Callable[[], T], seconds: float, monotonic: Callable[[], float]
    ) -> None:
        self._read = read
        self._seconds = seconds
        self._monotonic = monotonic
        self._value: T | None = None
        self._until = float("-inf")

    def get(self) -> T:
        """Return the kept value while it is fresh, else read a new one."""
        value = self.fresh()
        return self.renew() if value is None else value

    def renew(self) -> T:
        """Read a new one, however fresh the kept value is."""
        value = self._value = self._read()
        self._until = self._monotonic() + self._seconds
        return value

    def fresh(self) -> T | None:
        """Return the kept value while it is fresh; read nothing."""
        return self._value if self._monotonic() < self._until else None


class Derived(Generic[S, T]):
    """Keeps ``compute(source)``, never ``None``, while *source* is the same object."""

    __slots__ = ("_compute", "_source", "_value")

    def __init__(self, compute: Callable[[S], T]) -> None:
        self._compute = compute
        self._source: S | None = None
        self._value: T | None = None

    def of(self, source: S) -> T:
        """Return the value computed from *source*."""
        value = self._value
        if value is None or source is not self._source:
            value = self._value = self._compute(source)
            self._source = source
        return value
