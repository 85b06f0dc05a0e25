"""Every preset, profile and environment: it makes what it made, plans a run, and asks for what its rules need."""

import ast
import importlib
import itertools
import re
import sys
from pathlib import Path

import pytest
import yaml

from l3net.configuration import GPU_STAGES
from tests.workflow.preset_files import PRESETS, laid_over_config, read_preset
from tests.workflow.stub_run import StubRun

ROOT = Path(__file__).parents[2]
SCRIPTS = ROOT / "workflow" / "scripts"
# What a package is called where its import has another name.
PACKAGES = {"ffmpeg": "ffmpeg-python", "imageio_ffmpeg": "imageio-ffmpeg", "sklearn": "scikit-learn", "yaml": "pyyaml"}
PACKAGES |= {"ml_dtypes": "ml-dtypes"}
PACKAGES |= {"yt_dlp": "yt-dlp", "PIL": "pillow", "lazy_loader": "lazy-loader"}
# Extras a user installs when a named embedding or an export asks for them, and l3net.hear's own callers.
OPTIONAL = {"onnx", "tf2onnx", "onnxruntime", "torch", "tf-keras"}


# Runs a command and tells its memory: in a small process of its own, since one that is forked starts with its parent's.
MEASURED = """
import resource, subprocess, sys
code = subprocess.call(sys.argv[1:])
print("peak KiB:", resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
sys.exit(code)
"""


@pytest.fixture(scope="module")
def stubs(tmp_path_factory: pytest.TempPathFactory, root: Path) -> StubRun:
    return StubRun(tmp_path_factory.mktemp("presets"), root)


# What a golden configuration, made before defaults were turned round, may differ in: preset -> key -> value now. Where
# no value of its own was meant, the demo's had leaked in (docs/decisions.md). Then come later changes of the paper's.
NEW_KEYS = {"report.significance": "averaged", "audioset.split": "hash", "train.tf32": True}
NEW_KEYS |= {"train.deterministic": False, "train.steps_per_call": 1, "demo.dataset_clips_per_class": 15}
# The demo's data sets were made to show what training is worth.
DEMO = {"embed.hop_seconds": 1.0, "classify.classifier": "linear"}
# Jobs of one core each, side by side.
ONE_CORE = {"audioset.workers": 1, "train.feed_workers": 0}
DEMO |= ONE_CORE
DEMO |= {
    f"embeddings.random-{front_end}.{key}": value
    for front_end in ("linear", "mel128")
    for key, value in (("kind", "random"), ("front_end", front_end), ("pooling", 512))
}
NEW_KEYS |= {"train.initial": [], "train.freeze": [], "demo.scenes": 1}
PUBLISHED_FILTER = {"audioset.subsets.environmental": "resources/filters/environmental_published.csv"}
WANTED = {
    "demo.yaml": DEMO,
    "last_frame.yaml": DEMO,
    "paper.yaml": {
        "embed.pooling": 6144,
        "embeddings.random.pooling": 6144,
        "embeddings.vggish.relu": True,
        **PUBLISHED_FILTER,
        "evaluate.batches": 77_000,
    },
    "workstation.yaml": {"embed.pooling": 6144, "embeddings.random.pooling": 6144, **PUBLISHED_FILTER},
    "slurm-smoke.yaml": {"report.reference": "music-linear", **ONE_CORE},
    "own.yaml": {"audioset.split": "balanced"},
    # Two scenes a clip, and a short training of the subset that is learned sooner.
    "scenes.yaml": {
        "demo.scenes": 2,
        "audioset.directory": "resources/demo/scenes-2/videos",
        "audioset.segments": ["resources/demo/scenes-2/segments.csv"],
        "audioset.store": "resources/clips/scenes-2",
        "audioset.subsets.music": None,
        "classify.curve": ["environmental-mel256"],
        "models.subsets": ["environmental"],
        "report.reference": "environmental-mel256",
        "train.checkpoints": [3],
        **ONE_CORE,
    },
    "esc10.yaml": {"embeddings.logmel.module": "docs.examples.log_mel_statistics"},
}
# Presets that are the demo but for the keys named here. They repeat its values, so that none of them, named alone on a
# command line, can be the paper's run.
DEMO_BUT_FOR = {
    "last_frame.yaml": {"run", "samples.pairing", "models.front_ends", "report.other_pairing"},
    "slurm-smoke.yaml": {
        *("run", "audioset.max_clips", "audioset.min_clips", "audioset.store", "samples.samples_per_clip"),
        *("models.front_ends", "train.checkpoints", "train.batches_per_epoch", "train.validation_batches"),
        *("evaluate.batches", "datasets.us8k", "datasets.dcase2013", "classify.classifier", "classify.max_epochs"),
        *("classify.curve", "report.reference", "embeddings.random-linear", "embeddings.random-mel128"),
    },
}


