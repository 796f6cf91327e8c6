#!/usr/bin/env bash
# The campaign against the program's promises (docs/campaign.md):
#
#   scripts/campaign.sh HOURS [PART...]      all parts, or those named, for so long in all; 0.02 will do
#   scripts/campaign.sh list                 the parts
#   scripts/campaign.sh repeat PART FILE     one finding
#
# Builds what it needs, shares the time out, as many parts at once as there are processors, and prints a
# table. Ends with 1 where there are findings: each stands with its log in build/campaign/findings.
# Corpora stay in build/campaign/corpus; the next call goes on with them.
#
# Environment: GALLOP_CAMPAIGN_ENGINE=libfuzzer|plain (libFuzzer where clang has it; plain is the
# campaign's own mutator, with g++); GALLOP_CAMPAIGN_JOBS, parts at once.
set -uo pipefail
root=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd) || exit 2
cd -- "$root" || exit 2
place=$root/build/campaign
jobs=${GALLOP_CAMPAIGN_JOBS:-$(nproc)}
plain=$root/build/sanitize/bin/gallop_campaign
guided=$root/build/fuzz/bin/gallop_libfuzzer
most_crashes=5
# What a hostile file may ask for at once; and less of what reports tell, which takes half the time.
asan_options=max_allocation_size_mb=4096:malloc_context_size=3:quarantine_size_mb=8
export ASAN_OPTIONS=${ASAN_OPTIONS:-$asan_options} GALLOP_ISA=${GALLOP_ISA:-v3}

die() {
  echo "campaign: $*" >&2
  exit 2
}

# has_libfuzzer: whether clang links a program with it.
has_libfuzzer() {
  local folder status
  command -v clang++ >/dev/null || return 1
  folder=$(mktemp -d)
  echo 'extern "C" int LLVMFuzzerTestOneInput(const unsigned char*, unsigned long) { return 0; }' |
    clang++ -fsanitize=fuzzer,address -x c++ - -o "$folder/probe" >/dev/null 2>&1
  status=$?
  rm -rf -- "$folder"
  return "$status"
}

build() {
  local launcher=() log=$place/log/build.log
  if command -v ccache >/dev/null; then
    export CCACHE_DIR=${CCACHE_DIR:-$root/build/ccache} CCACHE_BASEDIR=$root CCACHE_NOHASHDIR=1
    launcher=(-DCMAKE_CXX_COMPILER_LAUNCHER=ccache)
  fi
  {
    cmake --preset sanitize "${launcher[@]}" &&
      cmake --build build/sanitize --parallel "$(nproc)" --target gallop_campaign
  } >"$log" 2>&1 || { tail -n 40 "$log" && die "the build failed; the whole log is $log"; }
  if [[ $engine == libfuzzer ]]; then
    {
      cmake --preset fuzz "${launcher[@]}" &&
        cmake --build build/fuzz --parallel "$(nproc)" --target gallop_libfuzzer
    } >>"$log" 2>&1 || { tail -n 40 "$log" && die "the build failed; the whole log is $log"; }
  fi
}

# run_guided <target> <seconds>: libFuzzer, begun again after a crash; prints what gallop_campaign does.
run_guided() {
  local name=$1 end=$((SECONDS + $2)) begin=$SECONDS log=$place/log/$1.log executions=0 crashes=0 n
  local seeds=$place/seeds/$name corpus=$place/corpus/$name artifact=$place/findings/$name-
  mkdir -p "$seeds" "$corpus"
  while ((SECONDS < end && crashes < most_crashes)); do
    if GALLOP_FUZZ_TARGET=$name GALLOP_FUZZ_SEEDS=$seeds "$guided" "$corpus" "$seeds" \
      "-dict=$seeds.dict" "-artifact_prefix=$artifact" "-max_total_time=$((end - SECONDS))" \
      -entropic=0 -timeout=20 -rss_limit_mb=4096 -max_len=16384 -print_final_stats=1 >"$log" 2>&1 </dev/null; then
      :
    else
      crashes=$((crashes + 1))
      cp -- "$log" "$artifact$(date +%s).log"
    fi
    n=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log" | tail -n 1)
    executions=$((executions + ${n:-0}))
  done
  echo "$name,$executions,0,0,$crashes,$((SECONDS - begin))"
}

