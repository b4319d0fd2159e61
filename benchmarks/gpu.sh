#!/usr/bin/env bash
# One run of at most ten minutes on a machine with a GPU, torch and transformers, without network; nothing is
# installed. benchmarks/gpu.sh --help says what it measures; --dry-run tries every line of it on a CPU.
set -euo pipefail
cd "$(dirname "$0")/.."
if [[ -z "${PYTHON:-}" ]]; then
  PYTHON=python3
  if [[ -x .venv/bin/python ]]; then PYTHON=.venv/bin/python; fi
fi
# Works without an installed package, too.
export PYTHONPATH="$PWD/src:$PWD${PYTHONPATH:+:$PYTHONPATH}"
export HF_HUB_OFFLINE=1 TOKENIZERS_PARALLELISM=false TRANSFORMERS_VERBOSITY=error PYTHONUNBUFFERED=1
exec "$PYTHON" -m benchmarks.gpu.run "$@"
