"""The dashboard and the alert rules speak of metrics that exist, and every alert has its place in the operator's page."""

import json
import re
from pathlib import Path
from typing import Any

import yaml

from bestex.api import application
from bestex.api.meters import REGISTRY
from bestex.app import metrics

ROOT = Path(__file__).parents[3]
FOLDER = ROOT / "deploy" / "observability"
_SUFFIXES = {"counter": ("_total",), "histogram": ("_bucket", "_sum", "_count"), "gauge": ("",)}
_LABELS_OF_PROMETHEUS = {"le", "instance", "job"}


def exposed() -> set[str]:
    names = set()
    assert {application, metrics}  # importing them registers everything
    for family in REGISTRY.collect():
        names.update(family.name + suffix for suffix in _SUFFIXES[family.type])
    return names


def named(expression: str) -> set[str]:
    return set(re.findall(r"\bbestex_[a-z_]+", expression))


def dashboard() -> dict[str, Any]:
    found: dict[str, Any] = json.loads((FOLDER / "dashboard.json").read_text())
    return found


def rules() -> list[dict[str, Any]]:
    groups = yaml.safe_load((FOLDER / "alerts.yml").read_text())["groups"]
    return [rule for group in groups for rule in group["rules"]]


def expressions() -> list[str]:
    of_panels = [target["expr"] for panel in dashboard()["panels"] for target in panel["targets"]]
    return of_panels + [rule["expr"] for rule in rules()]


def test_every_metric_of_dashboard_and_rules_is_exposed() -> None:
    unknown = {name for expression in expressions() for name in named(expression)} - exposed()
    assert not unknown
    assert named("rate(bestex_no_such_total[5m])") - exposed()  # the check sees one that is not there


def test_every_metric_of_ours_is_on_the_dashboard() -> None:
    shown = {name for expression in expressions() for name in named(expression)}
    families = {
        family.name: family.type for family in REGISTRY.collect() if not family.name.startswith("bestex_process_")
    }
    missing = [name for name, kind in families.items() if not any(name + suffix in shown for suffix in _SUFFIXES[kind])]
    assert not missing


def test_every_label_that_is_asked_for_is_given() -> None:
    given = {label for family in REGISTRY.collect() for sample in family.samples for label in sample.labels}
    of_objects = {label for name in dir(metrics) for label in getattr(getattr(metrics, name), "_labelnames", ())}
    of_standing = {"worker", "lease", "namespace", "answer"}
    of_http = {"method", "route", "status"}
    of_clients = {"tenant", "client", "operation", "outcome"}
    known = given | of_objects | of_standing | of_http | of_clients | _LABELS_OF_PROMETHEUS
    for expression in expressions():
        grouped = re.findall(r"by \(([^)]*)\)", expression)
        selected = re.findall(r"([a-z_]+)=~?\"", expression)
        asked = {label.strip() for group in grouped for label in group.split(",")} | set(selected)
        assert asked <= known, expression


def test_every_alert_says_what_to_do() -> None:
    page = (ROOT / "docs" / "operations.md").read_text()
    for rule in rules():
        assert rule["labels"]["severity"] in {"page", "ticket"}
        assert re.search(rf"^### {rule['alert']}$", page, re.MULTILINE), rule["alert"]
        assert rule["annotations"]["summary"]
    assert len({rule["alert"] for rule in rules()}) == len(rules())


def test_panels_do_not_cover_each_other() -> None:
    places = [(panel["gridPos"]["x"], panel["gridPos"]["y"]) for panel in dashboard()["panels"]]
    assert len(set(places)) == len(places)
