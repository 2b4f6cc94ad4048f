"""What the containers promise, as far as their files say it; `docker compose up` itself needs Docker."""

from __future__ import annotations

import json
import os
import re
import subprocess
from pathlib import Path
from typing import Any

import yaml

from grader.lessons.outline import outlines
from grader.paths import content_root
from grader.workflow.session import lab

ROOT = content_root()
DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")
SHELL = ROOT / "tools" / "container-shell.sh"


def stage(name: str) -> str:
    """What the Dockerfile says of one stage."""
    return re.split(r"^FROM .*$", DOCKERFILE.split(f" AS {name}\n", 1)[1], maxsplit=1, flags=re.MULTILINE)[0]


def test_a_learner_finds_the_programs_that_lessons_name() -> None:
    for package in ("bash-completion", "bind9-dnsutils", "curl", "less", "procps"):
        assert package in stage("lab")


def test_what_serves_says_whether_it_is_healthy() -> None:
    assert "HEALTHCHECK" in stage("lab") and "HEALTHCHECK" in stage("site")


def test_images_are_for_both_machines() -> None:
    services: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))["services"]
    for name, service in services.items():
        assert service["build"]["platforms"] == ["linux/amd64", "linux/arm64"], name


def test_any_posix_shell_can_read_what_each_shell_begins_with(tmp_path: Path) -> None:
    """`sh -l` reads /etc/profile.d, too, and takes nothing of it but PATH."""
    for shell in ("sh", "bash"):
        done = subprocess.run(
            [shell, "-c", f'. "{SHELL}"; printf %s "$PATH"'],
            env={"PATH": os.environ["PATH"]},
            capture_output=True,
            text=True,
            check=True,
        )
        assert done.stdout.startswith("/course/.venv/bin:") and done.stderr == ""


def test_the_dev_container_opens_lesson_one_in_the_image_of_the_lab() -> None:
    told = json.loads((ROOT / ".devcontainer" / "devcontainer.json").read_text(encoding="utf-8"))
    assert told["build"]["target"] == "lab"
    assert told["postAttachCommand"].endswith(f"work/lessons/{outlines()[0].notebook}")
    assert told["remoteEnv"]["JUPYTER_PATH"] == f"/course/{lab.CONFIG.relative_to(ROOT)}"
