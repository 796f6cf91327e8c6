#!/usr/bin/env bash
# check_isa_objects.sh [root] [build]: every object compiled for an instruction set keeps its code
# to itself. A weak symbol outside the ISA's namespace could replace the baseline's copy of the same
# function at link time and end in an illegal instruction; a dynamic initialiser would run before
# the processor was asked what it can do.
set -uo pipefail
root=${1:-$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd)}
build=${2:-$root/build/release}
bad=0
count=0

# DW.ref.__gxx_personality_v0 is a pointer of the unwinder, equal in all objects.
foreign_weak_symbols() {
  nm --defined-only "$1" | awk -v isa="isa_$2" '
    $2 ~ /^[VWuvw]$/ && index($3, isa) == 0 && $3 != "DW.ref.__gxx_personality_v0" { print $3 }'
}

for isa in v3 v4 single; do  # those that were built
  while IFS= read -r -d '' object; do
    count=$((count + 1))
    weak=$(foreign_weak_symbols "$object" "$isa" | c++filt)
    if [[ -n $weak ]]; then
      printf 'check_isa_objects: %s has weak symbols outside isa_%s:\n%s\n' \
        "${object#"$build"/}" "$isa" "$weak" >&2
      bad=1
    fi
    if objdump -h "$object" | grep -qE ' \.(init_array|ctors|preinit_array)'; then
      echo "check_isa_objects: ${object#"$build"/} has dynamic initialisers" >&2
      bad=1
    fi
  done < <(find "$build"/CMakeFiles/gallop*_isa_"$isa".dir -name '*.o' -print0 2>/dev/null)
done

if ((count == 0)); then
  echo "check_isa_objects: no ISA object in $build; build first" >&2
  exit 1
fi
if ((bad == 0)); then echo "check_isa_objects: $count objects keep to themselves"; fi
exit "$bad"
