{{/*
The environment of a role, in the pod template and in no ConfigMap: a colour that runs must keep what it was promoted
with, also when one of its pods starts anew. Nothing secret is in it: a process reads that from files, named like the
variables, of AIOPS_SECRETS_FOLDER. Arguments: root, role.
*/}}
{{- define "aiops-lib.environment" -}}
{{- $root := .root -}}
{{- $global := $root.Values.global -}}
{{- $me := include "aiops-lib.me" $root | fromYaml -}}
{{- $role := get $me .role -}}
{{- $topology := include "aiops-lib.topology" $root | fromYaml -}}
- {name: AIOPS_ENVIRONMENT, value: {{ $global.environment }}}
- {name: AIOPS_LOG_LEVEL, value: {{ $global.logLevel }}}
- {name: AIOPS_DRAIN_SECONDS, value: {{ $global.drainSeconds | quote }}}
- {name: AIOPS_STARTUP_SECONDS, value: {{ $global.startupSeconds | quote }}}
{{- if not (eq $root.Chart.Name "dashboard") }}
- {name: AIOPS_SECRETS_FOLDER, value: /etc/aiops}
- {name: AIOPS_TRUST_FILE, value: /etc/aiops/trust.json}
- {name: AIOPS_REDACTION_KEY_FILE, value: /etc/aiops/redaction.key}
- {name: {{ $me.prefix }}_KEY_FILE, value: /etc/aiops/key.pem}
{{- if $global.tls.enabled }}
- {name: AIOPS_TLS_CA_FILE, value: /etc/aiops/ca.crt}
- {name: {{ $me.prefix }}_TLS_CERT_FILE, value: /etc/aiops/tls.crt}
- {name: {{ $me.prefix }}_TLS_KEY_FILE, value: /etc/aiops/tls.key}
{{- end }}
{{- end }}
{{- if and $global.otlp.endpoint $role }}
- {name: AIOPS_OTLP_ENDPOINT, value: {{ $global.otlp.endpoint | quote }}}
{{- end }}
{{- if hasKey $me "web" }}
- {name: GATEWAY_HTTP_LISTEN, value: "0.0.0.0:{{ $me.port }}"}
- {name: GATEWAY_OPERATIONS_LISTEN, value: "0.0.0.0:{{ $me.operations }}"}
{{- else }}
- {name: {{ $me.prefix }}_HTTP_LISTEN, value: "0.0.0.0:{{ $me.operations }}"}
{{- if eq .role "serve" }}
- {name: {{ $me.prefix }}_GRPC_LISTEN, value: "0.0.0.0:{{ $me.port }}"}
{{- end }}
{{- if $global.flags }}
- {name: AIOPS_FLAGS_FILE, value: /etc/aiops/flags.json}
{{- end }}
{{- if $global.unleash.url }}
- {name: AIOPS_UNLEASH_URL, value: {{ $global.unleash.url | quote }}}
{{- end }}
{{- end }}
{{- with $role.nats }}
- {name: AIOPS_NATS_URL, value: {{ $global.nats.url | quote }}}
{{- if eq . "durable" }}
- {name: AIOPS_NATS_DURABILITY, value: {{ $global.nats.durability }}}
- {name: AIOPS_NATS_STREAM_MAX_BYTES, value: {{ int64 $global.nats.streamMaxBytes | quote }}}
{{- with $global.nats.monitorUrl }}
- {name: AIOPS_NATS_MONITOR_URL, value: {{ . | quote }}}
{{- end }}
{{- end }}
- {name: {{ $me.prefix }}_NATS_USER, value: {{ $root.Chart.Name }}}
{{- end }}
{{- if $role.histories }}
{{- if $global.anchors.url }}
- {name: AIOPS_ANCHOR_URL, value: {{ $global.anchors.url | quote }}}
{{- else if $global.anchors.claim }}
- {name: AIOPS_ANCHOR_URL, value: "file:/var/lib/anchors"}
{{- end }}
{{- end }}
{{- if $role.jwks }}
- {name: AIOPS_JWKS_URL, value: "http://{{ include "aiops-lib.nameOf" (dict "root" $root "component" "auth") }}:{{ $topology.auth.operations }}/.well-known/jwks.json"}
{{- end }}
{{- range $role.calls }}
- {name: AIOPS_{{ upper . }}_TARGET, value: "{{ include "aiops-lib.nameOf" (dict "root" $root "component" .) }}:{{ (get $topology .).port }}"}
{{- end }}
{{- if eq $root.Chart.Name "auth" }}
- {name: AUTH_KEY_ENCRYPTION_FILE, value: /etc/aiops/key-encryption.key}
- {name: AUTH_SETUP_TOKEN_FILE, value: /etc/aiops/setup-token}
{{- end }}
{{- range $name, $value := $root.Values.settings }}
- {name: {{ $me.prefix }}_{{ snakecase $name | upper }}, value: {{ $value | quote }}}
{{- end }}
{{- end -}}
