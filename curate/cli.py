"""The command line: `curate check | plan | build | list | show | diff | explain | view | ...`."""

import typer

from curate.commands.files import export, verify
from curate.commands.hub import pull, push
from curate.commands.looking import card, diff, explain, hits, list_, show, view
from curate.commands.making import build, check, gc, plan, schema
from curate.commands.store import store

app = typer.Typer(no_args_is_help=True, add_completion=True, rich_markup_mode=None, pretty_exceptions_enable=False)
COMMANDS = (check, plan, build, list_, show, diff, explain, hits, card, view, export, verify, push, pull, gc, schema)
for command in COMMANDS:
    app.command(command.__name__.rstrip("_"))(command)
app.add_typer(store, name="store")


def main() -> None:
    """The console script `curate`."""
    app(prog_name="curate")
