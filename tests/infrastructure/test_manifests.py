"""What is applied to a cluster is valid, and is what the documentation says."""

import math
import re
from pathlib import Path

import pytest

from infrastructure.kubernetes.checks.__main__ import faults, main
from infrastructure.kubernetes.checks.manifests import containers_of, name_of, role_of
from infrastructure.kubernetes.checks.rendering import OVERLAYS, rendered_by, renderers
from tests.infrastructure.rendered import NAMES, rendered

PAGE = (Path(__file__).parents[2] / "docs/kubernetes.md").read_text()
ROLES_OF_SECRETS = {
    "migrator": {"migrate"},
    "api": {"serve"},
    "worker": {"worker"},
    "sealing": {"serve", "worker"},
    "object-storage": {"serve", "worker"},
    "backup": {"backup"},
    "restore-check": {"restore"},
    "ray": {"", "worker"},
}


@pytest.mark.parametrize("overlay", NAMES)
def test_nothing_is_wrong_with_an_overlay(overlay: str) -> None:
    assert faults(rendered(overlay)) == []


@pytest.mark.parametrize("overlay", NAMES)
def test_every_renderer_here_renders_the_same(overlay: str) -> None:
    if not renderers():
        pytest.skip("neither kubectl nor kustomize is here")
    first, *others = [rendered_by(command, OVERLAYS / overlay) for command in renderers()]
    assert all(each == first for each in others)


@pytest.mark.parametrize("overlay", NAMES)
def test_each_secret_goes_to_those_who_need_it_alone(overlay: str) -> None:
    seen: dict[str, set[str]] = {}
    for _, _, container in containers_of(rendered(overlay)):
        for variable in container["env"].each():
            name = variable.at("valueFrom", "secretKeyRef", "name").text()
            if name:
                seen.setdefault(name, set()).add(role_of(container))
    assert seen == {name: ROLES_OF_SECRETS[name] for name in seen}


def test_the_page_tells_how_each_secret_is_made() -> None:
    told = {
        (name, key)
        for name, rest in re.findall(r"create secret generic (\S+)(.*)", PAGE)
        for key in re.findall(r"--from-file=([\w-]+)=", rest)
    }
    needed, optional = set(), set()
    for _, _, container in containers_of(rendered("cluster")):
        for variable in container["env"].each():
            reference = variable.at("valueFrom", "secretKeyRef")
            if reference:
                pair = (reference["name"].text(), reference["key"].text())
                (optional if reference["optional"].value else needed).add(pair)
    assert needed <= told <= needed | optional
    assert optional - told == {("api", "direct-database-url"), ("worker", "direct-database-url")}


def test_no_alert_is_of_a_run_that_may_still_be_in_time() -> None:
    """The last success is as old as the time between two runs, and as late as the next may end."""
    manifests = rendered("production")
    [rules] = manifests.of_kind("PrometheusRule")
    told = [
        rule["expr"].text()
        for group in rules.at("spec", "groups").each()
        for rule in group["rules"].each()
    ]
    for cron in manifests.of_kind("CronJob"):
        weekday = cron.at("spec", "schedule").text().split()[-1]
        apart = 24 * 3600 * (1 if weekday == "*" else 7)
        late = cron.at("spec", "startingDeadlineSeconds").number()
        lasts = cron.at("spec", "jobTemplate", "spec", "activeDeadlineSeconds").number()
        [limit] = [
            math.prod(map(int, found[1].split("*")))
            for expr in told
            if f'last_successful_time{{namespace="morrow",cronjob="{name_of(cron)}"}}' in expr
            and (found := re.search(r"> ([\d *]+)$", expr))
        ]
        assert apart + late + lasts < limit < 2 * apart


def test_without_kustomize_the_check_fails_and_says_what_to_do(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(OVERLAYS, []) == 1
    assert "put `kubectl` or `kustomize` on PATH" in capsys.readouterr().err


def test_what_kustomize_refuses_fails_the_check(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    if not renderers():
        pytest.skip("neither kubectl nor kustomize is here")
    (tmp_path / "torn").mkdir()
    assert main(tmp_path, renderers()) == 1
    assert "torn" in capsys.readouterr().err
