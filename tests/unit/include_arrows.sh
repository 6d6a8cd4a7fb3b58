#!/usr/bin/env bash
# Holds the map of ARCHITECTURE.md: a folder includes only what its row allows. Usage: include_arrows.sh PROJECT
set -euo pipefail
cd "$1"

# folder : folders that its files may include from (its own is always allowed)
rows='
guard/link :
guard/policy : guard/link
guard/python : guard/link
guard/rules : guard/link guard/policy guard/python
guard/audit : guard/link guard/policy guard/python
guard/ring : guard/link guard/policy
guard/debug : guard/link guard/python
guard/frozen : guard/link guard/python
guard/template : guard/frozen guard/link guard/python
guard/tools : guard/link guard/policy guard/python
guard : guard/link guard/policy guard/python guard/rules guard/audit guard/debug guard/frozen guard/ring guard/template guard/tools
guard/hosts : guard guard/template guard/link guard/policy guard/python guard/rules guard/audit
kernel/crypto : guard/link
kernel/wire : guard/link kernel/crypto
kernel/records : guard/link kernel/crypto kernel/wire
kernel/channels : guard/link kernel kernel/wire kernel/records
kernel/config : guard/link guard/policy kernel/records
kernel/supervisor : guard/link guard/policy kernel kernel/config kernel/records kernel/wire
kernel/execution : guard/link guard/policy kernel kernel/wire kernel/channels kernel/records kernel/supervisor kernel/requests
kernel/requests : guard/link guard/policy kernel kernel/wire kernel/channels kernel/records kernel/supervisor kernel/execution
kernel/mcp : guard/link kernel kernel/wire kernel/records
kernel/commands : guard/link guard/policy kernel kernel/mcp kernel/wire kernel/records kernel/config kernel/supervisor
'
# kernel.h and kernel.c hold all parts; loop.h stands beside them and includes none.
failed=0
checked=0
while IFS=: read -r folder allowed; do
  folder=${folder// /}
  [ -n "$folder" ] || continue
  for file in "$folder"/*.[ch]; do
    [ -e "$file" ] || { echo "no such folder: $folder"; failed=1; continue; }
    while read -r included; do
      checked=$((checked + 1))
      from=${included%/*}
      [ "$from" = "$folder" ] && continue
      case " $allowed " in *" $from "*) ;; *) echo "$file includes $included"; failed=1 ;; esac
    done < <(sed -n 's/^#include "\([^"]*\)".*/\1/p' "$file")
  done
done <<<"$rows"
# supervisor and channels may see kernel/loop.h, and nothing else of kernel/ itself
if grep -ln '#include "kernel/kernel.h"' kernel/{wire,records,channels,config,supervisor,mcp,commands}/*.[ch]; then
  echo "the files above include kernel.h from below"
  failed=1
fi
echo "$checked includes checked"
[ "$checked" -gt 100 ] && exit $failed
