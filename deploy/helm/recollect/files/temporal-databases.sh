# Run once by the image of PostgreSQL, on new data: the role and the databases of Temporal. `recollect migrate` creates those of Recollect.
set -eu
psql -v ON_ERROR_STOP=1 -v password="$(cat /run/secrets/engines/temporal-password)" --username postgres <<'SQL'
CREATE ROLE temporal LOGIN PASSWORD :'password';
CREATE DATABASE temporal OWNER temporal;
CREATE DATABASE temporal_visibility OWNER temporal;
SQL