def flat(configuration: dict, at: str = "", depth: int = 3) -> dict[str, object]:
    """Return full name -> value of every key of a configuration."""
    found: dict[str, object] = {}
    for key, value in configuration.items():
        inner = isinstance(value, dict) and value and depth > 1
        found |= flat(value, f"{at}{key}.", depth - 1) if inner else {at + key: value}
    return found


def differences(one: dict, other: dict, depth: int = 3) -> dict[str, object]:
    """Return full name -> value in `one` of every key in which two configurations differ."""
    one, other = flat(one, depth=depth), flat(other, depth=depth)
    return {key: one.get(key) for key in sorted({*one, *other}) if one.get(key) != other.get(key)}


@pytest.mark.parametrize("preset", PRESETS)
def test_a_preset_makes_the_configuration_it_made_before(preset: str, root: Path) -> None:
    golden = yaml.safe_load((root / "tests" / "golden" / "configurations" / preset).read_text())
    assert differences(laid_over_config(read_preset(preset)), golden) == {**NEW_KEYS, **WANTED.get(preset, {})}


@pytest.mark.parametrize("preset", DEMO_BUT_FOR)
def test_a_preset_beside_the_demo_keeps_the_demos_values(preset: str) -> None:
    demo = laid_over_config(read_preset("demo.yaml"))
    assert set(differences(laid_over_config(read_preset(preset)), demo, depth=2)) == DEMO_BUT_FOR[preset]


@pytest.mark.parametrize("preset", PRESETS)
def test_a_preset_holds_only_what_differs(preset: str, root: Path) -> None:
    config = flat(yaml.safe_load((root / "config.yaml").read_text()))
    given = flat(read_preset(preset))
    assert [key for key, value in given.items() if key in config and config[key] == value] == []


def test_the_preset_of_the_paper_is_config_yaml_with_a_name(root: Path) -> None:
    assert read_preset("paper.yaml") == {"run": "paper"}
    given = yaml.safe_load((root / "config.yaml").read_text())
    follows = {"models.subsets": ["music", "environmental"], "report.reference": "music-mel256"}
    follows["classify.curve"] = ["music-mel256"]
    assert differences(laid_over_config({"run": "paper"}), given) == {"run": "paper", **follows}


@pytest.mark.parametrize("preset", PRESETS)
def test_a_preset_opens_with_its_command(preset: str, root: Path) -> None:
    head = (root / "presets" / preset).read_text().split("\nrun:")[0]
    assert head.startswith("# yaml-language-server: $schema=../workflow/schemas/config.schema.json\n")
    assert f"presets/{preset}" in head
    assert "snakemake" in head


@pytest.mark.parametrize("preset", [name for name in PRESETS if name != "paper.yaml"])
def test_a_preset_plans_a_run(preset: str, stubs: StubRun) -> None:
    whole = laid_over_config(read_preset(preset))
    if other := whole["report"]["other_pairing"]:  # a run that is finished before
        for place in ("models/{}-{}/best.h5", "shards/{}/test.json"):
            for subset, front_end in itertools.product(whole["models"]["subsets"], whole["models"]["front_ends"]):
                path = stubs.folder / "results" / other / place.format(subset, front_end)
                path.parent.mkdir(parents=True, exist_ok=True)
                path.touch()
    for path in (path for path in whole["audioset"]["segments"] if "://" not in path):  # the user's videos
        (stubs.folder / path).parent.mkdir(parents=True, exist_ok=True)
        (stubs.folder / path).touch()
    (stubs.folder / (whole["audioset"]["directory"] or ".")).mkdir(parents=True, exist_ok=True)
    planned = stubs.snakemake("--dry-run", "--quiet", "rules", "--cores", 1, "--configfile", f"presets/{preset}")
    assert int(re.search(r"^train_leg +(\d+)", planned, re.MULTILINE).group(1)) >= 1


