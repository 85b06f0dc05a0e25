# What a whole run makes, and how its report is made.
import shlex

from l3net.runtime.console import REPORT

SEVERAL_FRONT_ENDS = len(config["models"]["front_ends"]) > 1
SEVERAL_SUBSETS = len(config["models"]["subsets"]) > 1
SEVERAL_MODELS = len(model_names()) > 1
# A figure or a test that compares is made where there are two to compare.
FIGURES_IF = {
    "input_representation": DATASETS and SEVERAL_FRONT_ENDS,
    "training_subset": DATASETS and SEVERAL_SUBSETS,
    "training_samples": DATASETS and curve_models(),
    "embedding_type": DATASETS and len(EMBEDDINGS) > 1,
    "confusion": DATASETS,
    "class_accuracy": DATASETS,
    "embedding_map": DATASETS,
    "correspondence": SEVERAL_MODELS or SEVERAL_SUBSETS,
    "training_curves": True,
    "attrition": True,
    "runtimes": True,
}
FIGURES = [figure for figure, wanted in FIGURES_IF.items() if wanted]
TABLES_IF = {
    "summary": DATASETS,
    "significance": DATASETS and (SEVERAL_FRONT_ENDS or SEVERAL_SUBSETS or config["embeddings"]),
    "avc": True,
}
TABLES = [table for table, wanted in TABLES_IF.items() if wanted]


# Without a data set two chapters have nothing to show.
CHAPTERS = [
    "Tables",
    *(["The paper's figures", "A closer look"] if DATASETS else []),
    "Training and data",
    "Provenance and run times",
]


def chapter(title):
    """Return a chapter of the report with its number, by which Snakemake orders them."""
    return f"{CHAPTERS.index(title) + 1} {title}" if title in CHAPTERS else title


def run_results():
    """Return what a run's description lists; without a data set it ends with the trained models and their training."""
    more = ["downstream.csv", "summary.md", "summary.tex"] if DATASETS else []
    return [
        "<results>/attrition.csv",
        *expand("<results>/figures/samples_{subset}.png", subset=SUBSETS),
        *expand(
            "<results>/models/{model}/{file}",
            model=model_names(),
            file=[
                "embedding.keras",
                "README.md",
                "avc.csv",
                f"checkpoints/{checkpoint_name(max(LEGS))}.h5",
            ],
        ),
        *(
            expand("<results>/models/{model}/retrieval.csv", model=model_names())
            if config["train"]["objective"] == "contrastive"
            else []
        ),
        *expand("<results>/tables/{table}.{kind}", table=TABLES, kind=["csv", "html"]),
        *expand("<results>/tables/{table}", table=more),
        *expand("<results>/figures/{figure}.{kind}", figure=FIGURES, kind=["svg", "png"]),
        *(["<results>/figures/pairing.svg"] if config["report"]["other_pairing"] else []),
    ]


def final_files():
    """Return everything a whole run makes."""
    return [*run_results(), "<results>/ro-crate-metadata.json"]


def how_to_report():
    """Return the line that says how the report of this run is made, or that it cannot be made yet."""
    made = [path.replace("<results>", f"results/{config['run']}") for path in final_files()]
    missing = sum(not os.path.exists(path) for path in made)
    if missing:
        return f"report: once the whole run is made ({missing} of its {len(made)} files are not there yet)"
    files = [os.path.relpath(path) for path in workflow.overwrite_configfiles]
    if len(files) == 1 and not workflow.config_settings.config:
        return f"report: make report CONFIG={shlex.quote(files[0])}"
    words = ["--cores", "1", "--report", f"results/{config['run']}/report.html"]
    words += ["--configfile", *files] if files else []
    changed = [f"{key}={value}" for key, value in workflow.config_settings.config.items()]
    return f"report: snakemake {shlex.join(words + (['--config', *changed] if changed else []))}"


os.environ[REPORT] = how_to_report()
