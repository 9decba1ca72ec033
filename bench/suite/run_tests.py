# mypy: ignore-errors
# ruff: noqa: ANN001, ANN201, ANN202, N802
"""The program under test: CPython's own runner of its tests, with a line of JSON for each result.

usage, as an executable: run_tests RESULTS [OPTIONS OF regrtest] MODULE

Packed by onebin with the package ``test``; never run by the survey itself.
"""

import _imp
import json
import os
import sys
import unittest
from pathlib import Path

from test import libregrtest  # noqa: F401  (so that a program without it is not built)
from test.libregrtest import main as regrtest
from test.libregrtest import testresult

HIDDEN = ("_ctypes_test",)
"""Modules whose tests load a shared object by the module's file: without one, all would fail."""

FAULT_CHARACTERS = 20_000
"""Kept of a traceback: those of deep recursion are longer."""


def main():
    """Run the modules that the command line names."""
    results, *arguments = sys.argv[1:]
    sys.modules.update(dict.fromkeys(HIDDEN))
    # The search of pydoc imports each of these.
    sys.builtin_module_names = tuple({*sys.builtin_module_names} - {*HIDDEN})
    # Tests run importlib once more from its source, and that takes frozen modules for those of
    # CPython itself, which have another loader.
    _imp.is_frozen = lambda _name: False
    recorder = make_recorder(os.path.abspath(results))  # noqa: PTH100  (regrtest changes folders)
    # The runner takes the class by its name in this module.
    testresult.RegressionTestResult = recorder
    sys.argv = [sys.argv[0], *arguments]
    regrtest.main()


def make_recorder(file):
    """Return a class of results that also appends each to *file*, at once: a crash keeps them."""

    class Recorder(testresult.RegressionTestResult):
        def addSuccess(self, test):
            record(test, "passed")
            super().addSuccess(test)

        def addSkip(self, test, reason):
            record(test, "skipped", reason)
            super().addSkip(test, reason)

        def addFailure(self, test, err):
            record(test, "failed", self._exc_info_to_string(err, test))
            super().addFailure(test, err)

        def addError(self, test, err):
            record(test, "failed", self._exc_info_to_string(err, test))
            super().addError(test, err)

        def addSubTest(self, test, subtest, err):
            if err is not None:
                record(test, "failed", self._exc_info_to_string(err, test))
            super().addSubTest(test, subtest, err)

        def addExpectedFailure(self, test, err):
            record(test, "passed")
            super().addExpectedFailure(test, err)

        def addUnexpectedSuccess(self, test):
            record(test, "failed", "unexpected success")
            super().addUnexpectedSuccess(test)

    def record(test, outcome, detail=""):
        # A part of a test is not counted by itself.
        whole = test.test_case if type(test).__name__ == "_SubTest" else test
        # Some tests have an attribute "id" themselves.
        is_test = isinstance(whole, unittest.TestCase)
        name = unittest.TestCase.id(whole) if is_test else whole.id()
        line = {"test": name, "outcome": outcome, "detail": detail[-FAULT_CHARACTERS:]}
        with Path(file).open("a", encoding="ascii") as out:
            out.write(json.dumps(line) + "\n")

    return Recorder


if __name__ == "__main__":
    main()
