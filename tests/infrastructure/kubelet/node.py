"""Where pods run here: what of their manifests must be otherwise on one machine's loopback.

Addresses, ports, directories and secrets, and the drain where waiting goes by faster; everything
else is as it is applied.
"""

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from secrets import token_hex

from shared.roles import API, WORKER
from tests.infrastructure.kubelet.pace import Pace
from tests.infrastructure.kubelet.template import Template
from tests.processes import free_port

ROOT = Path(__file__).resolve().parents[3]
HOST = "127.0.0.1"
ROLES = {"serve": API, "worker": WORKER}
OPERATOR_KEY = "MORROW_OPERATOR_KEY"
DRAIN = "MORROW_DRAIN_SECONDS"
QUIETLY = ("-W", "ignore::RuntimeWarning:runpy")
"""Of a program that was begun by the name of its module, which children import again."""


@dataclass(frozen=True, slots=True)
class Node:
    """`dsns` by role. Every pod has the same secrets; what S3 is in production is a directory."""

    folder: Path
    dsns: Mapping[str, str]
    pace: Pace
    root: Path = ROOT
    secrets: Mapping[str, str] = field(
        default_factory=lambda: {
            name: token_hex(32) for name in (OPERATOR_KEY, "MORROW_SEALING_KEY")
        }
    )

    def ports(self, template: Template) -> dict[str, int]:
        """Pods have addresses of their own; here they have ports of their own."""
        return {name: free_port() for name in template.ports}

    def command(self, template: Template, ports: Mapping[str, int]) -> list[str]:
        changed = {str(number): str(ports[name]) for name, number in template.ports.items()}
        changed["0.0.0.0"] = HOST
        arguments = [changed.get(each, each) for each in template.arguments]
        return [sys.executable, *QUIETLY, "-m", "services.training.cli", *arguments]

    def environment(
        self, template: Template, ports: Mapping[str, int], own: Path
    ) -> dict[str, str]:
        """Nothing of this process's own but where Python finds what it runs."""
        role = ROLES[template.arguments[0]]
        known = {**self.secrets, "MORROW_DATABASE_URL": self.dsns[role]}
        return {
            **template.environment,
            **{name: known[name] for name in template.secrets & known.keys()},
            **self._storage(template),
            DRAIN: str(self.pace.wait(float(template.environment[DRAIN]))),
            "MORROW_SPOOL_PATH": str(own / "spool"),
            "MORROW_METRICS_HOST": HOST,
            "MORROW_METRICS_PORT": str(ports["metrics"]),
            "FORWARDED_ALLOW_IPS": HOST,
            "PATH": os.environ["PATH"],
            "PYTHONPATH": os.pathsep.join((str(self.root), str(self.root / "client"))),
            "HOME": str(own),
            "TMPDIR": str(own),
        }

    def _storage(self, template: Template) -> dict[str, str]:
        name = "MORROW_MODEL_STORAGE_PATH"
        in_bucket = template.environment[name].startswith("s3://")
        return {name: str(self.folder / "models")} if in_bucket else {}
