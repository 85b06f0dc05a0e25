# The demo's synthetic world: videos with an AudioSet-style list, and three downstream data sets.

# Worlds of several scenes a clip stand beside the demo's own.
DEMO_SCENES = config["demo"]["scenes"]
DEMO_WORLD = f"resources/demo/scenes-{DEMO_SCENES}" if DEMO_SCENES > 1 else "resources/demo"


rule make_demo_videos:
    output:
        segments=f"{DEMO_WORLD}/segments.csv",
        videos=directory(f"{DEMO_WORLD}/videos"),
    log:
        "logs/demo/make_demo_videos.log",
    benchmark:
        "benchmarks/demo/make_demo_videos.tsv"
    priority: LONG_CHAIN
    conda:
        "../envs/media.yaml"
    threads: 2
    params:
        **({"scenes": config["demo"]["scenes"]} if config["demo"]["scenes"] > 1 else {}),
        seed=config["seed"],
        clips_per_class=config["demo"]["clips_per_class"],
        duration_seconds=config["demo"]["duration_seconds"],
    script:
        "../workflow/scripts/make_demo_videos.py"


rule make_demo_datasets:
    output:
        us8k=directory("resources/demo/UrbanSound8K"),
        esc50=directory("resources/demo/ESC-50"),
        dcase2013=directory("resources/demo/dcase2013"),
    log:
        "logs/demo/make_demo_datasets.log",
    benchmark:
        "benchmarks/demo/make_demo_datasets.tsv"
    priority: LONG_CHAIN
    conda:
        "../envs/media.yaml"
    threads: 2
    params:
        seed=config["seed"],
        clips_per_class=config["demo"]["dataset_clips_per_class"],
    script:
        "../workflow/scripts/make_demo_datasets.py"


# Recordings with several labels each; only a run that names them makes them (presets/mixtures.yaml).
rule make_demo_mixtures:
    output:
        mixtures=directory("resources/demo/mixtures"),
    log:
        "logs/demo/make_demo_mixtures.log",
    benchmark:
        "benchmarks/demo/make_demo_mixtures.tsv"
    conda:
        "../envs/media.yaml"
    threads: 2
    params:
        seed=config["seed"],
        recordings=10 * config["demo"]["dataset_clips_per_class"],
    script:
        "../workflow/scripts/make_demo_mixtures.py"
