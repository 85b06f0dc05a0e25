"""The site builds without a warning, and without a network; its links inside the pages hold."""

import os
import re
import subprocess
import sys
from html import unescape
from pathlib import Path
from urllib.parse import unquote

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the site with an address of no one as every proxy: whatever asked the network would fail."""
    target = tmp_path_factory.mktemp("site")
    nowhere = dict.fromkeys(["http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"], "http://127.0.0.1:9")
    command = [sys.executable, "-m", "sphinx", "-q", "-W", "--keep-going", "-b", "html", "docs", str(target / "html")]
    ended = subprocess.run(
        [*command, "-d", str(target / "trees")], cwd=ROOT, env=os.environ | nowhere, capture_output=True, text=True
    )
    assert ended.returncode == 0, ended.stderr
    return target / "html"


def test_every_page_is_reached_and_no_link_is_dead(site: Path) -> None:
    pages = {path.name: path.read_text() for path in site.glob("*.html")}
    assert {path.stem for path in (ROOT / "docs").glob("*.md")} <= {Path(name).stem for name in pages}
    for name, text in pages.items():
        for link in re.findall(r'(?:href|src)="([^"]+)"', text):
            address, _, anchor = unquote(unescape(link)).partition("#")
            if "://" in address or address.startswith(("data:", "mailto:")):
                assert not address.endswith((".js", ".css", ".woff2")), f"{name} loads {link} from the network"
                continue
            address = address.partition("?")[0]
            assert not address or (site / address).exists(), f"{name} links to {link}"
            if anchor and (address or name) in pages:
                assert f'id="{anchor}"' in pages[address or name] or anchor == "", f"{name} links to {link}"


def test_the_page_of_commands_has_each_command(site: Path) -> None:
    listed = subprocess.run([sys.executable, "-m", "l3net.cli.main", "--help"], capture_output=True, text=True).stdout
    names = re.findall(r"^    ([a-z][a-z-]+)", listed, flags=re.M)
    page = (site / "commands.html").read_text()
    assert len(names) >= 6
    for name in names:
        assert f">l3net {name}<" in page


def test_the_reference_shows_the_python_interface(site: Path) -> None:
    page = (site / "api.html").read_text()
    assert 'id="l3net.embed"' in page and 'id="l3net.hear.load_model"' in page
    assert "shape=(n_windows, d)" in page
    # What stands behind a parameter's name in a docstring is its description, not its type.
    assert re.search(r"<strong>hop_seconds</strong>\W+Seconds from one window to the next", page)
