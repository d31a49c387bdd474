{{/* What every pod has: no token, no root, spread over nodes. Arguments: root, component. */}}
{{- define "recollect.pod" -}}
automountServiceAccountToken: false
enableServiceLinks: false
{{- if and .root.Values.serviceAccountName (or (has .component (list "api" "cli")) (hasPrefix "worker-" .component)) }}
serviceAccountName: {{ .root.Values.serviceAccountName }}
{{- end }}
{{- with .root.Values.image.pullSecrets }}
imagePullSecrets: {{ toYaml . | nindent 2 }}
{{- end }}
{{- with .root.Values.nodeSelector }}
nodeSelector: {{ toYaml . | nindent 2 }}
{{- end }}
{{- with .root.Values.tolerations }}
tolerations: {{ toYaml . | nindent 2 }}
{{- end }}
securityContext:
  runAsNonRoot: true
  runAsUser: {{ .uid | default 10001 }}
  runAsGroup: {{ .uid | default 10001 }}
  fsGroup: {{ .uid | default 10001 }}
  seccompProfile: { type: RuntimeDefault }
affinity:
  podAntiAffinity:
    preferredDuringSchedulingIgnoredDuringExecution:
      - weight: 100
        podAffinityTerm:
          topologyKey: kubernetes.io/hostname
          labelSelector:
            matchLabels: {{ include "recollect.labels" . | nindent 14 }}
{{- end -}}

{{- define "recollect.containerSecurity" -}}
securityContext:
  allowPrivilegeEscalation: false
  privileged: false
  readOnlyRootFilesystem: true
  capabilities: { drop: [ALL] }
{{- end -}}

{{/* Settings that are not secret, as a list of variables. Argument: the root. */}}
{{- define "recollect.settings" -}}
{{- $name := include "recollect.name" . -}}
{{- $settings := dict
  "RECOLLECT_SETTINGS_DIR" "/run/secrets/recollect"
  "RECOLLECT_CACHE_DIR" "/var/cache/recollect"
  "RECOLLECT_PUBLIC_URL" .Values.publicUrl
  "RECOLLECT_ALLOW_PLAIN_HTTP" "true"
  "RECOLLECT_TEMPORAL_NAMESPACE" .Values.temporal.namespace
  "RECOLLECT_WEAVIATE_QUANTIZATION" .Values.weaviate.quantization -}}
{{- if .Values.temporal.bundled -}}
{{- $_ := set $settings "RECOLLECT_TEMPORAL_ADDRESS" (printf "%s-temporal:7233" $name) -}}
{{- else -}}
{{- $_ := set $settings "RECOLLECT_TEMPORAL_ADDRESS" .Values.temporal.address -}}
{{- end -}}
{{- if .Values.temporal.tls -}}{{- $_ := set $settings "RECOLLECT_TEMPORAL_TLS" "true" -}}{{- end -}}
{{- with .Values.temporal.tlsServerName -}}{{- $_ := set $settings "RECOLLECT_TEMPORAL_TLS_SERVER_NAME" . -}}{{- end -}}
{{- if .Values.temporal.clientCertificateSecret -}}
{{- $_ := set $settings "RECOLLECT_TEMPORAL_TLS_CERT_FILE" "/run/secrets/temporal/tls.crt" -}}
{{- $_ := set $settings "RECOLLECT_TEMPORAL_TLS_KEY_FILE" "/run/secrets/temporal/tls.key" -}}
{{- end -}}
{{- if .Values.weaviate.bundled -}}
{{- $_ := set $settings "RECOLLECT_WEAVIATE_URL" (printf "http://%s-weaviate:8080" $name) -}}
{{- else -}}
{{- $_ := set $settings "RECOLLECT_WEAVIATE_URL" .Values.weaviate.url -}}
{{- with .Values.weaviate.grpcHost -}}{{- $_ := set $settings "RECOLLECT_WEAVIATE_GRPC_HOST" . -}}{{- end -}}
{{- end -}}
{{- $_ := set $settings "RECOLLECT_WEAVIATE_GRPC_PORT" (.Values.weaviate.grpcPort | toString) -}}
{{- if or .Values.allowPlainEngines .Values.postgresql.bundled .Values.temporal.bundled .Values.weaviate.bundled -}}
{{- $_ := set $settings "RECOLLECT_ALLOW_PLAIN_ENGINES" "true" -}}
{{- end -}}
{{- if .Values.caConfigMap -}}{{- $_ := set $settings "RECOLLECT_CA_FILE" "/etc/recollect/ca/ca.crt" -}}{{- end -}}
{{- with .Values.stores.backup -}}{{- $_ := set $settings "RECOLLECT_BACKUP_STORE" . -}}{{- end -}}
{{- with .Values.stores.archive -}}{{- $_ := set $settings "RECOLLECT_ARCHIVE_STORE" . -}}{{- end -}}
{{- if .Values.model.enabled -}}{{- $_ := set $settings "RECOLLECT_EMBEDDING_MODEL_DIR" "/model" -}}{{- end -}}
{{- /* Not by merge, for which false is an absent value. */ -}}
{{- range $key, $value := .Values.settings -}}{{- $_ := set $settings $key $value -}}{{- end -}}
{{- range $key, $value := $settings }}
- { name: {{ $key }}, value: {{ $value | toString | quote }} }
{{- end }}
- { name: NODE_COMPILE_CACHE, value: /var/cache/recollect/compile }
- { name: MALLOC_ARENA_MAX, value: '2' }
{{- end -}}

