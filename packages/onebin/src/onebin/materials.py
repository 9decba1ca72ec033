"""The bill of materials of a build: what its parts are, by their pins, archives and metadata."""

import re
from collections.abc import Iterable, Iterator, Sequence
from email.parser import HeaderParser
from importlib.util import find_spec
from pathlib import Path
from typing import Final

import msgspec
from packaging.licenses import InvalidLicenseExpression, canonicalize_license_expression

from onebin.distributions import install
from onebin.effects.context import Context
from onebin.freezing import Frozen
from onebin.image.bill import Bill, Material
from onebin.model import (
    Binary,
    BuiltLibrary,
    Distribution,
    Offer,
    Plan,
    Project,
    Runtime,
    Source,
    Toolchain,
)
from onebin.version import VERSION

CACHE_VERSION: Final = 2
"""Raised when the bill of the same executable changes: part of the key."""

MAX_TEXT: Final = 200
"""Characters of a license that is stated in words: some state all of its text."""

CLASSIFIERS: Final = {
    "Apache Software License": "Apache-2.0",
    "GNU General Public License v2 (GPLv2)": "GPL-2.0-only",
    "GNU General Public License v3 (GPLv3)": "GPL-3.0-only",
    "GNU Lesser General Public License v2 or later (LGPLv2+)": "LGPL-2.0-or-later",
    "GNU Lesser General Public License v3 (LGPLv3)": "LGPL-3.0-only",
    "GNU Lesser General Public License v3 or later (LGPLv3+)": "LGPL-3.0-or-later",
    "ISC License (ISCL)": "ISC",
    "MIT License": "MIT",
    "MIT No Attribution License (MIT-0)": "MIT-0",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
    "Python Software Foundation License": "PSF-2.0",
    "The Unlicense (Unlicense)": "Unlicense",
    "Zope Public License": "ZPL-2.1",
}
"""Classifiers that name one license (PEP 639, appendix "Mapping"); "BSD License" names several."""

MUSL: Final = rb"1\.(?<=\x001\.)\d+\.\d+(?=\0)"
"""Its release in its archive, between zeros; begun with one, of which there are many, the search
takes four times as long."""

HACL: Final = frozenset({"_md5", "_sha1", "_sha2", "_sha3", "_blake2", "_hmac"})
"""C modules of CPython over its copy of HACL*."""


class KeptBill(msgspec.Struct, frozen=True):
    """Step: the bill of an executable, found again by the executable's hash."""

    sha256: str
    bill: Bill | None = None
    """None to find it."""
    kind = "bill"

    def key(self) -> tuple[object, ...]:
        """Return the hash."""
        return CACHE_VERSION, self.sha256

    def make(self, folder: Path, _: Context) -> None:
        """Keep it."""
        Path(folder, "bill.json").write_bytes(msgspec.json.encode(self.bill))

    def load(self, folder: Path) -> Bill:
        """Return it."""
        return msgspec.json.decode(Path(folder, "bill.json").read_bytes(), type=Bill)


class Parts(msgspec.Struct, frozen=True):
    """What a build has put together."""

    plan: Plan
    runtime: Runtime
    toolchain: Toolchain
    frozen: Frozen
    libraries: tuple[BuiltLibrary, ...]


def bill(parts: Parts, binary: Binary) -> Bill:
    """Return the bill of *binary*, which is made of *parts*."""
    project = parts.plan.project
    license_, text = _license_of(project.license)
    found = {
        *_c_materials(parts),
        *map(_library, parts.libraries),
        *_distributions(parts),
    }
    return Bill(
        name=project.name,
        version=project.version,
        description=project.description,
        license=license_,
        license_text=text,
        sha256=binary.sha256,
        size=binary.size,
        machine=binary.machine,
        made_by=f"onebin {VERSION}",
        materials=tuple(
            sorted(found, key=lambda item: (item.name.lower(), item.version, item.file))
        ),
    )


def _c_materials(parts: Parts) -> Iterator[Material]:
    """Yield CPython and its copies of libraries, the C library, the code around them."""
    plan, runtime, builtins = parts.plan, parts.runtime, set(parts.frozen.selection.builtins)
    yield _pinned(plan.python, "interpreter", "PSF-2.0", plan.python.version or plan.series)
    if "zlib" in builtins:
        yield _pinned(plan.zlib, "library", "Zlib")
    copies = f"of CPython {plan.python.version}'s source"
    if "pyexpat" in builtins:
        version = _in_archive(runtime.archives, "libexpat", rb"expat_(\d+\.\d+\.\d+)")
        yield Material(
            name="expat", version=version, kind="library", license="MIT", note=f"a copy {copies}"
        )
    if "_decimal" in builtins and "_decimal" in runtime.builtins:
        version = _in_archive(runtime.archives, "libmpdec", rb"\0(\d+\.\d+\.\d+)\0")
        yield Material(
            name="mpdecimal", version=version, kind="library", license="BSD-2-Clause",
            note=f"a copy {copies}",
        )  # fmt: skip
    if HACL & builtins:
        note = f"a copy {copies}, which names no release"
        yield Material(name="HACL*", kind="library", license="MIT", note=note)
    compiler = f"source and headers of {plan.toolchain}"
    version = _in_archive(parts.toolchain.libraries, "libc.a", MUSL)
    yield Material(name="musl", version=version, kind="library", license="MIT", note=compiler)
    zig, _, release = plan.toolchain.partition(" ")
    yield Material(
        name="zig", version=release, kind="library", license="MIT",
        note=f"compiler_rt and parts of the C library, of the distribution {zig} {release}",
    )  # fmt: skip
    if install.needs_cxx(parts.frozen.selection.extensions):
        yield Material(
            name="libc++", version=_llvm_version(), kind="library",
            license="Apache-2.0 WITH LLVM-exception", note=compiler,
        )  # fmt: skip
    yield Material(
        name="onebin", version=VERSION, kind="library", license="MIT",
        note="main, the files inside, the importer",
    )  # fmt: skip


