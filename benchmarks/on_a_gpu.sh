#!/usr/bin/env bash
# Run the tests marked gpu and every benchmark that takes --device on a GPU, most telling first, from the project folder:
#
#     OUT=/tmp/gpu bash benchmarks/on_a_gpu.sh
#
# Needs Python with torch for CUDA, numpy, scipy, pandas, pyarrow, pytest, hypothesis, safetensors and psutil; neither mlflow,
# dvc nor optuna. Writes one log a step into $OUT and a line a step on the terminal. Each step has its own limit in seconds;
# a step that fails or runs out of time is named, and the next one begins. The exit status is 1 if any step failed.
set -u
: "${OUT:?name the folder for the logs: OUT=/tmp/gpu}"
python=${PY:-python3}
mkdir -p "$OUT"
export PYTHONUNBUFFERED=1 PYTHONPATH="$PWD/src:$PWD"
failed=0

step() {  # name, limit in seconds, command...
  local name=$1 limit=$2 began=$SECONDS status
  shift 2
  timeout --kill-after=5 "$limit" "$@" > "$OUT/$name.log" 2>&1
  status=$?
  echo "$name: exit $status after $((SECONDS - began)) s (limit $limit)"
  [ "$status" -eq 0 ] || failed=1
}

step machine 20 bash -c "nvidia-smi; $python -c 'import sys, torch; print(sys.version, torch.__version__, torch.cuda.get_device_name())'"
step tests 240 "$python" -m pytest -q -m gpu --durations=12 tests/training tests/planning
step two_billion_wide 75 "$python" benchmarks/two_billion.py --made --device cuda --memory-gib 1000 --shape 2048x40 --steps 5
step two_billion_deep 75 "$python" benchmarks/two_billion.py --made --device cuda --memory-gib 1000 --shape 1024x160 --steps 5
step memory 120 "$python" benchmarks/memory.py --device cuda --every 2
step engine 120 "$python" benchmarks/engine.py --device cuda --rounds 2
exit "$failed"
