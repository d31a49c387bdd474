# Creates Temporal's role and databases in PostgreSQL, or sets the password of the role. Repeatable: runs at every start, before Temporal's schema.
# `recollect migrate` creates those of Recollect.
#   PGHOST=HOST [PGPORT=5432] [PGUSER=postgres] [POSTGRES_PASSWORD_FILE=FILE] [TEMPORAL_PASSWORD_FILE=FILE] sh temporal-databases.sh
# The user is a superuser, whose password may also be in PGPASSWORD. By default the files are those of /run/secrets/engines.
set -eu
export PGUSER="${PGUSER:-postgres}" PGDATABASE=postgres PGCONNECT_TIMEOUT=10
[ -n "${PGPASSWORD:-}" ] || PGPASSWORD="$(cat "${POSTGRES_PASSWORD_FILE:-/run/secrets/engines/postgres-password}")"
file="${TEMPORAL_PASSWORD_FILE:-/run/secrets/engines/temporal-password}"
TEMPORAL_PASSWORD="$(cat "$file")"
[ -n "$TEMPORAL_PASSWORD" ] || { echo "$file is empty: write the password of the role temporal into it" >&2; exit 1; }
export PGPASSWORD TEMPORAL_PASSWORD
# In the environment of psql, not among its arguments, which every process of the machine can read.
psql --no-psqlrc --quiet --set ON_ERROR_STOP=1 <<'SQL'
\getenv password TEMPORAL_PASSWORD
SELECT 'CREATE ROLE temporal LOGIN' WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'temporal') \gexec
ALTER ROLE temporal LOGIN PASSWORD :'password';
SELECT format('CREATE DATABASE %I OWNER temporal', name)
FROM unnest(ARRAY['temporal', 'temporal_visibility']) AS name
WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = name) \gexec
SQL
