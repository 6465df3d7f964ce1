{{/* Who the pods are to the cluster: nobody that may do anything, and no token to say so with. */}}
{{- define "aiops-lib.serviceaccount" -}}
apiVersion: v1
kind: ServiceAccount
metadata:
  name: {{ include "aiops-lib.name" . }}
  labels: {{ include "aiops-lib.labels" (dict "root" . "component" .Chart.Name "role" "serve") | nindent 4 }}
automountServiceAccountToken: false
{{- end -}}
