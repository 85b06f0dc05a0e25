# From samples to models: train_leg {model} {epoch} -> select_checkpoint -> evaluate_avc, extract_embedding.

from l3net.configuration import Train, checkpoint_name

EXPORTS = {
    "openl3": "<results>/models/{model}/openl3{tag}.h5",
    "onnx": "<results>/models/{model}/embedding{tag}.onnx",
    "saved_model": directory("<results>/models/{model}/saved_model{tag}"),
    "vision": "<results>/models/{model}/vision{tag}.keras",
    "vision_openl3": "<results>/models/{model}/vision_openl3{tag}.h5",
    "vision_onnx": "<results>/models/{model}/vision{tag}.onnx",
}


rule train_leg:
    input:
        train=train_index,
        valid=valid_index,
        previous=previous_checkpoint,
        initial=lambda wildcards: (
            [] if previous_checkpoint(wildcards) else config["train"]["initial"]
        ),
    output:
        checkpoint="<results>/models/{model}/checkpoints/epoch-{epoch}.h5",
    log:
        "<logs>/train_leg/{model}/epoch-{epoch}.log",
    benchmark:
        "<benchmarks>/train_leg/{model}/epoch-{epoch}.tsv"
    priority: LONG_CHAIN
    conda:
        "../envs/tensorflow.yaml"
    threads: 1
    params:
        epoch=lambda wildcards: int(wildcards.epoch),
        front_end=lambda wildcards: model_fields(wildcards.model)["front_end"],
        seed=lambda wildcards: config["seed"] + model_fields(wildcards.model)["model_seed"],
        state=lambda wildcards, output: output.checkpoint.partition("checkpoints")[0] + "state",
        front_end_settings=config["front_end"],
        network=config["network"],
        settings={
            key: value
            for key, value in config["train"].items()
            if key not in {"checkpoints", "initial", *Train.keys_of_how()}
            and (
                value or key != "freeze"
            )  # a key that came later trains nothing anew unless it is used
        },
        # A function of the threads, so that a change of it does not train again (see job_params).
        how=lambda wildcards, threads: {
            key: value for key, value in config["train"].items() if key in Train.keys_of_how()
        },
        # Resources of a cluster's profile: a folder on the node for copies of the shards; processes of one leg.
        node_cache=lambda wildcards, resources: resources.get("node_cache"),
        tasks=lambda wildcards, resources: resources.get("tasks", 1),
    script:
        "../workflow/scripts/train_leg.py"


rule select_checkpoint:
    input:
        checkpoint=f"<results>/models/{{model}}/checkpoints/{checkpoint_name(max(LEGS))}.h5",
    output:
        best="<results>/models/{model}/best.h5",
        history="<results>/models/{model}/history.csv",
    log:
        "<logs>/select_checkpoint/{model}.log",
    benchmark:
        "<benchmarks>/select_checkpoint/{model}.tsv"
    conda:
        "../envs/media.yaml"
    script:
        "../workflow/scripts/select_checkpoint.py"


rule evaluate_avc:
    input:
        checkpoint="<results>/models/{model}/best.h5",
        tests=expand("<results>/shards/{subset}/test.json", subset=SUBSETS),
    output:
        scores="<results>/models/{model}/avc.csv",
        by_class="<results>/models/{model}/avc_by_class.csv",
    log:
        "<logs>/evaluate_avc/{model}.log",
    benchmark:
        "<benchmarks>/evaluate_avc/{model}.tsv"
    conda:
        "../envs/tensorflow.yaml"
    params:
        subsets=SUBSETS,
        ontology=config["audioset"]["ontology"],
        train_subset=lambda wildcards: model_fields(wildcards.model)["subset"],
        front_end=lambda wildcards: model_fields(wildcards.model)["front_end"],
        seed=config["seed"],
        batch_size=config["train"]["batch_size"],
        batches=config["evaluate"]["batches"],
        confidence=config["report"]["confidence"],
    script:
        "../workflow/scripts/evaluate_avc.py"


rule evaluate_retrieval:
    input:
        checkpoint="<results>/models/{model}/best.h5",
        test=lambda wildcards: f"<results>/shards/{model_fields(wildcards.model)['subset']}/test.json",
    output:
        scores="<results>/models/{model}/retrieval.csv",
    log:
        "<logs>/evaluate_retrieval/{model}.log",
    benchmark:
        "<benchmarks>/evaluate_retrieval/{model}.tsv"
    conda:
        "../envs/tensorflow.yaml"
    params:
        model="{model}",
        seed=config["seed"],
        batch_size=config["train"]["batch_size"],
        confidence=config["report"]["confidence"],
    script:
        "../workflow/scripts/evaluate_retrieval.py"


rule evaluate_pairing:
    input:
        checkpoints=["<results>/models/{model}/best.h5", other_run("models/{model}/best.h5")],
        tests=lambda wildcards: [
            f"<results>/shards/{model_fields(wildcards.model)['subset']}/test.json",
            other_run(f"shards/{model_fields(wildcards.model)['subset']}/test.json"),
        ],
    output:
        scores="<results>/models/{model}/pairing.csv",
        offsets="<results>/models/{model}/pairing_offsets.csv",
    log:
        "<logs>/evaluate_pairing/{model}.log",
    benchmark:
        "<benchmarks>/evaluate_pairing/{model}.tsv"
    conda:
        "../envs/tensorflow.yaml"
    params:
        model="{model}",
        seed=config["seed"],
        batch_size=config["train"]["batch_size"],
        batches=config["evaluate"]["batches"],
        confidence=config["report"]["confidence"],
    script:
        "../workflow/scripts/evaluate_pairing.py"


rule extract_embedding:
    input:
        checkpoint=lambda wildcards: (
            f"<results>/models/{wildcards.model}/checkpoints/{wildcards.tag[1:]}.h5"
            if wildcards.tag
            else f"<results>/models/{wildcards.model}/best.h5"
        ),
    output:
        model="<results>/models/{model}/embedding{tag}.keras",
        exports=[EXPORTS[name] for name in config["embed"]["exports"]],
    log:
        "<logs>/extract_embedding/{model}{tag}.log",
    benchmark:
        "<benchmarks>/extract_embedding/{model}{tag}.tsv"
    conda:
        "../envs/tensorflow.yaml"
    params:
        pooling=config["embed"]["pooling"],
        subset=lambda wildcards: model_fields(wildcards.model)["subset"],
    script:
        "../workflow/scripts/extract_embedding.py"


rule write_model_card:
    input:
        model="<results>/models/{model}/embedding.keras",
        correspondence="<results>/models/{model}/avc.csv",
        attrition="<results>/attrition.csv",
    output:
        card="<results>/models/{model}/README.md",
    log:
        "<logs>/write_model_card/{model}.log",
    benchmark:
        "<benchmarks>/write_model_card/{model}.tsv"
    conda:
        "../envs/report.yaml"
    params:
        name=lambda wildcards: wildcards.model,
        source=config["audioset"]["source"],
        data_licence=config["report"]["data_licence"],
        synthetic=config["report"]["synthetic"],
    script:
        "../workflow/scripts/write_model_card.py"