@pytest.mark.parametrize("preset", ["options", "scenes"])
def test_a_presets_comparison_makes_what_the_comparison_reads(stubs: StubRun, preset: str) -> None:
    """The command at the head of the preset makes the shards and models that compare_runs.py asks, and no tables.

    It is run and not only planned: Snakemake plans what comes after the earlier of two rules of --until, and leaves it.
    """
    (words,) = re.findall(r"R\(\) \{ snakemake (.*) \"\$@\"; \}", (ROOT / "presets" / f"{preset}.yaml").read_text())
    stubs.snakemake(*words.split())
    results = stubs.folder / "results" / preset
    seeds = read_preset(f"{preset}.yaml")["models"]["seeds"]
    assert len(list(results.glob("models/*/history.csv"))) == len(seeds)
    assert len(list(results.glob("models/*/checkpoints/*.h5"))) >= len(seeds)
    assert {path.name for path in results.glob("shards/environmental/*.json")} == {
        "train.json",
        "valid.json",
        "test.json",
    }
    assert not (results / "tables").exists()


def test_one_checkpoint_is_no_curve(stubs: StubRun) -> None:
    """The only checkpoint of a model is not classified a second time beside its best one."""
    planned = stubs.snakemake("--dry-run", "--quiet", "rules", "--cores", 1, "--configfile", "presets/mixtures.yaml")
    jobs = {rule: int(n) for rule, n in re.findall(r"^(\w+) +(\d+)$", planned, re.MULTILINE)}
    assert (jobs["extract_embedding"], jobs["embed_dataset"], jobs["classify_dataset"]) == (1, 2, 2)


def test_the_papers_plan_is_within_bounds(stubs: StubRun) -> None:
    """6 models x 30 legs, all parts, all data sets: 10 000 jobs or fewer, in 2 GB, also with a curve of every model."""
    whole = laid_over_config(read_preset("paper.yaml"))
    models = [f"{s}-{f}" for s in whole["models"]["subsets"] for f in whole["models"]["front_ends"]]
    (stubs.folder / "curve.yaml").write_text(yaml.safe_dump({"classify": {"curve": models}}))
    options = ("--dry-run", "--quiet", "rules", "--cores", 1, "--configfile", "presets/paper.yaml")
    planned = stubs.snakemake(*options, "curve.yaml", timeout=60, under=(sys.executable, "-c", MEASURED))
    jobs = {rule: int(n) for rule, n in re.findall(r"^(\w+) +(\d+)$", planned, re.MULTILINE)}
    assert jobs["train_leg"] == 180
    assert jobs["fetch_clips"] == whole["audioset"]["parts"]
    assert jobs["classify_dataset"] == 3 * (6 + 180 + len(whole["embeddings"]))
    assert jobs["total"] <= 10_000
    assert 0 < int(re.search(r"^peak KiB: (\d+)$", planned, re.MULTILINE).group(1)) < 2 * 2**20


def locked(root: Path) -> dict[str, str]:
    """Return name -> version of the lock file for Python 3.11."""
    found = {}
    for line in (root / "requirements.lock").read_text().splitlines():
        pin = re.match(r"([\w.-]+)(?:\[[\w,-]+\])?==(\S+)(?: ; (.*?))? \\$", line)
        if pin and "python_full_version >= '3.12'" not in (pin.group(3) or ""):
            found[pin.group(1)] = pin.group(2)
    return found


def pins(environment: Path) -> dict[str, str]:
    """Return name -> version of a conda environment's packages."""
    dependencies = yaml.safe_load(environment.read_text())["dependencies"]
    (packages,) = [entry["pip"] for entry in dependencies if isinstance(entry, dict)]
    return dict(re.fullmatch(r"([\w.-]+)(?:\[[\w,-]+\])?==([^\s;]+)(?:;.*)?", package).groups() for package in packages)


