"""The formats of a bill of materials."""

from collections.abc import Callable
from typing import Final

import msgspec

from . import cyclonedx, spdx
from .bill import Bill


class Format(msgspec.Struct, frozen=True):
    """One format."""

    name: str
    media_type: str
    document: Callable[[Bill, int], bytes]
    """From a bill and its date (seconds) to the bytes of a document."""


FORMATS: Final = {
    "spdx": Format("spdx", spdx.MEDIA_TYPE, spdx.document),
    "cyclonedx": Format("cyclonedx", cyclonedx.MEDIA_TYPE, cyclonedx.document),
}
