# A closer look at the embeddings on the data sets: classes that are confused, accuracy of each class, maps.


rule plot_confusion:
    input:
        predictions=expand(
            "<results>/scores/{dataset}/{embedding}.csv", dataset=DATASETS, embedding=EMBEDDINGS
        ),
    output:
        svg=report(
            "<results>/figures/confusion.svg",
            category=chapter("A closer look"),
            labels={"figure": "confusion matrices"},
            caption="../workflow/report/confusion.rst",
        ),
        png="<results>/figures/confusion.png",
    log:
        "<logs>/plot_confusion.log",
    benchmark:
        "<benchmarks>/plot_confusion.tsv"
    conda:
        "../envs/report.yaml"
    params:
        identities={name: embedding_identity(name) for name in EMBEDDINGS},
        reference=reference_embedding(),
        synthetic=config["report"]["synthetic"],
    script:
        "../workflow/scripts/plot_confusion.py"


rule plot_class_accuracy:
    input:
        by_class="<results>/tables/class_accuracy.csv",
    output:
        svg=report(
            "<results>/figures/class_accuracy.svg",
            category=chapter("A closer look"),
            labels={"figure": "accuracy of each class"},
            caption="../workflow/report/class_accuracy.rst",
        ),
        png="<results>/figures/class_accuracy.png",
    log:
        "<logs>/plot_class_accuracy.log",
    benchmark:
        "<benchmarks>/plot_class_accuracy.tsv"
    conda:
        "../envs/report.yaml"
    params:
        reference=config["report"]["reference"],
        confidence=config["report"]["confidence"],
        synthetic=config["report"]["synthetic"],
    script:
        "../workflow/scripts/plot_class_accuracy.py"


rule plot_embedding_map:
    input:
        embeddings=expand(
            "<results>/embeddings/{dataset}/{embedding}.h5",
            dataset=DATASETS,
            embedding=EMBEDDINGS,
        ),
    output:
        svg=report(
            "<results>/figures/embedding_map.svg",
            category=chapter("A closer look"),
            labels={"figure": "maps of the embeddings"},
            caption="../workflow/report/embedding_map.rst",
        ),
        png="<results>/figures/embedding_map.png",
    log:
        "<logs>/plot_embedding_map.log",
    benchmark:
        "<benchmarks>/plot_embedding_map.tsv"
    conda:
        "../envs/report.yaml"
    params:
        identities={name: embedding_identity(name) for name in EMBEDDINGS},
        seed=config["seed"],
        synthetic=config["report"]["synthetic"],
    script:
        "../workflow/scripts/plot_embedding_map.py"
