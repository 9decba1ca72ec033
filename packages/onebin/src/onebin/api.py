"""The public functions of onebin, over ``pipeline``; import them from ``onebin``."""

from pathlib import Path
from typing import Literal

from onebin import decide, inputs, inspection, pipeline
from onebin.image import reference as references
from onebin.image import spec
from onebin.image.bill_formats import FORMATS
from onebin.image.image import Image
from onebin.image.index import Index
from onebin.inspection import Report
from onebin.model import Plan, Project
from onebin.pipeline import BuildResult
from onebin.publish import Destination
from onebin.publish import publish as publish_to
from onebin.tools import Tools


def plan(project: Path | str, *, tools: Tools | None = None) -> Plan:
    """Decide how *project* is built, and how each of its dependencies comes in.

    Nothing is written but the cache: without a lock, ``Plan.is_locked`` is False and the
    dependencies are those that the index gives now.

    Args:
        project: A directory, a script or a wheel.
        tools: Effects and machine; this machine's, with no progress, if absent.

    Raises:
        OnebinError: the project or the machine must change.
    """
    tools = tools or Tools.for_this_machine()
    read = _read(project, tools)
    return decide.plan_whole(read, tools)


def build(project: Path | str, *, tools: Tools | None = None) -> BuildResult:
    """Build *project* into one static executable, in the cache: ``BuildResult.binary.path``.

    Args:
        project: A directory, a script or a wheel; a missing lock is written.
        tools: Effects and machine; this machine's, with no progress, if absent.

    Raises:
        OnebinError: the project or the machine must change.
    """
    tools = tools or Tools.for_this_machine()
    return pipeline.build(_read(project, tools), tools)


def _read(project: Path | str, tools: Tools) -> Project:
    return inputs.find(Path(project), ctx=tools.context).project()


def image(result: BuildResult, *, epoch: int = 0, tools: Tools | None = None) -> Image:
    """Make the image that runs the executable of *result* and holds nothing else.

    Args:
        result: What ``build`` returned.
        epoch: Its date, in seconds since 1970, as ``SOURCE_DATE_EPOCH``.
        tools: Effects and machine; this machine's, with no progress, if absent.

    Raises:
        OnebinError: the executable changed since it was built, or a setting is out of range.
    """
    return pipeline.image(result, tools or Tools.for_this_machine(), epoch=epoch)


def publish(image: Image | Index, reference: str, *destinations: Destination) -> spec.Descriptor:
    """Write *image* to each of *destinations* under the name *reference*: ``app:1.2``.

    Destinations are the classes of ``onebin.publish.DESTINATIONS``, or any ``Destination``.

    Raises:
        OnebinError: a name is malformed, or a destination cannot be written.
    """
    return publish_to(image, references.parse(reference), destinations)


def inspect(path: Path | str) -> Report:
    """Report what an executable, an OCI layout or an archive contains, and check it.

    Raises:
        OnebinError: there is nothing, or something else.
    """
    return inspection.inspect(Path(path))


def sbom(
    result: BuildResult,
    *,
    format: Literal["spdx", "cyclonedx"] = "spdx",  # noqa: A002  (the word of the command line)
    epoch: int = 0,
) -> bytes:
    """Return the bill of materials of *result* as SPDX 2.3 or CycloneDX 1.6, in JSON.

    Args:
        result: What ``build`` returned.
        format: Which of the two.
        epoch: Its date, in seconds since 1970, as ``SOURCE_DATE_EPOCH``.

    Raises:
        OnebinError: the date is out of range.
    """
    return FORMATS[format].document(result.bill, epoch)
