"""Steps of an image's history: which words set a variable, and which only look so."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onebin.inspection.history import history_variables


@pytest.mark.parametrize(
    ("step", "names"),
    [
        ("ENV API_TOKEN=abc PATH=/bin", ["API_TOKEN", "PATH"]),
        ('/bin/sh -c #(nop)  ENV PASSWORD="a b"', ["PASSWORD"]),
        ("ARG TOKEN", []),
        ("ARG TOKEN=", []),
        ("ENV A='' B=\"\"", []),
        ("|2 TOKEN=a USER=b /bin/sh -c make", ["TOKEN", "USER"]),
        ("RUN |1 TOKEN=a /bin/sh -c apt-get install -y passwd=1:4.13 # buildkit", ["TOKEN"]),
        ("RUN /bin/sh -c apt-get install -y passwd=1:4.13 libpam-passwdqc=2.0.2-1", []),
        ("RUN /bin/sh -c apk add --no-cache passwd=4.13-r0", []),
        ("RUN /bin/sh -c apt-get update && PASSWORD=x ./setup", ["PASSWORD"]),
        ("RUN /bin/sh -c apt-get update; export PASSWORD=x", ["PASSWORD"]),
        ("RUN pip install token==1.0 'secret>=2'", []),
        ("RUN uv pip install token==1.0", []),
        ("RUN make PASSWORD=x install", ["PASSWORD"]),
        ("RUN curl --password=x https://example.org", ["password"]),
        ("RUN ./run --db-password x", []),
        ('RUN sh -c "TOKEN=x make"', ["TOKEN"]),
        ("RUN bash -c 'cd /x && TOKEN=x make'", ["TOKEN"]),
        ("RUN env TOKEN=x make", ["TOKEN"]),
        ("RUN (TOKEN=x; make)", ["TOKEN"]),
        ("RUN echo 'TOKEN=x' > .env", ["TOKEN"]),
        ("RUN if true; then TOKEN=x make; fi", ["TOKEN"]),
        ("COPY --chown=1000:1000 . /app # buildkit", ["chown"]),
        ('LABEL org.example.token="x"', []),
        ('CMD ["/app"]', []),
        ('RUN echo "unclosed PASSWORD=x', ["PASSWORD"]),
        ("RUN /bin/sh -c TOKEN=$(cat /run/secrets/token) npm ci # buildkit", []),
        ('RUN /bin/sh -c TOKEN="$(cat /run/secrets/token)" npm ci', []),
        ("RUN export TOKEN=`cat /run/secrets/token` && make", []),
        ('RUN TOKEN="$OTHER" A=${B} make', []),
        ("RUN TOKEN=${OTHER:-abc} make", ["TOKEN"]),
        ("RUN TOKEN='$abc' make", ["TOKEN"]),
        ("ENV A=b PASSWORD=$ecret", ["A", "PASSWORD"]),
        ("RUN |2 A=$b TOKEN=$ecret /bin/sh -c B=$TOKEN make", ["A", "TOKEN"]),
    ],
)
def test_what_is_set(step: str, names: list[str]) -> None:
    """Assignments as the shell and the Dockerfile have them, and options with a value."""
    assert [name for name, _ in history_variables(step)] == names


@given(st.text("aA_=-|\"'\\ ;&()\n#c", max_size=200))
def test_any_text(step: str) -> None:
    """Whatever a step is, names are names."""
    assert all(name and "=" not in name for name, _ in history_variables(step))


def test_a_long_step_takes_linear_time() -> None:
    """A step of quotes and escapes that never close is read once."""
    for text in ("\"'", '\\"', "'\"\\", '-c "', "a="):
        assert len(list(history_variables(text * 200_000))) < 400_000
