"""The standard library's own data: a style sheet that one package reads in another."""

import sysconfig
import threading
import urllib.request
from xmlrpc.server import DocXMLRPCServer


def main():
    server = DocXMLRPCServer(("127.0.0.1", 0), logRequests=False)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    base = f"http://127.0.0.1:{server.server_address[1]}"
    with opener.open(f"{base}/pydoc.css") as reply:
        print(reply.status, reply.headers["Content-Type"], b"table" in reply.read())
    with opener.open(base) as reply:
        print(reply.status, b"pydoc.css" in reply.read())
    server.shutdown()
    print(bool(sysconfig.get_config_var("WITH_DOC_STRINGS")))
