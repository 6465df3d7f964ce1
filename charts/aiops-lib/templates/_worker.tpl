{{/*
The working pods: consumers, outbox relay, schedules. They take no calls, so there is nothing to switch: an ordinary
Deployment. Several are safe: relay and schedules have one leader each, consumers share their durables, and the inbox
makes an effect single.
*/}}
{{- define "aiops-lib.worker" -}}
{{- $labels := dict "root" . "component" .Chart.Name "role" "work" -}}
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ include "aiops-lib.workerName" . }}
  labels: {{ include "aiops-lib.labels" $labels | nindent 4 }}
spec:
  replicas: {{ .Values.worker.replicas }}
  revisionHistoryLimit: 3
  progressDeadlineSeconds: {{ add (ceil .Values.global.startupSeconds | int) 240 }}
  strategy:
    rollingUpdate: {maxSurge: 1, maxUnavailable: 0}
  selector:
    matchLabels: {{ include "aiops-lib.selector" $labels | nindent 6 }}
  template: {{ include "aiops-lib.podTemplate" (dict "root" . "role" "work" "resources" .Values.worker.resources) | nindent 4 }}
{{- end -}}

{{- define "aiops-lib.workerName" -}}
{{- include "aiops-lib.nameOf" (dict "root" . "component" .Chart.Name "suffix" "work") -}}
{{- end -}}
