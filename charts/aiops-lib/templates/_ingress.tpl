{{/* The one way in from outside: the API to the gateway, all else to the pages, under one host. */}}
{{- define "aiops-lib.ingress" -}}
{{- $ingress := .Values.ingress -}}
{{- $name := include "aiops-lib.name" . -}}
{{- $atIngress := eq $ingress.tls.terminatedAt "ingress" -}}
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata:
  name: {{ $name }}
  labels: {{ include "aiops-lib.labels" (dict "root" . "component" .Chart.Name "role" "serve") | nindent 4 }}
  {{- if or $ingress.annotations $ingress.tls.clusterIssuer }}
  annotations:
    {{- with $ingress.tls.clusterIssuer }}
    cert-manager.io/cluster-issuer: {{ . | quote }}
    {{- end }}
    {{- range $key, $value := $ingress.annotations }}
    {{ $key }}: {{ $value | quote }}
    {{- end }}
  {{- end }}
spec:
  {{- with $ingress.className }}
  ingressClassName: {{ . }}
  {{- end }}
  {{- if $atIngress }}
  tls:
    - hosts: [{{ $ingress.host | quote }}]
      secretName: {{ $ingress.tls.secretName | default (include "aiops-lib.nameOf" (dict "root" . "component" .Chart.Name "suffix" "tls")) }}
  {{- end }}
  rules:
    - host: {{ $ingress.host | quote }}
      http:
        paths:
          {{- range list "/graphql" "/v1" }}
          - path: {{ . }}
            pathType: Prefix
            backend: {service: {name: {{ $name }}, port: {name: web}}}
          {{- end }}
          {{- if $ingress.pages }}
          - path: /
            pathType: Prefix
            backend:
              service:
                name: {{ include "aiops-lib.nameOf" (dict "root" . "component" "dashboard") }}
                port: {name: web}
          {{- end }}
{{- end -}}
