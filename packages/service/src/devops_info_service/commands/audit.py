"""``audit``: the Pod Security Standards over manifests, and requests beside grants."""

import os
from collections.abc import Mapping, Sequence
from typing import Final

import msgspec

from devops_info_service import flags
from devops_info_service.catalog.formatting import size
from devops_info_service.errors import ConfigError, ServiceError
from devops_info_service.escape import printable, printable_json
from devops_info_service.manifests.comparison import ComparisonError, compare, container_of
from devops_info_service.manifests.render import Audited, sections
from devops_info_service.manifests.workloads import (
    MAX_BYTES,
    ObjectError,
    Skipped,
    Workload,
    workloads,
)
from devops_info_service.output import write_result
from devops_info_service.report.layout import WIDTH, render
from devops_info_service.snapshot import PlatformSnapshot
from devops_info_service.standards.requested.evaluate import (
    LEVELS,
    Level,
    checks_of,
    evaluate,
    is_allowed,
    parse_version,
)
from devops_info_service.standards.requested.pod import LATEST

AUDIT_SECONDS: Final = 600.0
"""Seconds that a pager may leave the result unread."""
LONG_BYTES: Final = 256 * 1024
"""From here on YAML takes more than a second or two to read, so a line announces it."""
STDIN: Final = "-"


class AuditError(ServiceError):
    """A file that cannot be read, or that has nothing to audit."""

    exit_status = 2


def run(args: Sequence[str], environ: Mapping[str, str]) -> int:
    """Audit the files and return the exit status.

    Raises:
        ConfigError: a flag is not allowed.
        AuditError: a file cannot be read, or nothing is in any.
        ServiceError: the result cannot be written.
    """
    parser = flags.parser(
        "devops-info-service audit",
        description="Apply the Pod Security Standards to manifests: YAML or JSON, any object that"
        " starts pods.",
        epilog="Exit status 0 if every pod is allowed, and with --against everything known was"
        " granted as requested; 1 if not; 2 if a file cannot be read or nothing is in any."
        " Example: helm template CHART | devops-info-service audit -",
    )
    parser.add_argument("files", metavar="FILE", nargs="+", help="manifest; - is standard input")
    parser.add_argument("--level", choices=LEVELS, default="restricted", help="default: restricted")
    parser.add_argument(
        "--kubernetes",
        metavar="VERSION",
        default=f"{LATEST[0]}.{LATEST[1]}",
        help="version of the standards, such as 1.31 (default: %(default)s, the newest known)",
    )
    parser.add_argument("--json", action="store_true", help="every check, on one line")
    parser.add_argument(
        "--against",
        metavar="REPORT",
        help="print where requested and granted differ: JSON of /platform or of report --json,"
        " from a container of the one pod in FILE",
    )
    parser.add_argument(
        "--container", metavar="NAME", default="", help="container of the report, if there are more"
    )
    options = parser.parse_args(args)
    if options.container and not options.against:
        raise ConfigError("--container: no report is given; expected --against beside it")
    if STDIN in options.files and options.against == STDIN:
        raise ConfigError("--against: only one of manifest and report can be standard input")
    version = _version(options.kubernetes)
    made = checks_of(options.level, version)
    found, skipped, errors = _read_all(options.files, version)
    audited = [Audited(each, evaluate(each.pod, made)) for each in found]
    if options.against and not errors:
        audited = [_against(audited, options.against, options.container)]
    if audited or skipped:
        _write(_result(audited, skipped, errors, options.level, options.json, environ))
    if errors:
        raise AuditError("; ".join(errors))
    if not audited and not skipped:
        raise AuditError(f"{' '.join(options.files)}: empty; expected an object of Kubernetes")
    differ = any(each.state == "different" for pod in audited for each in pod.differences)
    return 0 if all(is_allowed(each.findings) for each in audited) and not differ else 1


def _version(text: str) -> tuple[int, int]:
    try:
        version = parse_version(text)
    except ValueError:
        version = (0, 0)
    if not (1, 0) <= version < (2, 0):
        raise ConfigError(f"--kubernetes: invalid value {text!r}; expected one such as 1.31")
    return version


