# From scores to tables, run times and the pages of the report.
from l3net.configuration import without_secrets

SCORES = expand("<results>/scores/{dataset}/{embedding}.csv", dataset=DATASETS, embedding=SCORED)


rule collect_scores:
    input:
        predictions=SCORES,
    output:
        downstream="<results>/tables/downstream.csv",
        overall="<results>/tables/overall.csv",
        by_class="<results>/tables/class_accuracy.csv",
        against="<results>/tables/against_untrained.csv",
        provenance_file="<results>/tables/provenance.json",
        provenance_page=report(
            "<results>/tables/provenance.html",
            category=chapter("Provenance and run times"),
            labels={"item": "settings, versions, commit"},
            caption="../workflow/report/provenance.rst",
        ),
    log:
        "<logs>/collect_scores.log",
    benchmark:
        "<benchmarks>/collect_scores.tsv"
    conda:
        "../envs/report.yaml"
    params:
        embeddings={name: embedding_spec(name) | embedding_identity(name) for name in SCORED},
        confidence=config["report"]["confidence"],
        bootstrap_draws=config["report"]["bootstrap_draws"],
        seed=config["seed"],
        synthetic=config["report"]["synthetic"],
    script:
        "../workflow/scripts/collect_scores.py"


rule compare_embeddings:
    input:
        downstream="<results>/tables/downstream.csv",
    output:
        significance="<results>/tables/significance.csv",
        page=report(
            "<results>/tables/significance.html",
            category=chapter("Tables"),
            labels={"table": "significance of the comparisons"},
            caption="../workflow/report/significance.rst",
        ),
    log:
        "<logs>/compare_embeddings.log",
    benchmark:
        "<benchmarks>/compare_embeddings.tsv"
    conda:
        "../envs/report.yaml"
    params:
        reference=config["report"]["reference"],
        pairs=config["report"]["significance"],
        synthetic=config["report"]["synthetic"],
    script:
        "../workflow/scripts/compare_embeddings.py"


rule make_avc_table:
    input:
        scores=expand("<results>/models/{model}/avc.csv", model=model_names()),
        paper="resources/paper_results.csv",
    output:
        avc="<results>/tables/avc.csv",
        page=report(
            "<results>/tables/avc.html",
            category=chapter("Tables"),
            labels={"table": "audio-visual correspondence"},
            caption="../workflow/report/avc.rst",
        ),
        answer="<results>/tables/avc_answer.html",
    log:
        "<logs>/make_avc_table.log",
    benchmark:
        "<benchmarks>/make_avc_table.tsv"
    conda:
        "../envs/report.yaml"
    params:
        models=model_names(),
        confidence=config["report"]["confidence"],
        synthetic=config["report"]["synthetic"],
    script:
        "../workflow/scripts/make_avc_table.py"


rule make_tables:
    input:
        overall="<results>/tables/overall.csv",
        against="<results>/tables/against_untrained.csv",
        paper="resources/paper_results.csv",
    output:
        summary="<results>/tables/summary.csv",
        headline="<results>/tables/headline.csv",
        markdown="<results>/tables/summary.md",
        latex="<results>/tables/summary.tex",
        page=report(
            "<results>/tables/summary.html",
            category=chapter("Tables"),
            labels={"table": "downstream accuracy"},
            caption="../workflow/report/summary.rst",
        ),
        answer="<results>/tables/answer.html",
    log:
        "<logs>/make_tables.log",
    benchmark:
        "<benchmarks>/make_tables.tsv"
    conda:
        "../envs/report.yaml"
    params:
        protocol=config["classify"]["protocol"],
        confidence=config["report"]["confidence"],
        synthetic=config["report"]["synthetic"],
    script:
        "../workflow/scripts/make_tables.py"


rule collect_runtimes:
    input:
        expand("<results>/tables/{table}.csv", table=TABLES),
        expand(
            "<results>/figures/{figure}.svg",
            figure=[figure for figure in FIGURES if figure != "runtimes"],
        ),
    output:
        runtimes="<results>/tables/runtimes.csv",
        page=report(
            "<results>/tables/runtimes.html",
            category=chapter("Provenance and run times"),
            labels={"item": "run time of every rule"},
            caption="../workflow/report/runtimes.rst",
        ),
        svg=report(
            "<results>/figures/runtimes.svg",
            category=chapter("Provenance and run times"),
            labels={"item": "where the time went"},
            caption="../workflow/report/runtimes.rst",
        ),
        png="<results>/figures/runtimes.png",
    log:
        "<logs>/collect_runtimes.log",
    benchmark:
        "<benchmarks>/collect_runtimes.tsv"
    conda:
        "../envs/report.yaml"
    params:
        folder=f"benchmarks/{config['run']}",
    script:
        "../workflow/scripts/collect_runtimes.py"


rule describe_run:
    input:
        snakefile="Snakefile",
        results=run_results(),
    output:
        crate="<results>/ro-crate-metadata.json",
        workflow_file="<results>/Snakefile",
        configuration="<results>/configuration.yaml",
    log:
        "<logs>/describe_run.log",
    benchmark:
        "<benchmarks>/describe_run.tsv"
    conda:
        "../envs/report.yaml"
    params:
        name=config["run"],
        settings=lambda wildcards, threads: dict(sorted(without_secrets(config).items())),
        benchmarks=f"benchmarks/{config['run']}",
        licence=lambda wildcards: config["report"]["data_licence"] or "not stated",
        synthetic=config["report"]["synthetic"],
    script:
        "../workflow/scripts/describe_run.py"
