"""Settings: one file, one environment, and errors that name the key."""

from pathlib import Path

import pytest

from opscrew import settings_file
from opscrew.errors import UsageError
from opscrew.settings import Settings
from opscrew.settings_mistakes import part_of


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    for name in ("CREW_CONFIG", "CREW_DATA_DIR"):
        monkeypatch.delenv(name, raising=False)

    def _write(text: str) -> Path:
        path = tmp_path / "crew.yaml"
        path.write_text(text, encoding="utf-8")
        return path

    return _write


def test_an_empty_file_switches_every_system_off(write) -> None:
    loaded = settings_file.load(write(""))
    assert loaded.bitbucket is None
    assert loaded.model.name == "none"


def test_the_environment_beats_the_file(write, monkeypatch) -> None:
    monkeypatch.setenv("CREW_BITBUCKET__URL", "http://127.0.0.1:1/2.0")
    loaded = settings_file.load(write("bitbucket: {workspace: acme, url: https://example.org}"))
    assert loaded.bitbucket.url == "http://127.0.0.1:1/2.0"
    assert loaded.bitbucket.workspace == "acme"


def test_a_secret_comes_from_a_file_that_the_environment_names(write, monkeypatch, tmp_path) -> None:
    (tmp_path / "token").write_text("open sesame\n", encoding="utf-8")
    monkeypatch.setenv("CREW_BITBUCKET__TOKEN_FILE", str(tmp_path / "token"))
    loaded = settings_file.load(write("bitbucket: {workspace: acme}"))
    assert loaded.bitbucket.token.get_secret_value() == "open sesame"
    assert "sesame" not in repr(loaded)


SECRETS = {
    "CREW_BITBUCKET__TOKEN": lambda loaded: loaded.bitbucket.token,
    "CREW_BITBUCKET__WEBHOOK_SECRET": lambda loaded: loaded.bitbucket.webhook_secret,
    "CREW_GRAFANA__PASSWORD": lambda loaded: loaded.grafana.password,
    "CREW_GRAFANA__TOKEN": lambda loaded: loaded.grafana.token,
    "CREW_MODEL__TOKEN": lambda loaded: loaded.model.token,
    "CREW_HTTP__TOKEN": lambda loaded: loaded.http.token,
    "CREW_MCP__TOKEN": lambda loaded: loaded.mcp.token,
    "CREW_ALERTS__WEBHOOK_TOKEN": lambda loaded: loaded.alerts.webhook_token,
}


def test_it_lists_every_secret_that_is_set(write, monkeypatch) -> None:
    expected = set()
    for number, variable in enumerate(SECRETS):
        monkeypatch.setenv(variable, f"value {number}")
        expected.add(f"value {number}")
    monkeypatch.setenv("CREW_MCP__TOKENS", '{"grafana": "of the gateway"}')
    monkeypatch.setenv("CREW_DATABASE", "postgresql://crew:in-an-address@db/crew")
    loaded = settings_file.load(write("bitbucket: {workspace: acme}\ngrafana: {url: http://127.0.0.1:3000}"))
    assert set(loaded.secrets()) == expected | {"of the gateway", "in-an-address"}


@pytest.mark.parametrize("variable", SECRETS)
def test_a_blank_secret_is_none_and_opens_nothing(write, monkeypatch, tmp_path, variable: str) -> None:
    file = write("bitbucket: {workspace: acme}\ngrafana: {url: http://127.0.0.1:3000}")
    for blank in ("", "  "):
        monkeypatch.setenv(variable, blank)
        assert SECRETS[variable](settings_file.load(file)) is None
    monkeypatch.delenv(variable)
    (tmp_path / "blank").write_text("\n", encoding="utf-8")
    monkeypatch.setenv(f"{variable}_FILE", str(tmp_path / "blank"))
    assert SECRETS[variable](settings_file.load(file)) is None


def test_every_secret_is_tried_with_a_blank_one() -> None:
    names = {
        f"CREW_{top.upper()}__{name.upper()}"
        for top, field in Settings.model_fields.items()
        if (part := part_of(field.annotation)) is not None
        for name, inner in part.model_fields.items()
        if "SecretStr" in str(inner.annotation) and "dict" not in str(inner.annotation)
    }
    same_part = {"VICTORIAMETRICS", "VICTORIALOGS", "VMALERT", "ALERTMANAGER"}  # as grafana
    assert {name for name in names if name.split("_")[1] not in same_part} == set(SECRETS)