{{/* Arguments: root, model (whether the process uses the local embedding model). */}}
{{- define "recollect.mounts" -}}
- { name: secrets, mountPath: /run/secrets/recollect, readOnly: true }
- { name: cache, mountPath: /var/cache/recollect }
- { name: tmp, mountPath: /tmp }
{{- if and .model .root.Values.model.enabled }}
- { name: model, mountPath: /model, readOnly: true }
{{- end }}
{{- if .root.Values.temporal.clientCertificateSecret }}
- { name: temporal-certificate, mountPath: /run/secrets/temporal, readOnly: true }
{{- end }}
{{- if .root.Values.caConfigMap }}
- { name: ca, mountPath: /etc/recollect/ca, readOnly: true }
{{- end }}
{{- if .root.Values.stores.claim }}
- { name: stores, mountPath: /data }
{{- end }}
{{- end -}}

{{/*
Arguments: root, keys (of the Secret that the process needs), further (keys of extraSecret, else of the same Secret), model as for the
mounts. A key that the Secret lacks is left out.
*/}}
{{- define "recollect.volumes" -}}
- name: secrets
  projected:
    defaultMode: 0440
    sources:
      - secret:
          name: {{ include "recollect.secret" .root }}
          optional: true
          items:
{{- range .keys }}
            - { key: {{ . }}, path: {{ . }} }
{{- end }}
{{- if .further }}
      - secret:
          name: {{ .root.Values.extraSecret | default (include "recollect.secret" .root) }}
          optional: true
          items:
{{- range .further }}
            - { key: {{ . }}, path: {{ . }} }
{{- end }}
{{- end }}
- name: cache
  emptyDir: { sizeLimit: 1Gi }
- name: tmp
  emptyDir: { sizeLimit: 1Gi }
{{- if and .model .root.Values.model.enabled }}
- name: model
  emptyDir: { sizeLimit: 256Mi }
{{- end }}
{{- with .root.Values.temporal.clientCertificateSecret }}
- name: temporal-certificate
  secret: { secretName: {{ . }}, defaultMode: 0440 }
{{- end }}
{{- with .root.Values.caConfigMap }}
- name: ca
  configMap: { name: {{ . }} }
{{- end }}
{{- with .root.Values.stores.claim }}
- name: stores
  persistentVolumeClaim: { claimName: {{ . }} }
{{- end }}
{{- end -}}

{{/* The first admin's key, for what an operator runs. Argument: the root. */}}
{{- define "recollect.credentialsVolume" -}}
- name: credentials
  secret:
    secretName: {{ include "recollect.secret" . }}
    defaultMode: 0440
    items: [{ key: credentials.json, path: credentials.json }]
{{- end -}}

{{- define "recollect.modelContainer" -}}
- name: model
  image: {{ include "recollect.image" (dict "root" . "target" "model") }}
  imagePullPolicy: {{ .Values.image.pullPolicy }}
  command: [cp, -Rf, /opt/model/., /model/]
  {{- include "recollect.containerSecurity" . | nindent 2 }}
  resources:
    requests: { cpu: 50m, memory: 32Mi }
    limits: { cpu: '1', memory: 128Mi }
  volumeMounts:
    - { name: model, mountPath: /model }
{{- end -}}
