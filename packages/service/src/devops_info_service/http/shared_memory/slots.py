"""Equal slots of memory, one for each process of a service: one writes, all read, no lock."""

import mmap


class SharedSlots:
    """*count* slots of *size* bytes, zero at first; every process forked from now on shares them.

    A slot outlives its process. The memory is anonymous, as there may be no file to write, and
    pages that nothing is written to take none: a ``bytearray`` would take all of its size.
    """

    __slots__ = ("_size", "bytes")

    def __init__(self, size: int, count: int = 1) -> None:
        self._size = size
        self.bytes = memoryview(mmap.mmap(-1, size * count)).cast("B")
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
