{{/* An object that lives for the time before an installation or upgrade. Argument: its place in the order. */}}
{{- define "aiops-lib.hook" -}}
annotations:
  helm.sh/hook: pre-install,pre-upgrade
  helm.sh/hook-weight: {{ . | quote }}
  helm.sh/hook-delete-policy: before-hook-creation,hook-succeeded
{{- end -}}

{{- define "aiops-lib.migrationName" -}}
{{- $phase := .Values.global.migrations.phase -}}
{{- include "aiops-lib.nameOf" (dict "root" . "component" .Chart.Name "suffix" (ternary "migrate" $phase (eq $phase "expand"))) -}}
{{- end -}}

{{/*
The expand phase of the schema, as its owner, before anything of the new version starts: what it adds does not disturb
the version that runs. As a hook it stops the upgrade when it fails, with the running colour as it was. As an ordinary
Job (global.migrations.mode: job) it runs beside the rest, which waits for the schema by itself.

The other phases are asked for by `dev/deploy.sh`, which applies the objects of this file alone and takes them away
again: neither belongs to a release.
*/}}
{{- define "aiops-lib.migration" -}}
{{- $phase := .Values.global.migrations.phase -}}
{{- $expand := eq $phase "expand" -}}
{{- $hook := and $expand (eq .Values.global.migrations.mode "hook") -}}
{{- $external := eq .Values.global.secrets.mode "external" -}}
{{- $name := include "aiops-lib.migrationName" . -}}
{{- $labels := dict "root" . "component" .Chart.Name "role" "migrate" -}}
{{- if $external }}
---
{{ include "aiops-lib.externalsecret" (dict "root" . "name" $name "component" .Chart.Name "keys" (list "owner-database-url") "hook" $hook "role" "migrate") }}
{{- end }}
---
apiVersion: v1
kind: ServiceAccount
metadata:
  name: {{ $name }}
  labels: {{ include "aiops-lib.labels" $labels | nindent 4 }}
  {{- if $hook }}
  {{- include "aiops-lib.hook" -20 | nindent 2 }}
  {{- end }}
automountServiceAccountToken: false
{{- if .Values.global.networkPolicy.enabled }}
---
{{ include "aiops-lib.migrationPolicy" (dict "root" . "hook" $hook) }}
{{- end }}
---
apiVersion: batch/v1
kind: Job
metadata:
  # A Job cannot be changed: an ordinary one gets a new name with each revision.
  name: {{ ternary $name (include "aiops-lib.nameOf" (dict "root" . "component" .Chart.Name "suffix" (printf "migrate-%d" .Release.Revision))) (or $hook (not $expand)) }}
  labels: {{ include "aiops-lib.labels" $labels | nindent 4 }}
  {{- if $hook }}
  {{- include "aiops-lib.hook" -10 | nindent 2 }}
  {{- end }}
spec:
  backoffLimit: {{ ternary 3 (ternary 20 0 $expand) $hook }}
  {{- if ne $phase "backfill" }}
  activeDeadlineSeconds: {{ .Values.global.migrations.timeoutSeconds }}
  {{- end }}
  template:
    metadata:
      labels: {{ include "aiops-lib.labels" $labels | nindent 8 }}
    spec:
      {{- include "aiops-lib.confinement" (dict "root" . "account" $name) | nindent 6 }}
      # Never: the pod of a failed try stays, with its words.
      restartPolicy: {{ ternary "OnFailure" "Never" (and $expand (not $hook)) }}
      containers:
        - name: migrate
          image: {{ include "aiops-lib.image" (dict "root" . "repository" "aiops-migrate") | quote }}
          imagePullPolicy: {{ .Values.global.image.pullPolicy }}
          command: [aiops, migrate, {{ $phase }}, {{ .Chart.Name }}{{ if eq $phase "contract" }}, --yes{{ end }}]
          env:
            - {name: AIOPS_SECRETS_FOLDER, value: /etc/aiops}
            {{- if eq $phase "backfill" }}
            - {name: AIOPS_REDACTION_KEY_FILE, value: /etc/aiops/redaction.key}
            {{- end }}
          resources:
            requests: {cpu: 50m, memory: 96Mi}
            limits: {memory: 256Mi}
          {{- include "aiops-lib.containerConfinement" . | nindent 10 }}
          volumeMounts:
            - {name: tmp, mountPath: /tmp}
            - {name: files, mountPath: /etc/aiops, readOnly: true}
      volumes:
        - name: tmp
          emptyDir: {sizeLimit: 16Mi}
        - name: files
          projected:
            defaultMode: 0440
            sources:
              - secret:
                  name: {{ ternary $name (include "aiops-lib.secret" .Chart.Name) $external }}
                  items: [{key: owner-database-url, path: {{ upper .Chart.Name }}_OWNER_DATABASE_URL}]
              {{- if .Values.global.tls.enabled }}
              - secret: {name: {{ include "aiops-lib.secret" .Chart.Name }}-tls, items: [{key: ca.crt, path: ca.crt}, {key: tls.crt, path: tls.crt}, {key: tls.key, path: tls.key}]}
              {{- end }}
              {{- if eq $phase "backfill" }}
              - secret: {name: {{ include "aiops-lib.secret" "shared" }}, items: [{key: redaction.key, path: redaction.key}]}
              {{- end }}
{{- end -}}
