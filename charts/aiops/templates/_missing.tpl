{{/*
What pods would mount and the namespace does not have: told before anything changes, as a pod would only wait for it. Helm
sees the cluster when it installs, upgrades or runs with --dry-run=server; it sees nothing when it renders, and where Secrets
are fetched they come later. The default account tells whether it sees the namespace.
*/}}
{{- define "aiops.missing" -}}
{{- $space := .Release.Namespace -}}
{{- $wanted := dict "aiops-shared" (list "redaction.key") -}}
{{- range $name, $each := include "aiops-lib.topology" . | fromYaml -}}
  {{- if $each.serve -}}
    {{- $keys := prepend ($each.files | default list) "key.pem" -}}
    {{- if hasKey $each "work" }}{{ $keys = concat $keys (list "database-url" "owner-database-url") }}{{ end -}}
    {{- $keys = append $keys "nats-password" -}}
    {{- $wanted = set $wanted (include "aiops-lib.secret" $name) $keys -}}
  {{- end -}}
{{- end -}}
{{- if dig "ai" "openai" "apiKey" false .Values.AsMap -}}
  {{- $wanted = set $wanted "aiops-ai" (append (get $wanted "aiops-ai") "openai-api-key") -}}
{{- end -}}
{{- if .Values.global.unleash.url }}{{ $wanted = set $wanted "aiops-unleash" (list "client-token") }}{{ end -}}
{{- if .Values.dev.enabled -}}
  {{- $wanted = merge $wanted (dict "aiops-database-admin" (list "admin-url") "aiops-nats" (list "authorization.conf")) -}}
{{- end -}}
{{- $missing := list -}}
{{- if lookup "v1" "ServiceAccount" $space "default" -}}
  {{- if eq .Values.global.secrets.mode "existing" -}}
    {{- range $name, $keys := $wanted -}}
      {{- $there := (lookup "v1" "Secret" $space $name).data | default dict -}}
      {{- range $keys -}}
        {{- if not (hasKey $there .) }}{{ $missing = append $missing (printf "Secret %s, key %s" $name .) }}{{ end -}}
      {{- end -}}
    {{- end -}}
  {{- end -}}
  {{- $there := (lookup "v1" "ConfigMap" $space "aiops-trust").data | default dict -}}
  {{- if not (hasKey $there "trust.json") }}{{ $missing = append $missing "ConfigMap aiops-trust, key trust.json" }}{{ end -}}
{{- end -}}
{{- if $missing -}}
{{- fail (printf "\n\nNamespace %s lacks what the pods read at their start:\n- %s\nA new installation gets them by: aiops secrets generate --kubernetes --namespace %s | kubectl create --filename -\ncharts/README.md lists who needs which.\n" $space (join "\n- " $missing) $space) -}}
{{- end -}}
{{- end -}}
