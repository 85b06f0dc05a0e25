#!/usr/bin/env bash
# Runs the tests that need a real SLURM; they start one of their own (make test-slurm). Installs Debian's packages where
# it may; where it may not, says what is missing and leaves the tests out.
#   tests/slurm/run.sh --whole-demo   the demo, whole, through SLURM, against the results of `make run` that are there
#   tests/slurm/run.sh -k gpu         options of pytest
set -euo pipefail
cd "$(dirname "$0")/../.."
export PATH="$PATH:/usr/sbin:/sbin"
packages=(slurmctld slurmd slurm-client munge)

missing() {
  for program in munged slurmctld slurmd sbatch srun squeue scontrol; do
    command -v "$program" >/dev/null || echo "$program"
  done
}

if [ -n "$(missing)" ] && [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
  echo "installing ${packages[*]}"
  export DEBIAN_FRONTEND=noninteractive
  { apt-get update -qq && apt-get install -y -qq --no-install-recommends "${packages[@]}"; } >/dev/null </dev/null || true
fi
if [ -n "$(missing)" ]; then
  echo "test-slurm: SKIPPED, this machine has no SLURM; missing:" $(missing)
  echo "test-slurm: on Debian or Ubuntu, as root: apt-get install ${packages[*]}"
  exit 0
fi
if [ "${1:-}" = --whole-demo ]; then
  shift
  export WHOLE_DEMO=1
  set -- tests/slurm/test_whole_demo.py "$@"
else
  set -- tests/slurm "$@"
fi
exec .venv/bin/python -m pytest -q --timeout 1200 "$@"
