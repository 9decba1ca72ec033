"""Run pip for the executable's Python instead of this one, and no code of fetched files.

    pip_for_target.py MARKERS ARGUMENT…
    pip_for_target.py MARKERS files NAME… OPTION…

The second form prints the files the index has of these distributions, as JSON:
``[{"name": str, "sha256": hex or empty}, …]``.
MARKERS is a JSON object of marker variables (PEP 508). pip's own ``--python-version`` reaches
the choice of wheels, but not markers such as ``python_version >= "3.13"``.

A source distribution is a file here, and stays one. For its metadata pip would
unpack it and run its build back end, with a Python it is not built for, and install what that
needs. Its name and version are those of the request; where versions are chosen, so with MARKERS,
it needs what the metadata inside it states (``sdist_metadata.py``).

Every requirement with an address is rejected, but for those of onebin's own call, which have a
hash: other files come from the indexes of pip's settings, and are pinned by a hash afterwards.
A request has a limit of time, and an index that fails is named (``index_requests.py``).

Runs as a separate program with the interpreter that runs onebin, most often by ``resident.py``:
standard library, pip, and two modules beside it.
"""

import contextlib
import itertools
import json
import os
import platform
import resource
import sys
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from onebin.target import index_requests, sdist_metadata
else:  # beside this file: all of onebin would take its time to import
    sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
    import index_requests
    import sdist_metadata

    sys.path.pop(0)

MAX_FILE_BYTES = 2 << 30
"""Of a file pip writes: twice what the largest files on the public index have."""

MAX_MEMORY_BYTES = 4 << 30
"""Of pip's address space: the pages of an index and the metadata of a wheel have any size."""


def ready() -> None:
    """Import what each run needs, and replace parts of pip."""
    # Modules take this function by its name when they are imported: it is replaced before.
    from pip._internal.utils import unpacking  # noqa: PLC0415

    unpacking.unpack_file = leave_packed

    from pip._internal.commands import create_command  # noqa: PLC0415
    from pip._internal.distributions.sdist import SourceDistribution  # noqa: PLC0415
    from pip._internal.network import session  # noqa: PLC0415
    from pip._internal.resolution.resolvelib.factory import Factory  # noqa: PLC0415

    for name in ("download", "index", "install"):
        create_command(name)  # imports its module
    replace(session, "user_agent", user_agent)
    replace(SourceDistribution, "prepare_distribution_metadata", metadata_of_request)
    usual = Factory._make_requirements_from_install_req

    def from_an_index(self: Any, wanted: Any, *arguments: Any, **options: Any) -> Iterator[Any]:
        if wanted.link is not None and not wanted.user_supplied:
            refuse(f"{wanted.comes_from} asks for {wanted.name} by an address")
        return usual(self, wanted, *arguments, **options)

    replace(Factory, "_make_requirements_from_install_req", from_an_index)


def main(arguments: list[str]) -> int:
    """Run pip with the *arguments* after the first."""
    for which, limit in (
        (resource.RLIMIT_FSIZE, MAX_FILE_BYTES),
        (resource.RLIMIT_AS, MAX_MEMORY_BYTES),
    ):
        _, hard = resource.getrlimit(which)
        least = limit if hard == resource.RLIM_INFINITY else min(limit, hard)
        resource.setrlimit(which, (least, hard))
    from pip._internal.cli import cmdoptions  # noqa: PLC0415
    from pip._internal.cli.main import main as pip  # noqa: PLC0415
    from pip._internal.distributions.sdist import SourceDistribution  # noqa: PLC0415
    from pip._internal.exceptions import InstallationError  # noqa: PLC0415
    from pip._internal.network.session import PipSession  # noqa: PLC0415
    from pip._vendor.packaging import markers  # noqa: PLC0415

    requests = index_requests.Requests(InstallationError)
    replace(PipSession, "request", requests.limited(PipSession.request))

    environment, *arguments = arguments
    if variables := json.loads(environment):
        replace(markers, "default_environment", lambda: dict(variables))
        replace(SourceDistribution, "prepare_distribution_metadata", metadata_of_archive)
        # A source distribution states the same metadata for each platform: nothing is built.
        replace(cmdoptions, "check_dist_restriction", lambda *_, **__: None)
    at = arguments.index("files") if "files" in arguments else None
    status = pip(arguments) if at is None else list_files(arguments[:at], arguments[at + 1 :])
    if status:
        index_requests.write(requests.failures(), are_made=requests.are_made)
    return status


