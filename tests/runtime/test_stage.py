"""The door of a stage: names checked both ways under Snakemake, options from the signature in a shell."""

import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from l3net.errors import ClipError, ConfigError
from l3net.runtime import stage


class Named:
    """The part of Snakemake's named lists that a stage reads."""

    def __init__(self, **named: object) -> None:
        self._named = named

    def items(self) -> list:
        return list(self._named.items())


def job(**sections: dict) -> SimpleNamespace:
    named = {key: Named(**sections.get(key, {})) for key in ("input", "output", "params")}
    return SimpleNamespace(**named, rule="cut", threads=3, log=[])


def cut(clips: list[Path], output: Path, *, previous: Path | None = None, share: float = 0.5, threads: int = 1):
    """Cut clips."""
    return clips, output, previous, share, threads


def test_bind_gives_each_parameter_its_type() -> None:
    given = job(input={"clips": ["a", "b"], "previous": []}, output={"output": "c"}, params={"share": 0.25})
    assert stage.bind(cut, given) == {
        "clips": [Path("a"), Path("b")],
        "previous": None,
        "output": Path("c"),
        "share": 0.25,
        "threads": 3,
    }


def test_bind_takes_one_file_for_a_list_and_a_list_of_one_for_a_file() -> None:
    bound = stage.bind(cut, job(input={"clips": "a", "previous": ["p"]}, output={"output": "c"}))
    assert bound["clips"] == [Path("a")]
    assert bound["previous"] == Path("p")


@pytest.mark.parametrize(
    ("sections", "message"),
    [
        ({"input": {"clips": "a"}, "output": {"output": "c"}, "params": {"shaer": 1}}, "no parameter shaer"),
        ({"input": {"clips": "a"}}, "rule cut and cut.. in test_stage.py disagree: the rule does not give output"),
        ({"input": {"clips": "a"}, "output": {"clips": "c"}}, "names 'clips' twice"),
    ],
)
def test_bind_names_what_disagrees(sections: dict, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        stage.bind(cut, job(**sections))


def test_command_line_is_made_from_the_signature() -> None:
    parser = stage.command_line(cut)
    arguments = vars(parser.parse_args(["--clips", "a", "b", "--output", "c", "--share", "0.1"]))
    expected = {"clips": [Path("a"), Path("b")], "output": Path("c"), "previous": None, "share": 0.1, "threads": 1}
    assert arguments == expected


def test_an_error_of_the_users_is_one_line_and_exit_code_1(tmp_path: Path) -> None:
    script = tmp_path / "fail.py"
    script.write_text(
        "from l3net.runtime import stage\nfrom l3net.errors import ClipError\n"
        "def fail(name: str) -> None:\n    raise ClipError(f'{name}: not a clip')\n"
        "stage.main(fail)\n"
    )
    ended = subprocess.run([sys.executable, script, "--name", "x.mkv"], capture_output=True, text=True)
    assert ended.returncode == 1
    assert ended.stderr == "fail: x.mkv: not a clip\n"


def test_run_asks_for_the_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> None:
        raise ClipError("not a clip")

    monkeypatch.setenv("L3NET_TRACEBACK", "1")
    with pytest.raises(ClipError, match="not a clip"):
        stage.run(fail, dict)


def test_options_are_read_back_by_the_command_line() -> None:
    def work(
        path: Path, names: list[str], *, rate: float, flag: bool = True, table: dict, other: str | None = None
    ) -> None:
        """Do nothing."""

    given = {"path": Path("a b"), "names": ["x", "y"], "rate": -0.5, "flag": False, "table": {"k": [1, "é"]}}
    words = stage.options(work, given)
    assert vars(stage.command_line(work).parse_args(words)) == {**given, "other": None}


def made_of(sounds: list[Path] = (), *, filter: Path | None, model: Path) -> None:
    """Show what a command may leave out."""


def test_a_command_leaves_out_what_may_be_none_or_empty_and_nothing_else(capsys: pytest.CaptureFixture) -> None:
    parser = stage.command_line(made_of)
    left_out = parser.parse_args(["--model", "m"])
    assert (list(left_out.sounds), left_out.filter, left_out.model) == ([], None, Path("m"))
    assert parser.parse_args(["--model", "m", "--sounds"]).sounds == []
    with pytest.raises(SystemExit):
        parser.parse_args(["--sounds", "a"])
    assert "the following arguments are required: --model" in capsys.readouterr().err
