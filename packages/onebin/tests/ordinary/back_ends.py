"""The settings of a project under each build back end."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from .shape import Shape
from .write import VERSION, requirements, scripts, table


def _project(shape: Shape, **more: object) -> str:
    fields: dict[str, object] = {"name": shape.name}
    if shape.version == "static":
        fields["version"] = VERSION
    else:
        fields["dynamic"] = ["version"]
    fields |= {"description": "An odd tool", "requires-python": ">=3.9"}
    fields |= {"dependencies": requirements(shape), **more}
    text = table("project", fields)
    if found := scripts(shape):
        text += table("project.gui-scripts" if shape.start == "gui" else "project.scripts", found)
    return text


def _system(back_end: str, *requires: str) -> str:
    return table("build-system", {"requires": list(requires), "build-backend": back_end})


def _tops(shape: Shape) -> list[str]:
    """Return the top-level packages."""
    return [shape.package.partition(".")[0], *["second_package"] * (shape.layout == "several")]


def _folder(shape: Shape) -> str:
    return shape.source + shape.package.replace(".", "/")


def setuptools(shape: Shape) -> dict[str, str]:
    """pyproject.toml alone."""
    extra = ["setuptools-scm>=8"] if shape.version == "scm" else []
    text = _system("setuptools.build_meta", "setuptools>=77", *extra) + _project(shape)
    tool: dict[str, object] = {}
    if shape.layout == "module":
        tool["py-modules"] = [shape.package]
    elif shape.layout == "flat":
        tool["packages"] = [shape.package]
    if shape.data == "package":
        tool["package-data"] = {shape.package: ["*.txt", "deep/*.txt"]}
    elif shape.data == "outside":
        tool["data-files"] = {"share/odd-tool": ["extra/words.txt"]}
    if tool:
        text += table("tool.setuptools", tool)
    if shape.version == "attribute":
        text += table(
            "tool.setuptools.dynamic", {"version": {"attr": f"{shape.package}.__version__"}}
        )
    elif shape.version == "file":
        text += table("tool.setuptools.dynamic", {"version": {"file": "VERSION"}})
    elif shape.version == "scm":
        text += table("tool.setuptools_scm", {"fallback_version": VERSION})
    return {"pyproject.toml": text}


def setup_cfg(shape: Shape) -> dict[str, str]:
    """setup.cfg, with the smallest setup.py."""
    version = {
        "static": VERSION, "attribute": f"attr: {shape.package}.__version__",
        "file": "file: VERSION",
    }[shape.version]  # fmt: skip
    lines = ["[metadata]", f"name = {shape.name}", f"version = {version}",
             "description = An odd tool", "[options]", "python_requires = >=3.9",
             "install_requires =", *(f"    {item}" for item in requirements(shape))]  # fmt: skip
    if shape.data == "include":
        lines.append("include_package_data = True")
    if shape.layout == "module":
        lines.append(f"py_modules = {shape.package}")
    elif shape.layout == "flat":
        lines.append(f"packages = {shape.package}")
    else:
        lines += ["package_dir =", "    = src", "packages = find_namespace:",
                  "[options.packages.find]", "where = src"]  # fmt: skip
    if shape.data == "package":
        lines += ["[options.package_data]", f"{shape.package} = *.txt, deep/*.txt"]
    elif shape.data == "outside":
        lines += ["[options.data_files]", "share/odd-tool = extra/words.txt"]
    if found := scripts(shape):
        lines += ["[options.entry_points]",
                  f"{'gui' if shape.start == 'gui' else 'console'}_scripts =",
                  *(f"    {name} = {target}" for name, target in found.items())]  # fmt: skip
    setup = "from setuptools import setup\n\nsetup()\n"
    return {"setup.cfg": "\n".join([*lines, ""]), "setup.py": setup}


def setup_py(shape: Shape) -> dict[str, str]:
    """setup.py alone, which computes its arguments."""
    arguments: dict[str, Any] = {
        "name": shape.name, "description": "An odd tool", "python_requires": ">=3.9",
        "install_requires": requirements(shape), "include_package_data": shape.data == "include",
    }  # fmt: skip
    if shape.layout == "module":
        arguments["py_modules"] = [shape.package]
    else:
        arguments["package_dir"] = {"": shape.source.rstrip("/") or "."}
    if shape.data == "package":
        arguments["package_data"] = {shape.package: ["*.txt", "deep/*.txt"]}
    elif shape.data == "outside":
        arguments["data_files"] = [("share/odd-tool", ["extra/words.txt"])]
    if found := scripts(shape):
        group = "gui_scripts" if shape.start == "gui" else "console_scripts"
        arguments["entry_points"] = {group: [f"{n} = {target}" for n, target in found.items()]}
    version = {
        "static": f"{VERSION!r}", "file": "open('VERSION').read().strip()",
        "attribute": "re.search('__version__ = \"(.*)\"', open(SOURCE).read())[1]",
    }[shape.version]  # fmt: skip
    is_module = shape.layout == "module"
    source = f"{shape.package}.py" if is_module else f"{_folder(shape)}/__init__.py"
    where = shape.source.rstrip("/") or "."
    tops = [f"{top}*" for top in _tops(shape)]
    packages = "[]" if is_module else f"find_namespace_packages({where!r}, include={tops!r})"
    return {
        "setup.py": "import re\n\nfrom setuptools import find_namespace_packages, setup\n\n"
        f"SOURCE = {source!r}\n"
        f"setup(version={version}, packages={packages}, **{arguments!r})\n"
    }


def hatchling(shape: Shape) -> dict[str, str]:
    """Hatch's back end."""
    extra = ["hatch-vcs"] if shape.version == "scm" else []
    text = _system("hatchling.build", "hatchling", *extra) + _project(shape)
    wheel: dict[str, object] = {}
    if shape.layout in {"namespace", "several", "flat"}:
        wheel["packages"] = [f"{shape.source}{top}" for top in _tops(shape)]
    elif shape.layout == "module":
        wheel["include"] = [f"{shape.package}.py"]
    if shape.data == "include":
        place = shape.package.replace(".", "/")
        wheel["force-include"] = {"extra/words.txt": f"{place}/words.txt"}
    elif shape.data == "outside":
        wheel["shared-data"] = {"extra/words.txt": "share/odd-tool/words.txt"}
    if wheel:
        text += table("tool.hatch.build.targets.wheel", wheel)
    place = f"{shape.package}.py" if shape.layout == "module" else f"{_folder(shape)}/__init__.py"
    if shape.version == "attribute":
        text += table("tool.hatch.version", {"path": place})
    elif shape.version == "file":
        text += table("tool.hatch.version", {"path": "VERSION", "pattern": "(?P<version>.+)"})
    elif shape.version == "scm":
        text += table("tool.hatch.version", {"source": "vcs", "fallback-version": VERSION})
    return {"pyproject.toml": text}


