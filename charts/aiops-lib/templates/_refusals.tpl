{{/*
Options that contradict each other. A schema looks at one value at a time; these need two. All that is wrong is said at
once, each with what to do.
*/}}
{{- define "aiops-lib.refusals" -}}
{{- $global := .Values.global -}}
{{- $said := list -}}
{{- if .Values.autoscaling.enabled -}}
  {{- if .Values.replicas -}}
    {{- $said = append $said (printf "%s: replicas is set and autoscaling.enabled is true, and both decide the number of pods. Leave replicas out (replicas: null undoes what another file says), or set autoscaling.enabled=false." .Chart.Name) -}}
  {{- end -}}
  {{- if gt (int .Values.autoscaling.minReplicas) (int .Values.autoscaling.maxReplicas) -}}
    {{- $said = append $said (printf "%s: autoscaling.minReplicas is %v, more than autoscaling.maxReplicas, which is %v. Raise maxReplicas." .Chart.Name .Values.autoscaling.minReplicas .Values.autoscaling.maxReplicas) -}}
  {{- end -}}
{{- end -}}
{{- $store := $global.secrets.external.store.name -}}
{{- if and (eq $global.secrets.mode "external") (not $store) -}}
  {{- $said = append $said "global.secrets.mode is external, but no store is named. Set global.secrets.external.store.name to a SecretStore or ClusterSecretStore of the External Secrets Operator, or set global.secrets.mode=existing and make the Secrets with `aiops secrets generate --kubernetes`." -}}
{{- end -}}
{{- if and (eq $global.secrets.mode "existing") $store -}}
  {{- $said = append $said "global.secrets.external.store.name is set, but global.secrets.mode is existing, so nothing would be fetched from it. Set global.secrets.mode=external, or leave the store out." -}}
{{- end -}}
{{- if and (eq $global.nats.durability "checked") (not $global.nats.monitorUrl) -}}
  {{- $said = append $said "global.nats.durability is checked, but there is no global.nats.monitorUrl to read it from, so no worker would start. Set the address of NATS's monitoring port, or, if you have set `sync_interval: always` yourself, global.nats.durability=vouched." -}}
{{- end -}}
{{- if and (eq $global.nats.durability "vouched") $global.nats.monitorUrl -}}
  {{- $said = append $said "global.nats.durability is vouched, so global.nats.monitorUrl would never be asked. Set global.nats.durability=checked, or global.nats.monitorUrl=\"\"." -}}
{{- end -}}
{{- if and $global.anchors.url $global.anchors.claim -}}
  {{- $said = append $said "global.anchors.url and global.anchors.claim are set, and anchors go to one place. Set the one, and leave the other empty." -}}
{{- end -}}
{{- if and $global.analysis.prometheus.address (not $global.monitoring.enabled) -}}
  {{- $said = append $said "global.analysis.prometheus.address is set, but global.monitoring.enabled is false: Prometheus would know nothing of a new version, and no promotion would ever be decided. Set global.monitoring.enabled=true, or global.analysis.prometheus.address=\"\"." -}}
{{- end -}}
{{- if and $global.monitoring.enabled $global.networkPolicy.enabled (not $global.monitoring.from) -}}
  {{- $said = append $said "global.monitoring.enabled is true, but network policies keep Prometheus away. Set global.monitoring.from to its pods, for example [{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: monitoring}}}]." -}}
{{- end -}}
{{- if and (eq $global.environment "production") (eq $global.image.tag "latest") -}}
  {{- $said = append $said "global.image.tag is latest, so nobody could say what runs in production, nor go back to it. Name a version." -}}
{{- end -}}
{{- with .Values.ingress -}}
  {{- if .enabled -}}
    {{- if not .host -}}
      {{- $said = append $said (printf "gateway: ingress.enabled is true%s, but ingress.host is empty. Set the host name that people type, for example ingress.host=aiops.example.com." (ternary " and ingress.tls.terminatedAt is ingress" "" (eq .tls.terminatedAt "ingress"))) -}}
    {{- end -}}
    {{- if and (eq .tls.terminatedAt "nowhere") (eq $global.environment "production") -}}
      {{- $said = append $said "gateway: ingress.tls.terminatedAt is nowhere in production: the session's cookie is sent over TLS alone, so nobody could stay signed in. Set it to ingress, to elsewhere (a load balancer in front), or set global.environment=development." -}}
    {{- end -}}
    {{- if and (ne .tls.terminatedAt "ingress") (or .tls.secretName .tls.clusterIssuer) -}}
      {{- $said = append $said (printf "gateway: ingress.tls names a secretName or a clusterIssuer, but ingress.tls.terminatedAt is %s, so neither would be used. Set ingress.tls.terminatedAt=ingress, or leave them out." .tls.terminatedAt) -}}
    {{- end -}}
    {{- if not (dig "trustedProxies" "" ($.Values.settings | default dict)) -}}
      {{- $said = append $said "gateway: ingress.enabled is true, but settings.trustedProxies is empty: every log-in would come from the ingress controller's address, and wrong passwords of one person would slow down all. Set settings.trustedProxies to the network of the controller's pods, for example 10.244.0.0/16." -}}
    {{- end -}}
    {{- if and $global.networkPolicy.enabled (not $global.networkPolicy.ingressFrom) -}}
      {{- $said = append $said "gateway: ingress.enabled is true, but network policies keep the ingress controller away. Set global.networkPolicy.ingressFrom to its pods, for example [{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: ingress-nginx}}}]." -}}
    {{- end -}}
  {{- end -}}
{{- end -}}
{{- with .Values.openai -}}
  {{- if and (or .apiKey (dig "openaiBaseUrl" "" $.Values.settings)) (not (dig "openaiModel" "" $.Values.settings)) -}}
    {{- $said = append $said "ai: a model shall answer (openai.apiKey or settings.openaiBaseUrl), but settings.openaiModel does not say which. Set it to the name of the model." -}}
  {{- end -}}
{{- end -}}
{{- if $said -}}
  {{- fail (printf "\n\nThe values contradict each other:\n- %s\n" (join "\n- " $said)) -}}
{{- end -}}
{{- end -}}
