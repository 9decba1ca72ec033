"""pip's options for files that fit: for the executable's Python, for builds on this machine."""

from typing import Final

from packaging import tags

from onebin.model import Machine

# A static interpreter can import Python code alone; everything else is built from source.
PURE: Final = (
    "--only-binary",
    ":all:",
    "--platform",
    "any",
    "--implementation",
    "py",
    "--abi",
    "none",
)


# A source distribution must support another Python than this.
SOURCE: Final = ("--no-binary", ":all:", "--ignore-requires-python")


def pure(python: str) -> list[str]:
    """Return pip's options for wheels that any implementation of *python* can import."""
    return [*PURE, "--python-version", python]


def installable(python: str, machine: Machine) -> list[str]:
    """Return pip's options for wheels that pip would install for *python* on *machine*."""
    platforms = [
        f"--platform={tag}_{machine}"
        for tag in ("manylinux_2_28", "manylinux_2_17", "manylinux2014", "musllinux_1_2")
    ]
    abi = "cp" + "".join(python.split(".")[:2])
    return [
        "--only-binary", ":all:", "--implementation", "cp", f"--abi={abi}", "--abi=abi3",
        "--abi=none", *platforms, "--platform=any", "--python-version", python,
    ]  # fmt: skip


def choosable(python: str, machine: Machine) -> list[str]:
    """Return pip's options as ``installable`` does, and a source where there is no wheel.

    Many a distribution of pure Python has no wheel.
    """
    fits = installable(python, machine)
    return ["--prefer-binary", *fits[fits.index(":all:") + 1 :]]


def programs(python: str) -> list[str]:
    """Return pip's options for wheels that run on this machine under *python*, and load no code.

    Beside pure Python those with programs for this machine: ``py3-none-manylinux_2_17_x86_64``.
    """
    here = [f"--platform={platform}" for platform in tags.platform_tags()]
    return [*pure(python), *here]
