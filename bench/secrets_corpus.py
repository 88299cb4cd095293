"""Made-up secrets in the contexts in which logs and tools show them, and harmless strings that look like them.

Everything is drawn by seed. Formats are those that the issuers publish; the contexts are forms, not copies.
"""

from __future__ import annotations

import base64
import json
import random
import string
from collections.abc import Callable, Iterator
from dataclasses import dataclass

LETTERS = string.ascii_letters + string.digits
LOWER = string.ascii_lowercase + string.digits
HEX = "0123456789abcdef"
BASE64 = LETTERS + "+/"
URL_SAFE = LETTERS + "-_"


@dataclass(frozen=True)
class Sample:
    """``secret`` must not be left in ``text`` once it was cleaned."""

    kind: str
    context: str
    text: str
    secret: str


def is_left(sample: Sample, cleaned: str) -> bool:
    """Whether the secret can still be read. Of an address or a pair, its last part is the secret."""
    last = sample.secret.rpartition("/")[2] if sample.kind.endswith("_webhook") else sample.secret
    return last.removeprefix("AccountKey=") in cleaned


def secrets(seed: int, of_each: int) -> Iterator[Sample]:
    """Each kind of secret in ``of_each`` contexts that fit it."""
    dice = random.Random(seed)
    for kind, make in TOKENS.items():
        for _ in range(of_each):
            name, context = dice.choice(ANYWHERE)
            secret = make(dice)
            yield Sample(kind, name, context(dice, secret), secret)
    for name, named in NAMED.items():
        for _ in range(of_each):
            secret = password(dice)
            yield Sample("password", name, named(dice, secret), secret)
    for kind, block in BLOCKS.items():
        for _ in range(of_each):
            text, secret = block(dice)
            yield Sample(kind, "block", text, secret)


def harmless(seed: int, count: int) -> Iterator[str]:
    """Strings of which none holds a secret."""
    dice = random.Random(seed)
    for number in range(count):
        yield HARMLESS[number % len(HARMLESS)](dice)


def _text(dice: random.Random, signs: str, length: int) -> str:
    return "".join(dice.choice(signs) for _ in range(length))


def password(dice: random.Random) -> str:
    """As people and generators make them, of at least eight signs, always with more than letters."""
    word, other = dice.choice(WORDS), dice.choice(WORDS)
    return dice.choice(
        [
            f"{word.title()}{dice.randrange(10, 9999)}!",
            f"{word}-{other}-{dice.randrange(10, 99)}",
            f"{word[0].upper()}{word[1:]}_{other}{dice.randrange(100)}",
            _text(dice, LETTERS, dice.randrange(10, 24)),
            _text(dice, LETTERS + "!#%+-_.=", dice.randrange(12, 20)) + "7a",
            _text(dice, HEX, 32),
            _text(dice, BASE64, 24) + "a9==",
        ]
    )


def _of(prefix: str, signs: str, length: int, tail: str = "") -> Callable[[random.Random], str]:
    return lambda dice: prefix + _text(dice, signs, length) + tail


def _jwt(dice: random.Random) -> str:
    def part(value: object) -> str:
        return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")

    head = part({"alg": "RS256", "kid": _text(dice, HEX, 8)})
    return f"{head}.{part({'sub': _text(dice, LETTERS, 9), 'iat': dice.randrange(10**9)})}.{_text(dice, URL_SAFE, 43)}"


WORDS = ["harbor", "copper", "meadow", "falcon", "winter", "garnet", "saddle", "tulip", "orbit", "cinder", "walnut"]

