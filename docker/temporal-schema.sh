#!/bin/sh
# Bring both databases of Temporal to the schema of this version. Safe to repeat: what has been
# done is skipped by its version tables.
set -eu

for database in temporal temporal_visibility; do
  name=postgresql/v12/$(echo "$database" | sed 's/^temporal_//')
  tool="temporal-sql-tool --plugin postgres12 --endpoint postgres --port 5432 --user temporal"
  $tool --database "$database" setup-schema --version 0.0
  $tool --database "$database" update-schema --schema-name "$name"
done
