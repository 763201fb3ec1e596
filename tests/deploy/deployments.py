"""What the files of `deploy/` say, read as their programs read them."""

import re
from collections.abc import Iterator
from configparser import ConfigParser
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

DEPLOY = Path(__file__).parents[2] / "deploy"
FOUR = DEPLOY / "four_services"
KUBERNETES = sorted((FOUR / "kubernetes").glob("*.yaml"))
UNITS = sorted([*DEPLOY.rglob("*.service"), *DEPLOY.rglob("*.target")])


@dataclass(frozen=True)
class Process:
    """One process as one of the files starts it."""

    name: str
    target: str
    port: int
    instance: str


def unit(path: Path) -> ConfigParser:
    """A systemd unit; a name given twice keeps its last value."""
    parser = ConfigParser(strict=False, interpolation=None, delimiters=("=",), comment_prefixes=("#", ";"))
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read_string(path.read_text())
    return parser


def documents(path: Path) -> list[dict[str, Any]]:
    return [document for document in yaml.safe_load_all(path.read_text()) if document]


def environment_file(path: Path) -> dict[str, str]:
    lines = (line.strip() for line in path.read_text().splitlines())
    return dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))


def processes_of_procfile() -> dict[str, Process]:
    found = {}
    for line in (FOUR / "Procfile").read_text().splitlines():
        name, command = line.split(": ", 1)
        options = dict(re.findall(r"--(target|port|instance) (\S+)", command))
        found[name] = Process(name, options["target"], int(options["port"]), options["instance"])
    return found


def processes_of_instances() -> dict[str, Process]:
    return {path.stem: process_of(path.stem, environment_file(path)) for path in (FOUR / "instances").glob("*.env")}


def processes_of_compose() -> dict[str, Process]:
    services = documents(FOUR / "compose.yaml")[0]["services"]
    environments = {name: service.get("environment", {}) for name, service in services.items()}
    return {name: process_of(name, given) for name, given in environments.items() if "BESTEX_TARGET" in given}


def process_of(name: str, given: dict[str, str]) -> Process:
    return Process(name, given["BESTEX_TARGET"], int(given["BESTEX_PORT"]), given["BESTEX_INSTANCE"])


def pods() -> Iterator[tuple[dict[str, Any], dict[str, Any], dict[str, Any]]]:
    """Workload, its only container, and what its environment gives outright."""
    for path in KUBERNETES:
        for document in documents(path):
            if document["kind"] in ("Deployment", "StatefulSet"):
                (container,) = document["spec"]["template"]["spec"]["containers"]
                yield document, container, {item["name"]: item.get("value") for item in container["env"]}
