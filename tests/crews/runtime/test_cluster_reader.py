"""One cluster is read by crews and questions at once, and is asked no more than by one of them."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from crews.runtime.cluster_reader import ClusterReader
from opscrew.settings import KubernetesSettings
from tests.support.daemon import until
from tests.support.kubernetes_api import kubernetes_api
from tests.support.kubernetes_objects import pod

pytestmark = pytest.mark.usefixtures("unhurried")

PODS = "/api/v1/pods"


def test_many_who_read_at_once_share_one_client_and_one_watch(tmp_path: Path) -> None:
    with kubernetes_api() as api:
        api.objects[PODS] = [pod()]
        reader = ClusterReader(KubernetesSettings(name="prod", kubeconfig=api.kubeconfig(tmp_path)))
        try:
            with ThreadPoolExecutor(8) as pool:
                clients = set(pool.map(lambda _: reader.client, range(8)))
                readings = list(pool.map(lambda _: reader.read(), range(16)))
            until(lambda: api.asked(PODS, watch="true"))
        finally:
            reader.close()
        assert len(clients) == 1
        assert [len(reading.resources) for reading in readings] == [1] * 16
        # One list by the first look, one when the one watch began.
        assert len(api.asked(PODS, resourceVersion="0")) == 1
        assert len(api.asked(PODS, limit="500")) == 1
