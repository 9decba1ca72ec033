"""A hostile source distribution in a real build: when its code runs, and what it can read."""

import hashlib
import io
import json
import os
import subprocess
import tarfile
import zipfile
from collections.abc import Mapping
from pathlib import Path

import pytest

from onebin.model import RELEASE

from .conftest import OnebinRun

pytestmark = [pytest.mark.toolchain, pytest.mark.claim("builds see no secrets")]

BACK_END = """
import json, os, sys, zipfile

open({mark!r}, "a").write("imported\\n")


def get_requires_for_build_wheel(settings=None):
    return []


def build_wheel(folder, settings=None, metadata=None):
    import helper
    seen = dict(os.environ), sys.path, sys.flags.no_site, sys.version, os.path.expanduser("~")
    with zipfile.ZipFile(os.path.join(folder, "odd-1-py3-none-any.whl"), "w") as wheel:
        wheel.writestr("odd.py", "SEEN = " + repr(json.dumps([*seen, helper.VALUE])))
        head = "Metadata-Version: 2.1\\nName: odd\\nVersion: 1\\n"
        wheel.writestr("odd-1.dist-info/METADATA", head)
        wheel.writestr("odd-1.dist-info/WHEEL", "Wheel-Version: 1.0\\nTag: py3-none-any\\n")
    return "odd-1-py3-none-any.whl"
"""

PYPROJECT = """
[project]
name = "app"
dependencies = ["odd"]
scripts = { app = "app:main" }

[tool.onebin]
from-source = ["odd"]
build-lock = "build.lock"
"""

SECRETS = {
    "HTTPS_PROXY": "http://me:pa55word@127.0.0.1:9",
    "http_proxy": "http://me:pa55word@127.0.0.1:9",
    "PIP_TRUSTED_HOST": "pa55word.example",
    "PIP_CLIENT_CERT": "/pa55word",
    "NETRC": "/pa55word",
    "AWS_SECRET_ACCESS_KEY": "pa55word",
    "AWS_SESSION_TOKEN": "pa55word",
    "GITHUB_TOKEN": "pa55word",
    "CI_JOB_TOKEN": "pa55word",
    "TWINE_PASSWORD": "pa55word",
    "SSH_AUTH_SOCK": "/pa55word",
    "GPG_AGENT_INFO": "/pa55word",
    "PYTHONBREAKPOINT": "pa55word",
    "PYTHONSTARTUP": "/pa55word",
    "GIT_DIR": "/pa55word",
}

ALLOWED = {
    "PATH", "HOME", "TMPDIR", "LC_ALL", "TZ", "PYTHONHOME", "PYTHONHASHSEED", "SOURCE_DATE_EPOCH",
    "CC", "CXX", "LDSHARED", "LDCXXSHARED", "AR", "CFLAGS", "CPPFLAGS", "LDFLAGS", "PKG_CONFIG",
    "CMAKE_PREFIX_PATH", "CMAKE_TOOLCHAIN_FILE", "ONEBIN_LIBRARIES", "ONEBIN_PREFIX",
    "ONEBIN_VISIBLE", "PYTHONPATH", "PYTHONDONTWRITEBYTECODE",
    "GIT_CEILING_DIRECTORIES", "GIT_CONFIG_NOSYSTEM",
}  # fmt: skip


def wheel(folder: Path, name: str, files: Mapping[str, str]) -> str:
    path, info = folder / f"{name}-1-py3-none-any.whl", f"{name}-1.dist-info"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: 1\n")
        archive.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
        for file, text in files.items():
            archive.writestr(file, text)
    return f"{name}==1 --hash=sha256:{hashlib.sha256(path.read_bytes()).hexdigest()}\n"


@pytest.fixture
def shelf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make a folder the only index, and fill the caller's environment with secrets."""
    folder = tmp_path / "shelf"
    folder.mkdir()
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    for name, value in SECRETS.items():
        monkeypatch.setenv(name, value)
    return folder


def test_back_end_runs_in_a_build_alone_and_sees_no_secret(
    onebin: OnebinRun, shelf: Path, tmp_path: Path
) -> None:
    """No PKG-INFO, a setup.py that writes a file: plan and lock leave it packed."""
    mark, startup, project = tmp_path / "ran", tmp_path / "started", tmp_path / "project"
    project.mkdir()
    (project / "pyproject.toml").write_text(PYPROJECT)
    (project / "app.py").write_text("import odd\n\n\ndef main():\n    print(odd.SEEN)\n")
    start = f"open({str(startup)!r}, 'w')"
    # Files that Python runs automatically: none of them runs here.
    parts = {
        "helper.py": "VALUE = 7",
        "sitecustomize.py": start,
        "usercustomize.py": start,
        "helper.pth": f"import os; {start}",
        "helper-1.data/data/x.pth": f"import os; {start}",
    }
    (project / "build.lock").write_text(wheel(shelf, "helper", parts))
    wheel(shelf, "odd", {"odd.py": ""})
    sources = {
        "backend.py": BACK_END.format(mark=str(mark)),
        "setup.py": f"open({str(mark)!r}, 'a').write('setup')",
        "pyproject.toml": '[build-system]\nrequires = ["helper"]\nbuild-backend = "backend"\n'
        'backend-path = ["."]\n',
    }
    with tarfile.open(shelf / "odd-1.tar.gz", "w:gz") as tar:
        for name, text in sources.items():
            info = tarfile.TarInfo(f"odd-1/{name}")
            info.size = len(text)
            tar.addfile(info, io.BytesIO(text.encode()))

    for command in ("lock", "plan"):
        done = onebin(command, project)
        assert 0 == done.returncode, done.stderr
        assert not mark.exists(), command
    assert "odd==1 --hash=sha256:" in (project / "onebin.lock").read_text()

    done = onebin("build", project, "--output", tmp_path / "app")

    assert 0 == done.returncode, done.stderr
    assert "imported\nimported\n" == mark.read_text()
    assert not startup.exists()
    printed = subprocess.run([tmp_path / "app"], capture_output=True, check=True).stdout
    environ, path, no_site, version, home, value = json.loads(printed)
    assert "pa55word" not in printed.decode() + done.stderr
    assert set() == set(environ) - ALLOWED
    assert (1, 7) == (no_site, value)
    assert version.startswith(f"{RELEASE} ")
    # The path has nothing of this machine's Python, and HOME is another directory.
    assert [] == [one for one in path if "site-packages" in one or "dist-packages" in one]
    assert home == environ["HOME"] != str(Path.home())
