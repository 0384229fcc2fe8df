"""The command line on plugins: listed, shown, checked, begun."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

plugins_app = typer.Typer(help="List plugins, show one, or check a package.", rich_markup_mode=None)
new_app = typer.Typer(help="Begin something new.", rich_markup_mode=None, no_args_is_help=True)


@plugins_app.callback(invoke_without_command=True)
def plugins(context: typer.Context) -> None:
    """List every plugin: kind, name, package, version, state."""
    if context.invoked_subcommand is None:
        from kitbox.listing import listing
        from kitbox.states import refuse_unsound

        typer.echo(listing())
        refuse_unsound()


@plugins_app.command("show")
def show(
    name: Annotated[str, typer.Argument(help="A plugin's name, or kind/name.")],
) -> None:
    """Show a plugin's options, with types, defaults and an example."""
    from kitbox.listing import describe

    typer.echo(describe(name))


@plugins_app.command("check")
def check(
    what: Annotated[
        str,
        typer.Argument(metavar="PACKAGE_OR_FOLDER", help="An installed package, or its folder."),
    ],
) -> None:
    """Say what is wrong with a package of plugins, and how to mend it."""
    from kitbox.errors import counted
    from kitbox.vetting import check as look

    verdict = look(what)
    for plugin in verdict.plugins:
        typer.echo(f"{verdict.package}: {plugin}")
    for note in verdict.notes:
        typer.echo(f"Note: {note}.")
    if not verdict.faults:
        typer.echo(f"{verdict.package}: nothing to mend")
        return
    wrong = counted(len(verdict.faults), "thing is wrong", "things are wrong")
    lines = "\n".join(f"  - {fault.rstrip('.')}." for fault in verdict.faults)
    typer.echo(f"kitbox: {verdict.package}: {wrong}.\n{lines}", err=True)
    raise typer.Exit(2)


@new_app.callback()
def new() -> None:
    """Begin something new."""


@new_app.command("plugin")
def plugin(
    name: Annotated[str, typer.Argument(help="What a recipe will call it: birds.")],
    kind: Annotated[
        str,
        typer.Option(
            help="source, labeler, splitter, augmentation, backbone, task or writer.",
            show_default=True,
        ),
    ] = "task",
    into: Annotated[Path, typer.Option(help="The folder to write the package's into.")] = Path(),
) -> None:
    """Write a package with a plugin that installs and passes its tests at once."""
    from kitbox.scaffold import write_plugin

    folder = write_plugin(name, kind, into)
    typer.echo(f"{folder} is written. Next, in that folder:")
    for command in (
        "pip install --editable . --group test",
        "kitbox plugins check .",
        "python -m pytest",
    ):
        typer.echo(f"    {command}")
    typer.echo("docs/write-a-task.md of kitbox shows the rest.")