TOKENS: dict[str, Callable[[random.Random], str]] = {
    "aws_id": _of("AKIA", string.ascii_uppercase + "234567", 16),
    "aws_session_id": _of("ASIA", string.ascii_uppercase + "234567", 16),
    "github": _of("ghp_", LETTERS, 36),
    "github_app": _of("ghs_", LETTERS, 36),
    "github_fine": lambda dice: f"github_pat_{_text(dice, LETTERS, 22)}_{_text(dice, LETTERS, 59)}",
    "gitlab": _of("glpat-", URL_SAFE, 20),
    "gitlab_runner": _of("glrt-", URL_SAFE, 20),
    "gitlab_deploy": _of("gldt-", URL_SAFE, 20),
    "slack_bot": lambda dice: (
        f"xoxb-{_text(dice, string.digits, 12)}-{_text(dice, string.digits, 13)}-{_text(dice, LETTERS, 24)}"
    ),
    "slack_user": lambda dice: f"xoxp-{_text(dice, string.digits, 12)}-{_text(dice, HEX, 32)}",
    "slack_app": lambda dice: f"xapp-1-{_text(dice, LETTERS, 11)}-{_text(dice, HEX, 40)}",
    "slack_webhook": lambda dice: (
        "https://hooks.slack.com/services/T0"
        + _text(dice, LETTERS, 8)
        + "/B0"
        + _text(dice, LETTERS, 8)
        + "/"
        + _text(dice, LETTERS, 24)
    ),
    "discord_webhook": lambda dice: (
        f"https://discord.com/api/webhooks/{_text(dice, string.digits, 18)}/{_text(dice, URL_SAFE, 68)}"
    ),
    "telegram": lambda dice: f"{dice.randrange(10**8, 10**9)}:AA{_text(dice, URL_SAFE, 33)}",
    "atlassian": _of("ATATT3xFfGF0", URL_SAFE, 170, "=1A2B3C4D"),
    "bitbucket_app": _of("ATBB", LETTERS, 32),
    "bitbucket_repo": _of("ATCTT3xFfGN0", URL_SAFE, 170, "=0A1B2C3D"),
    "google_key": _of("AIza", URL_SAFE, 35),
    "google_oauth": _of("ya29.", URL_SAFE, 60),
    "google_client": _of("GOCSPX-", URL_SAFE, 28),
    "google_refresh": _of("1//0", URL_SAFE, 60),
    "npm": _of("npm_", LETTERS, 36),
    "pypi": _of("pypi-AgEIcHlwaS5vcmc", URL_SAFE, 80),
    "rubygems": _of("rubygems_", HEX, 48),
    "docker_hub": _of("dckr_pat_", URL_SAFE, 27),
    "digitalocean": _of("dop_v1_", HEX, 64),
    "vault": _of("hvs.", URL_SAFE, 24),
    "vault_old": _of("s.", LETTERS, 24),
    "terraform": lambda dice: f"{_text(dice, LETTERS, 14)}.atlasv1.{_text(dice, URL_SAFE, 67)}",
    "sendgrid": lambda dice: f"SG.{_text(dice, URL_SAFE, 22)}.{_text(dice, URL_SAFE, 43)}",
    "stripe": _of("sk_live_", LETTERS, 24),
    "stripe_restricted": _of("rk_live_", LETTERS, 24),
    "stripe_hook": _of("whsec_", LETTERS, 32),
    "openai": _of("sk-proj-", URL_SAFE, 48),
    "anthropic": _of("sk-ant-api03-", URL_SAFE, 93, "AA"),
    "hugging_face": _of("hf_", string.ascii_letters, 34),
    "databricks": _of("dapi", HEX, 32),
    "grafana": lambda dice: f"glsa_{_text(dice, LETTERS, 32)}_{_text(dice, HEX, 8)}",
    "grafana_cloud": _of("glc_eyJ", BASE64, 80),
    "jwt": _jwt,
    "age": _of("AGE-SECRET-KEY-1", "QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L", 58),
    "azure_ad": lambda dice: f"{_text(dice, LETTERS, 3)}8Q~{_text(dice, URL_SAFE, 34)}",
    "azure_storage": lambda dice: "AccountKey=" + _text(dice, BASE64, 86) + "==",
    "mailgun": _of("key-", HEX, 32),
    "mailchimp": lambda dice: f"{_text(dice, HEX, 32)}-us{dice.randrange(1, 20)}",
    "twilio": _of("SK", HEX, 32),
    "shopify": _of("shpat_", HEX, 32),
    "linear": _of("lin_api_", LETTERS, 40),
    "new_relic": _of("NRAK-", string.ascii_uppercase + string.digits, 27),
    "dynatrace": lambda dice: (
        f"dt0c01.{_text(dice, string.ascii_uppercase, 24)}.{_text(dice, string.ascii_uppercase, 64)}"
    ),
    "doppler": _of("dp.pt.", LETTERS, 43),
    "pulumi": _of("pul-", HEX, 40),
    "sonar": _of("squ_", HEX, 40),
    "tailscale": lambda dice: f"tskey-auth-{_text(dice, LETTERS, 12)}-{_text(dice, LETTERS, 32)}",
    "postman": lambda dice: f"PMAK-{_text(dice, HEX, 24)}-{_text(dice, HEX, 34)}",
    "circleci": lambda dice: f"CCIPAT_{_text(dice, LETTERS, 22)}_{_text(dice, HEX, 40)}",
    "artifactory": _of("AKCp8", LETTERS, 68),
    "sentry": _of("sntrys_eyJ", BASE64, 90),
    "figma": _of("figd_", URL_SAFE, 40),
    "square": _of("sq0csp-", URL_SAFE, 43),
    "openshift": _of("sha256~", URL_SAFE, 43),
    "planetscale": _of("pscale_tkn_", URL_SAFE, 43),
    "supabase": _of("sbp_", HEX, 40),
    "planet_hash": lambda dice: f"$2y$10${_text(dice, LETTERS + './', 53)}",
}

