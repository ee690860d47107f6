"""`curate push` and `curate pull`: versions out to the Hugging Face Hub, and in from there."""

import shlex
import sys
from typing import Annotated

import typer

from curate.exits import DebugOption, RootOption, VersionArgument, exits

# Every import below stays inside its command: `curate --help` answers before polars has loaded.


def push(
    version: VersionArgument,
    to: Annotated[str, typer.Option("--to", metavar="ORG/NAME", help="The dataset repository; made if need be.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would happen, and stop.")] = False,
    public: Annotated[bool, typer.Option("--public", help="Open to all; a new repository is private else.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    root: RootOption = None,
    debug: DebugOption = False,
) -> None:
    """Share a version on the Hugging Face Hub: one commit, read back, then a tag. Goes on where it broke off."""
    with exits(debug, resume=shlex.join(["curate", *sys.argv[1:]])):
        from huggingface_hub import get_token

        from curate.progress import Steps
        from curate.share.hub import HubError, ShareError, dataset_remote
        from curate.share.plan import plan_push
        from curate.share.push import push as push_version
        from curate.share.secret_scan import scan, secrets_of
        from curate.version import open_version

        opened, remote, steps = open_version(version, root), dataset_remote(to), Steps()
        with steps.step("looking for secrets", len(opened.lock["files"]) + 1, "files") as done:
            found = tuple(scan(opened, secrets_of(opened.lock["manifest"], get_token()), done))
        plan = plan_push(opened, remote, public, found)
        typer.echo(plan.text())
        plan.check()
        if dry_run:
            return
        if not get_token():
            raise HubError(f"not logged in to {remote.endpoint}. hf auth login, or HF_TOKEN in the environment")
        if not plan.tagged and not yes:
            if not sys.stdin.isatty():
                raise ShareError("nobody is at the terminal to ask: --yes pushes without, --dry-run only looks")
            typer.confirm(f"Push {opened.name} to {remote.shown}?", abort=True)
        pushed = push_version(plan, steps)
        typer.echo(
            f"{opened.name} stands at {remote.endpoint}/datasets/{to}/tree/{plan.tag} (commit {pushed.commit[:12]}). "
            f'load_dataset("{to}", revision="{plan.tag}"), or: curate pull {to}@{plan.tag}'
        )


def pull(
    reference: Annotated[str, typer.Argument(metavar="ORG/NAME@v3", help="A version on the Hub; @latest the newest.")],
    root: RootOption = None,
    debug: DebugOption = False,
) -> None:
    """Fetch a version from the Hugging Face Hub, checked against its lock. Goes on where it broke off."""
    with exits(debug, resume=shlex.join(["curate", *sys.argv[1:]])):
        from curate.progress import Steps
        from curate.share.hub import dataset_remote
        from curate.share.pull import pull as pull_version
        from curate.share.pull import split_reference
        from curate.version import data_root

        repo, tag = split_reference(reference)
        pulled = pull_version(dataset_remote(repo), tag, data_root(root), Steps())
        stood = "pulled" if pulled.made else "stood here already:"
        typer.echo(f"{stood} {pulled.version.name}: {pulled.version.path}\ndigest {pulled.version.digest}")
