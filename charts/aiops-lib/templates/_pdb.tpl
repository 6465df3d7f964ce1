{{/*
How many pods of a role a drain of nodes may take at once. As a maximum, not a minimum: beside a preview of the same
size, a minimum would let all pods of the active colour go. Arguments: root, role.
*/}}
{{- define "aiops-lib.pdb" -}}
{{- $labels := dict "root" .root "component" .root.Chart.Name "role" .role -}}
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata:
  name: {{ ternary (include "aiops-lib.name" .root) (include "aiops-lib.workerName" .root) (eq .role "serve") }}
  labels: {{ include "aiops-lib.labels" $labels | nindent 4 }}
spec:
  maxUnavailable: {{ .root.Values.disruption.maxUnavailable }}
  # A pod that is not ready serves nobody; it must not keep a node from being drained.
  unhealthyPodEvictionPolicy: AlwaysAllow
  selector:
    matchLabels: {{ include "aiops-lib.selector" $labels | nindent 6 }}
{{- end -}}
