"""Search for bytes on which a connection breaks its invariants, led by the code they reach.

    .ci/fuzz 60

Begins with the files of ``corpus/`` and leaves these as they are; ``--keep`` adds inputs that
reached new code. Prints libFuzzer's statistics; status 0 is a search without a find.
"""

import argparse
import importlib
import sys
import tempfile
from pathlib import Path

# By name: it is not part of the development environment, and has no types.
atheris = importlib.import_module("atheris")

with atheris.instrument_imports(include=["devops_info_service"]):
    invariants = importlib.import_module(".invariants", __package__)

CORPUS = Path(__file__).parent / "corpus"


def main() -> None:
    """Search until the limits on the command line."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument(
        "--keep", action="store_true", help="add inputs that reached new code to the corpus"
    )
    options = parser.parse_args()
    # libFuzzer writes its finds to the first directory.
    finds = CORPUS if options.keep else Path(tempfile.mkdtemp())
    atheris.Setup(
        [
            sys.argv[0],
            f"-max_total_time={options.seconds}",
            f"-max_len={invariants.MAX_INPUT_BYTES}",
            "-print_final_stats=1",
            "-rss_limit_mb=1024",
            f"-artifact_prefix={tempfile.gettempdir()}/",
            str(finds),
            str(CORPUS),
        ],
        invariants.check,
    )
    atheris.Fuzz()


if __name__ == "__main__":
    main()
