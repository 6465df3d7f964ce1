{{/*
Who there is, where each listens, and whom each may reach: the one list that ports, addresses, mounted files and network
policies are made from. tests/charts holds it to the code: `calls` to the clients that each app.py makes, ports to
dev/state.py, files to the settings classes.

Whoever serves asks auth each second whose tokens are void, and listens for it.

  port        gRPC of a service, HTTP of gateway and dashboard (web)
  operations  health and metrics, and auth's JWKS
  files       keys of the component's own Secret that are mounted beside key.pem
  serve/work  a role: Postgres, NATS (durable: with its own streams; live: only listening), auth's JWKS, gRPC calls,
              histories whose ends it signs once an hour
*/}}
{{- define "aiops-lib.topology" -}}
auth:
  port: 8101
  operations: 8201
  files: [key-encryption.key, setup-token]
  serve: {postgres: true}
  work: {postgres: true, nats: durable, histories: true}
logs:
  port: 8102
  operations: 8202
  serve: {postgres: true, nats: live, jwks: true, calls: [auth]}
  work: {postgres: true, nats: durable, histories: true, calls: [ai]}
tickets:
  port: 8103
  operations: 8203
  serve: {postgres: true, nats: live, jwks: true, calls: [auth, logs]}
  work: {postgres: true, nats: durable, histories: true, calls: [ai]}
changelog:
  port: 8104
  operations: 8204
  serve: {postgres: true, nats: live, jwks: true, calls: [auth]}
  work: {postgres: true, nats: durable, histories: true, calls: [ai]}
ai:
  port: 8105
  operations: 8205
  serve: {postgres: true, nats: live, jwks: true, calls: [auth]}
  work: {postgres: true, nats: durable}
gateway:
  web: true
  port: 8080
  operations: 8180
  serve: {nats: live, jwks: true, calls: [auth, logs, tickets, changelog, ai]}
dashboard:
  web: true
  port: 8080
  operations: 8180
  serve: {}
{{- end -}}

{{/* The entry of this chart in the topology, with what follows from it. */}}
{{- define "aiops-lib.me" -}}
{{- $me := get (include "aiops-lib.topology" . | fromYaml) .Chart.Name -}}
{{- $prefix := ternary "GATEWAY" (upper .Chart.Name) (eq .Chart.Name "dashboard") -}}
{{- merge (dict "name" .Chart.Name "prefix" $prefix "portName" (ternary "web" "grpc" (hasKey $me "web"))) $me | toYaml -}}
{{- end -}}

{{/* Who calls a component: [{name, role}], from everybody's `calls`. Argument: the component's name. */}}
{{- define "aiops-lib.callers" -}}
{{- $called := . -}}
{{- range $name, $each := include "aiops-lib.topology" . | fromYaml -}}
{{- range $role := list "serve" "work" -}}
{{- if has $called (dig $role "calls" list $each) }}
- {name: {{ $name }}, role: {{ $role }}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* Who reads auth's JWKS: [{name, role}]. */}}
{{- define "aiops-lib.verifiers" -}}
{{- range $name, $each := include "aiops-lib.topology" . | fromYaml -}}
{{- range $role := list "serve" "work" -}}
{{- if dig $role "jwks" false $each }}
- {name: {{ $name }}, role: {{ $role }}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}
