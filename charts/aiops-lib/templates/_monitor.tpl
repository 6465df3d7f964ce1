{{/*
A Service for Prometheus alone. Argo Rollouts leaves it as it is, so it has the pods of both colours and of the workers,
each once, also those that are not ready.
*/}}
{{- define "aiops-lib.metricsService" -}}
{{- $me := include "aiops-lib.me" . | fromYaml -}}
apiVersion: v1
kind: Service
metadata:
  name: {{ include "aiops-lib.metricsName" . }}
  labels: {{ include "aiops-lib.labels" (dict "root" . "component" .Chart.Name "role" "metrics") | nindent 4 }}
spec:
  type: ClusterIP
  clusterIP: None
  publishNotReadyAddresses: true
  selector:
    app.kubernetes.io/part-of: {{ .Values.global.name }}
    app.kubernetes.io/name: {{ .Chart.Name }}
  ports:
    - {name: operations, port: {{ $me.operations }}, targetPort: operations, protocol: TCP, appProtocol: http}
{{- end -}}

{{- define "aiops-lib.metricsName" -}}
{{- include "aiops-lib.nameOf" (dict "root" . "component" .Chart.Name "suffix" "metrics") -}}
{{- end -}}

{{- define "aiops-lib.servicemonitor" -}}
{{- $labels := dict "root" . "component" .Chart.Name "role" "metrics" -}}
apiVersion: monitoring.coreos.com/v1
kind: ServiceMonitor
metadata:
  name: {{ include "aiops-lib.name" . }}
  labels:
    {{- include "aiops-lib.labels" $labels | nindent 4 }}
    {{- with .Values.global.monitoring.labels }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
spec:
  selector:
    matchLabels: {{ include "aiops-lib.selector" $labels | nindent 6 }}
  namespaceSelector:
    matchNames: [{{ .Release.Namespace }}]
  # The colour and the role of each series; analyses ask for a colour by the hash.
  podTargetLabels: [app.kubernetes.io/name, app.kubernetes.io/component, rollouts-pod-template-hash]
  endpoints:
    - port: operations
      path: /metrics
      interval: {{ .Values.global.monitoring.intervalSeconds }}s
{{- end -}}
