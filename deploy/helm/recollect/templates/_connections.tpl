{{/*
Connections of all pods to the bundled PostgreSQL, in hundreds, so that few changes of replicas restart it. By the pools of api/dependencies.ts
and workers/pools.ts: an api has RECOLLECT_DB_POOL_MAX and one that listens, a worker of sweeps or maintenance 28 of its own; at an update one pod
more runs. Temporal's four services have 12 each (files/temporal.yaml); 40 are for backups, restores, migrations, commands and superusers.
*/}}
{{- define "recollect.maxConnections" -}}
{{- $root := . -}}
{{- $pool := int (index .Values.settings "RECOLLECT_DB_POOL_MAX" | default 10) -}}
{{- $sum := add 40 (ternary 48 0 .Values.temporal.bundled) -}}
{{- $sum = add $sum (mul (add1 (include "recollect.maxReplicas" (dict "settings" .Values.api "keda" false) | int)) (add1 $pool)) -}}
{{- range .Values.workers -}}
{{- $own := ternary 28 0 (or (has "sweeps" .queues) (has "maintenance" .queues)) -}}
{{- $sum = add $sum (mul (add1 (include "recollect.maxReplicas" (dict "settings" . "keda" $root.Values.keda.enabled) | int)) (add $pool $own)) -}}
{{- end -}}
{{- max 200 (mul 100 (div (add $sum 99) 100)) -}}
{{- end -}}

{{/* Pods that scaling may start. Arguments: settings (of the api or a group of workers), keda. */}}
{{- define "recollect.maxReplicas" -}}
{{- if or .keda .settings.autoscaling.enabled -}}{{- max (int .settings.replicas) (int .settings.autoscaling.maxReplicas) -}}{{- else -}}{{- int .settings.replicas -}}{{- end -}}
{{- end -}}
