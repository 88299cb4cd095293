"""Which hosts are public services', and which host a line speaks of."""

from __future__ import annotations

import pytest

from opscrew.ci.judge.hosts import host_named, is_public


@pytest.mark.parametrize(
    "host",
    ["registry.npmjs.org", "raw.githubusercontent.com", "registry-1.docker.io", "GitHub.com", "proxy.golang.org.",
     "sts.eu-central-1.amazonaws.com", "europe-west3-docker.pkg.dev", "azure.archive.ubuntu.com"],
)  # fmt: skip
def test_public_services_are_known_by_their_names(host: str) -> None:
    assert is_public(host)


@pytest.mark.parametrize(
    "host",
    ["nexus.acme-corp.net", "0a1b.gr7.eu-central-1.eks.amazonaws.com", "acme.azurecr.io", "acme-dns.hcp.azmk8s.io",
     "acme.s3.amazonaws.com", "123.dkr.ecr.eu-central-1.amazonaws.com", "acme.jfrog.io", "dotnet.myget.org",
     "acme.azurewebsites.net", "github.com.acme-corp.net", "notgithub.com", "d1.cloudfront.net"],
)  # fmt: skip
def test_what_customers_run_is_not_public(host: str) -> None:
    assert not is_public(host)


@pytest.mark.parametrize(
    ("line", "host"),
    [
        ("GET https://a.acme-corp.net/w.tgz failed: getaddrinfo ENOTFOUND b.acme-corp.net", "a.acme-corp.net"),
        ("unable to access 'https://ada:x@git.acme-corp.net/a.git/': Could not resolve host", "git.acme-corp.net"),
        ("dial tcp: lookup 0A1B.eks.amazonaws.com on 10.0.0.2:53: no such host", "0a1b.eks.amazonaws.com"),
        ("java.net.UnknownHostException: repo.maven.apache.org", "repo.maven.apache.org"),
        ("HTTPSConnectionPool(host='pypi.acme-corp.net', port=443): Max retries exceeded", "pypi.acme-corp.net"),
        ("The remote name could not be resolved: 'api.nuget.org'", "api.nuget.org"),
        ("Connect to repo.acme-corp.net:443 failed: Connection timed out", "repo.acme-corp.net"),
        ("dial tcp 203.0.113.9:443: i/o timeout", ""),
        ("npm ERR! code ENOTFOUND", ""),
    ],
)  # fmt: skip
def test_the_host_of_a_line(line: str, host: str) -> None:
    assert host_named([line]) == host


def test_the_first_line_that_names_one_counts() -> None:
    assert (
        host_named(["npm ERR! code ENOTFOUND", "request to https://a.acme-corp.net/x", "https://b.example/"])
        == "a.acme-corp.net"
    )
