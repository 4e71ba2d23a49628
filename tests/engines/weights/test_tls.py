"""A hub whose certificate nobody vouches for, such as a company's proxy shows."""

from pathlib import Path

import pytest

from tests.engines.weights.a_hub import a_hub
from tests.engines.weights.conftest import FILES, NAME, Search
from tests.engines.weights.test_offline import in_a_process
from ultraandchat.access_config import TlsConfig
from ultraandchat.engines.base import EngineUnavailable
from ultraandchat.server.own_certificate import kept, names_of
from ultraandchat.server.tls import opened


def test_it_is_refused_at_once_and_the_way_to_trust_it_works(tmp_path: Path) -> None:
    place = {"HOME": str(tmp_path), "XDG_STATE_HOME": str(tmp_path)}
    tls = opened(TlsConfig(self_signed=True), "127.0.0.1", place)
    assert tls is not None
    with a_hub(tls.context) as hub:
        hub.has(NAME, FILES)
        search = Search(hub, tmp_path / "cache")
        with pytest.raises(EngineUnavailable) as refused:
            search()
        assert "the certificate of 127.0.0.1 is not to be trusted here" in refused.value.reason
        assert not search.pauses
        trusted = {"SSL_CERT_FILE": str(kept(names_of("127.0.0.1"), place))}
        found = in_a_process({"HF_ENDPOINT": hub.address, **trusted}, tmp_path)
        assert Path(found).is_dir()
