"""The catalog against the types of the snapshot."""

from typing import Any, get_args, get_origin, get_type_hints

import msgspec
import pytest

from devops_info_service.catalog.properties import PROPERTIES
from devops_info_service.catalog.property import Property
from devops_info_service.facts.fact import Known
from devops_info_service.report.sections import TITLES
from devops_info_service.snapshot import PlatformSnapshot


def is_fact(type_: Any) -> bool:
    """Whether *type_* is ``Fact`` of something."""
    return any(get_origin(each) is Known for each in get_args(type_))


def field(type_: Any, name: str) -> Any:
    """Return the type of a field."""
    return get_type_hints(get_origin(type_) or type_)[name]


@pytest.mark.parametrize("path", sorted({each.path for each in PROPERTIES}))
def test_paths(path: str) -> None:
    """Every path leads through fields that exist."""
    type_: Any = PlatformSnapshot
    for step in path.split("."):
        assert not is_fact(type_)
        type_ = field(type_, step)


def shown_alone(each: Property) -> bool:
    """Whether a view takes the value at the path unchanged."""
    named = each.shown is not None and each.rows is None
    measured = each.metric is not None and each.metric.samples is None
    expect = each.expect
    expected = expect is not None and expect.read is None and expect.kind != "profile"
    return named or measured or expected


@pytest.mark.parametrize("path", sorted({each.path for each in PROPERTIES if shown_alone(each)}))
def test_facts(path: str) -> None:
    """A value that a view takes unchanged is a fact."""
    type_: Any = PlatformSnapshot
    for step in path.split("."):
        type_ = field(type_, step)

    assert is_fact(type_)


def facts_of(type_: Any, path: str = "") -> list[str]:
    """List the paths of all facts below *type_*."""
    found = []
    for name, hint in get_type_hints(get_origin(type_) or type_).items():
        here = f"{path}.{name}".lstrip(".")
        bare = get_origin(hint) or hint
        if is_fact(hint):
            found.append(here)
        elif isinstance(bare, type) and issubclass(bare, msgspec.Struct):
            found += facts_of(hint, here)
    return found


def test_every_fact_is_shown() -> None:
    """No fact is in JSON alone; parts of one, and of the token, count as shown with it."""
    shown = {f"{each.path}." for each in PROPERTIES if each.path != "resources"}
    missing = {
        path for path in facts_of(PlatformSnapshot) if not f"{path}.".startswith(tuple(shown))
    }

    assert missing == {
        "resources.cgroup.namespaced",
        "resources.cpu.limit.above",
        "resources.cpu.waiting_nanoseconds",
        "resources.memory.high.above",
        "resources.memory.high.own",
        "resources.memory.limit.above",
        "resources.memory.swap_limit.above",
        "resources.memory.swap_limit.own",
        "resources.processes.limit.above",
        "security.service_account.ca",
        "security.service_account.namespace",
    }


def test_sections() -> None:
    """Every section that a property names has a title, and no other has one."""
    assert {each.shown for each in PROPERTIES if each.shown} == set(TITLES)


def test_metrics() -> None:
    """Metrics are of the part that a scrape reads, and no name comes twice."""
    measured = [each for each in PROPERTIES if each.metric]
    names = [each.metric.name for each in measured if each.metric]

    assert all(f"{each.path}.".startswith("resources.") for each in measured)
    assert len(names) == len(set(names))
