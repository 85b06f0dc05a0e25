# Embeddings on small labelled data sets: fetch_dataset, fetch_weights -> embed_dataset -> classify_dataset.
from l3net.configuration import Classify, Embed


rule fetch_dataset:
    input:
        lambda wildcards: demo_file(config["datasets"][wildcards.dataset]["source"]),
    output:
        index="<results>/datasets/{dataset}.csv",
    log:
        "<logs>/fetch_dataset/{dataset}.log",
    benchmark:
        "<benchmarks>/fetch_dataset/{dataset}.tsv"
    conda:
        "../envs/media.yaml"
    resources:
        downloads=1,
    params:
        dataset="{dataset}",
        settings=lambda wildcards: dataset_settings(wildcards.dataset),
        # Another protocol makes no other index: it only says which folds can be evaluated.
        protocol=lambda wildcards, threads: config["classify"]["protocol"],
    script:
        "../workflow/scripts/fetch_dataset.py"


rule fetch_weights:
    output:
        weights="resources/weights/{weights}",
    log:
        "<logs>/fetch_weights/{weights}.log",
    benchmark:
        "<benchmarks>/fetch_weights/{weights}.tsv"
    conda:
        "../envs/media.yaml"
    resources:
        downloads=1,
    params:
        name="{weights}",
        settings=lambda wildcards: config["weights"][wildcards.weights],
    script:
        "../workflow/scripts/fetch_weights.py"


rule embed_dataset:
    input:
        clips="<results>/datasets/{dataset}.csv",
        model=model_file,
    output:
        output="<results>/embeddings/{dataset}/{embedding}.h5",
    log:
        "<logs>/embed_dataset/{dataset}/{embedding}.log",
    benchmark:
        "<benchmarks>/embed_dataset/{dataset}/{embedding}.tsv"
    conda:
        "../envs/tensorflow.yaml"
    params:
        **job_params(config["embed"], how=Embed.keys_of_how(), without={"pooling", "exports"}),
        dataset="{dataset}",
        embedding="{embedding}",
        settings=lambda wildcards: embedding_spec(wildcards.embedding),
    script:
        "../workflow/scripts/embed_dataset.py"


rule classify_dataset:
    input:
        embeddings="<results>/embeddings/{dataset}/{embedding}.h5",
    output:
        predictions="<results>/scores/{dataset}/{embedding}.csv",
        settings="<results>/scores/{dataset}/{embedding}.settings.csv",
    log:
        "<logs>/classify_dataset/{dataset}/{embedding}.log",
    benchmark:
        "<benchmarks>/classify_dataset/{dataset}/{embedding}.tsv"
    conda:
        "../envs/tensorflow.yaml"
    params:
        **job_params(config["classify"], how=Classify.keys_of_how(), without={"curve"}),
        dataset="{dataset}",
        embedding="{embedding}",
        seed=config["seed"],
        state=lambda wildcards, output: output.predictions.removesuffix(".csv") + ".state",
    script:
        "../workflow/scripts/classify_dataset.py"