ANYWHERE: list[tuple[str, Callable[[random.Random, str], str]]] = [
    ("alone", lambda dice, s: s),
    ("log", lambda dice, s: f"2026-11-30T12:0{dice.randrange(10)}:00Z INFO  using {s} for upload"),
    ("quoted", lambda dice, s: f'error: "{s}" was rejected'),
    ("environment", lambda dice, s: f"{dice.choice(['X', 'MY_VALUE', 'CI_THING'])}={s}"),
    ("json", lambda dice, s: json.dumps({"value": s, "n": 1})),
    ("yaml", lambda dice, s: f"  value: {s}"),
    ("echo", lambda dice, s: f"+ echo '{s}'"),
    ("colours", lambda dice, s: f"\x1b[32mvalue\x1b[0m \x1b[1m{s}\x1b[0m done"),
    ("docker", lambda dice, s: f"docker run -e VALUE={s} --rm image:1"),
    ("table", lambda dice, s: f"| value | {s} |"),
    ("brackets", lambda dice, s: f"[{s}]"),
]

NAMES = [
    "DB_PASSWORD", "DB_PASS", "MYSQL_PWD", "PGPASSWORD", "SMTP_PASS", "API_KEY", "AUTH_TOKEN", "CLIENT_SECRET",
    "JWT_SECRET", "REDIS_PASSWORD", "APP_SECRET_KEY", "ACCESS_TOKEN", "ENCRYPTION_KEY", "REGISTRY_PASSWORD",
    "aws_secret_access_key", "GPG_PASSPHRASE", "ADMIN_PWD", "SIGNING_KEY", "NEXUS_CREDENTIALS", "DEPLOY_TOKEN_2",
    "SONAR_TOKEN", "DJANGO_SECRET_KEY", "SSH_PASS", "ROOT_PASS", "APIKEY", "SESSION_SECRET", "PROD_DB_PASSWORD",
]  # fmt: skip
KEYS = [
    "password", "token", "secret", "apiKey", "api_key", "clientSecret", "accessToken", "dbPassword", "auth-token",
    "spring.datasource.password", "secret_key", "privateKey", "passphrase", "smtpPass", "refresh_token", "admin_pwd",
]  # fmt: skip


def _name(dice: random.Random) -> str:
    return dice.choice(NAMES)


