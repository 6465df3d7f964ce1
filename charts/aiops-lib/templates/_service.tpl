{{/* Where the component answers. Arguments: root, suffix ("" is the active colour, "preview" the coming one). */}}
{{- define "aiops-lib.service" -}}
{{- $me := include "aiops-lib.me" .root | fromYaml -}}
apiVersion: v1
kind: Service
metadata:
  name: {{ include "aiops-lib.nameOf" (dict "root" .root "component" .root.Chart.Name "suffix" .suffix) }}
  labels: {{ include "aiops-lib.labels" (dict "root" .root "component" .root.Chart.Name "role" "serve") | nindent 4 }}
spec:
  type: ClusterIP
  # Argo Rollouts adds the hash of a colour.
  selector: {{ include "aiops-lib.selector" (dict "root" .root "component" .root.Chart.Name "role" "serve") | nindent 4 }}
  ports:
    - name: {{ $me.portName }}
      port: {{ $me.port }}
      targetPort: {{ $me.portName }}
      protocol: TCP
      appProtocol: {{ ternary "http" "kubernetes.io/h2c" (hasKey $me "web") }}
    - {name: operations, port: {{ $me.operations }}, targetPort: operations, protocol: TCP, appProtocol: http}
{{- end -}}
