"""The certificates that connections trust are read once, and anew for another place in the environment."""

from __future__ import annotations

from pathlib import Path

import certifi
import pytest

from tools.trust import trusted_certificates


def test_they_are_read_once() -> None:
    assert trusted_certificates() is trusted_certificates()
    assert trusted_certificates().cert_store_stats()["x509_ca"] > 50


def test_the_environment_counts_where_it_should(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    text = Path(certifi.where()).read_text()
    one = tmp_path / "company.pem"
    one.write_text(text[text.index("-----BEGIN") : text.index("-----END")] + "-----END CERTIFICATE-----\n")
    for name in ("SSL_CERT_FILE", "SSL_CERT_DIR"):
        monkeypatch.delenv(name, raising=False)
    before = trusted_certificates(as_the_environment_says=True)
    monkeypatch.setenv("SSL_CERT_FILE", str(one))
    assert trusted_certificates(as_the_environment_says=True).cert_store_stats()["x509_ca"] == 1
    assert trusted_certificates().cert_store_stats()["x509_ca"] > 50
    monkeypatch.delenv("SSL_CERT_FILE")
    assert trusted_certificates(as_the_environment_says=True) is before


def test_a_file_that_is_not_there_is_an_error_each_time(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "absent.pem"))
    for _ in range(2):
        with pytest.raises(FileNotFoundError):
            trusted_certificates(as_the_environment_says=True)
