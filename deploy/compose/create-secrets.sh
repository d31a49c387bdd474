#!/bin/sh
# Creates the secrets of Compose in ./secrets beside this file: random passwords and keys, and a self-signed certificate.
# Existing files stay: a second run adds what is missing. Copy the folder to a safe place: the data cannot be used without it.
#   create-secrets.sh NAME.OF.THE.SERVER [FOLDER]
set -eu
umask 077
host=${1:?name of the server, as in its address}
folder=${2:-$(dirname "$0")/secrets}
case $host in *[!A-Za-z0-9.-]* | '') echo 'the name of the server must have letters, digits, dots and hyphens only' >&2; exit 1 ;; esac
[ ${#host} -le 253 ] || { echo 'the name of the server must have at most 253 characters' >&2; exit 1; }
# The folder is the operator's alone; containers of other users get single files.
mkdir -p "$folder"

put() {
  [ -e "$folder/$1" ] || { cat >"$folder/.new" && mv "$folder/.new" "$folder/$1"; }
  chmod "${2:-444}" "$folder/$1"
}
random() { openssl rand -hex 32; }
password() { [ -e "$folder/$1" ] || random | put "$1"; cat "$folder/$1"; }
# Sets the address of a role, with a password that exists nowhere else.
role() { [ -e "$folder/$1" ] || printf 'postgresql://%s:%s@postgres:5432/%s' "$2" "$(random)" "$3" | put "$1"; }

superuser=$(password postgres_password)
printf 'postgresql://postgres:%s@postgres:5432/postgres' "$superuser" | put admin_database_url
role owner_database_url recollect_owner recollect
role database_url recollect_app recollect
role maintenance_database_url recollect_maintenance recollect
role restore_database_url recollect_restore postgres
for name in temporal_password weaviate_api_key weaviate_cluster_password scrape_token grafana_password; do
  password "$name" >/dev/null
done
printf 'first:%s' "$(openssl rand -base64 32)" | put secret_keys
openssl genpkey -algorithm ed25519 -outform DER | base64 | tr -d '\n' | put backup_signing_key
printf '{"url":"https://%s","api_key":"rcl_%s","admin":{"username":"admin","password":"%s"},"agent_api_key":"rcl_%s","agent_write_api_key":"rcl_%s"}\n' \
  "$host" "$(random)" "$(random)" "$(random)" "$(random)" | put credentials.json
sed -n 's/.*"api_key":"\([^"]*\)".*/\1/p' "$folder/credentials.json" | put operator_key
# The operator's to write: empty is unset.
for name in backup_key anthropic_api_key openai_api_key embedding_api_key s3_access_key_id s3_secret_access_key otlp_headers oidc_providers.json; do
  printf '' | put "$name" 644
done
if [ ! -e "$folder/tls.crt" ]; then
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 365 -subj "/CN=$host" \
    -addext "subjectAltName=DNS:$host" -keyout "$folder/tls.key" -out "$folder/tls.crt" 2>/dev/null
fi
chmod 644 "$folder/tls.crt" "$folder/tls.key"
echo "secrets are in $folder; the address and keys for agents are in $folder/credentials.json"