def _key(dice: random.Random) -> str:
    return dice.choice(KEYS)


def _b64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


NAMED: dict[str, Callable[[random.Random, str], str]] = {
    "env": lambda d, s: f"{_name(d)}={s}",
    "env in a list": lambda d, s: f"PATH=/usr/bin\nHOME=/root\n{_name(d)}={s}\nPWD=/opt/build",
    "export": lambda d, s: f"export {_name(d)}='{s}'",
    "xtrace": lambda d, s: f"+ {_name(d)}={s}",
    "declare": lambda d, s: f'declare -x {_name(d)}="{s}"',
    "docker -e": lambda d, s: f"docker run --rm -e {_name(d)}={s} -p 80:80 shop:1",
    "docker inspect": lambda d, s: f'        "Env": ["PATH=/bin", "{_name(d)}={s}"],',
    "dockerfile": lambda d, s: f"Step 4/9 : ENV {_name(d)}={s}",
    "dockerfile blank": lambda d, s: f"ENV {_name(d)} {s}",
    "yaml": lambda d, s: f"  {_key(d)}: {s}",
    "yaml quoted": lambda d, s: f'{_key(d)}: "{s}"',
    "yaml list": lambda d, s: f"- {_key(d)}: '{s}'",
    "kube env": lambda d, s: f"- name: {_name(d)}\n  value: {s}",
    "kubectl describe": lambda d, s: f"    Environment:\n      {_name(d)}:  {s}",
    "json": lambda d, s: json.dumps({"user": "ci", _key(d): s}),
    "json in json": lambda d, s: json.dumps({"log": json.dumps({_key(d): s})}),
    "python": lambda d, s: f"Config(user='ci', {_key(d).replace('-', '_').replace('.', '_')}='{s}', port=5432)",
    "dict": lambda d, s: f"{{'user': 'ci', '{_key(d)}': '{s}'}}",
    "go struct": lambda d, s: f"{{User:ci Password:{s} Port:5432}}",
    "java": lambda d, s: f"Credentials[user=ci, password={s}, realm=x]",
    "ini": lambda d, s: f"{_key(d)} = {s}",
    "toml": lambda d, s: f'{_key(d)} = "{s}"',
    "properties": lambda d, s: f"signing.password={s}",
    "php": lambda d, s: f"'db_password' => '{s}',",
    "ruby": lambda d, s: f':password => "{s}"',
    "xml": lambda d, s: f"<password>{s}</password>",
    "xml property": lambda d, s: f'<property name="hibernate.connection.password" value="{s}"/>',
    "logfmt": lambda d, s: f'level=info msg="connect" {_key(d)}="{s}" attempt=2',
    "said": lambda d, s: f"2026-11-30 12:00:00 WARN login failed with password: {s}",
    "in words": lambda d, s: f"Generated password for user admin is {s}",
    "colours": lambda d, s: f"\x1b[36m{_name(d)}\x1b[0m=\x1b[33m{s}\x1b[0m",
    "table": lambda d, s: f"│ db_password │ {s} │",
    "bearer": lambda d, s: f"> Authorization: Bearer {_text(d, LETTERS, 8)}{s}",
    "token header": lambda d, s: f"Authorization: token {s}",
    "api key header": lambda d, s: f"X-Api-Key: {s}",
    "private token": lambda d, s: f"curl -H 'PRIVATE-TOKEN: {s}' https://git.example.org/api",
    "cookie": lambda d, s: f"Cookie: theme=dark; sessionid={s}",
    "set-cookie": lambda d, s: f"< Set-Cookie: SID={s}; Path=/; HttpOnly",
    "url": lambda d, s: f"git clone https://ci:{_percent(s)}@git.example.org/shop.git",
    "url with at": lambda d, s: f"postgres://app:{s.replace('/', '_')}@x{d.randrange(10)}@db.example.org:5432/shop",
    "redis": lambda d, s: f"redis://:{s.replace('/', '_')}@cache:6379/0",
    "query": lambda d, s: f"GET https://api.example.org/v1?access_token={_percent(s)}&page=2",
    "ado": lambda d, s: f"Server=db;User Id=app;Password={s.replace(';', '')};Encrypt=true",
    "odbc": lambda d, s: f"DRIVER=x;Uid=app;Pwd={s.replace(';', '')};",
    "jdbc": lambda d, s: f"jdbc:mysql://db:3306/shop?user=app&password={_percent(s)}",
    "libpq": lambda d, s: f"host=db user=app password={s} dbname=shop sslmode=require",
    "go mysql": lambda d, s: f"app:{s.replace('/', '_')}@tcp(db:3306)/shop?parseTime=true",
    "mysql -p": lambda d, s: f"mysql -h db -uroot -p{_plain(s)} -e 'select 1'",
    "mysqldump": lambda d, s: f"+ mysqldump --host db -u root -p'{_plain(s)}' shop",
    "sshpass": lambda d, s: f"sshpass -p {_plain(s)} ssh deploy@10.0.0.4",
    "docker login": lambda d, s: f"docker login -u ci -p {_plain(s)} registry.example.org",
    "stdin": lambda d, s: f"echo {_plain(s)} | docker login -u ci --password-stdin",
    "curl -u": lambda d, s: f"curl -fsS -u deploy:{_plain(s)} https://nexus.example.org/x",
    "redis-cli": lambda d, s: f"redis-cli -h cache -a {_plain(s)} ping",
    "option": lambda d, s: f"helm upgrade shop --set auth.password={_plain(s)}",
    "option blank": lambda d, s: f"tool login --username ci --password {_plain(s)}",
    "option is": lambda d, s: f"tool --client-secret={_plain(s)} deploy",
    "literal": lambda d, s: f"kubectl create secret generic db --from-literal=user-x={_plain(s)}",
    "openssl": lambda d, s: f"openssl pkcs12 -in a.p12 -passin pass:{_plain(s)}",
    "keytool": lambda d, s: f"keytool -list -keystore k.jks -storepass {_plain(s)}",
    "netrc": lambda d, s: f"machine git.example.org login ci password {s}",
    "netrc lines": lambda d, s: f"machine git.example.org\n  login ci\n  password {s}",
    "pgpass": lambda d, s: f"db.example.org:5432:shop:app:{s}",
    "npmrc": lambda d, s: f"//registry.example.org/:_authToken={s}",
    "npmrc auth": lambda d, s: f"_auth={_b64('ci:' + s)}",
    "docker config": lambda d, s: json.dumps({"auths": {"r.example.org": {"auth": s}}}),
    "sql": lambda d, s: f"CREATE USER app WITH PASSWORD '{s}';",
    "sql identified": lambda d, s: f"ALTER USER 'app'@'%' IDENTIFIED BY '{s}'",
    "powershell": lambda d, s: f'$env:{_name(d)} = "{s}"',
    "windows": lambda d, s: f"set {_name(d)}={s}",
    "terraform": lambda d, s: f"terraform apply -var='db_password={_plain(s)}'",
    "ansible": lambda d, s: f"ansible-playbook site.yml -e db_password={_plain(s)}",
    "ldap": lambda d, s: f"ldapsearch -D cn=admin -w {_plain(s)} -b dc=example",
    "smb": lambda d, s: f"smbclient //files/share -U ci%{_plain(s)}",
    "htpasswd": lambda d, s: f"htpasswd -bc /etc/nginx/.htpasswd admin {_plain(s)}",
    "chpasswd": lambda d, s: f'echo "root:{_plain(s)}" | chpasswd',
    "rabbit": lambda d, s: f"rabbitmqctl add_user shop {_plain(s)}",
    "array": lambda d, s: f'["login", "--password", "{_plain(s)}"]',
}


