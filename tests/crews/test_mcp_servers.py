"""The shipped list of servers fits the roles and the settings, and a wrong list is refused with file and line."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import yaml
from pydantic import SecretStr

from crews.mcp_servers import load_servers, setting_named
from crews.team.roles import MOST_TOOLS, load_team
from opscrew.errors import UsageError
from opscrew.settings import KubernetesSettings, McpSettings, Settings, UrlSettings

OWN = {"bitbucket": lambda: None}


def shipped(**settings: object):
    return {server.name: server for server in load_servers(Settings(**settings), OWN)}


def wrong(folder: Path, text: str) -> str:
    path = folder / "servers.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(UsageError) as raised:
        load_servers(Settings(mcp=McpSettings(servers=path)), OWN)
    return str(raised.value)


def test_every_tool_that_a_role_names_is_offered_to_it_and_only_reads() -> None:
    servers = shipped()
    for name, role in load_team().roles.items():
        assert len(role.tools) <= MOST_TOOLS
        for tool in role.tools:
            server, _, short = tool.partition(".")
            assert name in servers[server].entry.roles, tool
            assert short in servers[server].entry.tools, tool
            assert not servers[server].entry.tools[short].mutates, tool


def test_every_role_that_a_server_admits_exists() -> None:
    roles = load_team().roles
    assert [role for server in shipped().values() for role in server.entry.roles if role not in roles] == []


def test_without_settings_everything_is_off_and_says_what_it_needs() -> None:
    for server in shipped().values():
        assert not server.is_configured, server.name
        assert server.missing


def test_settings_reach_the_environment_and_what_is_absent_is_left_out() -> None:
    server = shipped(grafana=UrlSettings(url="http://grafana:3000", token=SecretStr("glsa_1")))["grafana"]
    assert server.is_configured
    assert server.environment["GRAFANA_URL"] == "http://grafana:3000"
    assert server.environment["GRAFANA_SERVICE_ACCOUNT_TOKEN"] == "glsa_1"
    assert "GRAFANA_PASSWORD" not in server.environment
    assert "glsa_1" not in " ".join(server.command)
    assert "glsa_1" not in repr(server)


def test_the_first_cluster_gives_the_kubeconfig(tmp_path) -> None:
    clusters = (KubernetesSettings(name="prod", kubeconfig=tmp_path / "config"), KubernetesSettings(name="b"))
    server = shipped(kubernetes=clusters)["kubernetes"]
    assert server.environment["KUBECONFIG"] == str(tmp_path / "config")
    assert server.folder == tmp_path
    assert setting_named(Settings(kubernetes=clusters), "kubernetes.1.name") == "b"
    assert setting_named(Settings(kubernetes=clusters), "kubernetes.2.name") is None


def test_the_context_of_the_settings_wins_over_the_current_one_of_the_file(tmp_path) -> None:
    cluster = KubernetesSettings(name="prod", kubeconfig=tmp_path / "config", context="the-right-one")
    server = shipped(kubernetes=(cluster,), data_dir=tmp_path / "data")["kubernetes"]
    choice, file = server.environment["KUBECONFIG"].split(os.pathsep)
    assert file == str(tmp_path / "config")
    assert yaml.safe_load(Path(choice).read_text())["current-context"] == "the-right-one"


def test_an_address_replaces_the_command(tmp_path) -> None:
    mcp = McpSettings(urls={"grafana": "http://mcp-grafana:8000/mcp"}, tokens={"grafana": SecretStr("t0ken")})
    server = shipped(mcp=mcp)["grafana"]
    assert server.is_configured
    assert (server.url, server.command, server.auth.kind, server.auth.secret) == (
        "http://mcp-grafana:8000/mcp",
        (),
        "bearer",
        "t0ken",
    )


def test_unwanted_servers_are_gone_and_misspelt_ones_are_named() -> None:
    assert "gcloud" not in shipped(mcp=McpSettings(without=("gcloud",)))
    with pytest.raises(UsageError, match=r"mcp\.urls: there is no MCP server grafna"):
        shipped(mcp=McpSettings(urls={"grafna": "http://x"}))


HEAD = "one:\n  title: One\n"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (HEAD + "  command: [a]\n  tolls: {}\n  tools: {}\n", "line 4: unknown field one.tolls"),
        (HEAD + "  tools: {}\n", "give exactly one of command, url and built_in"),
        (HEAD + "  command: [a]\n  url: http://x\n  tools: {}\n", "give exactly one of"),
        (HEAD + "  url: http://x\n  auth: {kind: bearer, token: abc123}\n  tools: {}\n", "must be a reference"),
        (HEAD + "  url: http://x\n  auth: {kind: magic}\n  tools: {}\n", "line 4"),
        (HEAD + "  built_in: true\n  tools: {}\n", "line 3: there is no built-in server one"),
        (HEAD + '  url: "{grafanna.url}"\n  tools: {}\n', "line 3: there is no setting grafanna.url"),
        (HEAD + "  url: http://x\n  tools: {a: {mutate: true}}\n", "line 4: unknown field one.tools.a.mutate"),
        ("One-Two:\n  title: x\n  url: http://x\n  tools: {}\n", "is no name for a server"),
        ("one: [\n", "line 2: not valid YAML"),
    ],
)
def test_a_wrong_list_is_refused_with_its_line(tmp_path, text, words) -> None:
    assert words in wrong(tmp_path, text)