def flit(shape: Shape) -> dict[str, str]:
    """Flit's back end: the version, if it is not static, is the module's."""
    text = _system("flit_core.buildapi", "flit_core>=3.9,<4") + _project(shape)
    tool: dict[str, object] = {"name": shape.package}
    text += table("tool.flit.module", tool)
    if shape.data == "outside":
        text += table("tool.flit.external-data", {"directory": "shared"})
    found = {"pyproject.toml": text}
    if shape.data == "outside":
        found["shared/share/odd-tool/words.txt"] = "outside\n"
    return found


def poetry(shape: Shape) -> dict[str, str]:
    """Poetry's back end, with the standard table."""
    text = _system("poetry.core.masonry.api", "poetry-core>=2") + _project(shape)
    packages = []
    for top in _tops(shape):
        where = {"from": shape.source.rstrip("/")} if shape.source else {}
        packages.append({"include": f"{top}.py" if shape.layout == "module" else top} | where)
    tool: dict[str, object] = {"packages": packages}
    if shape.data == "include":
        tool["include"] = [{"path": f"{_folder(shape)}/words.txt", "format": ["wheel"]}]
    return {"pyproject.toml": text + table("tool.poetry", tool)}


def pdm(shape: Shape) -> dict[str, str]:
    """PDM's back end."""
    text = _system("pdm.backend", "pdm-backend") + _project(shape)
    tops = [f"{shape.source}{top}" for top in _tops(shape)]
    tool: dict[str, object] = {"includes": tops}
    if shape.layout == "module":
        tool = {"includes": [f"{shape.package}.py"]}
    elif shape.source:
        tool["package-dir"] = "src"
    if shape.data == "outside":
        tool["wheel-data"] = {"data": [{"path": "share/odd-tool/words.txt", "relative-to": "."}]}
    text += table("tool.pdm.build", tool)
    place = f"{shape.package}.py" if shape.layout == "module" else f"{_folder(shape)}/__init__.py"
    if shape.version == "attribute":
        text += table("tool.pdm.version", {"source": "file", "path": place})
    elif shape.version == "scm":
        text += table("tool.pdm.version", {"source": "scm", "fallback_version": VERSION})
    found = {"pyproject.toml": text}
    if shape.data == "outside":
        found["share/odd-tool/words.txt"] = "outside\n"
    return found


def uv(shape: Shape) -> dict[str, str]:
    """uv's own back end."""
    text = _system("uv_build", "uv_build>=0.8,<0.12") + _project(shape)
    names = [shape.package, *_tops(shape)[1:]]
    tool: dict[str, object] = {"module-name": names[0] if len(names) == 1 else names}
    if not shape.source:
        tool["module-root"] = ""
    if shape.data == "outside":
        tool["data"] = {"data": "shared"}
    found = {"pyproject.toml": text + table("tool.uv.build-backend", tool)}
    if shape.data == "outside":
        found["shared/share/odd-tool/words.txt"] = "outside\n"
    return found


WRITERS: Final[Mapping[str, Callable[[Shape], dict[str, str]]]] = {
    "setuptools": setuptools, "setup.cfg": setup_cfg, "setup.py": setup_py,
    "hatchling": hatchling, "flit": flit, "poetry": poetry, "pdm": pdm, "uv": uv,
}  # fmt: skip
