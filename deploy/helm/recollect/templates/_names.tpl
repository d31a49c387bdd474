{{- define "recollect.name" -}}
{{- .Release.Name | trunc 40 | trimSuffix "-" -}}
{{- end -}}

{{- define "recollect.labels" -}}
app.kubernetes.io/name: recollect
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .component }}
{{- end -}}

{{/* Labels of objects and of pods: those that select, and the version. */}}
{{- define "recollect.objectLabels" -}}
{{ include "recollect.labels" . }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version }}
{{- end -}}

{{/* Image of a target of the Containerfile: by digest, else by tag. */}}
{{- define "recollect.image" -}}
{{- $digest := index .root.Values.image.digests .target -}}
{{- $name := printf "%s/%s" .root.Values.image.registry .target -}}
{{- if $digest -}}{{ $name }}@{{ $digest }}{{- else -}}{{ $name }}:{{ .root.Values.image.tag | default .root.Chart.AppVersion }}{{- end -}}
{{- end -}}

{{- define "recollect.buildId" -}}
{{- $digest := .Values.image.digests.worker -}}
{{- if $digest -}}{{ $digest | trimPrefix "sha256:" | trunc 16 }}{{- else -}}{{ .Values.image.tag | default .Chart.AppVersion }}{{- end -}}
{{- end -}}

{{- define "recollect.allBundled" -}}
{{- if and .Values.postgresql.bundled .Values.temporal.bundled .Values.weaviate.bundled -}}true{{- end -}}
{{- end -}}

{{- define "recollect.anyBundled" -}}
{{- if or .Values.postgresql.bundled .Values.temporal.bundled .Values.weaviate.bundled -}}true{{- end -}}
{{- end -}}

{{- define "recollect.secret" -}}
{{- include "recollect.checkValues" . -}}
{{- if .Values.existingSecret -}}{{ .Values.existingSecret }}
{{- else if include "recollect.allBundled" . -}}{{ include "recollect.name" . }}
{{- else -}}{{ fail "existingSecret is needed with external engines: a Secret with RECOLLECT_DATABASE_URL and the other secret settings (docs/servers.md#secrets)" }}
{{- end -}}
{{- end -}}

{{- define "recollect.checkValues" -}}
{{- if and .Values.temporal.bundled (not .Values.postgresql.bundled) -}}{{ fail "temporal.bundled needs postgresql.bundled: disable it and set temporal.address" }}{{- end -}}
{{- if and (not .Values.temporal.bundled) (not .Values.temporal.address) -}}{{ fail "temporal.address is needed unless temporal.bundled" }}{{- end -}}
{{- if and (not .Values.weaviate.bundled) (not .Values.weaviate.url) -}}{{ fail "weaviate.url is needed unless weaviate.bundled" }}{{- end -}}
{{- if gt (int .Values.weaviate.replicationFactor) (int .Values.weaviate.replicas) -}}{{ fail "weaviate.replicationFactor must not exceed weaviate.replicas" }}{{- end -}}
{{- $served := list -}}
{{- range .Values.workers -}}{{- $served = concat $served .queues -}}{{- end -}}
{{- range list "session" "model" "embedding" "sweeps" "maintenance" -}}
{{- if not (has . $served) -}}{{ fail (printf "workers: no group serves the queue %s" .) }}{{- end -}}
{{- end -}}
{{- end -}}
