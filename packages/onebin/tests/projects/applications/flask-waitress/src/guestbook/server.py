import os

from waitress import serve

from . import create_app


def main():
    serve(create_app(), host=os.environ.get("HOST", "0.0.0.0"), port=int(os.environ.get("PORT", "8080")))
