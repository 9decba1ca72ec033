"""The releases of CPython that are pinned, and until when each series is supported."""

from typing import Final

import msgspec


class Release(msgspec.Struct, frozen=True):
    """One release of CPython, by the sha256 of its ``.tar.xz``."""

    version: str
    sha256: str
    bug_fixes_until: str
    """Month, as the series' release schedule has it (PEP 719, 745, 790)."""
    supported_until: str
    """Month of its last security fix."""

    @property
    def series(self) -> str:
        """``3.13``."""
        return ".".join(self.version.split(".")[:2])

    @property
    def is_final(self) -> bool:
        """Whether it is a release for use: only such a one is chosen without being named."""
        return self.version.replace(".", "").isdigit()

    @property
    def support(self) -> str:
        """Until when it gets fixes, in words."""
        candidate = "" if self.is_final else "a release candidate; "
        return (
            f"{candidate}bug fixes until {self.bug_fixes_until}, security fixes until "
            f"{self.supported_until}"
        )


RELEASES: Final = (
    Release(
        "3.13.5", "93e583f243454e6e9e4588ca2c2662206ad961659863277afcdb96801647d640",
        "2026-10", "2029-10",
    ),
    Release(
        "3.13.15", "1e66a7945a48390ee4c2a4268a0e4185884059a13c4aab6d148aa208deea4a76",
        "2026-10", "2029-10",
    ),
    Release(
        "3.14.7", "3b48dac8fb59f62eaa67ac83c1eb12bda1b7a08406dd286e252c11a66be27f81",
        "2027-10", "2030-10",
    ),
    Release(
        "3.15.0rc1", "f84dad680ab2147417d2739355c2678f0f9acffe4ae8ef77895de1454b384b07",
        "2028-10", "2031-10",
    ),
)  # fmt: skip
"""Oldest first; ``make update-runtime`` moves them."""

DEFAULT_SERIES: Final = next(item for item in reversed(RELEASES) if item.is_final).series
"""Taken where nothing excludes it: the newest, which gets fixes for the longest time."""

RELEASE: Final = next(item for item in reversed(RELEASES) if item.series == DEFAULT_SERIES).version
"""The CPython of an executable, unless the project chooses one."""
