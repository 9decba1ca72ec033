"""Search for bytes on which the reader breaks its promises, led by what code they reach.

    .ci/fuzz 60

Begins with what is in ``corpus/`` and leaves that as it is; ``--keep`` adds what reached
something new. Prints libFuzzer's statistics; status 0 is a search without a find.
"""

import argparse
import importlib
import sys
import tempfile
from pathlib import Path

# By name: it is no part of the development environment, and has no types.
atheris = importlib.import_module("atheris")

with atheris.instrument_imports(include=["devops_info_service"]):
    promises = importlib.import_module("promises")  # of this directory

CORPUS = Path(__file__).parent / "corpus"


def main() -> None:
    """Search for as long as the command line says."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--keep", action="store_true", help="add to the corpus what is new")
    options = parser.parse_args()
    # libFuzzer writes its finds to the first directory.
    finds = CORPUS if options.keep else Path(tempfile.mkdtemp())
    atheris.Setup(
        [
            sys.argv[0],
            f"-max_total_time={options.seconds}",
            f"-max_len={promises.MAX_INPUT_BYTES}",
            "-print_final_stats=1",
            "-rss_limit_mb=1024",
            f"-artifact_prefix={tempfile.gettempdir()}/",
            str(finds),
            str(CORPUS),
        ],
        promises.check,
    )
    atheris.Fuzz()


if __name__ == "__main__":
    main()
