# From AudioSet's lists to validated clips: fetch_segments -> select_clips -> fetch_clips {part} -> report_attrition.
from l3net.configuration import EVERY_CLIP, AudioSet

AUDIOSET = config["audioset"]


rule fetch_segments:
    input:
        [source for source in AUDIOSET["segments"] if "://" not in source],
    output:
        segments=[f"<results>/segments/{n}.csv" for n in range(len(AUDIOSET["segments"]))],
    log:
        "<logs>/fetch_segments.log",
    benchmark:
        "<benchmarks>/fetch_segments.tsv"
    priority: LONG_CHAIN
    conda:
        "../envs/media.yaml"
    resources:
        downloads=1,
    params:
        sources=AUDIOSET["segments"],
    script:
        "../workflow/scripts/fetch_segments.py"


rule select_clips:
    input:
        segments=rules.fetch_segments.output.segments,
        ontology=AUDIOSET["ontology"],
        filter=lambda wildcards: (
            []
            if AUDIOSET["subsets"][wildcards.subset] == EVERY_CLIP
            else AUDIOSET["subsets"][wildcards.subset]
        ),
    output:
        output="<results>/clips/{subset}.csv",
    log:
        "<logs>/select_clips/{subset}.log",
    benchmark:
        "<benchmarks>/select_clips/{subset}.tsv"
    priority: LONG_CHAIN
    conda:
        "../envs/media.yaml"
    params:
        max_clips=AUDIOSET["max_clips"],
    script:
        "../workflow/scripts/select_clips.py"


rule fetch_clips:
    input:
        demo_file(AUDIOSET["directory"]),
        clips=expand("<results>/clips/{subset}.csv", subset=SUBSETS),
    output:
        manifest="<results>/manifests/part-{part}.csv",
    log:
        "<logs>/fetch_clips/part-{part}.log",
    benchmark:
        "<benchmarks>/fetch_clips/part-{part}.tsv"
    priority: LONG_CHAIN
    conda:
        "../envs/media.yaml"
    threads: AUDIOSET["workers"]
    resources:
        downloads=int(AUDIOSET["source"] not in ("directory", "tar")),
    params:
        **job_params(
            AUDIOSET,
            how=AudioSet.keys_of_how(),
            without={"segments", "ontology", "subsets", "max_clips", "min_clips", "split"},
        ),
        **dealing(),
        part=lambda wildcards: int(wildcards.part),
    script:
        "../workflow/scripts/fetch_clips.py"


rule report_attrition:
    input:
        clips=expand("<results>/clips/{subset}.csv", subset=SUBSETS),
        manifests=[f"<results>/manifests/part-{part:04d}.csv" for part in PARTS],
        ontology=AUDIOSET["ontology"],
    output:
        attrition="<results>/attrition.csv",
        by_label="<results>/attrition_by_label.csv",
    log:
        "<logs>/report_attrition.log",
    benchmark:
        "<benchmarks>/report_attrition.tsv"
    priority: LONG_CHAIN
    conda:
        "../envs/media.yaml"
    params:
        **dealing(),
        subsets=SUBSETS,
        parts=AUDIOSET["parts"],
        min_clips=AUDIOSET["min_clips"],
    script:
        "../workflow/scripts/report_attrition.py"