def test_a_blank_token_of_an_mcp_server_is_left_out(write, monkeypatch) -> None:
    monkeypatch.setenv("CREW_MCP__TOKENS", '{"grafana": "", "atlassian": "abc-def"}')
    assert list(settings_file.load(write("")).mcp.tokens) == ["atlassian"]


def test_the_empty_secret_file_of_a_system_that_is_not_used_switches_nothing_on(write, monkeypatch, tmp_path) -> None:
    (tmp_path / "empty").touch()
    monkeypatch.setenv("CREW_BITBUCKET__TOKEN_FILE", str(tmp_path / "empty"))
    assert settings_file.load(write("")).bitbucket is None


def test_a_secret_file_of_bytes_is_a_plain_message(write, monkeypatch, tmp_path) -> None:
    (tmp_path / "bytes").write_bytes(b"\xff\xfe\x00")
    monkeypatch.setenv("CREW_BITBUCKET__TOKEN_FILE", str(tmp_path / "bytes"))
    with pytest.raises(UsageError, match="which cannot be read: it is no text"):
        settings_file.load(write("bitbucket: {workspace: acme}"))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("bitbuket: {workspace: acme}", "unknown key bitbuket (did you mean bitbucket?)"),
        ("bitbucket: {workspace: a, urll: b}", "unknown key bitbucket.urll (did you mean url?)"),
        ("kubernetes: [{name: a, kubeconfg: b}]", "unknown key kubernetes.0.kubeconfg (did you mean kubeconfig?)"),
        ("bitbucket: {workspace: acme, token: x}", "bitbucket.token is a secret"),
        ("bitbucket: {url: 'http://x'}", "bitbucket.workspace is missing"),
        ("bitbucket: {workspce: acme}", "unknown key bitbucket.workspce (did you mean workspace?)"),
        ("kubernetes: [{nam: prod}]", "unknown key kubernetes.0.nam (did you mean name?)"),
        ("kubernetes: {name: prod}", "crew.yaml: kubernetes: should be a list"),
        ('"\\0": 1', r"unknown key '\x00'"),
        ("timezone: Europe/Berln", "did you mean Europe/Berlin?"),
        ("policy: {rerun_pipeline: maybe}", "policy.rerun_pipeline: should be auto, approve or off"),
        ("bitbucket: {workspace: acme/shop}", "bitbucket.workspace: is no workspace; write the name"),
        ("bitbucket: {workspace: ''}", "bitbucket.workspace: is no workspace"),
        ("bitbucket: {workspace: acme, url: 'http://[::1'}", "bitbucket.url: is no web address"),
        ("grafana: {url: grafana}", "grafana.url: is no web address; write it as in http://host:8000/path"),
        ("vmalert: {url: 'http://me:pw@vmalert:8880'}", "vmalert.url: holds a user or a password"),
        ("a: [", "not valid YAML"),
        ("- a", "expected settings by name"),
        ("\x00\x01", "not valid YAML"),
        ("policy: {a: off}\ntimezone: UTC\npolicy: {a: auto}", "line 3: policy stands there twice"),
        ("policy: {rerun_pipeline: {a: off, a: auto}}", "line 1: a stands there twice"),
        ("policy: " + "[" * 3000 + "]" * 3000, "policy: should hold settings by name"),
        ("data_dir: [here]", "data_dir: should be a path"),
        ("data_dir: ' '", "data_dir: is empty"),
        ("stop_seconds: .inf", "stop_seconds: should be at most 3600"),
        ("budget: {approval_hours: 1e+300}", "budget.approval_hours: should be at most 8784"),
        ("budget: {cooldown_minutes: 1441}", "budget.cooldown_minutes: should be at most 1440"),
        ("grafana: {url: http://g, timeout_seconds: .inf}", "grafana.timeout_seconds: should be at most 600"),
        ("memory: {keep_conversations_days: 10000000000}", "memory.keep_conversations_days: should be at most 36500"),
    ],
)
def test_a_wrong_file_is_one_clear_line(write, text: str, message: str) -> None:
    with pytest.raises(UsageError) as caught:
        settings_file.load(write(text))
    assert message in caught.value.message
    assert "\n" not in caught.value.message


