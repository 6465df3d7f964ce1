{{/*
Who may reach a role, and whom it may reach: the edges of the topology and nothing else. Probes of the kubelet come from
the pod's own node, which no policy keeps away. Arguments: root, role.
*/}}
{{- define "aiops-lib.networkpolicy" -}}
{{- $root := .root -}}
{{- $labels := dict "root" $root "component" $root.Chart.Name "role" .role -}}
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  name: {{ ternary (include "aiops-lib.name" $root) (include "aiops-lib.workerName" $root) (eq .role "serve") }}
  labels: {{ include "aiops-lib.labels" $labels | nindent 4 }}
spec:
  podSelector:
    matchLabels: {{ include "aiops-lib.selector" $labels | nindent 6 }}
  policyTypes: [Ingress, Egress]
  {{- $rules := include "aiops-lib.ingressRules" . | trim }}
  ingress: {{ if $rules }}{{ $rules | nindent 4 }}{{ else }}[]{{ end }}
  {{- $rules = include "aiops-lib.egressRules" . | trim }}
  egress: {{ if $rules }}{{ $rules | nindent 4 }}{{ else }}[]{{ end }}
{{- end -}}

{{/* Who may come in. Arguments: root, role. */}}
{{- define "aiops-lib.ingressRules" -}}
{{- $root := .root -}}
{{- $values := $root.Values -}}
{{- $global := $values.global -}}
{{- $me := include "aiops-lib.me" $root | fromYaml -}}
{{- $role := get $me .role -}}
{{- $serves := eq .role "serve" -}}
{{- $callers := include "aiops-lib.callers" $root.Chart.Name | fromYamlArray }}
{{- if and $serves $callers }}
- from: {{ include "aiops-lib.pods" (dict "root" $root "members" $callers) | nindent 4 }}
  ports: [{protocol: TCP, port: {{ $me.port }}}]
{{- end }}
{{- if and $serves (hasKey $me "web") $global.networkPolicy.ingressFrom }}
- from: {{ toYaml $global.networkPolicy.ingressFrom | nindent 4 }}
  ports: [{protocol: TCP, port: {{ $me.port }}}]
{{- end }}
{{- if and $serves (eq $root.Chart.Name "auth") }}
{{- $verifiers := include "aiops-lib.verifiers" $root | fromYamlArray }}
- from: {{ include "aiops-lib.pods" (dict "root" $root "members" $verifiers) | nindent 4 }}
  ports: [{protocol: TCP, port: {{ $me.operations }}}]
{{- end }}
{{- if $global.monitoring.enabled }}
- from: {{ toYaml $global.monitoring.from | nindent 4 }}
  ports: [{protocol: TCP, port: {{ $me.operations }}}]
{{- end }}
{{- end -}}

