"""The command line, up to the start of a build."""

import subprocess
import sys
from pathlib import Path

import pytest

from onebin import cli, pipeline
from onebin.model import RELEASE

PROJECTS = Path(__file__).parent.parent / "projects"


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Give every test a separate cache."""
    monkeypatch.setenv("ONEBIN_CACHE", str(tmp_path / "cache"))


def test_help_shows_examples_and_statuses(capsys: pytest.CaptureFixture[str]) -> None:
    """Help has examples with their output, the statuses and the variables."""
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
    """An invalid command line is rejected on stderr."""
    with pytest.raises(SystemExit) as caught:
        cli.main(arguments)

    assert 2 == caught.value.code
    assert not capsys.readouterr().out


def test_errors_are_one_line_and_a_way_out(capsys: pytest.CaptureFixture[str]) -> None:
    """No traceback, nothing on stdout, the hint on a separate line."""
    status = cli.main(["build", str(PROJECTS / "typo")])

    out, err = capsys.readouterr()
    assert (2, "") == (status, out)
    assert [
        "onebin: error: tool.onebin.exlude: no such setting",
        "  → did you mean exclude?",
    ] == err.splitlines()


@pytest.mark.parametrize("epoch", ["yesterday", "-1", "1.5", "٣"])
def test_invalid_date_is_rejected(
    epoch: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """``SOURCE_DATE_EPOCH`` is seconds in ASCII digits; anything else fails before the build."""
    monkeypatch.setenv("SOURCE_DATE_EPOCH", epoch)

    assert 2 == cli.main(["image", str(PROJECTS / "facts")])
    assert "SOURCE_DATE_EPOCH" in capsys.readouterr().err


def test_plan_for_people(capsys: pytest.CaptureFixture[str]) -> None:
    """A plan names the project, the Python and the compiler."""
    assert 0 == cli.main(["plan", str(PROJECTS / "facts")])

    text = capsys.readouterr().out
    for part in ("facts", RELEASE, "ziglang 0.17.1"):
        assert part in text


def test_inspect_missing_path(capsys: pytest.CaptureFixture[str]) -> None:
    """A missing path is an error, not an empty report."""
    assert 0 != cli.main(["inspect", "/no/such/file"])
    assert "/no/such/file" in capsys.readouterr().err


@pytest.mark.sample(every=3)
@pytest.mark.parametrize(
    "module", ["msgspec", "ziglang", "packaging", "tomllib", "deflate", "lz4", "pip"]
)
def test_nothing_of_the_current_directory_is_imported(tmp_path: Path, module: str) -> None:
    """``python -m onebin`` never imports a same-named module of the current directory."""
    project = tmp_path / "project"
    (project / module).mkdir(parents=True)
    mark = tmp_path / "ran"
    (project / module / "__init__.py").write_text(f"open({str(mark)!r}, 'w')\n")
    (project / "app.py").write_text("def main(): ...")
    (project / "pyproject.toml").write_text(
        '[project]\nname = "app"\nscripts = { app = "app:main" }\n'
    )

    call = [sys.executable, "-m", "onebin", "plan"]
    done = subprocess.run(call, cwd=project, capture_output=True, text=True, check=False)

    assert 0 == done.returncode, done.stderr
    assert not mark.exists()


def _project(folder: Path, settings: str) -> Path:
    folder.mkdir()
    (folder / "src").mkdir()
    (folder / "src" / "app.py").write_text("def main(): ...")
    (folder / "pyproject.toml").write_text(
        f'[project]\nname = "app"\nscripts = {{ app = "app:main" }}\n[tool.onebin]\n{settings}\n'
    )
    return folder


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ('lock = "."', "'.' is a directory; expected a file's path"),
        ('lock = "src"', "'src' is a directory; expected a file's path"),
        ('lock = "../lock"', "'../lock' leaves"),
    ],
)
def test_lock_is_written_into_the_project_as_a_file(
    tmp_path: Path, setting: str, message: str, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    """Directories and places outside the project are refused, unless the option names them."""
    project = _project(tmp_path / "project", setting)
    monkeypatch.chdir(tmp_path)  # the project may read ../lock from here

    assert 2 == cli.main(["lock", "project"])
    assert message in capsys.readouterr().err
    assert (project / "src" / "app.py").is_file()
    assert not (tmp_path / "lock").exists()

    assert 0 == cli.main(["lock", "project", "--output", "lock"])
    assert "lock\n" == capsys.readouterr().out
    assert (tmp_path / "lock").read_text().startswith("# Written by onebin lock")


@pytest.mark.parametrize("command", [["build"], ["image"]])
def test_results_do_not_go_where_a_link_leads(
    tmp_path: Path, command: list[str], monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    """dist links out of the project: the executable is not written there."""
    (tmp_path / "home").mkdir()
    project = _project(tmp_path / "project", "")
    (project / "dist").symlink_to(tmp_path / "home")
    monkeypatch.setattr(pipeline, "build", lambda *_: pytest.fail("it was built"))

    assert 2 == cli.main([*command, str(project)])
    assert "'dist' leaves" in capsys.readouterr().err
    assert [] == list((tmp_path / "home").iterdir())
