"""Fetch an address with each client; errors by their names."""

import asyncio
import os
import ssl
import sys
import urllib.request

import httpx
import requests
import urllib3


async def with_async_httpx(url, ca):
    context = ssl.create_default_context(cafile=ca) if ca else True
    async with httpx.AsyncClient(verify=context, http2=True) as client:
        return (await client.get(url)).text


def main():
    url, ca = sys.argv[1], os.environ.get("CA")
    clients = {
        "requests": lambda: requests.get(url, verify=ca or True, timeout=10).text,
        "httpx": lambda: httpx.get(url, verify=ssl.create_default_context(cafile=ca) if ca else True).text,
        "async httpx": lambda: asyncio.run(with_async_httpx(url, ca)),
        "urllib3": lambda: urllib3.PoolManager(ca_certs=ca).request("GET", url, retries=False).data.decode(),
        "urllib": lambda: urllib.request.urlopen(url, timeout=10).read().decode(),
    }
    for name, get in clients.items():
        try:
            print(f"{name}: {get()}")
        except Exception as exc:
            print(f"{name}: {type(exc).__name__}")
