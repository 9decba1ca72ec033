"""Let a build back end (PEP 517) state a project's metadata, without building it.

    build_metadata.py SITE OUT BACKEND [BACKEND-PATH …]

Makes a ``.dist-info`` in OUT and writes its name to OUT/result; writes nothing there if the back
end has no such hook. Runs in the source tree; the back end's output is not read.
"""

import os
import sys


def main() -> None:
    """Call the hook."""
    site, out, backend, *backend_path = sys.argv[1:]
    sys.path[:0] = [*(os.path.abspath(folder) for folder in backend_path), site]
    module, _, attribute = backend.partition(":")
    __import__(module)
    hooks = sys.modules[module]
    for name in filter(None, attribute.split(".")):
        hooks = getattr(hooks, name)
    prepare = getattr(hooks, "prepare_metadata_for_build_wheel", None)
    with open(os.path.join(out, "result"), "w", encoding="utf-8") as file:
        if prepare:
            file.write(prepare(out, None) + "\n")


if __name__ == "__main__":
    main()
