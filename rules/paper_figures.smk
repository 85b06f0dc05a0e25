# The paper's figures 2 to 5, each as SVG for the report and PNG.


rule plot_input_representation:
    input:
        downstream="<results>/tables/downstream.csv",
    output:
        svg=report(
            "<results>/figures/input_representation.svg",
            category=chapter("The paper's figures"),
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
            category=chapter("The paper's figures"),
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
            category=chapter("The paper's figures"),
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
            category=chapter("The paper's figures"),
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
