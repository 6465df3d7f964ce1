{{/* A Secret that the External Secrets Operator fetches. Arguments: root, name, remote, keys; hook, role: the migration's. */}}
{{- define "aiops-lib.externalsecret" -}}
{{- $external := .root.Values.global.secrets.external -}}
apiVersion: external-secrets.io/v1
kind: ExternalSecret
metadata:
  name: {{ .name }}
  labels: {{ include "aiops-lib.labels" (dict "root" .root "component" .component "role" (.role | default "secrets")) | nindent 4 }}
  {{- if .hook }}
  {{- include "aiops-lib.hook" -20 | nindent 2 }}
  {{- end }}
spec:
  refreshInterval: {{ $external.refreshInterval }}
  secretStoreRef:
    name: {{ $external.store.name }}
    kind: {{ $external.store.kind }}
  target:
    name: {{ .name }}
    creationPolicy: Owner
  data:
    {{- $remote := printf "%s/%s" (trimSuffix "/" $external.prefix) (include "aiops-lib.secret" .component) }}
    {{- range .keys }}
    - secretKey: {{ . }}
      remoteRef: {key: {{ $remote }}, property: {{ . }}}
    {{- end }}
{{- end -}}

{{/* The keys of this component's Secret that its pods use. */}}
{{- define "aiops-lib.secretKeys" -}}
{{- $me := include "aiops-lib.me" . | fromYaml -}}
- key.pem
{{- range $me.files }}
- {{ . }}
{{- end }}
{{- if dig "serve" "postgres" false $me }}
- database-url
{{- end }}
{{- if or (dig "serve" "nats" "" $me) (dig "work" "nats" "" $me) }}
- nats-password
{{- end }}
{{- if dig "openai" "apiKey" false .Values.AsMap }}
- openai-api-key
{{- end }}
{{- end -}}
