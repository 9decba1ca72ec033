"""Equal slots of memory, one for each process of a service: one writes, all read, no lock."""


class SharedSlots:
    """*count* slots of *size* bytes, zero at first; a slot outlives its process.

    Every process that is forked from now on shares them, unless *shared* is false.
    """

    __slots__ = ("_size", "bytes")

    def __init__(self, size: int, count: int = 1, *, shared: bool = True) -> None:
        self._size = size
        memory = _map(size * count) if shared else bytearray(size * count)
        self.bytes = memoryview(memory).cast("B")
        """All slots, one behind the other."""

    def slot(self, number: int) -> memoryview:
        """Return the bytes of slot *number*, from 0.

        Raises:
            IndexError: there is no such slot.
        """
        slot = self.bytes[number * self._size : (number + 1) * self._size]
        if len(slot) < self._size:
            raise IndexError(number)
        return slot


def _map(size: int) -> memoryview:
    # Anonymous: there may be no file to write. Pages that nothing is written to take no memory.
    import mmap  # noqa: PLC0415

    return memoryview(mmap.mmap(-1, size))
