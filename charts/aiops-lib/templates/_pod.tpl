{{/*
What every pod of ours is confined to: Kubernetes' "restricted" standard, and nothing of the API server.
Arguments: root, account.
*/}}
{{- define "aiops-lib.confinement" -}}
serviceAccountName: {{ .account }}
automountServiceAccountToken: false
# A Service named aiops-x would put variables AIOPS_X_... into every pod, among our settings.
enableServiceLinks: false
securityContext:
  runAsNonRoot: true
  runAsUser: 10001
  runAsGroup: 10001
  fsGroup: 10001
  fsGroupChangePolicy: OnRootMismatch
  seccompProfile: {type: RuntimeDefault}
{{- with .root.Values.global.imagePullSecrets }}
imagePullSecrets:
  {{- range . }}
  - name: {{ . }}
  {{- end }}
{{- end }}
{{- with .root.Values.global.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- with .root.Values.global.nodeSelector }}
nodeSelector: {{ toYaml . | nindent 2 }}
{{- end }}
{{- with .root.Values.global.tolerations }}
tolerations: {{ toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{- define "aiops-lib.containerConfinement" -}}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  runAsNonRoot: true
  capabilities: {drop: [ALL]}
{{- end -}}

{{/*
What a role finds at /etc/aiops, from several Secrets and ConfigMaps, readable by the process's group alone: files that
settings point to, and settings themselves, named like the variables that they stand for. Arguments: root, role.
*/}}
{{- define "aiops-lib.files" -}}
{{- $me := include "aiops-lib.me" .root | fromYaml -}}
{{- $role := get $me .role -}}
{{- $global := .root.Values.global -}}
- name: files
  projected:
    defaultMode: 0440
    sources:
      - secret:
          name: {{ include "aiops-lib.secret" .root.Chart.Name }}
          items:
            {{- range prepend ($me.files | default list) "key.pem" }}
            - {key: {{ . }}, path: {{ . }}}
            {{- end }}
            {{- if $role.postgres }}
            - {key: database-url, path: {{ $me.prefix }}_DATABASE_URL}
            {{- end }}
            {{- if $role.nats }}
            - {key: nats-password, path: {{ $me.prefix }}_NATS_PASSWORD}
            {{- end }}
            {{- if dig "openai" "apiKey" false .root.Values.AsMap }}
            - {key: openai-api-key, path: AI_OPENAI_API_KEY}
            {{- end }}
      - secret: {name: {{ include "aiops-lib.secret" "shared" }}, items: [{key: redaction.key, path: redaction.key}]}
      {{- if and $global.unleash.url (not (hasKey $me "web")) }}
      - secret: {name: {{ include "aiops-lib.secret" "unleash" }}, items: [{key: client-token, path: AIOPS_UNLEASH_TOKEN}]}
      {{- end }}
      {{- if $global.tls.enabled }}
      - secret: {name: {{ include "aiops-lib.secret" .root.Chart.Name }}-tls, items: [{key: ca.crt, path: ca.crt}, {key: tls.crt, path: tls.crt}, {key: tls.key, path: tls.key}]}
      {{- end }}
      - configMap: {name: aiops-trust, items: [{key: trust.json, path: trust.json}]}
      {{- if and $global.flags (not (hasKey $me "web")) }}
      - configMap: {name: {{ include "aiops-lib.flagsName" .root }}, items: [{key: flags.json, path: flags.json}]}
      {{- end }}
{{- end -}}

{{/*
The pod of a role. Liveness asks only whether the process lives: an outage of Postgres must restart nobody. Readiness
asks the dependencies, each of which may take 3 s to be called away. Arguments: root, role, resources.
*/}}
{{- define "aiops-lib.podTemplate" -}}
{{- $root := .root -}}
{{- $global := $root.Values.global -}}
{{- $me := include "aiops-lib.me" $root | fromYaml -}}
{{- $name := include "aiops-lib.name" $root -}}
{{- $labels := dict "root" $root "component" $root.Chart.Name "role" .role -}}
{{- $holdsNothing := eq $root.Chart.Name "dashboard" -}}
{{- $anchors := and (get $me .role).histories $global.anchors.claim -}}
metadata:
  labels: {{ include "aiops-lib.labels" $labels | nindent 4 }}
spec:
  {{- include "aiops-lib.confinement" (dict "root" $root "account" $name) | nindent 2 }}
  # Time to be noticed, 20 s for calls in progress, and 15 s to give everything back.
  terminationGracePeriodSeconds: {{ add (ceil $global.drainSeconds | int) 35 }}
  topologySpreadConstraints:
    {{- range list "kubernetes.io/hostname" "topology.kubernetes.io/zone" }}
    - maxSkew: 1
      topologyKey: {{ . }}
      whenUnsatisfiable: ScheduleAnyway
      labelSelector:
        matchLabels: {{ include "aiops-lib.selector" $labels | nindent 10 }}
    {{- end }}
  containers:
    - name: {{ .role }}
      image: {{ include "aiops-lib.image" (dict "root" $root "repository" $root.Values.image.repository) | quote }}
      imagePullPolicy: {{ $global.image.pullPolicy }}
      {{- if $holdsNothing }}
      args: [pages]
      {{- else if not (hasKey $me "web") }}
      args: [{{ .role }}]
      {{- end }}
      env: {{ include "aiops-lib.environment" . | trim | nindent 8 }}
      ports:
        {{- if eq .role "serve" }}
        - {name: {{ $me.portName }}, containerPort: {{ $me.port }}, protocol: TCP}
        {{- end }}
        - {name: operations, containerPort: {{ $me.operations }}, protocol: TCP}
      startupProbe:
        httpGet: {path: /healthz, port: operations}
        periodSeconds: 2
        timeoutSeconds: 2
        failureThreshold: 30
      livenessProbe:
        httpGet: {path: /healthz, port: operations}
        periodSeconds: 10
        timeoutSeconds: 5
        failureThreshold: 3
      readinessProbe:
        httpGet: {path: /readyz, port: operations}
        periodSeconds: 5
        timeoutSeconds: 4
        failureThreshold: 2
      resources: {{ toYaml .resources | nindent 8 }}
      {{- include "aiops-lib.containerConfinement" $root | nindent 6 }}
      volumeMounts:
        - {name: tmp, mountPath: /tmp}
        {{- if not $holdsNothing }}
        - {name: files, mountPath: /etc/aiops, readOnly: true}
        {{- end }}
        {{- if $anchors }}
        - {name: anchors, mountPath: /var/lib/anchors}
        {{- end }}
  volumes:
    - name: tmp
      emptyDir: {sizeLimit: {{ $root.Values.tmpSize }}}
    {{- if not $holdsNothing }}
    {{- include "aiops-lib.files" . | nindent 4 }}
    {{- end }}
    {{- if $anchors }}
    - name: anchors
      persistentVolumeClaim: {claimName: {{ $global.anchors.claim }}}
    {{- end }}
{{- end -}}