def _plain(secret: str) -> str:
    """Without signs that a shell would read."""
    return "".join(sign for sign in secret if sign not in "!#%='\"`&|;<>/") + "x7"


def _percent(secret: str) -> str:
    return "".join(sign if sign in URL_SAFE + ".!" else f"%{ord(sign):02X}" for sign in secret)


def _key_body(dice: random.Random, lines: int = 12) -> list[str]:
    return [_text(dice, BASE64, 64) for _ in range(lines)] + [_text(dice, BASE64, 30) + "=="]


def _pem(
    kind: str, *, end: bool = True, begin: bool = True, lead: str = "", one_line: bool = False
) -> Callable[[random.Random], tuple[str, str]]:
    def make(dice: random.Random) -> tuple[str, str]:
        body = _key_body(dice)
        lines = [f"-----BEGIN {kind}-----"] * begin + body + [f"-----END {kind}-----"] * end
        text = "\\n".join(lines) if one_line else "\n".join(lead + line for line in lines)
        return (f'{{"private_key": "{text}\\n"}}' if one_line else f"before\n{text}\nafter"), dice.choice(body[:-1])

    return make


def _kube_secret(dice: random.Random) -> tuple[str, str]:
    secret = _b64(password(dice))
    entry = f"  {dice.choice(['username', 'config.yaml', 'dsn', 'value'])}: {secret}"
    return f"apiVersion: v1\ndata:\n{entry}\nkind: Secret\nmetadata:\n  name: shop", secret


