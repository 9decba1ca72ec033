"""The Dockerfile repeats the settings that onebin gives the image; they are compared as text."""

import re
from pathlib import Path

from onebin import assemble, inputs
from onebin.image import application, image, spec
from onebin.publish.dockerfile import instructions

from .conftest import ROOT, SERVICE


def test_the_dockerfile_has_the_settings_of_onebin() -> None:
    """Labels, ports, user, health check and entry point are those of ``onebin image``."""
    project = inputs.find(Path(ROOT, SERVICE)).project(with_code=False)
    config = application.config(
        project.name,
        "x86_64",
        metadata=assemble.metadata_of(project),
        settings=project.options.image,
        epoch=0,
    )
    document = spec.decode(image.build((), config).config, spec.Config, what="the config")
    assert document.config is not None

    text = re.sub(r"\\\n\s*", "", Path(ROOT, "Dockerfile").read_text())
    _, _, stage = text.partition("AS runtime\n")
    lines = [line for line in stage.splitlines() if line and not line.startswith("#")]

    assert lines == ["COPY --from=builder /out/rootfs/ /", *instructions(document.config)]