@pytest.mark.parametrize("environment", ["media", "tensorflow", "report"])
def test_environments_have_the_lock_files_versions(environment: str, root: Path) -> None:
    lock, environment_pins = locked(root), pins(root / "envs" / f"{environment}.yaml")
    environment_pins = {name: pin for name, pin in environment_pins.items() if not name.startswith("nvidia-")}
    assert {name: lock[name] for name in environment_pins} == environment_pins


def rules_of(root: Path) -> dict[str, tuple[str, str]]:
    """Return rule -> its environment's name and its script's name."""
    found = {}
    for path in (root / "rules").glob("*.smk"):
        for rule in re.split(r"(?m)^rule ", path.read_text())[1:]:
            environment = re.search(r'    conda:\n +"\.\./envs/(\w+)\.yaml"', rule)
            script = re.search(r'    script:\n +"\.\./workflow/scripts/(\w+)\.py"', rule)
            name = rule.split(":")[0]
            assert environment and script, f"rule {name} in {path.name} lacks conda: or script:"
            found[name] = (environment.group(1), script.group(1))
    return found


def imports(path: Path) -> set[str]:
    """Return the modules that a module of the project imports; a name of a room as the module that has it."""
    found: set[str] = set()
    tree = ast.parse(path.read_text())
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module == "l3net":  # rooms, whose names are asked for one by one
            rooms = {alias.asname or alias.name: f"l3net.{alias.name}" for alias in node.names}
            for use in ast.walk(tree):
                if isinstance(use, ast.Attribute) and isinstance(use.value, ast.Name) and use.value.id in rooms:
                    found.add(_module_of(rooms[use.value.id], use.attr))
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module)
            if node.module.startswith("l3net."):
                found |= {_module_of(node.module, alias.name) for alias in node.names}
    return found


def _module_of(room: str, name: str) -> str:
    """Return the module that a room hands `name` on from (`room` itself where it is a module)."""
    package = SCRIPTS / room.replace(".", "/") / "__init__.py"
    if not package.exists():
        return room
    found = importlib.import_module(room)
    value = getattr(found, name, None)
    for module in package.parent.glob("*.py"):
        defines = re.search(rf"^(class|def) {name}\b|^{name}\b.* = ", module.read_text(), re.MULTILINE)
        if module.stem != "__init__" and defines:
            return f"{room}.{module.stem}"
    return f"{room}.{name}" if value is not None else room


def needed(path: Path, seen: set[Path]) -> set[str]:
    """Return the packages that a script and the library modules under it import."""
    seen.add(path)
    packages: set[str] = set()
    for name in imports(path):
        module = SCRIPTS / f"{name.replace('.', '/')}.py"
        if not module.exists():
            module = SCRIPTS / name.replace(".", "/") / "__init__.py"
        if name.startswith("l3net"):
            packages |= needed(module, seen) if module.exists() and module not in seen else set()
        elif (top := name.split(".")[0]) not in sys.stdlib_module_names:
            packages.add(PACKAGES.get(top, top))
    return packages


@pytest.mark.parametrize("rule", sorted(rules_of(ROOT)))
def test_a_rules_environment_has_what_its_script_imports(rule: str, root: Path) -> None:
    environment, script = rules_of(root)[rule]
    assert script == rule
    missing = needed(SCRIPTS / f"{script}.py", set()) - set(pins(root / "envs" / f"{environment}.yaml")) - OPTIONAL
    assert not missing, f"envs/{environment}.yaml lacks {', '.join(sorted(missing))} of rule {rule}"


def test_tensorflows_environment_has_cudas_libraries_where_a_gpu_can_be(root: Path) -> None:
    """`snakemake --sdm conda` needs no other word on a machine with a GPU, and elsewhere they would not install."""
    added = dict(re.findall(r"(?m)^([\w-]+)==(\S+)", (root / "requirements-gpu.lock").read_text()))
    assert {"nvidia-cudnn-cu12", "nvidia-nccl-cu12"} <= added.keys()
    assert added.items() <= pins(root / "envs" / "tensorflow.yaml").items()
    for line in (root / "envs" / "tensorflow.yaml").read_text().splitlines():
        if "- nvidia-" in line:
            assert line.endswith("; sys_platform == 'linux' and platform_machine == 'x86_64'")