def _kube_secret_json(dice: random.Random) -> tuple[str, str]:
    secret = _b64(password(dice))
    return json.dumps({"apiVersion": "v1", "kind": "Secret", "data": {"config.json": secret}}), secret


def _docker_config(dice: random.Random) -> tuple[str, str]:
    config = _b64(json.dumps({"auths": {"r.example.org": {"auth": _b64("ci:" + password(dice))}}}))
    return f".dockerconfigjson: {config}", config


def _tls_key(dice: random.Random) -> tuple[str, str]:
    key = _b64("-----BEGIN RSA PRIVATE KEY-----\n" + "\n".join(_key_body(dice, 3)))
    return f"  tls.key: {key}", key


def _account_file(dice: random.Random) -> tuple[str, str]:
    text, secret = _pem("PRIVATE KEY", one_line=True)(dice)
    return json.dumps({"type": "service_account", "key": text}), secret


BLOCKS: dict[str, Callable[[random.Random], tuple[str, str]]] = {
    "rsa key": _pem("RSA PRIVATE KEY"),
    "key without end": _pem("EC PRIVATE KEY", end=False),
    "key without begin": _pem("PRIVATE KEY", begin=False),
    "key in a log": _pem("OPENSSH PRIVATE KEY", lead="2026-11-30T12:00:00Z build | "),
    "key in yaml": _pem("RSA PRIVATE KEY", lead="    "),
    "key on one line": _pem("PRIVATE KEY", one_line=True),
    "pgp key": _pem("PGP PRIVATE KEY BLOCK"),
    "account file": _account_file,
    "kube secret": _kube_secret,
    "kube secret json": _kube_secret_json,
    "docker config": _docker_config,
    "tls key": _tls_key,
}


def _certificate(dice: random.Random) -> str:
    body = "\n".join(["MIID" + _text(dice, BASE64, 60), *_key_body(dice, 6)])
    return f"-----BEGIN CERTIFICATE-----\n{body}\n-----END CERTIFICATE-----"


