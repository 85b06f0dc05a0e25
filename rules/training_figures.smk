# Figures of training and of its data: curves, correspondence, pairing, what became of the clips.


rule plot_correspondence:
    input:
        avc="<results>/tables/avc.csv",
    output:
        svg=report(
            "<results>/figures/correspondence.svg",
            category=chapter("Training and data"),
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
            category=chapter("Training and data"),
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
            category=chapter("Training and data"),
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
            category=chapter("Training and data"),
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
