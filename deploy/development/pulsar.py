"""Pulsar standalone from its Maven Central artefacts: one JVM with broker, bookie and metadata, bounded in memory."""

import hashlib
import os
import re
import shutil
import signal
import socket
import string
import subprocess
import urllib.error
import urllib.request
from pathlib import Path

from .processes import NotAvailable, Running, choose_ports, launch

NAME = "pulsar"
PORTS = {"broker": 26650, "admin": 26680}  # the product's own web port, 8080, is the desk's
STOP = signal.SIGTERM
HERE = Path(__file__).parent / "pulsar_server"
OLDEST_JAVA = 17
HEAP_AND_DIRECT = ("-Xms256m", "-Xmx512m", "-XX:MaxDirectMemorySize=512m")
OPENED = (
    *("java.base/java.io", "java.base/java.lang", "java.base/java.nio", "java.base/java.util.zip", "java.base/sun.net"),
    *("java.base/jdk.internal.misc", "java.base/jdk.internal.platform", "java.management/sun.management"),
)
METADATA = "org.apache.pulsar.metadata.bookkeeper"


def start(state: Path, cache: Path) -> Running:
    """Fetch the jars on the first start, then start on loopback; the data of the last run are kept.

    Raises:
        NotAvailable: no Java, or the jars are neither here nor to be had.
        NotStarted: with the end of its log.
    """
    java = find_java()
    jars = find_jars(cache)
    ports = choose_ports(state, NAME, PORTS)
    folder = state / "pulsar"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    settings = folder / "standalone.conf"
    settings.write_text(string.Template((HERE / "standalone.conf").read_text()).substitute(ports, loopback=loopback()))
    command = [
        *(java, *HEAP_AND_DIRECT, "-XX:+ExitOnOutOfMemoryError", "-Dlog4j2.is.webapp=false"),
        f"-Dlog4j2.configurationFile={HERE / 'log4j2.xml'}",
        *("-Dio.netty.tryReflectionSetAccessible=true", "-Dio.netty.leakDetection.level=disabled"),
        f"-Dbookkeeper.metadata.bookie.drivers={METADATA}.PulsarMetadataBookieDriver",
        f"-Dbookkeeper.metadata.client.drivers={METADATA}.PulsarMetadataClientDriver",
        *(part for opened in OPENED for part in ("--add-opens", f"{opened}=ALL-UNNAMED")),
        *("-cp", str(jars / "*"), "org.apache.pulsar.PulsarStandaloneStarter"),
        *(
            "--config",
            str(settings),
            "--no-functions-worker",
            "--no-stream-storage",
            "--advertised-address",
            "127.0.0.1",
        ),
        *("--metadata-dir", str(folder / "metadata"), "--bookkeeper-dir", str(folder / "bookkeeper")),
    ]
    return launch(
        NAME,
        command,
        log=state / "logs" / "pulsar.log",
        ports=ports,
        is_ready=lambda: is_healthy(ports["admin"]),
        patience_s=180,
    )


def loopback() -> str:
    """The loopback interface's name, which a bookie wants instead of an address."""
    return next(name for _, name in socket.if_nameindex() if name in {"lo", "lo0"})


def find_java() -> str:
    home = os.environ.get("JAVA_HOME")
    java = str(Path(home, "bin", "java")) if home else shutil.which("java")
    if java is None or not Path(java).exists():
        raise NotAvailable(f"Pulsar needs Java {OLDEST_JAVA} or newer: apt-get install openjdk-17-jre-headless")
    shown = subprocess.run([java, "-version"], capture_output=True, text=True, check=False).stderr
    version = re.search(r'version "(\d+)', shown)
    if version is None or int(version[1]) < OLDEST_JAVA:
        raise NotAvailable(f"Pulsar needs Java {OLDEST_JAVA} or newer, here is: {shown.splitlines()[:1]}")
    return java


def find_jars(cache: Path) -> Path:
    """The folder of the server's jars: an unpacked distribution, else what Maven fetched for this pom, once."""
    if home := os.environ.get("BESTEX_PULSAR_HOME"):
        if not list(Path(home, "lib").glob("*pulsar-broker*.jar")):
            raise NotAvailable(
                f"BESTEX_PULSAR_HOME={home} holds no lib/*pulsar-broker*.jar: unpack a server distribution there"
            )
        return Path(home, "lib")
    pom = HERE / "pom.xml"
    jars = cache / f"pulsar-{hashlib.sha256(pom.read_bytes()).hexdigest()[:12]}"
    if not jars.exists():
        fetch_jars(pom, jars)
    return jars


def fetch_jars(pom: Path, jars: Path) -> None:
    maven = shutil.which("mvn")
    otherwise = "or unpack a Pulsar 4.0 server distribution and set BESTEX_PULSAR_HOME to it"
    if maven is None:
        raise NotAvailable(f"Pulsar is fetched with Maven, which is not here: apt-get install maven, {otherwise}")
    print("pulsar    fetching the server's jars from Maven Central (240 MB, once) ...", flush=True)
    half = jars.with_name(f"{jars.name}.half-{os.getpid()}")
    half.mkdir(parents=True)
    try:
        shutil.copy(pom, half / "pom.xml")
        fetched = subprocess.run(
            [
                *(maven, "-B", "-q", "-f", half / "pom.xml", "dependency:copy-dependencies"),
                *("-DincludeScope=runtime", f"-DoutputDirectory={half / 'lib'}"),
            ],
            capture_output=True,
            text=True,
            check=False,
            timeout=900,
        )
        if fetched.returncode != 0:
            said = [line for line in fetched.stdout.splitlines() if "ERROR" in line][:1]
            raise NotAvailable(f"Maven could not fetch Pulsar, {otherwise}: {' '.join(said) or fetched.stderr.strip()}")
        (half / "lib").replace(jars)
    except subprocess.TimeoutExpired:
        raise NotAvailable(f"Maven did not fetch Pulsar within 15 minutes: try again, {otherwise}") from None
    finally:
        shutil.rmtree(half, ignore_errors=True)


def is_healthy(port: int) -> bool:
    """The broker's own check: it writes a message and reads it back."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/admin/v2/brokers/health", timeout=5) as answer:
            return bool(answer.read().strip() == b"ok")
    except (OSError, urllib.error.URLError):
        return False


def urls(running: Running) -> tuple[str, str]:
    """The bus and its administration."""
    return f"pulsar://127.0.0.1:{running.ports['broker']}", f"http://127.0.0.1:{running.ports['admin']}"
