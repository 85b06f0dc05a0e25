# L3-Net, from AudioSet clip ids to trained audio embeddings and the tables and figures of
# "Look, Listen, and Learn More" (Cramer, Wu, Salamon, Bello, ICASSP 2019).
#
#   snakemake --cores all                                      the embedded demo (synthetic)
#   snakemake --cores all --configfile presets/workstation.yaml
#   snakemake --profile workflow/profiles/slurm --configfile presets/paper.yaml
from snakemake.utils import min_version

min_version("9.12")


configfile: "config.yaml"


include: "rules/common.smk"
include: "rules/names.smk"
include: "rules/targets.smk"


pathvars:
    results=f"results/{config['run']}",
    logs=f"logs/{config['run']}",
    benchmarks=f"benchmarks/{config['run']}",


report: "workflow/report/workflow.rst"


include: "rules/demo.smk"
include: "rules/audioset.smk"
include: "rules/samples.smk"
include: "rules/training.smk"
include: "rules/downstream.smk"
include: "rules/paper_figures.smk"
include: "rules/score_figures.smk"
include: "rules/training_figures.smk"
include: "rules/report.smk"


remember_signatures(workflow.rules)


onstart:
    write_plan(config, Path(f"logs/{config['run']}"))  # for l3net status
    if workflow.local_exec:
        # At most 100 jobs a second spare a cluster's queue. Here the limit only costs: for each job that has ended,
        # Snakemake would look at all waiting ones once a second.
        workflow.scheduler.job_rate_limiter = None


onsuccess:
    os.environ[REPORT] = how_to_report()  # the run may have made what was missing when it began
    logger.info(os.environ[REPORT])


rule all:
    default_target: True
    input:
        final_files(),
