"""The shipped list of servers fits the roles and the settings, and a wrong list is refused with file and line."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pytest
import yaml
from pydantic import SecretStr

from crews.mcp.servers import load_servers, setting_named
from crews.team.roles import AGENTS, MOST_TOOLS, load_team
from opscrew import settings_file
from opscrew.errors import UsageError
from opscrew.settings import KubernetesSettings, McpSettings, Settings, UrlSettings
from server.daemon import serve


def shipped(**given: object):
    return {server.name: server for server in load_servers(Settings(**given))}


def wrong(folder: Path, text: str) -> str:
    path = folder / "servers.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(UsageError) as raised:
        load_servers(Settings(mcp=McpSettings(servers=path)))
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
    mcp = McpSettings(urls={"grafana": "http://mcp-grafana:8000/mcp"}, tokens={"grafana": SecretStr("grafana-t0ken")})
    server = shipped(mcp=mcp)["grafana"]
    assert server.is_configured
    assert (server.url, server.command, server.auth.kind, server.auth.secret) == (
        "http://mcp-grafana:8000/mcp",
        (),
        "bearer",
        "grafana-t0ken",
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
        (HEAD + "  url: http://x\n  tools: {}\n" + HEAD + "  url: http://y\n  tools: {}\n", "line 5: one stands there"),
        (HEAD + "  url: http://x\n  tools: {a: {mutates: true},\n    a: {}}\n", "line 5: a stands there twice"),
        (HEAD + "  url: http://x\n  roles:\n    - sre\n    - sree\n  tools: {}\n", "line 6: there is no role sree"),
        (HEAD + "  url: http://x\n  needs: [grafna.url]\n  tools: {}\n", "line 4: there is no setting grafna.url"),
        (HEAD + '  url: "{grafana.urll}"\n  tools: {}\n', "line 3: there is no setting grafana.urll"),
        (HEAD + '  url: "{kubernetes.0.nmae}"\n  tools: {}\n', "line 3: there is no setting kubernetes.0.nmae"),
        (HEAD + '  command:\n    - a\n    - "-t={grafana.token}"\n  tools: {}\n', "line 5: grafana.token is a secret"),
        (HEAD + '  url: "http://x/?t={mcp.tokens.one}"\n  tools: {}\n', "line 3: mcp.tokens.one is a secret"),
        (HEAD + '  command: [a, "{database}"]\n  tools: {}\n', "line 3: database is a secret"),
        (HEAD + "  url: http://me:secret@x/mcp\n  tools: {}\n", "line 3: the url holds a user or a password"),
        (HEAD + "  url: localhost:8000/mcp\n  tools: {}\n", "line 3: the url is no web address"),
        (HEAD + "  command: [a]\n  environment: {API_TOKEN: abc12345}\n  tools: {}\n", "line 4: API_TOKEN looks like"),
        (
            "a_b:\n  title: A\n  url: http://x\n  tools: {c: }\na:\n  title: B\n  url: http://x\n  tools: {b.c: }\n",
            "a.b.c reads",
        ),
    ],
)
def test_a_wrong_list_is_refused_with_its_line(tmp_path, text, words) -> None:
    said = wrong(tmp_path, text)
    assert words in said
    assert "secret@" not in said
    assert "abc12345" not in said


def test_every_kind_of_setting_may_be_named(tmp_path) -> None:
    text = HEAD + "  command: [a, '{kubernetes.1.context}', '{mcp.urls.other}', '{gcp.projects}']\n"
    text += "  needs: [mcp.tokens.one]\n  tools: {}\n"
    text += "  environment: {A_TOKEN: '{grafana.token}', A_TOKEN_FILE: /run/token}\n"
    path = tmp_path / "servers.yaml"
    path.write_text(text, encoding="utf-8")
    grafana = UrlSettings(url="http://grafana:3000", token=SecretStr("glsa_1"))
    (server,) = load_servers(Settings(mcp=McpSettings(servers=path), grafana=grafana))
    assert dict(server.environment) == {"A_TOKEN": "glsa_1", "A_TOKEN_FILE": "/run/token"}
    assert server.missing == ("mcp.tokens.one", "kubernetes.1.context", "mcp.urls.other", "gcp.projects")


@pytest.mark.parametrize("url", ["localhost:8000/mcp", "http://me:hunter2@grafana/mcp", "http://grafana:port/mcp", ""])
def test_an_address_in_the_settings_that_is_none_is_refused_and_not_repeated(monkeypatch, tmp_path, url) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "other.yaml").write_text(json.dumps({"model": {"url": url}}), encoding="utf-8")
    for name, value in (("CREW_MCP__URLS", json.dumps({"grafana": url})), ("CREW_CONFIG", "other.yaml")):
        with monkeypatch.context() as once:
            once.setenv(name, value)
            with pytest.raises(UsageError) as raised:
                settings_file.load()
        assert "web address" in raised.value.message or "password" in raised.value.message
        assert "hunter2" not in str(raised.value)


def test_a_role_may_name_tools_of_a_list_of_ones_own(tmp_path) -> None:
    own = tmp_path / "servers.yaml"
    own.write_text(
        HEAD + "  url: http://x\n  roles: [sre]\n  tools: {look: , change: {mutates: true}}\n", encoding="utf-8"
    )
    agents = tmp_path / "agents"
    shutil.copytree(AGENTS, agents)
    sre = agents / "sre.yaml"
    sre.write_text(sre.read_text().replace("grafana.get_annotations", "one.look"), encoding="utf-8")
    assert load_team(agents, servers=own).roles["sre"].may_use("one", "look")
    with pytest.raises(UsageError, match=r"sre\.yaml line \d+: there is no tool one\.look"):
        load_team(agents)
    sre.write_text(sre.read_text().replace("one.look", "one.change"), encoding="utf-8")
    with pytest.raises(UsageError, match=r"sre\.yaml line \d+: one\.change changes something"):
        load_team(agents, servers=own)


def test_the_daemon_does_not_start_with_a_list_that_cannot_be_meant(tmp_path) -> None:
    path = tmp_path / "servers.yaml"
    path.write_text(HEAD + "  url: http://x\n  roles: [sree]\n  tools: {}\n", encoding="utf-8")
    with pytest.raises(UsageError, match="line 4: there is no role sree"):
        serve(Settings(mcp=McpSettings(servers=path), data_dir=tmp_path / "data"))
    assert not (tmp_path / "data").exists()


def test_no_model_is_given_a_tool_that_runs_sql_which_writes() -> None:
    bigquery = shipped()["bigquery"].entry.tools
    assert bigquery["execute_sql"].mutates
    assert not bigquery["execute_sql_readonly"].mutates
