"""Addresses with passwords and tokens: references in the place of them, and what messages show."""

import subprocess
import sys

import pytest

from l3net.errors import ConfigError
from l3net.network.addresses import conceal, conceal_all, referred, reveal, shown_address


def test_a_reference_is_a_hash_that_this_process_and_its_children_know() -> None:
    address = "https://mirror.example.org/{ytid}.mp4?key=SECRET"
    reference = conceal(address)
    assert "SECRET" not in reference and reveal(reference) == referred(reference) == address
    assert conceal(address) == reference != conceal(address + "2")
    program = f"from l3net.network import reveal; print(reveal({reference!r}))"
    assert subprocess.check_output([sys.executable, "-c", program], text=True).strip() == address


def test_a_reference_of_another_process_is_told() -> None:
    with pytest.raises(ConfigError, match=r"concealed://00ff stands for an address that this process does not know"):
        reveal("concealed://00ff")


def test_variables_of_the_environment_are_put_in(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MIRROR_TOKEN", "SECRET")
    text = "https://mirror.example.org/{ytid}.mp4?key=${MIRROR_TOKEN}"
    assert reveal(text) == reveal(conceal(text)) == "https://mirror.example.org/{ytid}.mp4?key=SECRET"
    assert referred(conceal(text)) == text
    monkeypatch.delenv("MIRROR_TOKEN")
    with pytest.raises(ConfigError, match=r"the environment variable MIRROR_TOKEN, which the configuration names"):
        reveal(text)


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("https://me:SECRET@example.org:8080/a.csv?key=SECRET#SECRET", "https://example.org:8080/a.csv"),
        ("http://example.org/a.csv", "http://example.org/a.csv"),
        ("http://[SECRET/x", "the address"),
    ],
)
def test_messages_show_neither_user_nor_query(address: str, shown: str) -> None:
    assert shown_address(address) == shown


def test_a_configuration_keeps_what_is_no_secret() -> None:
    config = {
        "audioset": {
            "url_template": "http://example.org/{ytid}.mp4",
            "proxy": None,
            "segments": ["a.csv", "https://example.org/list.csv", "https://example.org/list.csv?X-Token=1"],
        },
        "weights": {"a": {"url": "https://example.org/a.h5"}, "b": {"url": "https://u:p@example.org/b.h5"}, "c": {}},
        "datasets": {"d": {"mirror": "https://example.org/4f9a7c2be81d4f6a9b3c"}, "e": {"source": "official"}},
    }
    conceal_all(config)
    assert config["audioset"]["segments"][:2] == ["a.csv", "https://example.org/list.csv"]
    assert config["weights"]["a"] == {"url": "https://example.org/a.h5"} and config["weights"]["c"] == {}
    hidden = [config["audioset"]["url_template"], config["audioset"]["segments"][2], config["weights"]["b"]["url"]]
    hidden.append(config["datasets"]["d"]["mirror"])
    assert all(text.startswith("concealed:") for text in hidden) and config["audioset"]["proxy"] is None
    assert reveal(config["weights"]["b"]["url"]) == "https://u:p@example.org/b.h5"