def _library(library: BuiltLibrary) -> Material:
    found = _pinned(library.source, "library", library.license)
    return msgspec.structs.replace(found, changed_files=library.changed_files)


def _pinned(source: Source, kind: str, license_expression: str, version: str = "") -> Material:
    """Return C code of a pinned source."""
    is_fetched = bool(source.sha256)
    file = source.url.rpartition("/")[2] or source.debian_file
    note = "" if source.url else "the tarball of Debian's source package"
    return Material(
        name=source.name,
        version=version or source.version,
        kind="interpreter" if kind == "interpreter" else "library",
        license=license_expression,
        file=file if is_fetched else "",
        url=source.url if is_fetched else "",
        sha256=source.sha256,
        note=note if is_fetched else "a directory, unchecked: tool.onebin.python-source",
    )


def _in_archive(archives: Iterable[Path], name: str, pattern: bytes) -> str:
    """Return the version that the archive *name* itself contains; empty unless it is one."""
    found = set[bytes]()
    for archive in archives:
        if name in archive.name:
            found.update(re.findall(pattern, archive.read_bytes()))
    return found.pop().decode() if len(found) == 1 else ""


def _llvm_version() -> str:
    """Return the release of LLVM whose libraries the compiler brings, as its header states it."""
    spec = find_spec("ziglang")
    for folder in (spec and spec.submodule_search_locations) or ():
        header = Path(folder, "lib/libcxx/include/__config")
        text = header.read_text("utf-8", "replace") if header.is_file() else ""
        if digits := re.search(r"# *define _LIBCPP_VERSION (\d{2})(\d{2})(\d{2})\b", text):
            return ".".join(str(int(part)) for part in digits.groups())
    return ""


def _distributions(parts: Parts) -> Iterator[Material]:
    offers = {item.pin.name: item for item in parts.plan.offers if isinstance(item, Offer)}
    for item in _inside(parts.plan.project, parts.frozen):
        pin, offer = item.pin, offers.get(item.pin.name)
        expression, text = license_of(item)
        known = {digest.removeprefix("sha256:") for digest in pin.hashes}
        sha256 = offer.sha256 if offer else ""
        note = ""
        if offer and offer.provider != "pure":
            note = "built from its source"
        elif not offer:
            note = "installed with onebin"
        yield Material(
            name=pin.name,
            version=pin.version,
            kind="distribution",
            license=expression,
            license_text=text,
            file=offer.file if offer else "",
            sha256=sha256 or (known.pop() if len(known) == 1 else ""),
            note=note,
        )


def _inside(project: Project, frozen: Frozen) -> Sequence[Distribution]:
    """Return the distributions that are in the executable, at least in part."""
    if project.is_whole:
        return frozen.distributions
    paths = [item.path for item in frozen.selection.modules.values()]
    linked = set(frozen.selection.extensions)
    return [
        item
        for item in frozen.distributions
        if linked & set(item.extensions) or any(path.is_relative_to(item.code) for path in paths)
    ]


def license_of(distribution: Distribution) -> tuple[str, str]:
    """Return the license as an SPDX expression, and as it is stated otherwise.

    Source: core metadata 2.4; the older fields where that one is missing.
    """
    files = sorted(distribution.code.glob("*.dist-info/METADATA"))
    head = HeaderParser().parsestr(files[0].read_text("utf-8", "replace") if files else "")
    expression, text = _license_of(str(head.get("License-Expression", "")))
    if not expression:
        expression, other = _license_of(str(head.get("License", "")))
        text = text or other
    if expression:
        return expression, ""
    names = [line.rpartition(" :: ")[2] for line in map(str, head.get_all("Classifier") or ())
             if line.startswith("License ::")]  # fmt: skip
    known = {CLASSIFIERS[name] for name in names if name in CLASSIFIERS}
    if len(known) == 1 and len(known) == len(names):
        return known.pop(), text
    return "", text or "; ".join(names)


def _license_of(stated: str) -> tuple[str, str]:
    """Return *stated* as an SPDX expression, or as one line of text."""
    stated = stated.strip()
    if stated.upper() in {"", "UNKNOWN"}:
        return "", ""
    try:
        return str(canonicalize_license_expression(stated)), ""
    except InvalidLicenseExpression:
        line = " ".join(stated.split())
        return "", line if len(line) <= MAX_TEXT else f"{line[:MAX_TEXT]}…"