HARMLESS: list[Callable[[random.Random], str]] = [
    lambda d: f"commit {_text(d, HEX, 40)}",
    lambda d: f"HEAD is now at {_text(d, HEX, 7)} Add token refresh to the login page",
    lambda d: f"Digest: sha256:{_text(d, HEX, 64)}",
    lambda d: f"Status: Downloaded newer image for registry.example.org/shop@sha256:{_text(d, HEX, 64)}",
    lambda d: f'"integrity": "sha512-{_text(d, BASE64, 86)}=="',
    lambda d: f"resolved https://registry.npmjs.org/@types/node/-/node-{d.randrange(30)}.1.0.tgz#{_text(d, HEX, 40)}",
    lambda d: (
        f"request id {_text(d, HEX, 8)}-{_text(d, HEX, 4)}-4{_text(d, HEX, 3)}-a{_text(d, HEX, 3)}-{_text(d, HEX, 12)}"
    ),
    lambda d: f"data:image/png;base64,iVBORw0KGgo{_text(d, BASE64, 120)}",
    lambda d: f"token count: {d.randrange(5000)}",
    lambda d: f"{d.randrange(20, 90)} tokens/s, prompt tokens: {d.randrange(4000)}",
    lambda d: "max_tokens=4096 temperature=0.1",
    lambda d: "password: ********",
    lambda d: f"{_name(d)}=***",
    lambda d: f"--- PASS: Test{d.choice(WORDS).title()}Login/with_token ({d.randrange(9)}.0{d.randrange(9)}s)",
    lambda d: f"PASS: tests/test_{d.choice(WORDS)}.py::test_password_is_hashed",
    lambda d: f"PASS src/{d.choice(WORDS)}/token.test.ts",
    lambda d: f"tests/auth/test_tokens.py::test_{d.choice(WORDS)}_secret PASSED [ {d.randrange(99)}%]",
    lambda d: f"PWD=/opt/atlassian/pipelines/agent/build/{d.choice(WORDS)}",
    lambda d: "OLDPWD=/root",
    lambda d: f"secretName: {d.choice(WORDS)}-tls",
    lambda d: (
        "  - name: DB_PASSWORD\n    valueFrom:\n      secretKeyRef:\n"
        f"        name: {d.choice(WORDS)}\n        key: password"
    ),
    lambda d: f"      DB_PASSWORD:  <set to the key 'password' in secret '{d.choice(WORDS)}'>  Optional: false",
    lambda d: f"imagePullSecrets:\n- name: {d.choice(WORDS)}-regcred",
    lambda d: f"https://{d.choice(WORDS)}.example.org:8443/login?next=/home",
    lambda d: f"git@bitbucket.org:acme/{d.choice(WORDS)}.git",
    lambda d: f"ssh://git@git.example.org:7999/acme/{d.choice(WORDS)}.git",
    lambda d: f"postgres://db.example.org:5432/{d.choice(WORDS)}",
    lambda d: f"registry.example.org:5000/acme/{d.choice(WORDS)}:1.{d.randrange(20)}.3-alpine",
    _certificate,
    lambda d: f"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI{_text(d, BASE64, 43)} ci@example.org",
    lambda d: f"tls.crt: LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0t{_text(d, BASE64, 80)}",
    lambda d: f"SyntaxError: Unexpected token '{d.choice('{}();,')}' in JSON at position {d.randrange(900)}",
    lambda d: f"Parse error: unexpected token: identifier at line {d.randrange(900)}",
    lambda d: "    token = lexer.next_token(stream)",
    lambda d: "password = getpass.getpass()",
    lambda d: "self.password = config.password",
    lambda d: "error TS2345: Argument of type 'token: string' is not assignable",
    lambda d: "const apiKey: string = process.env.API_KEY;",
    lambda d: f'Error: password authentication failed for user "{d.choice(WORDS)}"',
    lambda d: "fatal: could not read Password for 'https://ci@git.example.org': terminal prompts disabled",
    lambda d: "401 Unauthorized: token expired",
    lambda d: "the token is invalid or has expired",
    lambda d: "warning: secret: field is deprecated, use secretRef",
    lambda d: f"Cache key: linux-npm-{_text(d, HEX, 16)}",
    lambda d: f"cache hit for key node-modules-v1-{_text(d, HEX, 32)}",
    lambda d: f"PRIMARY KEY ({d.choice(WORDS)}_id), FOREIGN KEY ({d.choice(WORDS)}_id)",
    lambda d: f'ERROR: duplicate key value violates unique constraint "{d.choice(WORDS)}_pkey"',
    lambda d: f"KeyError: '{d.choice(WORDS)}'",
    lambda d: f"AUTH_METHOD=oidc TOKEN_EXPIRY={d.randrange(9999)} PASSWORD_MIN_LENGTH=12",
    lambda d: "TOKEN_URL=https://login.example.org/oauth2/token",
    lambda d: f"DB_PASSWORD_FILE=/run/secrets/{d.choice(WORDS)}_password",
    lambda d: "DB_PASSWORD=$DB_PASSWORD docker compose up -d",
    lambda d: 'curl -H "Authorization: Bearer $TOKEN" https://api.example.org',
    lambda d: "docker login -u $USER -p $PASSWORD registry.example.org",
    lambda d: 'echo "$REGISTRY_PASSWORD" | docker login -u ci --password-stdin',
    lambda d: "password: ${{ secrets.DB_PASSWORD }}",
    lambda d: "token: {{ .Values.auth.token }}",
    lambda d: f"docker run -d -p {d.randrange(1000, 9999)}:80 --name {d.choice(WORDS)} nginx:1.27",
    lambda d: "mysql -h db -u root -p shop < schema.sql",
    lambda d: f"ps -p {d.randrange(99999)} -o comm=",
    lambda d: "mkdir -p /opt/app/secrets/tokens",
    lambda d: f"chown -R 1000:1000 /data/{d.choice(WORDS)}",
    lambda d: f"useradd -u 1000:{d.randrange(999)} app",
    lambda d: "Set password policy: strict",
    lambda d: f'level=info msg="secret synced" secret=shop/{d.choice(WORDS)}-tls',
    lambda d: f"secret/{d.choice(WORDS)}-credentials configured",
    lambda d: f"serviceaccount/{d.choice(WORDS)}-token-reviewer created",
    lambda d: f"Mounting volume kube-api-access-{_text(d, LOWER, 5)} at /var/run/secrets/kubernetes.io/serviceaccount",
    lambda d: f"pod/{d.choice(WORDS)}-{_text(d, LOWER, 10)}-{_text(d, LOWER, 5)} condition met",
    lambda d: f'etag: W/"{_text(d, HEX, 32)}"',
    lambda d: f"{_text(d, HEX, 64)}  app-{d.choice(WORDS)}.tar.gz",
    lambda d: f"go: golang.org/x/crypto v0.{d.randrange(40)}.0 h1:{_text(d, BASE64, 43)}=",
    lambda d: f"    sha256-{_text(d, BASE64, 43)}=",
    lambda d: f"kid={_text(d, HEX, 8)} alg=RS256 token_type=Bearer expires_in=3600",
    lambda d: f"compass: {d.choice(WORDS)}, bypass: enabled, passed: {d.randrange(99)}, failed: 0",
    lambda d: f"author: {d.choice(WORDS)} <{d.choice(WORDS)}@example.org>",
    lambda d: f"at com.example.auth.TokenFilter.doFilter(TokenFilter.java:{d.randrange(400)})",
    lambda d: f'File "/app/{d.choice(WORDS)}/password.py", line {d.randrange(400)}, in check_password',
    lambda d: "npm warn config _auth is deprecated, use //registry.example.org/:_authToken",
    lambda d: f"X-Request-Id: {_text(d, HEX, 32)}",
    lambda d: f"trace_id={_text(d, HEX, 32)} span_id={_text(d, HEX, 16)}",
    lambda d: "pip install --hash=sha256:" + _text(d, HEX, 64),
    lambda d: f"Tokenizer: loaded {d.randrange(50000)} tokens from vocab.json",
    lambda d: f"rotated credentials for {d.choice(WORDS)}: ok",
    lambda d: "pass 3 of 5: optimizing",
    lambda d: "Enter password:",
    lambda d: "secret: not found",
    lambda d: "publicKey: MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE" + _text(d, BASE64, 86),
    lambda d: f"v1.{d.randrange(30)}.{d.randrange(9)}+k3s1",
]
