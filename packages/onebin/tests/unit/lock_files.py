"""Locks of generated projects: one graph, written in each format, and its meaning."""

import json
from collections.abc import Iterable, Iterator

import msgspec
from hypothesis import strategies as st

from onebin.locks.wanted import Wanted

TRUE = ("", "sys_platform == 'linux'", "python_version >= '3.11' and os_name != 'nt'",
        "'linux' in sys_platform", "(platform_machine == 'x86_64')")  # fmt: skip
FALSE = ("sys_platform == 'win32'", "python_full_version < '3.9'", "os_name == 'nt'",
         "platform_python_implementation != 'CPython'")  # fmt: skip
EXTRAS = ("red", "blue")
GROUPS = ("dev", "more")
COMMIT = "0123456789" * 4
ORIGINS = {
    "git": ("git", "https://user:secret@forge.invalid/x", COMMIT, "in/it"),
    "path": ("directory", "../x", "", ""),
    "file": ("file", "files/x-1-py3-none-any.whl", "", ""),
    "url": ("url", "https://user:secret@h.invalid/x.tar.gz", "", ""),
}
"""Kinds of packages that a lock pins without an index: kind, address, commit, folder."""

GIT = ORIGINS["git"][1]
HASHED = ("index", "file", "url")
UNPINNED = ("branch", "unhashed")
"""Kinds of packages that a lock names and does not pin."""


class Edge(msgspec.Struct, frozen=True):
    """What a package needs of another: under a marker, and if one of its extras is wanted."""

    to: int
    marker: str
    own_extra: str
    extras: tuple[str, ...]


class Node(msgspec.Struct, frozen=True):
    """A package of the lock; ``kind`` is where it comes from."""

    name: str
    version: str
    kind: str
    edges: tuple[Edge, ...]


class Graph(msgspec.Struct, frozen=True):
    """A lock: its packages, and what the project, its extras and its groups need."""

    nodes: tuple[Node, ...]
    main: tuple[Edge, ...]
    extras: dict[str, tuple[Edge, ...]]
    groups: dict[str, tuple[Edge, ...]]

    def roots(self, extras: Iterable[str], groups: Iterable[str]) -> list[Edge]:
        """Return the edges of the project."""
        named = [*(self.extras[name] for name in extras), *(self.groups[name] for name in groups)]
        return [*self.main, *(edge for edges in named for edge in edges)]

    def needed(self, extras: Iterable[str], groups: Iterable[str]) -> set[str]:
        """Return the names that the project needs: facts added until none is new."""
        facts: set[tuple[int, str]] = set()
        sources: list[tuple[int | None, Edge]] = [
            (None, edge) for edge in self.roots(extras, groups)
        ]
        sources += [(n, edge) for n, node in enumerate(self.nodes) for edge in node.edges]
        while True:
            before = len(facts)
            for origin, edge in sources:
                here = origin is None or (origin, edge.own_extra) in facts
                if here and edge.marker not in FALSE:
                    facts |= {(edge.to, extra) for extra in ("", *edge.extras)}
            if len(facts) == before:
                return {self.nodes[number].name for number, _ in facts}

    def groups_of(self, name: str) -> list[str]:
        """Return the groups that need the package *name*; the project's own is ``main``."""
        every = {**self.groups, "main": self.main}
        return [
            group
            for group, edges in every.items()
            if name in Graph(self.nodes, edges, {}, {}).needed((), ())
        ]

    def requirements(self, extras: Iterable[str], groups: Iterable[str]) -> tuple[str, ...]:
        """Return them as ``pyproject.toml`` has them."""
        return tuple(self.requirement(edge) for edge in self.roots(extras, groups))

    def requirement(self, edge: Edge) -> str:
        """Return one of them."""
        extras = f"[{','.join(edge.extras)}]" if edge.extras else ""
        return f"{self.nodes[edge.to].name}{extras}" + (f"; {edge.marker}" if edge.marker else "")

    def wanted(self, extras: Iterable[str], groups: Iterable[str]) -> Wanted:
        """Return what a reader is asked for."""
        return Wanted(
            project="app",
            requirements=self.requirements(extras, groups),
            extras=frozenset(extras),
            groups=frozenset(groups),
        )


