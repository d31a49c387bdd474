# Creates or updates the role and the databases of Temporal; repeatable. `recollect migrate` creates those of Recollect.
# Environment: PGHOST, PGPORT, PGUSER (a superuser); POSTGRES_PASSWORD_FILE, the file with its password; TEMPORAL_PASSWORD_FILE, that with the
# password of the role.
set -eu
if [ -n "${POSTGRES_PASSWORD_FILE:-}" ]; then PGPASSWORD="$(cat "$POSTGRES_PASSWORD_FILE")"; export PGPASSWORD; fi
export PGUSER="${PGUSER:-postgres}"
psql -v ON_ERROR_STOP=1 -v password="$(cat "${TEMPORAL_PASSWORD_FILE:-/run/secrets/engines/temporal-password}")" --dbname postgres <<'SQL'
SELECT 'CREATE ROLE temporal' WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'temporal') \gexec
ALTER ROLE temporal LOGIN PASSWORD :'password';
SELECT format('CREATE DATABASE %I OWNER temporal', name)
  FROM unnest(ARRAY['temporal', 'temporal_visibility']) AS name
 WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = name) \gexec
SQL