# run_part <name> <seconds>: appends its line to the results.
run_part() {
  local line
  if [[ $engine == libfuzzer && " $targets " == *" $1 "* ]]; then
    line=$(run_guided "$1" "$2")
  else
    line=$("$plain" run "$1" "$2" "$place" </dev/null 2>>"$place/log/$1.log")
    # It watches over its own children: should it end itself, that is a finding.
    if [[ $line != "$1",* ]]; then line="$1,0,0,0,1,$2"; fi
  fi
  echo "$line" >>"$results"
}

# share_out <hours> <part>...: all parts, the longest first.
share_out() {
  local hours=$1 name share total=0 seconds running=0
  shift
  for name in "$@"; do total=$(awk "BEGIN { print $total + ${shares[$name]} }"); done
  results=$(mktemp "$place/results.XXXXXX")
  for name in "$@"; do
    seconds=$(awk "BEGIN { s = $hours * 3600 * $jobs * ${shares[$name]} / $total; print int(s < 1 ? 1 : s) }")
    echo "$seconds $name"
  done | sort -rn >"$place/plan"
  while read -r seconds name; do
    if ((running >= jobs)); then
      wait -n
      running=$((running - 1))
    fi
    run_part "$name" "$seconds" &
    running=$((running + 1))
  done <"$place/plan"
  wait
}

report() {
  awk -F, -v place="$place" '
    BEGIN { printf "%-16s %12s %8s %11s %9s %8s\n", "part", "executions", "kills", "power cuts", "findings", "seconds" }
    { printf "%-16s %12d %8d %11d %9d %8d\n", $1, $2, $3, $4, $5, $6
      for (k = 2; k <= 6; k++) sum[k] += $k }
    END { printf "%-16s %12d %8d %11d %9d %8d\n", "all", sum[2], sum[3], sum[4], sum[5], sum[6]
          if (sum[5] > 0) printf "\nfindings stand in %s/findings; scripts/campaign.sh repeat PART FILE\n", place
          exit sum[5] > 0 }' <(sort "$results")
}

mkdir -p "$place/log" "$place/corpus" "$place/findings" "$place/seeds" || die "cannot make $place"
engine=${GALLOP_CAMPAIGN_ENGINE:-}
if [[ -z $engine ]]; then
  if has_libfuzzer; then engine=libfuzzer; else engine=plain; fi
fi
if [[ $engine != libfuzzer && $engine != plain ]]; then
  die "GALLOP_CAMPAIGN_ENGINE is '$engine'; expected libfuzzer or plain"
fi
command=${1:-}
shift
if [[ $command != list && $command != repeat && ! $command =~ ^([0-9]+(\.[0-9]*)?|\.[0-9]+)$ ]]; then
  die "expected hours, list or repeat; see the head of scripts/campaign.sh"
fi
if [[ $command != [0-9.]* ]]; then engine=plain; fi
build
declare -A shares=()
all=()
while read -r name share; do
  shares[$name]=$share
  all+=("$name")
done < <("$plain" list)
case $command in
  list) printf '%s\n' "${all[@]}" ;;
  repeat) exec "$plain" repeat "$@" ;;
  *)
    targets=$("$plain" targets | tr '\n' ' ')
    for name in "$@"; do
      if [[ -z ${shares[$name]:-} ]]; then die "there is no part '$name'; there are: ${all[*]}"; fi
    done
    if (($# == 0)); then set -- "${all[@]}"; fi
    share_out "$command" "$@"
    report
    ;;
esac
