# Figures, each as SVG for the report and PNG: the paper's 2 to 5, a closer look, training and data.


rule plot_input_representation:
    input:
        downstream="<results>/tables/downstream.csv",
    output:
        svg=report(
            "<results>/figures/input_representation.svg",
            category="2 The paper's figures",
            labels={"figure": "Figure 2: input representation"},
            caption="../workflow/report/input_representation.rst",
        ),
        png="<results>/figures/input_representation.png",
    log:
        "<logs>/plot_input_representation.log",
    benchmark:
        "<benchmarks>/plot_input_representation.tsv"
    conda:
        "../envs/report.yaml"
    params:
        protocol=config["classify"]["protocol"],
        synthetic=config["report"]["synthetic"],
    script:
        "../workflow/scripts/plot_input_representation.py"


rule plot_training_subset:
    input:
        downstream="<results>/tables/downstream.csv",
    output:
        svg=report(
            "<results>/figures/training_subset.svg",
            category="2 The paper's figures",
            labels={"figure": "Figure 3: training subset"},
            caption="../workflow/report/training_subset.rst",
        ),
        png="<results>/figures/training_subset.png",
    log:
        "<logs>/plot_training_subset.log",
    benchmark:
        "<benchmarks>/plot_training_subset.tsv"
    conda:
        "../envs/report.yaml"
    params:
        protocol=config["classify"]["protocol"],
        synthetic=config["report"]["synthetic"],
    script:
        "../workflow/scripts/plot_training_subset.py"


rule plot_training_samples:
    input:
        downstream="<results>/tables/downstream.csv",
    output:
        svg=report(
            "<results>/figures/training_samples.svg",
            category="2 The paper's figures",
            labels={"figure": "Figure 4: training samples"},
            caption="../workflow/report/training_samples.rst",
        ),
        png="<results>/figures/training_samples.png",
    log:
        "<logs>/plot_training_samples.log",
    benchmark:
        "<benchmarks>/plot_training_samples.tsv"
    conda:
        "../envs/report.yaml"
    params:
        protocol=config["classify"]["protocol"],
        synthetic=config["report"]["synthetic"],
    script:
        "../workflow/scripts/plot_training_samples.py"


rule plot_embedding_type:
    input:
        overall="<results>/tables/overall.csv",
        downstream="<results>/tables/downstream.csv",
        paper="resources/paper_results.csv",
    output:
        svg=report(
            "<results>/figures/embedding_type.svg",
            category="2 The paper's figures",
            labels={"figure": "Figure 5: embedding"},
            caption="../workflow/report/embedding_type.rst",
        ),
        png="<results>/figures/embedding_type.png",
    log:
        "<logs>/plot_embedding_type.log",
    benchmark:
        "<benchmarks>/plot_embedding_type.tsv"
    conda:
        "../envs/report.yaml"
    params:
        protocol=config["classify"]["protocol"],
        confidence=config["report"]["confidence"],
        synthetic=config["report"]["synthetic"],
    script:
        "../workflow/scripts/plot_embedding_type.py"


rule plot_confusion:
    input:
        predictions=expand(
            "<results>/scores/{dataset}/{embedding}.csv", dataset=DATASETS, embedding=EMBEDDINGS
        ),
    output:
        svg=report(
            "<results>/figures/confusion.svg",
            category="3 A closer look",
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
            category="3 A closer look",
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
            category="3 A closer look",
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


rule plot_correspondence:
    input:
        avc="<results>/tables/avc.csv",
    output:
        svg=report(
            "<results>/figures/correspondence.svg",
            category="4 Training and data",
            labels={"figure": "audio-visual correspondence"},
            caption="../workflow/report/correspondence.rst",
        ),
        png="<results>/figures/correspondence.png",
    log:
        "<logs>/plot_correspondence.log",
    benchmark:
        "<benchmarks>/plot_correspondence.tsv"
    conda:
        "../envs/report.yaml"
    params:
        confidence=config["report"]["confidence"],
        synthetic=config["report"]["synthetic"],
    script:
        "../workflow/scripts/plot_correspondence.py"


rule plot_training_curves:
    input:
        histories=expand("<results>/models/{model}/history.csv", model=model_names()),
    output:
        svg=report(
            "<results>/figures/training_curves.svg",
            category="4 Training and data",
            labels={"figure": "training curves"},
            caption="../workflow/report/training_curves.rst",
        ),
        png="<results>/figures/training_curves.png",
    log:
        "<logs>/plot_training_curves.log",
    benchmark:
        "<benchmarks>/plot_training_curves.tsv"
    conda:
        "../envs/report.yaml"
    params:
        models=model_names(),
        synthetic=config["report"]["synthetic"],
    script:
        "../workflow/scripts/plot_training_curves.py"


rule plot_attrition:
    input:
        attrition="<results>/attrition.csv",
        by_label="<results>/attrition_by_label.csv",
    output:
        svg=report(
            "<results>/figures/attrition.svg",
            category="4 Training and data",
            labels={"figure": "what became of the clips"},
            caption="../workflow/report/attrition.rst",
        ),
        png="<results>/figures/attrition.png",
    log:
        "<logs>/plot_attrition.log",
    benchmark:
        "<benchmarks>/plot_attrition.tsv"
    conda:
        "../envs/report.yaml"
    params:
        synthetic=config["report"]["synthetic"],
    script:
        "../workflow/scripts/plot_attrition.py"


rule plot_pairing:
    input:
        scores=expand("<results>/models/{model}/pairing.csv", model=model_names()),
        offsets=expand("<results>/models/{model}/pairing_offsets.csv", model=model_names()),
    output:
        svg=report(
            "<results>/figures/pairing.svg",
            category="4 Training and data",
            labels={"figure": "pairing of frame and sound"},
            caption="../workflow/report/pairing.rst",
        ),
        png="<results>/figures/pairing.png",
    log:
        "<logs>/plot_pairing.log",
    benchmark:
        "<benchmarks>/plot_pairing.tsv"
    conda:
        "../envs/report.yaml"
    params:
        synthetic=config["report"]["synthetic"],
    script:
        "../workflow/scripts/plot_pairing.py"
