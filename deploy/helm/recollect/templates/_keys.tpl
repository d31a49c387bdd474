{{/* Names of secret settings, as JSON lists by who needs them. Of the Secret of the installation: */}}
{{- define "recollect.engineKeys" -}}
["RECOLLECT_DATABASE_URL", "RECOLLECT_WEAVIATE_API_KEY", "RECOLLECT_TEMPORAL_API_KEY", "RECOLLECT_SECRET_KEYS"]
{{- end -}}

{{- define "recollect.crossTenantKeys" -}}
["RECOLLECT_MAINTENANCE_DATABASE_URL", "RECOLLECT_RESTORE_DATABASE_URL"]
{{- end -}}

{{- define "recollect.ownerKeys" -}}
["RECOLLECT_OWNER_DATABASE_URL", "RECOLLECT_ADMIN_DATABASE_URL"]
{{- end -}}

{{/* Of extraSecret, if there is one: */}}
{{- define "recollect.storeKeys" -}}
["RECOLLECT_S3_ACCESS_KEY_ID", "RECOLLECT_S3_SECRET_ACCESS_KEY", "RECOLLECT_EMBEDDING_API_KEY", "RECOLLECT_OTLP_HEADERS"]
{{- end -}}

{{- define "recollect.modelKeys" -}}
["ANTHROPIC_API_KEY", "RECOLLECT_OPENAI_API_KEY"]
{{- end -}}
