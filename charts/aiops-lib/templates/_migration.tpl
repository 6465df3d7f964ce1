{{/* An object that lives for the time before an installation or upgrade. Argument: its place in the order. */}}
{{- define "aiops-lib.hook" -}}
annotations:
  helm.sh/hook: pre-install,pre-upgrade
  helm.sh/hook-weight: {{ . | quote }}
  helm.sh/hook-delete-policy: before-hook-creation,hook-succeeded
{{- end -}}

{{- define "aiops-lib.migrationName" -}}
{{- include "aiops-lib.nameOf" (dict "root" . "component" .Chart.Name "suffix" "migrate") -}}
{{- end -}}

{{/*
The expand phase of the schema, as its owner, before anything of the new version starts: what it adds does not disturb
the version that runs. As a hook it stops the upgrade when it fails, with the running colour as it was. As an ordinary
Job (global.migrations.mode: job) it runs beside the rest, which waits for the schema by itself.
*/}}
{{- define "aiops-lib.migration" -}}
{{- $hook := eq .Values.global.migrations.mode "hook" -}}
{{- $external := eq .Values.global.secrets.mode "external" -}}
{{- $name := include "aiops-lib.migrationName" . -}}
{{- $labels := dict "root" . "component" .Chart.Name "role" "migrate" -}}
{{- if $external }}
---
{{ include "aiops-lib.externalsecret" (dict "root" . "name" $name "component" .Chart.Name "keys" (list "owner-database-url") "hook" $hook) }}
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
  name: {{ ternary $name (include "aiops-lib.nameOf" (dict "root" . "component" .Chart.Name "suffix" (printf "migrate-%d" .Release.Revision))) $hook }}
  labels: {{ include "aiops-lib.labels" $labels | nindent 4 }}
  {{- if $hook }}
  {{- include "aiops-lib.hook" -10 | nindent 2 }}
  {{- end }}
spec:
  backoffLimit: {{ ternary 3 20 $hook }}
  activeDeadlineSeconds: {{ .Values.global.migrations.timeoutSeconds }}
  template:
    metadata:
      labels: {{ include "aiops-lib.labels" $labels | nindent 8 }}
    spec:
      {{- include "aiops-lib.confinement" (dict "root" . "account" $name) | nindent 6 }}
      # Never: the pod of a failed try stays, with its words.
      restartPolicy: {{ ternary "Never" "OnFailure" $hook }}
      containers:
        - name: migrate
          image: {{ include "aiops-lib.image" (dict "root" . "repository" "aiops-migrate") | quote }}
          imagePullPolicy: {{ .Values.global.image.pullPolicy }}
          command: [aiops, migrate, expand, {{ .Chart.Name }}]
          env:
            - {name: AIOPS_SECRETS_FOLDER, value: /etc/aiops}
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
{{- end -}}