@pytest.mark.parametrize("token", ["two\nlines", "töken-1", "a\ttab-stop"])
def test_a_token_that_no_header_takes_is_told_without_it(write, monkeypatch, token: str) -> None:
    monkeypatch.setenv("CREW_BITBUCKET__TOKEN", token)
    with pytest.raises(UsageError, match="environment: CREW_BITBUCKET__TOKEN: holds a line break or a sign") as caught:
        settings_file.load(write("bitbucket: {workspace: acme}"))
    assert token not in caught.value.message


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("CREW_BITBUCKET__TOKEN", "dev-1"),
        ("CREW_HTTP__TOKEN", "xyz"),
        ("CREW_ALERTS__WEBHOOK_TOKEN", " abc "),
        ("CREW_MCP__TOKENS", '{"grafana": "qwe"}'),
    ],
)
def test_a_secret_that_is_a_piece_of_a_word_is_refused(write, monkeypatch, variable: str, value: str) -> None:
    """Masking it would take parts out of every word; not masking it would show it."""
    monkeypatch.setenv(variable, value)
    with pytest.raises(UsageError, match=f"{variable}.*is a secret of fewer than 6 characters") as caught:
        settings_file.load(write("bitbucket: {workspace: acme}"))
    assert value.strip() not in caught.value.message.replace(variable, "")


@pytest.mark.parametrize("name", ["acme", "ACME-2", "a_b", "{3f2504e0-4f89-41d3-9a0c-0305e82c3301}"])
def test_names_that_workspaces_have(write, name: str) -> None:
    assert settings_file.load(write(f"bitbucket: {{workspace: '{name}'}}")).bitbucket.workspace == name


def test_a_secret_file_that_is_missing_is_named(write, monkeypatch) -> None:
    monkeypatch.setenv("CREW_BITBUCKET__TOKEN_FILE", "/nowhere/token")
    with pytest.raises(UsageError, match="CREW_BITBUCKET__TOKEN_FILE names /nowhere/token"):
        settings_file.load(write("bitbucket: {workspace: acme}"))


def test_a_file_that_may_not_be_read_is_told_apart_from_a_broken_one(write, monkeypatch) -> None:
    path = write("timezone: UTC")

    def denied(*_: object, **__: object) -> str:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "read_text", denied)
    with pytest.raises(UsageError) as caught:
        settings_file.load(path)
    assert "cannot be read: Permission denied" in caught.value.message
    assert "init" not in caught.value.hint, "a fresh file in its place would lose what is in it"


def test_a_name_that_no_file_can_have_is_one_clear_line() -> None:
    with pytest.raises(UsageError, match="cannot be read: File name too long"):
        settings_file.load(Path("a" * 300))


def test_a_configuration_file_that_is_named_must_exist(tmp_path) -> None:
    with pytest.raises(UsageError, match="there is no configuration file"):
        settings_file.load(tmp_path / "absent.yaml")


def test_a_bare_off_in_yaml_is_the_mode_off(tmp_path) -> None:
    (tmp_path / "crew.yaml").write_text("policy: {stop_pipeline: off, rerun_pipeline: {acme/*: auto, acme/infra: off}}")
    policy = settings_file.load(tmp_path / "crew.yaml").policy
    assert policy == {"stop_pipeline": "off", "rerun_pipeline": {"acme/*": "auto", "acme/infra": "off"}}


def test_a_list_in_the_environment_that_is_not_json_names_its_variable(write, monkeypatch) -> None:
    monkeypatch.setenv("CREW_KUBERNETES", "[x")
    with pytest.raises(UsageError) as raised:
        settings_file.load(write(""))
    assert raised.value.message == "CREW_KUBERNETES: not valid JSON"


@pytest.mark.parametrize(
    ("variable", "hint"),
    [
        ("CREW_BITBUKET__TOKEN", "Did you mean CREW_BITBUCKET__TOKEN?"),
        ("CREW_BITBUKET__TOKEN_FILE", "Did you mean CREW_BITBUCKET__TOKEN?"),
        ("CREW_LOGLEVEL", "Did you mean CREW_LOG_LEVEL?"),
        ("CREW_HTTP_PORT", "Did you mean CREW_HTTP__PORT?"),
        ("CREW_DATADIR", "Did you mean CREW_DATA_DIR?"),
        ("CREW_JENKINS__URL", "docs/SETTINGS.md lists the variables."),
    ],
)
def test_a_misspelt_variable_is_not_passed_over(write, monkeypatch, variable: str, hint: str) -> None:
    monkeypatch.setenv(variable, __file__)
    with pytest.raises(UsageError, match=f"no setting is called {variable}$") as refused:
        settings_file.load(write(""))
    assert refused.value.hint == hint


