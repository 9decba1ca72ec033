"""The application, made by a factory as Flask's documentation has it."""

from importlib.metadata import version

from flask import Flask

from . import pages


def create_app():
    app = Flask(__name__)
    app.config.from_mapping(SECRET_KEY="not secret", VERSION=version("guestbook"))
    app.config.from_prefixed_env()
    app.register_blueprint(pages.blueprint)
    return app