def sha256(number: int, kind: str = "wheel") -> str:
    """Return a hash of a package's file."""
    return f"{number:x}".rjust(64, "a" if kind == "wheel" else "b")


@st.composite
def graphs(draw: st.DrawFn) -> Graph:
    """Draw a lock, circles included."""
    count = draw(st.integers(1, 6))
    kinds = st.sampled_from(["index"] * 8 + [*ORIGINS, *UNPINNED])
    markers = st.sampled_from(TRUE * 2 + FALSE)

    def edges(own: st.SearchStrategy[str]) -> st.SearchStrategy[tuple[Edge, ...]]:
        edge = st.builds(
            Edge, st.integers(0, count - 1), markers, own,
            st.lists(st.sampled_from(EXTRAS), max_size=2, unique=True).map(tuple),
        )  # fmt: skip
        return st.lists(edge, max_size=3).map(tuple)

    nodes = tuple(
        Node(f"pkg-{n}", draw(st.sampled_from(["1.0", "2.0.post1", "3!0.1a2"])), draw(kinds),
             draw(edges(st.sampled_from(["", "", *EXTRAS]))))
        for n in range(count)
    )  # fmt: skip
    plain = edges(st.just(""))
    return Graph(
        nodes, draw(plain), {name: draw(plain) for name in EXTRAS},
        {name: draw(plain) for name in GROUPS},
    )  # fmt: skip


def uv_lock(graph: Graph) -> str:
    """Write *graph* as ``uv.lock``."""
    lines = ["version = 1", "revision = 3", 'requires-python = ">=3.11"', ""]
    lines += ["[[package]]", 'name = "app"', 'version = "0"', 'source = { editable = "." }']
    lines += _uv_edges("dependencies", graph, graph.main)
    lines += ["[package.optional-dependencies]"]
    lines += [line for key, edges in graph.extras.items() for line in _uv_edges(key, graph, edges)]
    lines += ["[package.dev-dependencies]"]
    lines += [line for key, edges in graph.groups.items() for line in _uv_edges(key, graph, edges)]
    for number, node in enumerate(graph.nodes):
        source = {
            "index": '{ registry = "https://index.invalid/" }',
            "git": f'{{ git = "{GIT}?subdirectory=in%2Fit&rev=main#{COMMIT}" }}',
            "branch": f'{{ git = "{GIT}#0123" }}',
            "path": '{ directory = "../x" }',
            "file": f'{{ path = "{ORIGINS["file"][1]}" }}',
            "url": f'{{ url = "{ORIGINS["url"][1]}" }}',
            "unhashed": f'{{ url = "{ORIGINS["url"][1]}" }}',
        }[node.kind]
        lines += ["[[package]]", f'name = "{node.name}"', f'version = "{node.version}"']
        lines += [f"source = {source}"]
        if node.kind in HASHED:
            lines += [f'wheels = [{{ url = "x.whl", hash = "sha256:{sha256(number)}" }}]']
        by_extra = {extra: [e for e in node.edges if e.own_extra == extra] for extra in EXTRAS}
        lines += _uv_edges("dependencies", graph, [e for e in node.edges if not e.own_extra])
        lines += ["[package.optional-dependencies]"]
        lines += [line for key, edges in by_extra.items() for line in _uv_edges(key, graph, edges)]
    return "\n".join(lines)


def _uv_edges(key: str, graph: Graph, edges: Iterable[Edge]) -> Iterator[str]:
    yield f"{key} = ["
    for edge in edges:
        extras = f", extra = {json.dumps(edge.extras)}" if edge.extras else ""
        marker = f", marker = {json.dumps(edge.marker)}" if edge.marker else ""
        if not (extras or marker) and edge.to % 2:  # the short form
            yield f"    {json.dumps(graph.nodes[edge.to].name)},"
            continue
        yield f"    {{ name = {json.dumps(graph.nodes[edge.to].name)}{extras}{marker} }},"
    yield "]"


