"""The command line, up to where a build would begin."""

from pathlib import Path

import pytest

from onebin import cli

PROJECTS = Path(__file__).parent.parent / "projects"


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep every test's cache to itself."""
    monkeypatch.setenv("ONEBIN_CACHE", str(tmp_path / "cache"))


def test_help_shows_examples_and_statuses(capsys: pytest.CaptureFixture[str]) -> None:
    """Help is examples with what each prints, the statuses and the variables."""
    with pytest.raises(SystemExit) as caught:
        cli.main(["--help"])

    text = capsys.readouterr().out
    assert 0 == caught.value.code
    for part in ("examples:", "onebin build packages/service", "exit status:", "NO_COLOR"):
        assert part in text


@pytest.mark.parametrize(
    "arguments", [[], ["compile"], ["build", "--fast"], ["build", "a", "b"], ["inspect"]]
)
def test_wrong_command_lines_end_with_2(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    """What cannot be understood is refused on stderr."""
    with pytest.raises(SystemExit) as caught:
        cli.main(arguments)

    assert 2 == caught.value.code
    assert not capsys.readouterr().out


def test_errors_are_one_line_and_a_way_out(capsys: pytest.CaptureFixture[str]) -> None:
    """No traceback, nothing on stdout, the hint on a line of its own."""
    status = cli.main(["build", str(PROJECTS / "typo")])

    out, err = capsys.readouterr()
    assert (2, "") == (status, out)
    assert [
        "onebin: error: tool.onebin.exlude: no such setting",
        "  → did you mean exclude?",
    ] == err.splitlines()


@pytest.mark.parametrize("epoch", ["yesterday", "-1", "1.5", "٣"])
def test_date_that_is_none_is_refused(
    epoch: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """``SOURCE_DATE_EPOCH`` is seconds, in ASCII digits, or an error before anything is built."""
    monkeypatch.setenv("SOURCE_DATE_EPOCH", epoch)

    assert 2 == cli.main(["image", str(PROJECTS / "facts")])
    assert "SOURCE_DATE_EPOCH" in capsys.readouterr().err


def test_plan_for_people(capsys: pytest.CaptureFixture[str]) -> None:
    """A plan names the project, the Python and the compiler."""
    assert 0 == cli.main(["plan", str(PROJECTS / "facts")])

    text = capsys.readouterr().out
    for part in ("facts", "3.13.5", "ziglang 0.17.1"):
        assert part in text


def test_inspect_of_what_is_not_there(capsys: pytest.CaptureFixture[str]) -> None:
    """A path that is nothing is an error, not an empty report."""
    assert 0 != cli.main(["inspect", "/no/such/file"])
    assert "/no/such/file" in capsys.readouterr().err