@pytest.mark.parametrize(
    ("variable", "value", "message"),
    [
        ("CREW_HTTP__PORT", "many", "environment: CREW_HTTP__PORT: should be a whole number"),
        ("CREW_LOG_FORMAT", "xml", "environment: CREW_LOG_FORMAT: should be console or json"),
        (
            "CREW_BITBUCKET__TOKN",
            "x",
            "environment: unknown key CREW_BITBUCKET__TOKN (did you mean CREW_BITBUCKET__TOKEN?)",
        ),
        ("CREW_KUBERNETES", '[{"nam": "prod"}]', "environment: unknown key CREW_KUBERNETES.0.nam (did you mean name?)"),
    ],
)
def test_a_mistake_in_the_environment_is_not_blamed_on_the_file(write, monkeypatch, variable, value, message) -> None:
    monkeypatch.setenv(variable, value)
    with pytest.raises(UsageError) as caught:
        settings_file.load(write("bitbucket: {workspace: acme}\nhttp: {host: 127.0.0.1}"))
    assert caught.value.message.startswith(message)


def test_variables_that_kubernetes_makes_of_services_are_left_alone(write, monkeypatch) -> None:
    monkeypatch.setenv("CREW_PORT", "tcp://10.0.0.7:8780")
    monkeypatch.setenv("CREW_HTTP_PORT", "tcp://10.0.0.7:8780")
    monkeypatch.setenv("CREW_SERVICE_HOST", "10.0.0.7")
    monkeypatch.setenv("CREW_SERVICE_PORT_HTTP", "8780")
    monkeypatch.setenv("CREW_PORT_8780_TCP_PROTO", "tcp")
    monkeypatch.setenv("CREW_CONFIG", "")
    assert settings_file.load(write("")).http.port == 8780


def test_all_mistakes_are_reported_in_one_run_in_our_words(write, monkeypatch) -> None:
    monkeypatch.setenv("CREW_BITBUKET__TOKEN", "x")
    monkeypatch.setenv("CREW_GRAFANA__TOKEN_FILE", "/nowhere/token")
    text = """
bitbucket: {workspce: acme, token: hidden, requests_per_hour: many}
kubernetes: [{kubeconfig: 3}, 4]
policy: {rerun_pipeline: maybe, expand_pvc: {a: 1}}
timezone: Europe/Berln
dry_run: perhaps
quiet_hours: 22
alerts: {maintenance: [{name: patch, hours: late, days: [someday], begins: 2026-12-01}]}
"""
    with pytest.raises(UsageError) as caught:
        settings_file.load(write(text))
    lines = caught.value.message.splitlines()
    assert lines[0] == f"{len(lines) - 1} mistakes in the settings:"
    told = "\n".join(lines[1:])
    for words in (
        "CREW_BITBUKET__TOKEN",
        "CREW_GRAFANA__TOKEN_FILE names /nowhere/token",
        "unknown key bitbucket.workspce (did you mean workspace?)",
        "bitbucket.token is a secret and does not belong in this file",
        "bitbucket.requests_per_hour: should be a whole number",
        "kubernetes.0.name is missing",
        "kubernetes.0.kubeconfig: should be a path",
        "kubernetes.1: should hold settings by name",
        "policy.rerun_pipeline: should be auto, approve or off",
        "policy.expand_pvc.a: should be auto, approve or off",
        "timezone: no such time zone (did you mean Europe/Berlin?)",
        "dry_run: should be true or false",
        "quiet_hours: should be text; put it in quotes",
        "alerts.maintenance.0.hours: does not have the form",
        "alerts.maintenance.0.days.0: should be mon, tue, wed, thu, fri, sat or sun",
        "alerts.maintenance.0.begins: should be a time with its zone",
    ):
        assert words in told
    assert "Input should" not in told
    assert "bitbucket.workspace is missing" not in told, "it is there, misspelt"
    assert len(set(lines)) == len(lines)


def test_a_mistake_in_the_rules_is_reported_beside_the_others(write) -> None:
    with pytest.raises(UsageError) as caught:
        settings_file.load(write("policy: {rerun_pipelin: auto}\ntimezone: Nowhere"))
    assert "policy: unknown action rerun_pipelin (did you mean rerun_pipeline?)" in caught.value.message
    assert "timezone: no such time zone" in caught.value.message


