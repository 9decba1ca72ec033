"""Settings of uv reach pip, which fetches; pip's own win; passwords stay hidden."""

import pytest

from onebin import secret
from onebin.effects.index_settings import of_uv
from onebin.effects.process import clean_environment

SETTINGS = [
    ({}, {}),
    ({"UV_INDEX_URL": "https://a.invalid/s"}, {"PIP_INDEX_URL": "https://a.invalid/s"}),
    ({"UV_DEFAULT_INDEX": "corp=https://a.invalid/s", "UV_INDEX_URL": "https://old.invalid"},
     {"PIP_INDEX_URL": "https://a.invalid/s"}),
    ({"UV_INDEX": "one=https://a.invalid https://b.invalid/?x=y"},
     {"PIP_EXTRA_INDEX_URL": "https://a.invalid https://b.invalid/?x=y"}),
    ({"UV_INDEX": "my-corp=https://a.invalid/s", "UV_INDEX_MY_CORP_USERNAME": "me",
      "UV_INDEX_MY_CORP_PASSWORD": "pa55/wo@rd"},
     {"PIP_EXTRA_INDEX_URL": "https://me:pa55%2Fwo%40rd@a.invalid/s"}),
    ({"UV_INDEX": "c=https://you:other@a.invalid/s", "UV_INDEX_C_PASSWORD": "pa55word"},
     {"PIP_EXTRA_INDEX_URL": "https://you:other@a.invalid/s"}),
    ({"UV_FIND_LINKS": "/one,https://h.invalid/two"}, {"PIP_FIND_LINKS": "/one https://h.invalid/two"}),
    ({"UV_INDEX": "c=https://[a.invalid", "UV_INDEX_C_PASSWORD": "pa55word"},
     {"PIP_EXTRA_INDEX_URL": "https://[a.invalid"}),
    ({"UV_OFFLINE": "1"}, {"PIP_NO_INDEX": "1"}),
    ({"UV_OFFLINE": "false", "UV_NO_INDEX": "0"}, {}),
    ({"UV_INSECURE_HOST": "h.invalid:81"}, {"PIP_TRUSTED_HOST": "h.invalid:81"}),
]  # fmt: skip


@pytest.mark.parametrize(("given", "expected"), SETTINGS)
def test_settings_of_uv(given: dict[str, str], expected: dict[str, str]) -> None:
    """Each variable of uv is the one of pip that means the same."""
    assert expected == of_uv(given)


@pytest.mark.parametrize(("given", "expected"), SETTINGS)
def test_pip_wins_and_only_fetching_steps_see_them(
    given: dict[str, str], expected: dict[str, str]
) -> None:
    """A setting of pip is kept; a build sees neither."""
    own = dict.fromkeys(expected, "https://own.invalid")

    assert own.items() <= clean_environment({**given, **own}, fetching=True).items()
    assert expected.items() <= clean_environment(given, fetching=True).items()
    assert not any("PIP" in name or "UV" in name for name in clean_environment({**given, **own}))


@pytest.mark.parametrize(
    "environ",
    [
        {"UV_INDEX_CORP_PASSWORD": "pa55word"},
        {"UV_INDEX": "corp=https://me:pa55word@h.invalid/s"},
        {"UV_DEFAULT_INDEX": "https://me:pa55word@h.invalid/s"},
    ],
)
def test_passwords_of_uv_are_hidden(environ: dict[str, str]) -> None:
    """A program that prints one prints asterisks."""
    assert "a **** b" == secret.hidden("a pa55word b", environ)
