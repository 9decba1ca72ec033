from enum import Enum
from typing import Annotated

import typer

app = typer.Typer()


class Color(str, Enum):
    red = "red"
    green = "green"


@app.command()
def hello(name: str, color: Annotated[Color, typer.Option(help="its color")] = Color.green):
    """Greet NAME."""
    typer.secho(f"Hello {name}", fg=color.value)


@app.command()
def fail():
    """Fail, for the traceback."""
    raise RuntimeError("on purpose")
