"""The workflow for pull requests: what it may do, and its shell, run in a repository with a branch."""

import json
from pathlib import Path

from ruamel.yaml import YAML

from helpers.project import ROOT, Project
from helpers.repository import commit, small

WORKFLOW = YAML(typ="safe").load(ROOT / ".github/workflows/check.yaml")
JOBS = WORKFLOW["jobs"]


def test_it_may_only_read_and_comment_and_uses_no_strangers_action():
    assert WORKFLOW["permissions"] == {"contents": "read"}
    assert JOBS["metrics"]["permissions"] == {"contents": "read", "pull-requests": "write"}
    for job in JOBS.values():
        for step in job["steps"]:
            assert step.get("uses", "actions/").startswith("actions/")
            assert "${{" not in step.get("run", ""), "what a stranger named would run as shell"


def test_a_pull_request_is_told_what_changes(project: Project, tmp_path: Path):
    metrics = project.folder / "metrics/metrics.json"
    metrics.parent.mkdir()
    metrics.write_text(json.dumps({"test": {"accuracy": 0.5, "faces": 72}}))
    small(project)
    clone = project.clone(tmp_path / "clone")
    for key in ("user.name", "user.email"):
        clone.ok("git", "config", key, "test")
    (clone.folder / "metrics/metrics.json").write_text(json.dumps({"test": {"accuracy": 0.75, "faces": 72}}))
    commit(clone)

    gh = tmp_path / "gh"
    gh.write_text('#!/bin/sh\necho "$@" > told\ncat changes.md >> told\n')
    gh.chmod(0o755)
    for step in JOBS["metrics"]["steps"]:
        if "name" in step:
            script = f"PATH={tmp_path}:$PATH\n{step['run']}"
            clone.ok(
                "bash",
                "-eo",
                "pipefail",
                "-c",
                script,
                BASE="origin/main",
                NUMBER="7",
                GITHUB_STEP_SUMMARY=str(tmp_path / "summary"),
            )
    told = (clone.folder / "told").read_text()
    assert told.startswith("pr comment 7 ") and "| test.accuracy | 0.5" in told and "0.25" in told
    assert "test.faces" not in told and (tmp_path / "summary").read_text() in told
