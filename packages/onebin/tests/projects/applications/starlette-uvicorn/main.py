"""A chat, as the tutorials have it: one file, the application named by a string."""

import contextlib
import os
from pathlib import Path

import uvicorn
from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Mount, Route, WebSocketRoute
from starlette.staticfiles import StaticFiles
from starlette.templating import Jinja2Templates

HERE = Path(__file__).parent
templates = Jinja2Templates(directory=HERE / "templates")
state = {}


async def index(request):
    return templates.TemplateResponse(request, "index.html", {"title": "Chat"})


async def stats(request):
    return JSONResponse({"pid": os.getpid(), **state})


async def echo(websocket):
    await websocket.accept()
    async for text in websocket.iter_text():
        await websocket.send_text(text[::-1])


@contextlib.asynccontextmanager
async def lifespan(app):
    state["started"] = True
    yield


app = Starlette(
    routes=[
        Route("/", index),
        Route("/stats", stats),
        WebSocketRoute("/ws", echo),
        Mount("/static", StaticFiles(directory=HERE / "static"), name="static"),
    ],
    lifespan=lifespan,
)


def run():
    uvicorn.run("main:app", host="0.0.0.0", port=8080, workers=int(os.environ.get("WORKERS", "1")))


if __name__ == "__main__":
    run()
