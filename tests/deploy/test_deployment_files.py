"""The files of `deploy/` parse, agree with each other and with the settings, and hold no secret."""

import re
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest

from bestex.app.settings import TARGETS, Settings, load
from tests.deploy.deployments import (
    DEPLOY,
    FOUR,
    KUBERNETES,
    UNITS,
    documents,
    environment_file,
    pods,
    processes_of_compose,
    processes_of_instances,
    processes_of_procfile,
    unit,
)

ROOT = DEPLOY.parent
DESCRIPTIONS = [
    path
    for folder in ("one_process", "four_services")
    for path in sorted((DEPLOY / folder).rglob("*"))
    if path.is_file() and path.suffix != ".pyc"
]
NO_SETTINGS = {"CONFIG"}  # names the file of settings
OF_COMPOSE = {"DB_PASSWORD", "REDIS_PASSWORD"}  # asked of whoever runs it
REGISTRIES = re.compile(r"\b(docker\.io|ghcr\.io|quay\.io|gcr\.io|registry[.-]|[a-z0-9-]+\.azurecr\.io|\.amazonaws\.)")


def unknown_names(text: str) -> set[str]:
    """BESTEX_... names that are no setting."""
    names = set(re.findall(r"\bBESTEX_([A-Z][A-Z0-9_]*)\b", text))
    return names - {name.upper() for name in Settings.model_fields} - NO_SETTINGS - OF_COMPOSE


@pytest.mark.parametrize("path", DESCRIPTIONS, ids=lambda path: str(path.relative_to(DEPLOY)))
def test_a_file_names_only_settings_that_exist(path: Path) -> None:
    assert unknown_names(path.read_text()) == set()


def test_a_setting_that_does_not_exist_is_seen() -> None:
    assert unknown_names("Environment=BESTEX_STATE_DIRECTORY=/var BESTEX_PORT=1") == {"STATE_DIRECTORY"}


def test_the_common_settings_load(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in environment_file(FOUR / "desk.env.example"):
        monkeypatch.delenv(name, raising=False)
    assert load(FOUR / "bestex.toml").shards == 4


def test_the_example_environment_names_every_address_and_holds_none() -> None:
    given = environment_file(FOUR / "desk.env.example")
    assert {name for name, value in given.items() if not value} == {
        "BESTEX_STORE_URL",
        "BESTEX_BUS_URL",
        "BESTEX_BUS_ADMIN_URL",
        "BESTEX_CACHE_URL",
    }


@pytest.mark.parametrize("read", [processes_of_procfile, processes_of_instances, processes_of_compose])
def test_every_process_has_a_target_that_exists_a_port_of_its_own_and_its_name(read) -> None:  # type: ignore[no-untyped-def]
    found = read()
    ports = [process.port for process in found.values()]
    assert len(set(ports)) == len(ports)
    for name, process in found.items():
        assert process.target in TARGETS, name
        assert process.instance == name
        assert name == process.target or re.fullmatch(rf"{process.target}-\d+", name)
    targets = [process.target for process in found.values()]
    assert set(targets) == {"market", "strategy", "algorithm", "monitoring", "quality", "gateway"}
    assert targets.count("algorithm") >= 2
    assert all(targets.count(target) == 1 for target in set(targets) - {"algorithm"})


def test_the_same_process_has_the_same_port_everywhere() -> None:
    instances = processes_of_instances()
    for found in (processes_of_procfile(), processes_of_compose()):
        assert found.items() <= instances.items()


def test_the_page_names_every_port() -> None:
    text = (FOUR / "README.md").read_text()
    for process in processes_of_instances().values():
        assert str(process.port) in text, process


@pytest.mark.parametrize("path", UNITS, ids=lambda path: path.name)
def test_a_unit_has_its_sections_and_a_page_that_exists(path: Path) -> None:
    parsed = unit(path)
    assert {"Unit", "Install"} <= set(parsed.sections()) <= {"Unit", "Service", "Install"}
    page = parsed["Unit"]["Documentation"].removeprefix("file:/opt/bestex/")
    assert (ROOT / page).is_file()


@pytest.mark.parametrize("path", [path for path in UNITS if path.suffix == ".service"], ids=lambda path: path.name)
def test_a_service_is_restarted_but_not_with_wrong_settings_and_may_do_little(path: Path) -> None:
    service = unit(path)["Service"]
    assert service["ExecStart"] == "/opt/bestex/.venv/bin/bestex serve"
    assert service["Restart"] == "on-failure"
    assert service["RestartPreventExitStatus"] == "2"
    assert float(service["TimeoutStopSec"]) >= 10
    assert service["User"] == "bestex"
    for name in ("NoNewPrivileges", "ProtectHome", "PrivateTmp", "PrivateDevices", "RestrictNamespaces"):
        assert service[name] == "yes", name
    assert service["ProtectSystem"] == "strict"
    assert service["CapabilityBoundingSet"] == ""


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="no systemd-analyze")
@pytest.mark.parametrize("path", UNITS, ids=lambda path: path.name)
def test_systemd_finds_nothing_wrong_with_a_unit(path: Path) -> None:
    """The program itself is not installed here, which is the one complaint expected."""
    asked = ["systemd-analyze", "--man=no", "verify", str(path)]
    said = subprocess.run(asked, capture_output=True, text=True, check=False).stderr.splitlines()
    about_us = [line for line in said if path.name.partition("@")[0].partition(".")[0] in line]
    assert [line for line in about_us if "is not executable" not in line] == []


@pytest.mark.parametrize("path", KUBERNETES, ids=lambda path: path.name)
def test_a_manifest_says_what_it_is(path: Path) -> None:
    for document in documents(path):
        assert document["apiVersion"]
        assert document["kind"] == "Kustomization" or document["metadata"]["name"]