def poetry_lock(graph: Graph, version: str) -> str:
    """Write *graph* as ``poetry.lock``; before 2.0 the files are at the end."""
    lines, files = [], []
    for number, node in enumerate(graph.nodes):
        lines += ["[[package]]", f'name = "{node.name}"', f'version = "{node.version}"']
        lines += ["optional = false", 'python-versions = ">=3.8"']
        if version == "2.1":
            lines.append(f"groups = {json.dumps(graph.groups_of(node.name))}")
        known = [{"file": "x.whl", "hash": f"sha256:{sha256(number)}"}]
        text = ", ".join(f"{{file = {json.dumps(f['file'])}, hash = {json.dumps(f['hash'])}}}"
                         for f in known if node.kind in HASHED)  # fmt: skip
        if version == "1.1":
            files.append(f"{node.name} = [{text}]")
        else:
            lines.append(f"files = [{text}]")
        lines.append("[package.dependencies]")
        by_name: dict[str, list[str]] = {}
        for edge in node.edges:
            marker = edge.marker
            if edge.own_extra:
                both = f"({marker}) and " if marker else ""
                marker = f'{both}extra == "{edge.own_extra}"'
            parts = ['version = ">=0"', f"optional = {'true' if edge.own_extra else 'false'}"]
            parts += [f"markers = {json.dumps(marker)}"] if marker else []
            parts += [f"extras = {json.dumps(edge.extras)}"] if edge.extras else []
            name = graph.nodes[edge.to].name
            by_name.setdefault(name, []).append("{" + ", ".join(parts) + "}")
        lines += [f"{name} = [{', '.join(items)}]" for name, items in by_name.items()]
        lines.append("[package.extras]")
        for extra in EXTRAS:
            names = [graph.nodes[e.to].name for e in node.edges if e.own_extra == extra]
            lines.append(f"{extra} = {json.dumps([f'{name} (>=0)' for name in names])}")
        if node.kind != "index":
            kind = {"path": "directory", "file": "file", "git": "git", "branch": "git"}
            lines += ["[package.source]", f'type = "{kind.get(node.kind, "url")}"']
            lines += [f'url = "{ORIGINS.get(node.kind, ORIGINS["url"])[1]}"']
            lines += [f'resolved_reference = "{COMMIT}"', 'subdirectory = "in/it"'] * (
                node.kind == "git"
            )
    lines += ["[metadata]", f'lock-version = "{version}"', 'python-versions = ">=3.11"']
    return "\n".join([*lines, "[metadata.files]", *files] if files else lines)


def pylock(graph: Graph) -> str:
    """Write *graph* as ``pylock.toml``: each package with the marker under which it is needed."""
    lines = ['lock-version = "1.0"', 'created-by = "test"', f"extras = {json.dumps(EXTRAS)}"]
    lines += [f"dependency-groups = {json.dumps(GROUPS)}"]
    for number, node in enumerate(graph.nodes):
        ways = [("", "", graph.main)]
        ways += [("extras", name, edges) for name, edges in graph.extras.items()]
        ways += [("dependency_groups", name, edges) for name, edges in graph.groups.items()]
        marker = []
        for variable, name, edges in ways:
            alone = Graph(graph.nodes, edges, {}, {})
            if node.name in alone.needed((), ()):
                marker.append(f"'{name}' in {variable}" if name else "os_name == 'posix'")
        lines += ["[[packages]]", f'name = "{node.name}"', f'version = "{node.version}"']
        text = " or ".join(marker) or "os_name == 'nt'"
        lines += [f"marker = {json.dumps(text)}"]
        hashes = f'{{ sha256 = "{sha256(number)}" }}'
        lines += {
            "index": [f"wheels = [{{ hashes = {hashes} }}]"],
            "git": [(f'vcs = {{ type = "git", url = "{GIT}", commit-id = "{COMMIT}", '
                    'subdirectory = "in/it" }')],
            "branch": [f'vcs = {{ type = "git", url = "{GIT}", commit-id = "main" }}'],
            "path": ['directory = { path = "../x" }'],
            "file": [f'archive = {{ path = "{ORIGINS["file"][1]}", hashes = {hashes} }}'],
            "url": [f'archive = {{ url = "{ORIGINS["url"][1]}", hashes = {hashes} }}'],
            "unhashed": [f'archive = {{ url = "{ORIGINS["url"][1]}", hashes = {{}} }}'],
        }[node.kind]  # fmt: skip
    return "\n".join(lines)
