{{/* Refused: production, and a migration that would wait for a database which starts after it. */}}
{{- define "dev.refusals" -}}
{{- $global := .Values.global -}}
{{- $said := list -}}
{{- if eq $global.environment "production" -}}
  {{- $said = append $said "dev.enabled is true in production: these engines have one copy and no backup, and what the product acknowledged would be lost with one disk. Set dev.enabled=false and run PostgreSQL and NATS of your own, or set global.environment=development." -}}
{{- end -}}
{{- if eq $global.migrations.mode "hook" -}}
  {{- $said = append $said "dev.enabled is true and global.migrations.mode is hook: a hook runs before PostgreSQL is there, and would wait for it in vain. Set global.migrations.mode=job." -}}
{{- end -}}
{{- if and .Values.unleash.enabled (not $global.unleash.url) -}}
  {{- $said = append $said "dev.unleash.enabled is true, but nobody would ask it. Set global.unleash.url=http://aiops-unleash:4242/api." -}}
{{- end -}}
{{- if $said -}}
{{- fail (printf "\n\nThe values contradict each other:\n- %s\n" (join "\n- " $said)) -}}
{{- end -}}
{{- end -}}

{{/* What the pod of an engine is confined to. Argument: the user that its image runs as. */}}
{{- define "dev.confinement" -}}
automountServiceAccountToken: false
enableServiceLinks: false
securityContext:
  runAsNonRoot: true
  runAsUser: {{ . }}
  runAsGroup: {{ . }}
  fsGroup: {{ . }}
  fsGroupChangePolicy: OnRootMismatch
  seccompProfile: {type: RuntimeDefault}
{{- end -}}

{{/* Which of our pods use an engine, from the topology: [{name, role}]. Argument: postgres, nats or unleash. */}}
{{- define "dev.clients" -}}
{{- $engine := . -}}
{{- range $name, $each := include "aiops-lib.topology" . | fromYaml -}}
{{- range $role := list "serve" "work" -}}
{{- if or (dig $role $engine "" $each) (and (eq $engine "unleash") (hasKey $each "work")) }}
- {name: {{ $name }}, role: {{ $role }}}
{{- end -}}
{{- end -}}
{{- if and (eq $engine "postgres") (hasKey $each "work") }}
- {name: {{ $name }}, role: migrate}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* A service account, a Service and a policy: who of the installation may reach an engine. Arguments: root, name, ports
([{name, port}]), from ([{name, role}]), egress (rules, may be empty). */}}
{{- define "dev.surroundings" -}}
{{- $root := .root -}}
{{- $labels := dict "root" .root "component" .name "role" "engine" -}}
{{- $name := include "aiops-lib.nameOf" (dict "root" .root "component" .name) -}}
apiVersion: v1
kind: ServiceAccount
metadata:
  name: {{ $name }}
  labels: {{ include "aiops-lib.labels" $labels | nindent 4 }}
automountServiceAccountToken: false
---
apiVersion: v1
kind: Service
metadata:
  name: {{ $name }}
  labels: {{ include "aiops-lib.labels" $labels | nindent 4 }}
spec:
  type: ClusterIP
  selector: {{ include "aiops-lib.selector" $labels | nindent 4 }}
  ports:
    {{- range .ports }}
    - {name: {{ .name }}, port: {{ .port }}, targetPort: {{ .name }}, protocol: TCP}
    {{- end }}
{{- if .root.Values.global.networkPolicy.enabled }}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  name: {{ $name }}
  labels: {{ include "aiops-lib.labels" $labels | nindent 4 }}
spec:
  podSelector:
    matchLabels: {{ include "aiops-lib.selector" $labels | nindent 6 }}
  policyTypes: [Ingress, Egress]
  ingress:
    - from: {{ include "aiops-lib.pods" (dict "root" $root "members" (.from | fromYamlArray)) | nindent 8 }}
      ports:
        {{- range .ports }}
        - {protocol: TCP, port: {{ .port }}}
        {{- end }}
  egress: {{ with .egress }}{{ . | nindent 4 }}{{ else }}[]{{ end }}
{{- end }}
{{- end -}}

{{/* Keys of Secrets as files at /etc/aiops. Argument: keys by Secret. */}}
{{- define "dev.secrets" -}}
- name: files
  projected:
    defaultMode: 0440
    sources:
      {{- range $secret, $keys := . }}
      - secret:
          name: {{ $secret }}
          items:
            {{- range $keys }}
            - {key: {{ . }}, path: {{ . }}}
            {{- end }}
      {{- end }}
{{- end -}}
