"""A document that is attached to a saved image: a manifest beside it that refers to it."""

from pathlib import Path

from onebin.errors import ImageError
from onebin.image import spec

from .blobs import open_archive, open_folder
from .budget import DEFAULT, Budget, Limits


def attached(path: Path, media_type: str, limits: Limits = DEFAULT) -> bytes | None:
    """Return the first document of *media_type* in the layout or archive *path*.

    None if it has none; *limits* as for ``inspect``.

    Raises:
        ImageError: it is damaged, or exceeds a limit.
    """
    budget = Budget(str(path), limits)
    opened = open_folder if path.is_dir() else open_archive
    with opened(path, budget) as blobs:

        def read(name: str) -> bytes:
            with blobs.open(name) as stream:
                data = stream.read(budget.limits.document_bytes + 1)
            budget.document(data, name)
            return data

        if "index.json" not in blobs:
            return None
        index = spec.decode(read("index.json"), spec.Index, what=f"{path}: index.json")
        for entry in index.manifests:
            if entry.artifact_type != media_type:
                continue
            text = read(spec.blob_path(entry.digest))
            for layer in spec.decode(text, spec.Manifest, what=entry.digest).layers:
                data = read(spec.blob_path(layer.digest))
                if spec.sha256(data) != layer.digest:
                    raise ImageError(
                        f"{path}: {layer.digest}: has another digest, {spec.sha256(data)}"
                    )
                return data
    return None