{{/* Where it may go. Arguments: root, role. */}}
{{- define "aiops-lib.egressRules" -}}
{{- $root := .root -}}
{{- $values := $root.Values -}}
{{- $global := $values.global -}}
{{- $me := include "aiops-lib.me" $root | fromYaml -}}
{{- $role := get $me .role -}}
{{- $serves := eq .role "serve" -}}
{{- $topology := include "aiops-lib.topology" $root | fromYaml -}}
{{- if $role }}
{{- include "aiops-lib.toDns" $root | nindent 0 }}
{{- end }}
{{- if $role.postgres }}
{{- include "aiops-lib.to" (dict "peers" $global.database.to "ports" (list $global.database.port)) | nindent 0 }}
{{- end }}
{{- if $role.nats }}
{{- $ports := list }}
{{- range splitList "," $global.nats.url }}{{ $ports = append $ports (include "aiops-lib.portOf" (trim .)) }}{{ end }}
{{- if and (eq $role.nats "durable") $global.nats.monitorUrl }}
{{- $ports = append $ports (include "aiops-lib.portOf" $global.nats.monitorUrl) }}
{{- end }}
{{- include "aiops-lib.to" (dict "peers" $global.nats.to "ports" (uniq $ports)) | nindent 0 }}
{{- end }}
{{- range $role.calls }}
- to: {{ include "aiops-lib.pods" (dict "root" $root "members" (list (dict "name" . "role" "serve"))) | nindent 4 }}
  ports: [{protocol: TCP, port: {{ (get $topology .).port }}}]
{{- end }}
{{- if $role.jwks }}
- to: {{ include "aiops-lib.pods" (dict "root" $root "members" (list (dict "name" "auth" "role" "serve"))) | nindent 4 }}
  ports: [{protocol: TCP, port: {{ $topology.auth.operations }}}]
{{- end }}
{{- if and $role.histories $global.anchors.url }}
{{- include "aiops-lib.to" (dict "peers" $global.anchors.to "ports" (list (include "aiops-lib.portOf" $global.anchors.url))) | nindent 0 }}
{{- end }}
{{- if and $global.otlp.endpoint $role }}
{{- include "aiops-lib.to" (dict "peers" $global.otlp.to "ports" (list (include "aiops-lib.portOf" $global.otlp.endpoint))) | nindent 0 }}
{{- end }}
{{- if and $global.unleash.url (not (hasKey $me "web")) }}
{{- include "aiops-lib.to" (dict "peers" $global.unleash.to "ports" (list (include "aiops-lib.portOf" $global.unleash.url))) | nindent 0 }}
{{- end }}
{{- if and $serves (include "aiops-lib.asksModel" $root) }}
{{- $url := dig "settings" "openaiBaseUrl" "https://default" $values.AsMap }}
{{- include "aiops-lib.to" (dict "peers" $values.openai.to "ports" (list (include "aiops-lib.portOf" $url))) | nindent 0 }}
{{- end }}
{{- end -}}

{{/* The migration reaches Postgres, and nobody reaches it. Arguments: root, hook. */}}
{{- define "aiops-lib.migrationPolicy" -}}
{{- $labels := dict "root" .root "component" .root.Chart.Name "role" "migrate" -}}
{{- $database := .root.Values.global.database -}}
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  name: {{ include "aiops-lib.migrationName" .root }}
  labels: {{ include "aiops-lib.labels" $labels | nindent 4 }}
  {{- if .hook }}
  {{- include "aiops-lib.hook" -20 | nindent 2 }}
  {{- end }}
spec:
  podSelector:
    matchLabels: {{ include "aiops-lib.selector" $labels | nindent 6 }}
  policyTypes: [Ingress, Egress]
  ingress: []
  egress:
    {{- include "aiops-lib.toDns" .root | nindent 4 }}
    {{- include "aiops-lib.to" (dict "peers" $database.to "ports" (list $database.port)) | nindent 4 }}
{{- end -}}

{{/* Pods of ours as peers. Arguments: root, members: [{name, role}]. */}}
{{- define "aiops-lib.pods" -}}
{{- $root := .root -}}
{{- range .members }}
- podSelector:
    matchLabels: {{ include "aiops-lib.selector" (dict "root" $root "component" .name "role" .role) | nindent 6 }}
{{- end }}
{{- end -}}

{{- define "aiops-lib.toDns" -}}
- to: {{ toYaml .Values.global.networkPolicy.dnsTo | nindent 4 }}
  ports: [{protocol: UDP, port: 53}, {protocol: TCP, port: 53}]
{{- end -}}

{{/* Ports of peers; without peers they may be anywhere. Arguments: peers, ports. */}}
{{- define "aiops-lib.to" -}}
- ports:
    {{- range .ports }}
    - {protocol: TCP, port: {{ . }}}
    {{- end }}
  {{- with .peers }}
  to: {{ toYaml . | nindent 4 }}
  {{- end }}
{{- end -}}

{{/* Not empty where a model outside shall answer. */}}
{{- define "aiops-lib.asksModel" -}}
{{- if hasKey .Values "openai" -}}
{{- if or .Values.openai.apiKey (dig "settings" "openaiBaseUrl" "" .Values.AsMap) }}yes{{ end -}}
{{- end -}}
{{- end -}}
