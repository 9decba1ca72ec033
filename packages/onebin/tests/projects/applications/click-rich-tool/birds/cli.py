import json
from importlib import resources

import click
from rich.console import Console
from rich.markdown import Markdown
from rich.progress import track
from rich.table import Table

from . import __version__


def catalog():
    return json.loads(resources.files("birds").joinpath("data/birds.json").read_text("utf-8"))


@click.group()
@click.version_option(__version__)
def cli():
    """Watch birds."""


@cli.command("list")
@click.option("--minimum", type=click.IntRange(0), default=0, show_default=True)
def list_(minimum):
    """List what was seen."""
    table = Table("bird", "seen", title="Birds")
    for bird in track(catalog(), description="counting", disable=True):
        if bird["seen"] >= minimum:
            table.add_row(bird["name"], str(bird["seen"]))
    Console(width=40).print(table)


@cli.command()
@click.argument("name", type=click.Choice([bird["name"] for bird in catalog()]))
def show(name):
    """Show one bird."""
    Console(width=40).print(Markdown(f"# {name}\n\n```python\nprint('{name}')\n```"))


if __name__ == "__main__":
    cli()
