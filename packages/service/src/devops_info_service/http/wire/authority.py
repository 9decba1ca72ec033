"""What can name a host: the value of a Host field, or what stands before the path of a URL."""

from typing import Final

# RFC 3986, section 3.2.2: what a host's name can be written with, but for the comma: a repeated
# Host field is joined with one. Around an address in brackets and before a port there are three
# bytes more.
_NAME_BYTES: Final = (
    b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~!$&'()*+;=%"
)
_HOST_BYTES: Final = _NAME_BYTES + b"[]:"


def is_authority(host: bytes) -> bool:
    """Whether *host* can be a host with or without a port (RFC 3986, section 3.2)."""
    if host.translate(None, _HOST_BYTES):
        return False
    name, colon, port = host.rpartition(b":")
    if host.endswith(b"]") or not colon:
        name, port = host, b""
    if port and not port.isdigit():
        return False
    if name[:1] == b"[":
        return name[-1:] == b"]" and b"[" not in name[1:] and b"]" not in name[:-1]
    return not name.translate(None, _NAME_BYTES)
