"""Frozen modules as C: tables of names, and assembly that includes the packed code."""

from collections.abc import Collection, Iterable, Sequence

from onebin.effects import csrc
from onebin.model import CSource, FrozenModule, LinkInput


def link_input(
    modules: Iterable[FrozenModule],
    startup: Collection[str] | None = None,
    own: Collection[str] = (),
) -> LinkInput:
    """Return the *modules*, and the code that unpacks each when it is imported.

    CPython finds them all, or those of *startup* alone where another table has the others. Modules
    named in *own* are the last: the code of those before is an object that most changes of a
    program leave as it is.
    """
    modules = tuple(modules)
    others = [module for module in modules if module.name not in own]
    assert [*modules[: len(others)]] == others, "own modules come last"  # noqa: S101
    return LinkInput(
        sources=(
            csrc.source("lz4_block.h"),
            csrc.source("unpack.c"),
            CSource("frozen.c", frozen_table(modules, startup)),
            CSource("code.s", included_code(others)),
            CSource("own_code.s", included_code(modules, len(others)), is_changing=True),
        ),
        # The assembler finds a module's code there, by its cache key.
        include=tuple({module.code.parent.parent: None for module in modules}),
        wraps=("PyMarshal_ReadObjectFromString",),  # unpack.c
    )


def included_code(modules: Sequence[FrozenModule], first: int | None = None) -> str:
    """Return assembly with the code of *modules*, ``frozen_0`` and so on, without a gap.

    With *first*, the number of a module, it continues another one from that module on. The linker
    keeps it ("R"): the program finds it by its place alone.
    """
    lines = ['.section .rodata.frozen,"aR",@progbits']
    if first is None:
        lines += [".globl frozen_code", "frozen_code:"]
    for n, module in [*enumerate(modules)][first:]:
        name = f"{module.code.parent.name}/{module.code.name}"
        lines += [f".globl frozen_{n}", f"frozen_{n}:", f'.incbin "{name}"']
    lines.append('.section .note.GNU-stack,"",@progbits')
    return "\n".join([*lines, ""])


def frozen_table(modules: Iterable[FrozenModule], startup: Collection[str] | None = None) -> str:
    """Return C source of the table of frozen modules, of those named in *startup* if it is given.

    It replaces CPython's own Python/frozen.c, whose modules would come twice.
    """
    externs: list[str] = []
    rows: list[str] = []
    bootstrap: list[str] = []
    for n, module in enumerate(modules):
        if startup is not None and module.name not in startup:
            continue
        externs.append(f"extern const unsigned char frozen_{n}[];")
        row = (
            f'    {{"{module.name}", frozen_{n}, {module.size}, '
            f"{'true' if module.is_package else 'false'}}},"
        )
        (bootstrap if module.name.startswith("_frozen_importlib") else rows).append(row)
    return "\n".join(
        [
            "#include <stdbool.h>",
            '#include "Python.h"',
            "struct _module_alias { const char *name; const char *orig; };",
            *externs,
            "static const struct _frozen bootstrap[] = {", *bootstrap, "    {0, 0, 0}", "};",
            "static const struct _frozen modules[] = {", *rows, "    {0, 0, 0}", "};",
            "static const struct _frozen none[] = {", "    {0, 0, 0}", "};",
            "static const struct _module_alias aliases[] = {",
            '    {"_frozen_importlib", "importlib._bootstrap"},',
            '    {"_frozen_importlib_external", "importlib._bootstrap_external"},',
            "    {0, 0}", "};",
            "const struct _frozen *_PyImport_FrozenBootstrap = bootstrap;",
            "const struct _frozen *_PyImport_FrozenStdlib = none;",
            "const struct _frozen *_PyImport_FrozenTest = none;",
            "const struct _module_alias *_PyImport_FrozenAliases = aliases;",
            "const struct _frozen *PyImport_FrozenModules = modules;",
            "",
        ]
    )  # fmt: skip
