"""A push: everything uploaded, then one commit, read back, then the tag. Whatever breaks off goes on when called again.

Readers of `main` see the earlier version or this one, never a part: `upload_folder` and `Dataset.push_to_hub` commit
in batches, so that a dataset is half there meanwhile (huggingface/datasets issues 5045, 7600).
"""

import random
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from curate.fingerprint import file_digest
from curate.progress import Steps
from curate.share.hub import HubError, RefusedError
from curate.share.plan import Plan, is_same, plan_push
from curate.version import LOCK

FILES_AT_ONCE = 8


@dataclass(frozen=True)
class Pushed:
    """Where the version stands now."""

    commit: str
    made: bool
    """False if it stood there already."""


def push(plan: Plan, steps: Steps) -> Pushed:
    """The version stands on `main` and under its tag, with bytes that were read back from there.

    Raises:
        RefusedError: the plan does harm, the repository is not what it was, or gives back other bytes.
        HubError: the Hub does not answer, or not for us. Calling again goes on.
    """
    plan.check()
    if plan.tagged and plan.state:
        return Pushed(plan.state.tags[plan.tag], made=False)
    plan = _with_repository(plan)
    assert plan.state is not None
    commit = _commit(plan, steps) if plan.commits else plan.state.head
    with steps.step("reading back", None, "files") as done:
        done(check_commit(plan, commit))
    _tag(plan, commit)
    return Pushed(commit, made=True)


def _with_repository(plan: Plan) -> Plan:
    """The plan for a repository that stands."""
    if plan.state is not None:
        return plan
    with plan.remote.told():
        plan.remote.api.create_repo(plan.remote.repo, repo_type="dataset", private=not plan.public, exist_ok=True)
    planned = plan_push(plan.version, plan.remote, plan.public, plan.secrets)
    if planned.state is None:
        raise HubError(f"{plan.remote.shown}: was made, and is not to be seen yet. The same command goes on")
    planned.check()
    return planned


def _commit(plan: Plan, steps: Steps) -> str:
    """One commit with all files, on the head that the plan saw."""
    from huggingface_hub import CommitOperationAdd, CommitOperationDelete

    assert plan.state is not None
    api, repo = plan.remote.api, plan.remote.repo
    names = (*plan.new, *plan.replaced)
    adds = [CommitOperationAdd(name, plan.version.path / name) for name in names]
    with steps.step("uploading", len(adds), "files") as done:
        for start in range(0, len(adds), FILES_AT_ONCE):
            group = adds[start : start + FILES_AT_ONCE]
            with plan.remote.told():
                api.preupload_lfs_files(repo, group, repo_type="dataset", free_memory=False)
            done(len(group))
    try:
        with plan.remote.told():
            commit = api.create_commit(
                repo,
                [*adds, *(CommitOperationDelete(name) for name in plan.removed)],
                repo_type="dataset",
                commit_message=f"{plan.version.name}: {plan.version.digest}",
                parent_commit=plan.state.head,
            )
    except HubError:
        # The commit may be made although its answer was lost; huggingface_hub then asks again and is told 412.
        now = plan_push(plan.version, plan.remote, plan.public, plan.secrets)
        if now.commits or now.state is None:
            raise
        return now.state.head
    return str(commit.oid)


def check_commit(plan: Plan, commit: str) -> int:
    """How many files were looked at: the Hub lists each with our bytes, and gives the lock and of every table a shard,
    drawn by chance, as we have them.

    Raises:
        RefusedError: something is missing, more, or other than ours.
    """
    version, there = plan.version, plan.remote.files(commit)
    ours = (*version.lock["files"], LOCK)
    present = [name for name in ours if name in there]
    faults = [f"{name}: missing" for name in ours if name not in there]
    faults += [f"{name}: other bytes" for name in present if not is_same(version.path / name, there[name])]
    faults += [f"{name}: is there still" for name in plan.removed if name in there]
    if not faults:
        faults = [f"{name}: reads as other bytes" for name in _drawn(plan) if not _reads_as_ours(plan, commit, name)]
    if faults:
        listed = "\n  ".join(faults)
        raise RefusedError(
            f"{plan.remote.shown} at {commit[:12]} is not {version.name}; it was not tagged:\n  {listed}\n"
            "The same command tries again."
        )
    return len(ours)


def _drawn(plan: Plan) -> list[str]:
    """The lock, and one shard of every table."""
    tables = plan.version.lock["tables"].values()
    shards = [[file["path"] for part in splits.values() for file in part["files"]] for splits in tables]
    return [LOCK, *(random.choice(paths) for paths in shards)]


def _reads_as_ours(plan: Plan, commit: str, name: str) -> bool:
    """Whether a download gives our bytes: equal bytes are equal rows."""
    with TemporaryDirectory() as folder:
        return file_digest(plan.remote.fetch(name, commit, Path(folder))) == file_digest(plan.version.path / name)


def _tag(plan: Plan, commit: str) -> None:
    """The version's tag stands for the commit."""
    try:
        with plan.remote.told():
            plan.remote.api.create_tag(plan.remote.repo, tag=plan.tag, revision=commit, repo_type="dataset")
    except HubError:
        # Made although the answer was lost, or by somebody else meanwhile: what it stands for decides.
        if plan.remote.tags().get(plan.tag) != commit:
            raise
