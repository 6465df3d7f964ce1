{{/* All objects of one component; a chart is this line, its Chart.yaml and its values. */}}
{{- define "aiops-lib.component" -}}
{{- include "aiops-lib.refusals" . -}}
{{- $me := include "aiops-lib.me" . | fromYaml -}}
{{- $roles := list "serve" -}}
{{- if hasKey $me "work" }}{{ $roles = append $roles "work" }}{{ end }}
---
{{ include "aiops-lib.serviceaccount" . }}
{{- if and (eq .Values.global.secrets.mode "external") (ne .Chart.Name "dashboard") }}
---
{{ include "aiops-lib.externalsecret" (dict "root" . "name" (include "aiops-lib.secret" .Chart.Name) "component" .Chart.Name "keys" (include "aiops-lib.secretKeys" . | fromYamlArray)) }}
{{- end }}
{{- if and .Values.global.flags (not (hasKey $me "web")) }}
---
{{ include "aiops-lib.configmap" . }}
{{- end }}
{{- if hasKey $me "work" }}
{{ include "aiops-lib.migration" . }}
{{- end }}
{{- range $suffix := list "" "preview" }}
---
{{ include "aiops-lib.service" (dict "root" $ "suffix" $suffix) }}
{{- end }}
---
{{ include "aiops-lib.rollout" . }}
{{- if .Values.global.analysis.prometheus.address }}
---
{{ include "aiops-lib.analysis" . }}
{{- end }}
{{- if .Values.autoscaling.enabled }}
---
{{ include "aiops-lib.hpa" . }}
{{- end }}
{{- if hasKey $me "work" }}
---
{{ include "aiops-lib.worker" . }}
{{- end }}
{{- range $role := $roles }}
---
{{ include "aiops-lib.pdb" (dict "root" $ "role" $role) }}
{{- if $.Values.global.networkPolicy.enabled }}
---
{{ include "aiops-lib.networkpolicy" (dict "root" $ "role" $role) }}
{{- end }}
{{- end }}
{{- if .Values.global.monitoring.enabled }}
---
{{ include "aiops-lib.metricsService" . }}
---
{{ include "aiops-lib.servicemonitor" . }}
{{- end }}
{{- if dig "ingress" "enabled" false .Values.AsMap }}
---
{{ include "aiops-lib.ingress" . }}
{{- end }}
{{- end -}}
