import configparser
import importlib
import pathlib

def load(name):
    module, _, attribute = name.partition(":")
    return getattr(importlib.import_module(module), attribute)

def main():
    config = configparser.ConfigParser()
    config.read(pathlib.Path(__file__).with_name("app.ini"))
    for key, name in config["classes"].items():
        print(key, load(name)().__class__.__name__)
