#!/bin/bash
# Run once by the PostgreSQL image on an empty volume: roles and databases, nothing shared.
# Medcab's tables belong to a role of their own, so that the application can never alter them.
set -euo pipefail

psql --set ON_ERROR_STOP=1 --username "$POSTGRES_USER" --dbname postgres \
  --set owner="$MEDCAB_OWNER_PASSWORD" --set app="$MEDCAB_APP_PASSWORD" \
  --set replication="$MEDCAB_REPLICATION_PASSWORD" --set temporal="$TEMPORAL_PASSWORD" <<'SQL'
create role medcab_owner login password :'owner';
create role medcab login password :'app';
create role medcab_backup login replication password :'replication';
grant pg_read_all_stats to medcab_backup;
create role temporal login password :'temporal';
create database medcab owner medcab_owner;
create database temporal owner temporal;
create database temporal_visibility owner temporal;
revoke all on database medcab, temporal, temporal_visibility from public;
grant connect on database medcab to medcab;
SQL

# Base backups and the archive of the log come by the protocol of replication, which `all` leaves out.
echo 'host replication medcab_backup samenet scram-sha-256' >> "$PGDATA/pg_hba.conf"
