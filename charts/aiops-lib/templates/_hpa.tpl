{{/* More serving pods under load; it scales the Rollout, which then has no number of its own. */}}
{{- define "aiops-lib.hpa" -}}
{{- $name := include "aiops-lib.name" . -}}
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata:
  name: {{ $name }}
  labels: {{ include "aiops-lib.labels" (dict "root" . "component" .Chart.Name "role" "serve") | nindent 4 }}
spec:
  scaleTargetRef:
    apiVersion: argoproj.io/v1alpha1
    kind: Rollout
    name: {{ $name }}
  minReplicas: {{ .Values.autoscaling.minReplicas }}
  maxReplicas: {{ .Values.autoscaling.maxReplicas }}
  metrics:
    - type: Resource
      resource:
        name: cpu
        target: {type: Utilization, averageUtilization: {{ .Values.autoscaling.cpuPercent }}}
{{- end -}}
