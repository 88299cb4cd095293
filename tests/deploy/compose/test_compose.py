"""docker-compose.yml is well-formed, and everything that it names exists in the code."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from opscrew import settings_file
from opscrew.settings import HttpSettings, Settings
from opscrew.settings_mistakes import part_of
from tools.mcp.servers import SERVERS_FILE

ROOT = Path(__file__).resolve().parents[3]
COMPOSE = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))
EXAMPLE = ROOT / "deploy/compose/crew.example.yaml"
DOCKERFILE = (ROOT / "deploy/Dockerfile").read_text(encoding="utf-8")
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]

SHAPES = {
    "build": dict, "image": str, "restart": str, "init": bool, "ports": list, "environment": dict, "secrets": list,
    "volumes": list, "healthcheck": dict, "stop_grace_period": str, "security_opt": list, "cap_drop": list,
    "command": list, "profiles": list,
}  # fmt: skip
"""The keys of the Compose specification that are used here, and what each one holds."""
DURATION = re.compile(r"(\d+(h|m|s|ms|us))+")
IMAGE = re.compile(r"[a-z0-9./_-]+:[A-Za-z0-9_.-]+(@sha256:[0-9a-f]{64})?")


def with_everything_on(folder: Path) -> Path:
    """The example with each commented setting in use."""
    lines = []
    for line in EXAMPLE.read_text(encoding="utf-8").splitlines():
        if re.match(r"\s*urls: \{\}", line):
            continue
        lines.append(re.sub(r"^(\s*)#(?=\S)", r"\1", line) if re.match(r"\s*#\s*[a-z]+:", line) else line)
    text = re.sub(r"^  #  ", "    ", "\n".join(lines), flags=re.MULTILINE)
    path = folder / "crew.yaml"
    path.write_text(
        re.sub(r"^    (?=(grafana|kubernetes|victoria))", "    ", text, flags=re.MULTILINE), encoding="utf-8"
    )
    return path


def test_it_has_the_shape_of_the_specification() -> None:
    assert set(COMPOSE) == {"name", "services", "volumes", "secrets"}
    for name, service in SERVICES.items():
        for key, value in service.items():
            assert isinstance(value, SHAPES[key]), f"{name}.{key}"
        assert service["restart"] == "unless-stopped"
        assert IMAGE.fullmatch(service["image"]), name
        assert not service["image"].endswith(":latest")
        for key, value in service.get("environment", {}).items():
            assert isinstance(value, str), f"{name}.{key} must be text, as Compose reads bare numbers otherwise"


def test_health_checks_are_whole() -> None:
    assert {name for name, service in SERVICES.items() if "healthcheck" in service} == {"crew", "ollama"}
    for service in SERVICES.values():
        check = service.get("healthcheck")
        if check:
            assert check["test"][0] == "CMD"
            assert all(DURATION.fullmatch(check[key]) for key in ("interval", "timeout"))


def test_only_the_crews_port_is_published_and_on_loopback_unless_asked() -> None:
    assert {name for name, service in SERVICES.items() if "ports" in service} == {"crew"}
    assert SERVICES["crew"]["ports"] == ["${CREW_PUBLISH:-127.0.0.1}:8780:8780"]
    assert HttpSettings().port == 8780
    assert "EXPOSE 8780" in DOCKERFILE
    assert "127.0.0.1:8780/healthz" in SERVICES["crew"]["healthcheck"]["test"][-1]
    assert '"/healthz"' in (ROOT / "server/http/probes.py").read_text(encoding="utf-8")


def test_volumes_and_secrets_that_are_used_are_declared_and_the_other_way_round() -> None:
    used_secrets = {name for service in SERVICES.values() for name in service.get("secrets", [])}
    assert used_secrets == set(COMPOSE["secrets"])
    mounts = [mount.split(":") for service in SERVICES.values() for mount in service.get("volumes", [])]
    assert {mount[0] for mount in mounts if not mount[0].startswith("./")} == set(COMPOSE["volumes"])
    for name, secret in COMPOSE["secrets"].items():
        assert secret == {"file": f"./deploy/compose/secrets/{name}"}
    for name, service in SERVICES.items():
        text = str(service.get("environment", "")) + str(service.get("command", ""))
        text += EXAMPLE.read_text(encoding="utf-8") if name == "crew" else ""
        named = set(re.findall(r"/run/secrets/([a-z_]+)", text))
        assert named == set(service.get("secrets", []))


def test_every_variable_of_the_crew_is_a_setting() -> None:
    for variable in SERVICES["crew"]["environment"]:
        steps = variable.removeprefix("CREW_").removesuffix("_FILE").lower().split("__")
        if steps == ["config"]:
            continue
        model: Any = Settings
        for step in steps:
            assert model is not None, variable
            assert step in model.model_fields, variable
            model = part_of(model.model_fields[step].annotation)


def test_no_secret_stands_in_a_variable() -> None:
    for name, service in SERVICES.items():
        for variable in service.get("environment", {}):
            if re.search(r"TOKEN|SECRET|PASSWORD", variable):
                assert variable.endswith("_FILE"), f"{name}: {variable}"


def test_mcp_servers_get_the_same_switches_as_processes_of_our_own() -> None:
    entries = yaml.safe_load(SERVERS_FILE.read_text(encoding="utf-8"))
    pairs = {name.removeprefix("mcp-"): service for name, service in SERVICES.items() if name.startswith("mcp-")}
    assert set(pairs) == {"grafana", "kubernetes", "victoriametrics", "victorialogs"}
    for name, service in pairs.items():
        assert service["profiles"] == [name]
        switches = [part for part in entries[name]["command"][1:] if "{" not in part]
        assert set(switches) <= set(service.get("command", [])), name
        fixed = {key: value for key, value in entries[name].get("environment", {}).items() if "{" not in value}
        assert fixed.items() <= service.get("environment", {}).items(), name


def test_the_example_holds_an_address_for_every_mcp_service(tmp_path) -> None:
    assert settings_file.load(EXAMPLE).mcp.urls == {}
    loaded = settings_file.load(with_everything_on(tmp_path))
    for name, url in loaded.mcp.urls.items():
        service, port = re.fullmatch(r"http://([a-z-]+):(\d+)/mcp", url).groups()
        text = str(SERVICES[service].get("command", "")) + str(SERVICES[service].get("environment", ""))
        assert service == f"mcp-{name}"
        assert re.search(rf"[:=]{port}\b", text), service
    assert len(loaded.mcp.urls) == 4
    assert loaded.grafana is not None
    assert [str(cluster.kubeconfig) for cluster in loaded.kubernetes] == ["/run/secrets/kubeconfig"]


def test_every_path_of_the_image_exists() -> None:
    build = SERVICES["crew"]["build"]
    assert (ROOT / build["context"] / build["dockerfile"]).is_file()
    ignored = (ROOT / ".dockerignore").read_text(encoding="utf-8").split()
    copied = [word for line in re.findall(r"^COPY (.+)$", DOCKERFILE, re.MULTILINE) for word in line.split()[:-1]]
    assert [path for path in copied if not (ROOT / path).exists()] == []
    assert set(copied) & set(ignored) == set()
    assert {"agents", "tasks", "knowledge", "requirements.lock", "main.py"} <= set(copied)


def test_prepare_writes_everything_once_and_overwrites_nothing(tmp_path) -> None:
    for name in ("prepare.sh", "crew.example.yaml"):
        (tmp_path / name).write_bytes((ROOT / "deploy/compose" / name).read_bytes())

    def prepare() -> str:
        run = subprocess.run(["sh", str(tmp_path / "prepare.sh")], capture_output=True, text=True, check=True)
        return run.stdout

    assert "http_token" in prepare()
    token = (tmp_path / "secrets/http_token").read_text()
    assert len(token) == 64
    assert {path.name for path in (tmp_path / "secrets").iterdir()} == set(COMPOSE["secrets"])
    assert (tmp_path / "secrets").stat().st_mode & 0o077 == 0
    assert prepare() == ""
    assert (tmp_path / "secrets/http_token").read_text() == token


def test_the_settings_and_secrets_together_load(tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("prepare.sh", "crew.example.yaml"):
        (tmp_path / name).write_bytes((ROOT / "deploy/compose" / name).read_bytes())
    subprocess.run(["sh", str(tmp_path / "prepare.sh")], capture_output=True, check=True)
    for variable, value in SERVICES["crew"]["environment"].items():
        monkeypatch.setenv(variable, value.replace("/run/secrets", str(tmp_path / "secrets")))
    loaded = settings_file.load(tmp_path / "crew.yaml")
    assert loaded.http.token is not None
    assert len(loaded.http.token.get_secret_value()) == 64
    assert loaded.mcp.tokens == {}
    assert loaded.model.url == "http://ollama:11434"
