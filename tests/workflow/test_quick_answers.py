"""Every stage explains itself at once: its --help loads no TensorFlow, no matplotlib and no yt-dlp."""

import subprocess
import sys
from pathlib import Path

import pytest

SCRIPTS = sorted((Path(__file__).parents[2] / "workflow" / "scripts").glob("*.py"))
HEAVY = ("tensorflow", "keras", "matplotlib", "yt_dlp", "sklearn", "scipy", "pandas")
HELP = """
import runpy, sys
script, *heavy = sys.argv[1:]
sys.argv = [script, "--help"]
try:
    runpy.run_path(script, run_name="__main__")
except SystemExit as ended:
    print("exit", ended.code)
print("loaded", [name for name in heavy if name in sys.modules])
"""


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.stem)
def test_help_loads_nothing_heavy(script: Path) -> None:
    ended = subprocess.run([sys.executable, "-c", HELP, str(script), *HEAVY], capture_output=True, text=True)
    assert ended.stdout.splitlines()[-2:] == ["exit 0", "loaded []"], ended.stderr
    assert f"usage: {script.stem}.py" in ended.stdout
