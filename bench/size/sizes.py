"""Build every contender; print sizes and contents of its image, write them as JSON.

usage, in the repository: python3 -m bench.size.sizes [--gate] [--only NAME]...

Needs an engine and the bases, and prepares both itself where a registry cannot be reached.
"""

import argparse
import ssl
import sys
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from bench.lib.harness import (
    ROOT,
    Machine,
    MeasureError,
    docker,
    log,
    machine,
    markdown_table,
    run,
    timed_step,
    write_results,
)

from . import image

_RESULTS: Final = Path(__file__).with_name("results.json")

_STAND_INS: Final = {
    "debian:trixie-slim": "debian:trixie-slim",
    "golang:1.22-alpine": "onebin-bench/golang:1.22-bookworm",
    "gcr.io/distroless/static:nonroot": "onebin-bench/distroless-static:nonroot",
    "python:3.13-slim": "onebin-bench/python:3.13-slim",
}
"""What ``.ci/prepare-bases`` makes for images that only a registry has."""

_MADE_HERE: Final = frozenset(name for name in _STAND_INS.values() if name not in _STAND_INS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Contender:
    """One way to ship the service."""

    name: str
    title: str
    dockerfile: Path
    context: Path
    bases: dict[str, str]
    """Build argument -> the image it stands for."""
    needs: tuple[str, ...] = ()
    """Images its Dockerfile names outright."""
    builder: str = ""
    """Its build stage; empty where there is none."""


_SCRATCH: Final = "scratch"
_DISTROLESS: Final = "gcr.io/distroless/static:nonroot"


def _service(name: str, title: str, base: str) -> Contender:
    return Contender(
        name=name,
        title=title,
        dockerfile=ROOT / "Dockerfile",
        context=ROOT,
        bases={"RUNTIME_BASE": base},
        needs=("debian:trixie-slim",),
        builder="builder",
    )


def _go(name: str, title: str, base: str) -> Contender:
    return Contender(
        name=name,
        title=title,
        dockerfile=ROOT / "reference/go/Dockerfile",
        context=ROOT / "reference/go",
        bases={"BUILDER_BASE": "golang:1.22-alpine", "RUNTIME_BASE": base},
        builder="builder",
    )


CONTENDERS: Final = (
    _service("service", "the service, on the empty base", _SCRATCH),
    _service("service-distroless", "the service, on distroless", _DISTROLESS),
    _go("go", "the Go original, on distroless", _DISTROLESS),
    _go("go-scratch", "the Go original, on the empty base", _SCRATCH),
    Contender(
        name="python",
        title="the usual Python image",
        dockerfile=ROOT / "bench/size/python-usual/Dockerfile",
        context=ROOT / "packages/service",
        bases={"BASE": "python:3.13-slim"},
    ),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What one contender came to."""

    name: str
    title: str
    bases: tuple[str, ...]
    """The images it was built on here, stand-ins by their own names."""
    builder_bytes: int
    """The build stage, unpacked; 0 where there is none."""
    contents: image.Contents


@dataclass(frozen=True, slots=True, kw_only=True)
class Ratio:
    """Two contenders, the first divided by the second: below 1 the first is smaller."""

    title: str
    unpacked: float
    compressed: float


GATE: Final = ("service", "go")
"""The shipped image must be smaller than that of the Go original, but for its tools in gzip."""

TOOLS_BYTES: Final = 60_000
"""The most that tools and load generator, which the original lacks, may cost in gzip."""

PAIRS: Final = (
    ("the service / the Go original", *GATE),
    ("the service / Go, both on the empty base", "service", "go-scratch"),
    ("the service / Go, both on distroless", "service-distroless", "go"),
    ("the service / the usual Python image", "service", "python"),
)


class Workshop:
    """An engine, the bases it could get, and a folder for saved images."""

    def __init__(self, client: str, folder: Path) -> None:
        self._client = client
        self._folder = folder
        self._have: dict[str, str] = {_SCRATCH: _SCRATCH}

    def engine(self) -> str:
        """Name the engine's version."""
        return run([self._client, "version", "--format", "{{.Server.Version}}"]).strip()

    def measure(self, contender: Contender) -> Result:
        """Build *contender* and read its image.

        Raises:
            MeasureError: its Dockerfile is not there, or its build failed.
        """
        if not contender.dockerfile.is_file():
            raise MeasureError(f"there is no {contender.dockerfile.relative_to(ROOT)} to build")
        for image_name in contender.needs:
            self._base(image_name)
        bases = {name: self._base(wanted) for name, wanted in contender.bases.items()}
        builder_bytes = 0
        if contender.builder:
            with self._saved(contender, bases, contender.builder) as saved:
                builder_bytes = image.unpacked_bytes(saved)
        with self._saved(contender, bases) as saved:
            contents = image.read(saved)
        return Result(
            name=contender.name,
            title=contender.title,
            bases=tuple(bases.values()),
            builder_bytes=builder_bytes,
            contents=contents,
        )

    @contextmanager
    def _saved(
        self, contender: Contender, bases: dict[str, str], stage: str = ""
    ) -> Iterator[Path]:
        tag = f"onebin-bench/size-{contender.name}:{stage or 'final'}"
        argv = [self._client, "build", "--quiet", "--tag", tag]
        argv += ["--file", str(contender.dockerfile)]
        for name, base in bases.items():
            argv += ["--build-arg", f"{name}={base}"]
        if stage:
            argv += ["--target", stage]
        if certificates := _certificates():
            argv += ["--secret", f"id=ca,src={certificates}"]
        what = f"{contender.title}: the {stage} stage" if stage else contender.title
        with timed_step(f"building {what}"):
            run([*argv, str(contender.context)], env={"DOCKER_BUILDKIT": "1"})
        saved = self._folder / "image.tar"
        with timed_step(f"reading {what}"):
            run([self._client, "save", "--output", saved, tag])
            yield saved
        saved.unlink()

    def _base(self, wanted: str) -> str:
        """Return *wanted* where a registry gives it, and else our stand-in."""
        if wanted not in self._have:
            try:
                run(["timeout", "20", self._client, "manifest", "inspect", wanted])
                self._have[wanted] = wanted
            except MeasureError:
                stand_in = _STAND_INS[wanted]
                instead = "making it" if stand_in == wanted else f"using {stand_in}"
                log(f"no registry here gives {wanted}, {instead}")
                run([ROOT / ".ci/prepare-bases", stand_in])
                self._have[wanted] = stand_in
        return self._have[wanted]


def _certificates() -> Path | None:
    """Return this machine's bundle: behind a proxy that inspects TLS, builds need it too."""
    named = ssl.get_default_verify_paths().cafile
    for bundle in (named, "/etc/ssl/certs/ca-certificates.crt"):
        if bundle and Path(bundle).is_file():
            return Path(bundle)
    return None


def ratios(results: Iterable[Result]) -> tuple[Ratio, ...]:
    """Divide each pair both of whose sides were measured."""
    by_name = {result.name: result.contents for result in results}
    return tuple(
        Ratio(
            title=title,
            unpacked=by_name[one].unpacked_bytes / by_name[other].unpacked_bytes,
            compressed=by_name[one].gzip_bytes / by_name[other].gzip_bytes,
        )
        for title, one, other in PAIRS
        if one in by_name and other in by_name
    )


def table(results: Sequence[Result], divided: Sequence[Ratio]) -> str:
    """Render the results for a terminal or a Markdown file: sizes in MB of 10**6 bytes."""
    head = (
        "image",
        "builder",
        "unpacked",
        "as tar",
        "gzip -9",
        "files",
        "executables",
        "shells",
        "package managers",
        "setuid",
        "user",
    )
    rows = [
        (
            result.title,
            _mb(result.builder_bytes, digits=0) if result.builder_bytes else "none",
            _mb(result.contents.unpacked_bytes),
            _mb(result.contents.tar_bytes),
            _mb(result.contents.gzip_bytes),
            str(result.contents.files),
            str(result.contents.executables),
            _names(result.contents.shells),
            _names(result.contents.package_managers),
            str(len(result.contents.setuid)),
            result.contents.user,
        )
        for result in results
    ]
    ratio_head = ("ratio", "unpacked", "compressed")
    ratio_rows = [
        (ratio.title, _verdict(ratio.unpacked), _verdict(ratio.compressed)) for ratio in divided
    ]
    parts = [markdown_table(head, rows), markdown_table(ratio_head, ratio_rows)]
    if stand_ins := sorted({base for result in results for base in result.bases} & _MADE_HERE):
        parts.append(f"Stand-ins, smaller than the images they replace: {', '.join(stand_ins)}.")
    return "\n\n".join(parts)


def _mb(size: int, *, digits: int = 2) -> str:
    return f"{size / 1e6:.{digits}f} MB"


def _names(names: Sequence[str]) -> str:
    return " ".join(names) or "none"


def _verdict(ratio: float) -> str:
    return f"{ratio:.3f}" if ratio < 1 else f"{ratio:.3f}, the other is smaller"


def _write(results: Sequence[Result], divided: Sequence[Ratio], on: Machine, engine: str) -> None:
    document = {
        "machine": asdict(on),
        "engine": engine,
        "images": [asdict(result) for result in results],
        "ratios": [asdict(ratio) for ratio in divided],
    }
    write_results(_RESULTS, document)


def main(argv: Sequence[str] | None = None) -> int:
    """Measure, print, and with ``--gate`` judge."""
    parser = argparse.ArgumentParser(prog="sizes", description=__doc__)
    parser.add_argument(
        "--gate",
        action="store_true",
        help="exit 1 unless the image is smaller than Go's; in gzip its tools may cost 60 kB",
    )
    parser.add_argument(
        "--only",
        action="append",
        choices=[contender.name for contender in CONTENDERS],
        help="measure this one; may be given again. Writes no results.json",
    )
    options = parser.parse_args(argv)
    chosen = [one for one in CONTENDERS if not options.only or one.name in options.only]
    try:
        with tempfile.TemporaryDirectory() as folder:
            workshop = Workshop(docker(), Path(folder))
            on, engine = machine(), workshop.engine()
            results = [workshop.measure(contender) for contender in chosen]
    except MeasureError as error:
        log(f"sizes: {error}")
        return 2
    divided = ratios(results)
    print(f"{on}, Docker {engine}\n\n{table(results, divided)}")
    if not options.only:
        _write(results, divided, on, engine)
    if options.gate:
        return _judge(results)
    return 0


def _judge(results: Sequence[Result]) -> int:
    by_name = {result.name: result.contents for result in results}
    if not set(GATE) <= set(by_name):
        log(f"gate: it compares {' with '.join(GATE)}, and one of them was not measured")
        return 2
    service, original = (by_name[name] for name in GATE)
    failed = [
        f"{what} {mine:,} bytes, not under {other:,}"
        for what, mine, other in (
            ("unpacked", service.unpacked_bytes, original.unpacked_bytes),
            ("compressed", service.gzip_bytes, original.gzip_bytes + TOOLS_BYTES),
        )
        if mine >= other
    ]
    for line in failed:
        log(f"gate: the image is {line}, the Go original's limit")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