@pytest.mark.parametrize("variable", ["CREW_BITBUCKET__TOKEN", "CREW_GRAFANA__PASSWORD", "CREW_VMALERT__TOKEN"])
def test_a_token_without_its_section_switches_nothing_on_and_stays_secret(write, monkeypatch, variable: str) -> None:
    monkeypatch.setenv(variable, "open-sesame")
    loaded = settings_file.load(write("timezone: UTC"))
    assert loaded.watches_nothing
    assert loaded.spare_secrets == (variable.removeprefix("CREW_").replace("__", ".").lower(),)
    assert loaded.secrets() == ["open-sesame"]
    assert "sesame" not in repr(loaded)


def test_more_than_a_token_without_its_section_is_a_mistake(write, monkeypatch) -> None:
    monkeypatch.setenv("CREW_BITBUCKET__TOKEN", "open-sesame")
    monkeypatch.setenv("CREW_BITBUCKET__URL", "http://127.0.0.1:1")
    with pytest.raises(UsageError, match=r"bitbucket\.workspace is missing"):
        settings_file.load(write("timezone: UTC"))


def test_a_store_has_a_tenant_and_headers_and_a_cluster_may_have_its_own(write, monkeypatch) -> None:
    monkeypatch.setenv("CREW_VICTORIAMETRICS__SECRET_HEADERS", '{"X-Api-Key": "of the gateway"}')
    monkeypatch.setenv("CREW_VICTORIAMETRICS__TOKENS", '{"stage": "of the stage"}')
    loaded = settings_file.load(
        write(
            """
victoriametrics: {url: "http://vm:8428", tenant: "12", headers: {X-Scope-OrgID: prod}}
kubernetes:
  - {name: prod, metrics_labels: {cluster: prod}}
  - {name: stage, victoriametrics: {url: "http://vm-stage:8481", tenant: "12:3", headers: {X-Scope-OrgID: stage}}}
"""
        )
    )
    common, prod, stage = (loaded.store("victoriametrics", name) for name in ("", "prod", "stage"))
    assert common == prod
    assert (stage.url, stage.tenant, stage.headers) == ("http://vm-stage:8481", "12:3", {"X-Scope-OrgID": "stage"})
    assert stage.token.get_secret_value() == "of the stage"
    assert stage.secret_headers == common.secret_headers
    assert {"of the gateway", "of the stage"} <= set(loaded.secrets())
    assert loaded.store("victorialogs", "prod") is None


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("kubernetes: [{name: a, metrics_labels: {k8s.cluster.name: a}}]", "k8s_cluster_name"),
        ("kubernetes: [{name: a, metrics_labels: {'cluster name': a}}]", "is no label name"),
        ("kubernetes: [{name: a, metrics_labels: {1st: a}}]", "is no label name"),
        ("victoriametrics: {url: 'http://vm', tenant: prod}", "account:project"),
        ("victoriametrics: {url: 'http://vm', tenant: 12:3}", "put it in quotes"),
        ("victoriametrics: {url: 'http://vm', headers: {'X Scope': a}}", "is no name of an HTTP header"),
        ("victoriametrics: {url: 'http://vm', headers: {X-Scope-OrgID: \"a\\nb\"}}", "line break"),
        ("victorialogs: {url: 'http://vl', headers: {Authorization: Basic abc}}", "secret_headers"),
        ("victorialogs: {url: 'http://vl', secret_headers: {X-Key: abcdef}}", "CREW_VICTORIALOGS__SECRET_HEADERS"),
        ("kubernetes: [{name: a, victoriametrics: {url: 'http://vm-a'}}]", "victoriametrics: is needed beside that"),
    ],
)
def test_what_a_store_cannot_mean_is_told_when_settings_are_read(write, text: str, words: str) -> None:
    with pytest.raises(UsageError) as refused:
        settings_file.load(write(text))
    assert words in f"{refused.value} {refused.value.hint}"


def test_a_token_for_a_cluster_that_does_not_exist_is_named(write, monkeypatch) -> None:
    monkeypatch.setenv("CREW_VICTORIAMETRICS__TOKENS", '{"stgae": "of the stage"}')
    with pytest.raises(UsageError, match=r"stgae, which is no cluster \(did you mean stage\?\)"):
        settings_file.load(write("victoriametrics: {url: 'http://vm'}\nkubernetes: [{name: stage}]"))
