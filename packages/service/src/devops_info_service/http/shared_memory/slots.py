"""Equal slots of memory, one for each process of a service: one writes, all read, no lock."""


class SharedSlots:
    """*count* slots of *size* bytes, zero at first; a slot outlives its process."""

    __slots__ = ("_size", "bytes")

    def __init__(self, memory: bytearray | memoryview, size: int) -> None:
        self._size = size
        self.bytes = memoryview(memory).cast("B")
        """All slots, one behind the other."""

    @classmethod
    def private(cls, size: int, count: int = 1) -> "SharedSlots":
        """Return the slots of a service that is one process."""
        return cls(bytearray(size * count), size)

    @classmethod
    def shared(cls, size: int, count: int = 1) -> "SharedSlots":
        """Return slots that every process forked from now on shares."""
        # Imported late: one process needs none. Anonymous: there may be no file to write.
        # Pages that nothing is written to take no memory.
        import mmap  # noqa: PLC0415

        return cls(memoryview(mmap.mmap(-1, size * count)), size)

    def slot(self, number: int) -> memoryview:
        """Return the bytes of slot *number*, from 0.

        Raises:
            IndexError: there is no such slot.
        """
        slot = self.bytes[number * self._size : (number + 1) * self._size]
        if len(slot) < self._size:
            raise IndexError(number)
        return slot