def list_files(settings: list[str], arguments: list[str]) -> int:
    """Print every file that pip sees of distributions, whether or not it would choose it."""
    from pip._internal.cli.main import main as pip  # noqa: PLC0415
    from pip._internal.index.package_finder import LinkEvaluator  # noqa: PLC0415

    found: dict[str, str] = {}
    usual = LinkEvaluator.evaluate_link

    def noted(self: Any, link: Any) -> Any:
        if link.filename.endswith((".whl", ".gz", ".zip", ".bz2", ".xz", ".tgz")):
            found[link.filename] = link.hash if link.hash_name == "sha256" else ""
        return usual(self, link)

    replace(LinkEvaluator, "evaluate_link", noted)
    share_session()
    names = [*itertools.takewhile(lambda word: not word.startswith("-"), arguments)]
    options = arguments[len(names) :]
    for name in names:
        before = len(found)
        with contextlib.redirect_stdout(sys.stderr):
            status = pip([*settings, "index", "versions", "--quiet", *options, name])
        if status and len(found) == before:  # else there is none that pip would choose, but files
            return int(status)
    json.dump([{"name": name, "sha256": sha256} for name, sha256 in found.items()], sys.stdout)
    return 0


def share_session() -> None:
    """Let all commands that read the index have one session, with one connection.

    A connection costs 90 ms, all of it to load the certificates that are trusted.
    """
    from pip._internal.commands import create_command  # noqa: PLC0415

    command = type(create_command("index"))
    usual = command._build_session  # type: ignore[attr-defined]
    opened: list[Any] = []

    def session(self: Any, *arguments: Any, **options: Any) -> Any:
        if not opened:
            opened.append(usual(self, *arguments, **options))
            opened[0].close = lambda: None  # as each command does at its end
        return opened[0]

    replace(command, "_build_session", session)


def replace(where: Any, name: str, new: Any) -> None:
    """Put *new* in the place of a part of pip; an error where this pip has no such part."""
    getattr(where, name)
    setattr(where, name, new)


def user_agent() -> str:
    """Return the User-Agent of requests: the programs, and nothing of the machine.

    pip's own User-Agent names the distribution, kernel, libc, OpenSSL and Rust compiler of the
    machine, and starts ``lsb_release`` and ``rustc`` for it.
    """
    from pip import __version__ as version  # noqa: PLC0415

    data = {
        "implementation": {"name": platform.python_implementation()},
        "installer": {"name": "pip", "version": version},
        "python": platform.python_version(),
        "user_data": "onebin",
    }
    return f"pip/{version} {json.dumps(data, separators=(',', ':'))}"


def leave_packed(*_: Any, **__: Any) -> None:
    """Replace the unpacking of a source distribution by nothing."""


def metadata_of_request(self: Any, *_: Any, **__: Any) -> None:
    """Replace the back end's metadata by the name and the version of the request."""
    wanted = self.req.req
    versions = [] if wanted is None else [item.version for item in wanted.specifier]
    if wanted is not None and self.req.user_supplied and wanted.url:
        versions = ["0"]  # an address states none, and only the file is kept
    if len(versions) != 1:
        refuse(f"{self.req} is a source distribution; its build back end is not run here")
    give_metadata(self.req, wanted.name, versions[0])


def metadata_of_archive(self: Any, *_: Any, **__: Any) -> None:
    """Replace the back end's metadata by what the files in the archive state."""
    found = sdist_metadata.stated(self.req.local_file_path or "", self.req.link.filename)
    if found is None:
        refuse(f"{self.req}: {self.req.link.filename} is not a source distribution")
        return
    name, version, lines = found
    give_metadata(self.req, name, version, lines)


def give_metadata(request: Any, name: str, version: str, lines: Iterable[str] = ()) -> None:
    """Let pip find the metadata of a source distribution, with further *lines*."""
    # Older pips read the name from the folder.
    folder_name = f"{name.replace('-', '_')}-{version}.dist-info"
    folder = os.path.join(request.unpacked_source_directory, folder_name)
    os.makedirs(folder)
    with open(os.path.join(folder, "METADATA"), "w", encoding="utf-8") as file:
        file.write(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
        file.writelines(f"{line}\n" for line in lines)
    request.metadata_directory = folder


def refuse(reason: str) -> None:
    """Stop pip with *reason* as its error."""
    from pip._internal.exceptions import InstallationError  # noqa: PLC0415

    raise InstallationError(reason)


if __name__ == "__main__":
    ready()
    sys.exit(main(sys.argv[1:]))
