{{/* First values of the feature flags; a running process sees a change of them. */}}
{{- define "aiops-lib.configmap" -}}
apiVersion: v1
kind: ConfigMap
metadata:
  name: {{ include "aiops-lib.flagsName" . }}
  labels: {{ include "aiops-lib.labels" (dict "root" . "component" .Chart.Name "role" "serve") | nindent 4 }}
data:
  flags.json: {{ .Values.global.flags | toJson | quote }}
{{- end -}}

{{- define "aiops-lib.flagsName" -}}
{{- include "aiops-lib.nameOf" (dict "root" . "component" .Chart.Name "suffix" "flags") -}}
{{- end -}}