def _read_all(
    files: Sequence[str], version: tuple[int, int]
) -> tuple[list[Workload], list[Skipped], list[str]]:
    """Read every file; an error in one does not hide the others."""
    found: list[Workload] = []
    skipped: list[Skipped] = []
    errors = []
    for file in dict.fromkeys(files):
        name = "standard input" if file == STDIN else file
        try:
            for line, value in _documents(name, _text(file, name)):
                try:
                    for each in workloads(value, name, line, version):
                        (found if isinstance(each, Workload) else skipped).append(each)  # type: ignore[arg-type]
                except ObjectError as exc:
                    errors.append(f"{name}, document in line {line}: {printable(str(exc))}")
        except AuditError as exc:
            errors.append(str(exc))
    return found, skipped, errors


def _text(file: str, name: str) -> str:
    try:
        with open(0 if file == STDIN else file, "rb", closefd=file != STDIN) as stream:
            data = stream.read(MAX_BYTES + 1)
    except (OSError, ValueError) as exc:
        raise AuditError(f"{printable(name)}: {getattr(exc, 'strerror', None) or exc}") from None
    if len(data) > MAX_BYTES:
        raise AuditError(f"{name}: too large; expected {size(MAX_BYTES)} at most")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as exc:
        raise AuditError(f"{name}: byte {exc.start} is not UTF-8; expected YAML or JSON") from None


def _documents(name: str, text: str) -> list[tuple[int, object]]:
    if text.lstrip()[:1] == "{":
        try:
            # Of a name that comes twice the last one counts, as for kubectl.
            return [(1, msgspec.json.decode(text))]
        except (msgspec.DecodeError, RecursionError):
            pass  # a mapping of YAML may begin so
    if len(text) > LONG_BYTES:
        _announce(f"{name}: reading {size(len(text))} of YAML, some {len(text) // 150_000} s")
    from devops_info_service.manifests.yaml_values import ManifestError, documents  # noqa: PLC0415

    try:
        return list(documents(text))
    except ManifestError as exc:
        raise AuditError(f"{name}, {exc}") from None


def _announce(text: str) -> None:
    write_result(2, f"devops-info-service: {printable(text)}\n".encode())


def _against(audited: Sequence[Audited], file: str, container: str) -> Audited:
    if len(audited) != 1:
        names = ", ".join([each.workload.title for each in audited]) or "none"
        raise AuditError(
            f"--against: {len(audited)} pods in the manifests ({names}); expected one, that of the"
            " report"
        )
    name = "standard input" if file == STDIN else file
    try:
        snapshot = msgspec.json.decode(_text(file, name), type=PlatformSnapshot)
    except (msgspec.DecodeError, RecursionError) as exc:
        raise AuditError(
            f"{name}: {exc}; expected the JSON of /platform or of report --json, by this version"
        ) from None
    one = audited[0]
    try:
        chosen = container_of(one.workload, container)
        return msgspec.structs.replace(one, differences=compare(one.workload, chosen, snapshot))
    except (ComparisonError, ValueError) as exc:
        raise AuditError(f"{one.workload.file}: {printable(str(exc))}") from None


def _result(
    audited: Sequence[Audited],
    skipped: Sequence[Skipped],
    errors: Sequence[str],
    level: Level,
    as_json: bool,  # noqa: FBT001
    environ: Mapping[str, str],
) -> bytes:
    if not as_json:
        terminal = os.isatty(1)
        width = os.get_terminal_size(1).columns if terminal else WIDTH
        # https://no-color.org: set, and not empty.
        color = terminal and not environ.get("NO_COLOR") and environ.get("TERM") != "dumb"
        return render(sections(audited, skipped, level), width=width, color=color).encode(
            "utf-8", "backslashreplace"
        )
    pods = [
        {
            "file": each.workload.file,
            "line": each.workload.line,
            "kind": each.workload.kind,
            "namespace": each.workload.namespace,
            "name": each.workload.name,
            "allowed": is_allowed(each.findings),
            "checks": each.findings,
            "differences": each.differences,
        }
        for each in audited
    ]
    allowed = not errors and all(is_allowed(each.findings) for each in audited)
    document = {
        "level": level,
        "allowed": allowed,
        "pods": pods,
        "skipped": skipped,
        "errors": errors,
    }
    return printable_json(msgspec.json.encode(document)) + b"\n"


def _write(result: bytes) -> None:
    if reason := write_result(1, result, seconds=AUDIT_SECONDS):
        raise ServiceError(f"stdout: {reason}")
