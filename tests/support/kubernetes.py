"""A real control plane for tests: etcd, API server, and on wish controllers, scheduler and kwok's pretended kubelets.

Everything listens on 127.0.0.1 on free ports and keeps its state in a folder of the test; only what was started here
is stopped, by process. ``missing_programs`` says what cannot be had.
"""

from __future__ import annotations

import os
import secrets
import socket
import ssl
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from shutil import which

import httpx
import yaml

PARTS = Path(os.environ.get("CREW_PARTS", "~/.cache/crew-parts")).expanduser()
_START_SECONDS = 180


def find_program(name: str) -> Path | None:
    """A program of the parts folder, else of PATH."""
    built = sorted(PARTS.glob(f"*/{name}"))
    found = str(built[-1]) if built else which(name)
    return Path(found) if found else None


def missing_programs(*, full: bool, kwok: bool) -> list[str]:
    """Names of the programs that are not there; empty means it can start."""
    names = ["etcd", "kube-apiserver"]
    names += ["kube-controller-manager", "kube-scheduler"] if full else []
    names += ["kwok"] if kwok else []
    return [name for name in names if find_program(name) is None]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class ControlPlane:
    """``kubeconfig`` is an administrator's; ``viewer_kubeconfig`` belongs to an account without any rights at first."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_port()
        self.kubeconfig = folder / "admin.kubeconfig"
        self.viewer_kubeconfig = folder / "viewer.kubeconfig"
        self.url = f"https://127.0.0.1:{self.port}"
        self._token = secrets.token_hex(16)
        self._viewer_token = secrets.token_hex(16)
        self._processes: list[subprocess.Popen[bytes]] = []
        self.http: httpx.Client
        self._kubelets: subprocess.Popen[bytes]

    def start(self, *, full: bool, kwok: bool) -> None:
        self._write_keys()
        for path, user, token in (
            (self.kubeconfig, "admin", self._token),
            (self.viewer_kubeconfig, "viewer", self._viewer_token),
        ):
            self._write_kubeconfig(path, user, token)
        self.http = httpx.Client(
            base_url=self.url,
            verify=ssl.create_default_context(cafile=str(self.folder / "ca.crt")),
            headers={"Authorization": f"Bearer {self._token}"},
            timeout=60,
            trust_env=False,
        )
        self._start_api(full)
        if full:
            self._start_controllers()
        if kwok:
            self._start_kwok()

    def silence_kubelets(self) -> None:
        """Ends kwok: from now on no node reports any more, but for those whose leases the test renews."""
        self._kubelets.terminate()
        self._kubelets.wait(30)

    def stop(self) -> None:
        for process in reversed(self._processes):
            process.terminate()
        for process in reversed(self._processes):
            try:
                process.wait(5)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait(30)
        if hasattr(self, "http"):
            self.http.close()

    def apply(self, *objects: dict[str, object]) -> None:
        """Creates objects. One that exists already is an error, so that a test cannot pass on leftovers."""
        for raw in objects:
            self.http.post(collection_path(raw), json=raw).raise_for_status()

    def patch_status(self, path: str, status: dict[str, object]) -> None:
        """For what only a kubelet would write."""
        headers = {"Content-Type": "application/merge-patch+json"}
        self.http.patch(f"{path}/status", json={"status": status}, headers=headers).raise_for_status()

    def _write_keys(self) -> None:
        def openssl(*arguments: str) -> None:
            subprocess.run(["openssl", *arguments], cwd=self.folder, check=True, capture_output=True)

        (self.folder / "san").write_text("subjectAltName=IP:127.0.0.1,IP:10.96.0.1,DNS:kubernetes.default.svc")
        new = ("-newkey", "rsa:2048", "-nodes")
        openssl("req", "-x509", *new, "-days", "2", "-subj", "/CN=test-ca", "-keyout", "ca.key", "-out", "ca.crt")
        openssl("req", *new, "-subj", "/CN=kube-apiserver", "-keyout", "tls.key", "-out", "tls.csr")
        signing = ("-CA", "ca.crt", "-CAkey", "ca.key", "-CAcreateserial", "-days", "2", "-extfile", "san")
        openssl("x509", "-req", "-in", "tls.csr", *signing, "-out", "tls.crt")
        openssl("genrsa", "-out", "sa.key", "2048")
        tokens = f'{self._token},admin,1,"system:masters"\n{self._viewer_token},viewer,2,"viewers"\n'
        (self.folder / "tokens.csv").write_text(tokens)

    def _write_kubeconfig(self, path: Path, user: str, token: str) -> None:
        config = {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": "test",
            "contexts": [{"name": "test", "context": {"cluster": "test", "user": user}}],
            "clusters": [{"name": "test", "cluster": {"server": self.url, "certificate-authority": "ca.crt"}}],
            "users": [{"name": user, "user": {"token": token}}],
        }
        path.write_text(yaml.safe_dump(config))

    def _spawn(self, name: str, *arguments: str) -> None:
        program = find_program(name)
        assert program is not None, f"{name} is missing"
        log = (self.folder / f"{name}.log").open("wb")
        self._processes.append(subprocess.Popen([str(program), *arguments], stdout=log, stderr=log, cwd=self.folder))

    def _wait(self, name: str, url: str, *, verify: ssl.SSLContext | bool = True, token: str = "") -> None:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        ends = time.monotonic() + _START_SECONDS
        with httpx.Client(verify=verify, trust_env=False, headers=headers) as http:
            while time.monotonic() < ends:
                try:
                    if http.get(url).is_success:
                        return
                except httpx.HTTPError:
                    pass
                assert self._processes[-1].poll() is None, self._log_tail(name)
                time.sleep(0.1)
        raise AssertionError(f"{name} did not start: {self._log_tail(name)}")

    def _log_tail(self, name: str) -> str:
        return "\n".join((self.folder / f"{name}.log").read_text(errors="replace").splitlines()[-10:])

    def _start_api(self, full: bool) -> None:
        etcd, peer = f"http://127.0.0.1:{free_port()}", f"http://127.0.0.1:{free_port()}"
        clients = ("--listen-client-urls", etcd, "--advertise-client-urls", etcd)
        peers = ("--listen-peer-urls", peer, "--initial-advertise-peer-urls", peer)
        cluster = ("--initial-cluster", f"default={peer}")
        self._spawn("etcd", "--data-dir", "etcd", "--unsafe-no-fsync", *clients, *peers, *cluster)
        self._wait("etcd", f"{etcd}/health")
        arguments = {
            "etcd-servers": etcd,
            "bind-address": "127.0.0.1",
            "advertise-address": "127.0.0.1",
            "secure-port": str(self.port),
            "tls-cert-file": "tls.crt",
            "tls-private-key-file": "tls.key",
            "token-auth-file": "tokens.csv",
            "authorization-mode": "RBAC",
            "anonymous-auth": "false",
            "service-account-issuer": "https://kubernetes.default.svc",
            "service-account-signing-key-file": "sa.key",
            "service-account-key-file": "sa.key",
            "service-cluster-ip-range": "10.96.0.0/16",
            "endpoint-reconciler-type": "none",
            # An etcd before 3.4.25 cannot stream the first list of a watch. Left on, kwok asks for just that again and
            # again with a growing pause, and its pretended kubelets look away for half a minute each time.
            "feature-gates": "WatchList=false",
        }
        if not full:  # without its controller no ServiceAccount ever appears, and no pod could be created
            arguments["disable-admission-plugins"] = "ServiceAccount"
        self._spawn("kube-apiserver", *(f"--{name}={value}" for name, value in arguments.items()))
        verify = ssl.create_default_context(cafile=str(self.folder / "ca.crt"))
        self._wait("kube-apiserver", f"{self.url}/readyz", verify=verify, token=self._token)

    def _start_controllers(self) -> None:
        common = (f"--kubeconfig={self.kubeconfig}", "--bind-address=127.0.0.1", "--leader-elect=false")
        for name, extra in (
            (
                "kube-controller-manager",
                (
                    "--service-account-private-key-file=sa.key",
                    "--root-ca-file=ca.crt",
                    "--authorization-always-allow-paths=/healthz",
                ),
            ),
            ("kube-scheduler", ()),
        ):
            port = free_port()
            self._spawn(name, *common, f"--secure-port={port}", "--cert-dir=.", *extra)
            insecure = ssl._create_unverified_context()  # its own self-signed certificate of a moment ago
            self._wait(name, f"https://127.0.0.1:{port}/healthz", verify=insecure)

    def _start_kwok(self) -> None:
        program = find_program("kwok")
        assert program is not None
        port = free_port()
        self._spawn(
            "kwok",
            f"--kubeconfig={self.kubeconfig}",
            f"--config={program.parent / 'kwok-stages.yaml'}",
            "--manage-all-nodes=true",
            "--node-lease-duration-seconds=40",
            "--node-ip=127.0.0.1",
            f"--node-port={port}",
            f"--server-address=127.0.0.1:{port}",
            "--tls-cert-file=tls.crt",
            "--tls-private-key-file=tls.key",
        )
        self._kubelets = self._processes[-1]
        self._wait("kwok", f"http://127.0.0.1:{port}/healthz")


@contextmanager
def control_plane(folder: Path, *, full: bool = False, kwok: bool = False) -> Iterator[ControlPlane]:
    """A running control plane; stopped at the end whatever happens."""
    plane = ControlPlane(folder)
    try:
        plane.start(full=full, kwok=kwok)
        yield plane
    finally:
        plane.stop()


_PLURALS = {"Ingress": "ingresses", "StorageClass": "storageclasses", "NetworkPolicy": "networkpolicies"}
_CLUSTER_WIDE = (
    "ClusterRole",
    "ClusterRoleBinding",
    "CustomResourceDefinition",
    "MutatingWebhookConfiguration",
    "Namespace",
    "Node",
    "PersistentVolume",
    "StorageClass",
    "ValidatingWebhookConfiguration",
)


def collection_path(raw: dict[str, object]) -> str:
    """Where an object of that kind is created."""
    version, kind = str(raw["apiVersion"]), str(raw["kind"])
    metadata = raw["metadata"]
    assert isinstance(metadata, dict)
    root = f"/apis/{version}" if "/" in version else f"/api/{version}"
    middle = "" if kind in _CLUSTER_WIDE else f"/namespaces/{metadata.get('namespace', 'default')}"
    return f"{root}{middle}/{_PLURALS.get(kind, kind.lower() + 's')}"
