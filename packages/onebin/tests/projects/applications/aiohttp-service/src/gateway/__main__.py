import argparse
import logging

from aiohttp import ClientSession, WSMsgType, web

SESSION = web.AppKey("session", ClientSession)


async def session_of(app):
    async with ClientSession() as session:
        app[SESSION] = session
        yield


async def index(request):
    return web.json_response({"remote": request.remote, "name": request.query.get("name")})


async def twice(request):
    """Call this very service, and return what it answered."""
    async with request.app[SESSION].get("http://127.0.0.1:8080/?name=itself") as response:
        return web.json_response({"status": response.status, "inner": await response.json()})


async def upload(request):
    size = 0
    async for part in await request.multipart():
        while chunk := await part.read_chunk():
            size += len(chunk)
    return web.json_response({"size": size})


async def socket(request):
    ws = web.WebSocketResponse(compress=True)
    await ws.prepare(request)
    async for message in ws:
        if message.type is WSMsgType.TEXT:
            await ws.send_str(message.data.upper())
    return ws


def main():
    parser = argparse.ArgumentParser(prog="gateway")
    parser.add_argument("--port", type=int, default=8080)
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO)
    app = web.Application()
    app.cleanup_ctx.append(session_of)
    app.add_routes([
        web.get("/", index), web.get("/twice", twice), web.post("/upload", upload), web.get("/ws", socket),
    ])
    web.run_app(app, port=arguments.port)


if __name__ == "__main__":
    main()
