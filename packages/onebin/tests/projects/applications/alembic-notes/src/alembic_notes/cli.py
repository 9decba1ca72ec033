import sys
from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import create_engine, func, select
from sqlalchemy.orm import Session

from .models import Author, Note


def main():
    url = f"sqlite:///{sys.argv[1]}"
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.set_main_option("sqlalchemy.url", url)
    command.upgrade(config, "head")
    command.current(config)
    engine = create_engine(url)
    with Session(engine) as session, session.begin():
        author = session.scalar(select(Author).where(Author.name == "Ada")) or Author(name="Ada")
        author.notes.append(Note(text="hello"))
        session.add(author)
    with Session(engine) as session:
        print(session.scalar(select(func.count()).select_from(Note)), "notes")
    command.downgrade(config, "-1")
    command.upgrade(config, "head")
    command.history(config)
