{{/*
The serving pods, blue/green: a new version comes up beside the running one behind aiops-x-preview, and gets the traffic
of aiops-x when it is promoted. The old colour stays for scaleDownDelaySeconds: gRPC connections to it end within 60 s,
and `kubectl argo rollouts undo` within that time switches back without starting a pod.
*/}}
{{- define "aiops-lib.rollout" -}}
{{- $name := include "aiops-lib.name" . -}}
{{- $rollout := mergeOverwrite (deepCopy .Values.global.rollout) (.Values.rollout | default dict) -}}
{{- $labels := dict "root" . "component" .Chart.Name "role" "serve" -}}
apiVersion: argoproj.io/v1alpha1
kind: Rollout
metadata:
  name: {{ $name }}
  labels: {{ include "aiops-lib.labels" $labels | nindent 4 }}
spec:
  {{- if not .Values.autoscaling.enabled }}
  replicas: {{ .Values.replicas | default 2 }}
  {{- end }}
  revisionHistoryLimit: 3
  # Longer than a process waits for Postgres and its schema before it gives up.
  progressDeadlineSeconds: {{ add (ceil .Values.global.startupSeconds | int) 240 }}
  progressDeadlineAbort: true
  selector:
    matchLabels: {{ include "aiops-lib.selector" $labels | nindent 6 }}
  strategy:
    blueGreen:
      activeService: {{ $name }}
      previewService: {{ include "aiops-lib.nameOf" (dict "root" . "component" .Chart.Name "suffix" "preview") }}
      autoPromotionEnabled: {{ $rollout.autoPromotion }}
      scaleDownDelaySeconds: {{ $rollout.scaleDownDelaySeconds }}
      {{- if .Values.global.analysis.prometheus.address }}
      {{- range list "prePromotionAnalysis" "postPromotionAnalysis" }}
      {{ . }}:
        templates:
          - templateName: {{ include "aiops-lib.analysisName" $ }}
        args:
          - name: hash
            valueFrom: {podTemplateHashValue: Latest}
      {{- end }}
      {{- end }}
  template: {{ include "aiops-lib.podTemplate" (dict "root" . "role" "serve" "resources" .Values.resources) | nindent 4 }}
{{- end -}}

{{- define "aiops-lib.analysisName" -}}
{{- include "aiops-lib.nameOf" (dict "root" . "component" .Chart.Name "suffix" "colour") -}}
{{- end -}}

{{/*
What decides for a new colour, before it is promoted and for a while after: all its pods say that they are ready, and few
of its calls fail for reasons of ours. Without any traffic yet nothing has failed.
*/}}
{{- define "aiops-lib.analysis" -}}
{{- $analysis := .Values.global.analysis -}}
{{- $me := include "aiops-lib.me" . | fromYaml -}}
{{- $pods := printf "namespace=\"%s\",rollouts_pod_template_hash=\"{{args.hash}}\"" .Release.Namespace -}}
apiVersion: argoproj.io/v1alpha1
kind: AnalysisTemplate
metadata:
  name: {{ include "aiops-lib.analysisName" . }}
  labels: {{ include "aiops-lib.labels" (dict "root" . "component" .Chart.Name "role" "serve") | nindent 4 }}
spec:
  args:
    - name: hash
  metrics:
    - name: ready
      initialDelay: {{ $analysis.initialDelaySeconds }}s
      interval: {{ $analysis.intervalSeconds }}s
      count: {{ $analysis.measurements }}
      failureLimit: 0
      # A colour that Prometheus does not know proves nothing: the analysis is inconclusive and waits for a person.
      successCondition: len(result) > 0 && result[0] == 1
      failureCondition: len(result) > 0 && result[0] < 1
      provider:
        prometheus:
          address: {{ $analysis.prometheus.address | quote }}
          query: min(aiops_ready{ {{- $pods -}} })
    {{- if not (hasKey $me "web") }}
    - name: errors
      initialDelay: {{ $analysis.initialDelaySeconds }}s
      interval: {{ $analysis.intervalSeconds }}s
      count: {{ $analysis.measurements }}
      failureLimit: 0
      successCondition: result[0] <= {{ $analysis.errorRatio }}
      failureCondition: result[0] > {{ $analysis.errorRatio }}
      provider:
        prometheus:
          address: {{ $analysis.prometheus.address | quote }}
          query: >-
            (sum(rate(aiops_rpc_server_requests_total{ {{- $pods -}} ,code=~"INTERNAL|UNAVAILABLE|DEADLINE_EXCEEDED"}[2m]))
            or vector(0)) / clamp_min(sum(rate(aiops_rpc_server_requests_total{ {{- $pods -}} }[2m])) or vector(0), 0.000001)
    {{- end }}
{{- end -}}