def test_the_list_of_manifests_is_complete() -> None:
    (listed,) = documents(FOUR / "kubernetes" / "kustomization.yaml")
    assert set(listed["resources"]) == {path.name for path in KUBERNETES} - {"kustomization.yaml"}


def test_every_pod_is_probed_drained_and_may_do_little() -> None:
    found = list(pods())
    assert {values["BESTEX_TARGET"] for _, _, values in found} == {
        "market",
        "strategy",
        "algorithm",
        "monitoring",
        "quality",
        "gateway",
    }
    for workload, container, values in found:
        pod = workload["spec"]["template"]["spec"]
        assert pod["terminationGracePeriodSeconds"] >= 10
        assert pod["securityContext"]["runAsNonRoot"] is True
        assert container["readinessProbe"]["httpGet"]["path"] == "/readyz"
        assert container["livenessProbe"]["httpGet"]["path"] == "/healthz"
        assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
        assert container["ports"] == [{"name": "http", "containerPort": int(values["BESTEX_PORT"])}]


def test_services_and_budgets_reach_the_pods_they_are_for() -> None:
    every = [document for path in KUBERNETES for document in documents(path)]
    labels = {pod["metadata"]["name"]: pod["spec"]["template"]["metadata"]["labels"] for pod, _, _ in pods()}
    ports = {pod["metadata"]["name"]: container["ports"][0]["containerPort"] for pod, container, _ in pods()}
    services = {item["metadata"]["name"]: item["spec"] for item in every if item["kind"] == "Service"}
    budgets = {item["metadata"]["name"]: item["spec"] for item in every if item["kind"] == "PodDisruptionBudget"}
    assert set(services) == set(budgets) == set(labels)
    for name, wanted in labels.items():
        assert services[name]["selector"].items() <= wanted.items()
        assert budgets[name]["selector"]["matchLabels"].items() <= wanted.items()
        assert services[name]["ports"][0]["port"] == ports[name]


def test_only_what_shares_its_orders_or_keeps_none_runs_more_than_once() -> None:
    replicas = {pod["metadata"]["name"]: pod["spec"]["replicas"] for pod, _, _ in pods()}
    assert {name for name, number in replicas.items() if number > 1} == {"algorithm", "gateway"}
    assert replicas["algorithm"] <= tomllib.loads((FOUR / "bestex.toml").read_text())["shards"]


def test_kubernetes_has_the_common_settings_word_for_word() -> None:
    (settings,) = documents(FOUR / "kubernetes" / "settings.yaml")
    assert settings["data"]["bestex.toml"] == (FOUR / "bestex.toml").read_text()


def secrets_in(text: str) -> list[str]:
    """Addresses with a password in them, and passwords given outright; capitals, $ and dots stand for one."""
    with_password = re.findall(r"\w+://[^\s:/@\"]*:([^\s@\"$A-Z{.][^\s@\"]*)@", text)
    outright = re.findall(
        r"(?m)^[^#\n]*(?i:password|secret|token)\"?\s*[:=]\s*[\"']?(?!true|false)([a-z0-9][^\s\"'#]+)", text
    )
    return [*with_password, *outright]


@pytest.mark.parametrize("path", DESCRIPTIONS, ids=lambda path: str(path.relative_to(DEPLOY)))
def test_a_file_holds_no_secret_and_no_registry(path: Path) -> None:
    assert secrets_in(path.read_text()) == []
    assert REGISTRIES.findall(path.read_text()) == []


def test_a_secret_is_seen() -> None:
    assert secrets_in("BESTEX_STORE_URL=postgresql://bestex:hunter2@postgres/bestex")
    assert secrets_in("  POSTGRES_PASSWORD: hunter2")
    assert REGISTRIES.findall("image: ghcr.io/someone/bestex")


def test_every_image_is_named_without_a_registry_and_a_foreign_one_with_its_version() -> None:
    services = documents(FOUR / "compose.yaml")[0]["services"]
    images = {service["image"] for service in services.values()} | {container["image"] for _, container, _ in pods()}
    froms = re.findall(r"^FROM (\S+)", (DEPLOY / "one_process" / "Containerfile").read_text(), re.MULTILINE)
    for image in images | set(froms):
        assert "." not in image.partition("/")[0].partition(":")[0], image
        assert image == "bestex" or ":" in image, image


def test_the_image_installs_the_locked_production_set_and_ends_on_sigterm() -> None:
    text = (DEPLOY / "one_process" / "Containerfile").read_text()
    instructions = re.sub(r"\\\n", "", text)
    words = {line.split(" ", 1)[0] for line in instructions.splitlines() if line and not line.startswith("#")}
    assert words <= {"FROM", "RUN", "WORKDIR", "COPY", "ENV", "USER", "VOLUME", "STOPSIGNAL", "ENTRYPOINT", "CMD"}
    assert "--require-hashes -r requirements-production.lock" in instructions
    assert "STOPSIGNAL SIGTERM" in instructions
    ignored = (DEPLOY / "one_process" / "Containerfile.dockerignore").read_text().splitlines()
    for name in (line.removeprefix("!") for line in ignored if line.startswith("!")):
        assert (ROOT / name).exists(), name


def test_the_production_lock_has_the_versions_of_the_others() -> None:
    def pins(name: str) -> set[str]:
        return set(re.findall(r"^[a-z0-9._-]+==[^\s;]+", (ROOT / name).read_text(), re.MULTILINE))

    assert pins("requirements.lock") <= pins("requirements-production.lock") <= pins("requirements-dev.lock")
    assert any(pin.startswith("asyncpg==") for pin in pins("requirements-production.lock"))
