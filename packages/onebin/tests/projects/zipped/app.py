"""Everything that needs zlib, once."""

import binascii
import gzip
import io
import json
import zipfile
import zlib


def main():
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.txt", "x" * 1000)
        small = archive.getinfo("a.txt").compress_size < 100
    answer = {
        "gzip": gzip.decompress(gzip.compress(b"abc" * 9)).decode(),
        "zip": [*zipfile.ZipFile(file).namelist(), small],
        "crc": [binascii.crc32(b"abc"), zlib.crc32(b"abc")],
        "version": zlib.ZLIB_RUNTIME_VERSION,
    }
    print(json.dumps(answer))
