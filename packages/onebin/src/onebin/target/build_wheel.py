"""Run a build back end (PEP 517) in the static interpreter, so that it builds for the target.

    build_wheel.py requires|wheel SITE OUT BACKEND [BACKEND-PATH …]

``requires`` writes the back end's further requirements to OUT/result, a line each; ``wheel``
builds one into OUT and writes its name there. Runs in the source tree; the
back end's output is not read.
"""

import os
import sys


def main() -> None:
    """Call one hook of the back end."""
    what, site, out, backend, *backend_path = sys.argv[1:]
    sys.path[:0] = [*(os.path.abspath(folder) for folder in backend_path), site]
    module, _, attribute = backend.partition(":")
    __import__(module)
    hooks = sys.modules[module]
    for name in filter(None, attribute.split(".")):
        hooks = getattr(hooks, name)
    if what == "requires":
        result = []
        if more := getattr(hooks, "get_requires_for_build_wheel", None):
            result = more(None)
    else:
        result = [hooks.build_wheel(out, None, None)]
    with open(os.path.join(out, "result"), "w", encoding="utf-8") as file:
        file.writelines(line + "\n" for line in result)


if __name__ == "__main__":
    main()
