import os

from .app import app


@app.task
def add(x, y):
    return x + y


@app.task
def pid():
    return os.getpid()
