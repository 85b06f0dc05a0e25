# From clips to samples: make_shard {subset} {part} -> index_shards {subset} {split}; inspect_shards {subset}.
from l3net.audioset import parts_of
from l3net.configuration import Samples


rule make_shard:
    input:
        # attrition.csv checks audioset.min_clips; that it was written anew is no reason to sample anew
        ancient("<results>/attrition.csv"),
        clips="<results>/clips/{subset}.csv",
        manifest="<results>/manifests/part-{part}.csv",
    output:
        shard="<results>/shards/{subset}/part-{part}.h5",
    log:
        "<logs>/make_shard/{subset}/part-{part}.log",
    benchmark:
        "<benchmarks>/make_shard/{subset}/part-{part}.tsv"
    priority: LONG_CHAIN
    conda:
        "../envs/media.yaml"
    resources:
        mem_mb=config["samples"]["memory_megabytes"],
    params:
        # hard_negatives is passed only where it asks for something: shards made without any stay as they are.
        **job_params(
            config["samples"],
            without=Samples.keys_of_how()
            | ({"hard_negatives"} if config["samples"]["hard_negatives"] == 0 else set()),
        ),
        **dealing(),
        seed=config["seed"],
        subset="{subset}",
        part=lambda wildcards: int(wildcards.part),
        parts=config["audioset"]["parts"],
        store=config["audioset"]["store"],
    script:
        "../workflow/scripts/make_shard.py"


rule index_shards:
    input:
        shards=lambda wildcards: [
            f"<results>/shards/{wildcards.subset}/part-{part:04d}.h5"
            for part in parts_of(wildcards.split, len(PARTS))
        ],
    output:
        index="<results>/shards/{subset}/{split}.json",
    log:
        "<logs>/index_shards/{subset}/{split}.log",
    benchmark:
        "<benchmarks>/index_shards/{subset}/{split}.tsv"
    priority: LONG_CHAIN
    conda:
        "../envs/media.yaml"
    script:
        "../workflow/scripts/index_shards.py"


rule inspect_shards:
    input:
        index="<results>/shards/{subset}/train.json",
    output:
        sheet=report(
            "<results>/figures/samples_{subset}.png",
            category=chapter("Training and data"),
            labels={"figure": "samples of {subset}"},
            caption="../workflow/report/samples.rst",
        ),
        distributions="<results>/shards/{subset}/distributions.csv",
    log:
        "<logs>/inspect_shards/{subset}.log",
    benchmark:
        "<benchmarks>/inspect_shards/{subset}.tsv"
    conda:
        "../envs/media.yaml"
    params:
        **synthetic_mark(),
        seed=config["seed"],
        subset="{subset}",
    script:
        "../workflow/scripts/inspect_shards.py"