def test_the_stages_of_a_gpu_are_those_of_tensorflows_environment() -> None:
    assert set(GPU_STAGES) == {rule for rule, (name, _) in rules_of(ROOT).items() if name == "tensorflow"}
    assert len(GPU_STAGES) == len(set(GPU_STAGES))


def test_the_workstation_profile_lets_one_job_onto_the_gpu(stubs: StubRun) -> None:
    """Each job of a GPU stage is planned with a card, and there is one; Snakemake runs no more jobs than cards."""
    profile = ("--profile", "workflow/profiles/workstation")
    planned = stubs.snakemake("--dry-run", *profile)
    for stage in GPU_STAGES:
        for resources in re.findall(rf"rule {stage}:\n(?: .*\n)*?    resources: (.*)", planned):
            assert re.search(r"\bgpu=1\b", resources), stage
    jobs = re.findall(r"(?m)^(?:local)?rule (\w+):\n((?: .*\n)*)", planned)
    with_gpu = {rule for rule, text in jobs if "gpu=1" in text}
    assert with_gpu == set(GPU_STAGES) - {"evaluate_pairing", "evaluate_retrieval"}  # the demo asks for neither
    assert yaml_of_profile(stubs.folder / "workflow/profiles/workstation")["resources"] == {"gpu": 1, "downloads": 4}


def yaml_of_profile(folder: Path) -> dict:
    text = (folder / "config.yaml").read_text()
    return yaml.safe_load(re.sub(r"(?ms)^set-resources:.*?^#", "#", text))


@pytest.mark.parametrize("gpus_by", ["gres", "gpus"])
def test_the_cluster_profile_plans_gpus_partitions_and_groups(gpus_by: str, stubs: StubRun) -> None:
    profile = stubs.folder / "workflow" / "profiles" / "slurm" / "config.yaml"
    original = profile.read_text()
    block = {
        "gpus_by": gpus_by,
        "gpus": 2,
        "nodes": 2,
        "account": "lab",
        "gpu_partition": "a100",
        "node_cache": "$TMPDIR",
    }
    block |= {"network_partition": "transfer"}
    text = original
    for key, value in block.items():
        text = re.sub(rf"(?m)^(  {key}:) [^ \n]+", rf"\1 {value}", text)
    profile.write_text(text)
    try:
        planned = stubs.snakemake("--dry-run", "--profile", "workflow/profiles/slurm", "--executor", "dryrun")
    finally:
        profile.write_text(original)
    (leg, *_) = re.findall(r"rule train_leg:\n(?: .*\n)*?    resources: (.*)", planned)
    assert "slurm_account=lab, slurm_partition=a100" in leg
    assert ("gres=gpu:2" if gpus_by == "gres" else "gpu=4") in leg
    assert "nodes=2, tasks=2, mpi=srun" in leg
    assert "node_cache=%TMPDIR" in leg  # for the node of the job to fill in, not for this one
    for stage in ("fetch_segments", "fetch_clips", "fetch_dataset"):
        (fetch, *_) = re.findall(rf"rule {stage}:\n(?: .*\n)*?    resources: (.*)", planned)
        assert "slurm_partition=transfer" in fetch
    for stage in set(GPU_STAGES) - {"train_leg", "evaluate_pairing", "evaluate_retrieval"}:
        (resources, *_) = re.findall(rf"rule {stage}:\n(?: .*\n)*? +resources: (.*)", planned)
        assert ("gres=gpu:1" if gpus_by == "gres" else "gpu=1") in resources
        assert "slurm_partition=a100" in resources
        assert (
            f"mem_mb={24000 if stage == 'classify_dataset' else 8000 if stage == 'extract_embedding' else 16000}"
            in resources
        )
    (other, *_) = re.findall(r"rule report_attrition:\n(?: .*\n)*?    resources: (.*)", planned)
    assert "slurm_partition=main" in other
