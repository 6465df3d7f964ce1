{{/*
An object's name: the installation's name, the component and a suffix, at most 63 characters. What is cut off is the
installation's name: the end of a name is what tells objects apart. Arguments: root, component, suffix (may be empty).
*/}}
{{- define "aiops-lib.nameOf" -}}
{{- $end := .component | printf "-%s" -}}
{{- with .suffix }}{{ $end = printf "%s-%s" $end . }}{{ end -}}
{{- $room := sub 63 (len $end) | int -}}
{{- printf "%s%s" (.root.Values.global.name | trunc $room | trimSuffix "-") $end -}}
{{- end -}}

{{/* The name of this chart's objects: aiops-auth. */}}
{{- define "aiops-lib.name" -}}
{{- include "aiops-lib.nameOf" (dict "root" . "component" .Chart.Name) -}}
{{- end -}}

{{/* What selects the pods of a role, and never changes. Arguments: root, component, role. */}}
{{- define "aiops-lib.selector" -}}
app.kubernetes.io/part-of: {{ .root.Values.global.name }}
app.kubernetes.io/name: {{ .component }}
app.kubernetes.io/component: {{ .role }}
{{- end -}}

{{/* Labels of an object. Arguments: root, component, role. */}}
{{- define "aiops-lib.labels" -}}
{{ include "aiops-lib.selector" . }}
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/version: {{ include "aiops-lib.tag" .root | trunc 63 | quote }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name (.root.Chart.Version | replace "+" "_") | trunc 63 | trimSuffix "-" }}
{{- end -}}

{{/* The version that is installed. */}}
{{- define "aiops-lib.tag" -}}
{{ .Values.global.image.tag | default .Chart.AppVersion }}
{{- end -}}

{{/* An image of ours. Arguments: root, repository. */}}
{{- define "aiops-lib.image" -}}
{{- $image := .root.Values.global.image -}}
{{- $tag := get $image.tags .repository | default (include "aiops-lib.tag" .root) -}}
{{ with $image.registry }}{{ trimSuffix "/" . }}/{{ end }}{{ .repository }}:{{ $tag }}
{{- end -}}

{{/* The Secret of a component, or of all (shared). Fixed names: the commands that make Secrets know them. */}}
{{- define "aiops-lib.secret" -}}
aiops-{{ . }}
{{- end -}}

{{/* Host and port of a URL, for network policies; the scheme's own port where it names none. */}}
{{- define "aiops-lib.portOf" -}}
{{- $host := (urlParse .).host -}}
{{- $scheme := (urlParse .).scheme -}}
{{- $port := regexFind ":[0-9]+$" $host | trimPrefix ":" -}}
{{- if $port }}{{ $port }}{{ else if eq $scheme "https" }}443{{ else if eq $scheme "nats" }}4222{{ else }}80{{ end -}}
{{- end -}}
