"""What programs read from sysconfig: each value has the kind and the relations of any interpreter's."""

import os
import sys
import sysconfig

SERIES = "{}.{}".format(*sys.version_info)

# Variable -> the path of the default scheme that has the same value.
PLACES = {
    "BINDIR": "scripts", "LIBDEST": "stdlib", "BINLIBDEST": "platstdlib", "INCLUDEPY": "include",
}  # fmt: skip
BELOW = {
    "LIBDIR": "lib", "SCRIPTDIR": "lib", "INCLUDEDIR": "include", "MANDIR": "share/man",
    "datarootdir": "share", "DESTSHARED": f"lib/python{SERIES}/lib-dynload",
}  # fmt: skip
SAME = (
    "EXE", "ABIFLAGS", "MACHDEP", "PLATLIBDIR", "SHLIB_SUFFIX", "PYTHONFRAMEWORK", "Py_DEBUG",
    "Py_GIL_DISABLED", "Py_TRACE_REFS", "SIZEOF_VOID_P", "WITH_PYMALLOC", "HAVE_FORK",
)  # fmt: skip


def main():
    value_of = sysconfig.get_config_var
    print([(name, value_of(name)) for name in SAME])
    print([value_of(name) == sysconfig.get_path(path) for name, path in PLACES.items()])
    print([value_of(name) == os.path.join(sys.base_prefix, path) for name, path in BELOW.items()])
    print([value_of(name) == SERIES for name in ("VERSION", "LDVERSION")])
    print("app" + value_of("EXE"), "m" + value_of("EXT_SUFFIX")[: len(".cpython-3")])
    print(value_of("EXT_SUFFIX").startswith("." + value_of("SOABI")), value_of("EXT_SUFFIX")[-3:])
    print(type(value_of("MULTIARCH")), type(value_of("Py_ENABLE_SHARED")), value_of("NO_SUCH_NAME"))
