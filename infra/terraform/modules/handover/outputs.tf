output "helm_values" {
  description = "What the charts have to know of this installation: a values file."
  value = yamlencode({
    global = {
      image = { registry = var.registry }
      secrets = {
        mode     = "external"
        external = { store = { name = "aiops", kind = "SecretStore" }, prefix = var.secrets_prefix }
      }
      database = { to = [{ ipBlock = { cidr = var.vpc_cidr_block } }] }
      nats     = { url = "nats://nats.nats:4222", monitorUrl = "http://nats-headless.nats:8222" }
      # The load balancer hears later than others that a pod leaves.
      drainSeconds = 20
      # The load balancer sends to the pods themselves, from addresses of the VPC.
      networkPolicy = { ingressFrom = [{ ipBlock = { cidr = var.vpc_cidr_block } }] }
    }
    # CloudFront serves the pages.
    dashboard = { enabled = false }
    gateway = {
      # The load balancer leaves X-Forwarded-For as CloudFront wrote it: its last address is the client's.
      settings = { trustedProxies = var.vpc_cidr_block }
      ingress = {
        enabled   = true
        className = "alb"
        host      = var.domain_name
        pages     = false
        tls       = { terminatedAt = "elsewhere", clusterIssuer = "" }
        annotations = {
          "alb.ingress.kubernetes.io/scheme"                              = "internet-facing"
          "alb.ingress.kubernetes.io/target-type"                         = "ip"
          "alb.ingress.kubernetes.io/listen-ports"                        = jsonencode([{ HTTPS = 443 }])
          "alb.ingress.kubernetes.io/certificate-arn"                     = var.ingress_certificate_arn
          "alb.ingress.kubernetes.io/ssl-policy"                          = "ELBSecurityPolicy-TLS13-1-2-2021-06"
          "alb.ingress.kubernetes.io/security-groups"                     = var.load_balancer_security_group_id
          "alb.ingress.kubernetes.io/manage-backend-security-group-rules" = "false"
          "alb.ingress.kubernetes.io/healthcheck-port"                    = "8180"
          "alb.ingress.kubernetes.io/healthcheck-path"                    = "/readyz"
          # A new pod gets requests after two checks: until then those to a promoted colour have to wait.
          "alb.ingress.kubernetes.io/healthcheck-interval-seconds" = "5"
          "alb.ingress.kubernetes.io/healthcheck-timeout-seconds"  = "4"
          "alb.ingress.kubernetes.io/healthy-threshold-count"      = "2"
          # Subscriptions are quiet for long; at its end the balancer waits as long as the pods drain.
          "alb.ingress.kubernetes.io/load-balancer-attributes" = "idle_timeout.timeout_seconds=300,routing.http.drop_invalid_header_fields.enabled=true,routing.http.xff_header_processing.mode=preserve"
          "alb.ingress.kubernetes.io/target-group-attributes"  = "deregistration_delay.timeout_seconds=30"
        }
      }
    }
  })
}

output "manifests" {
  description = "What the cluster needs once, before the first installation: for kubectl apply."
  value       = join("---\n", concat([for manifest in local.manifests : yamlencode(manifest)], [var.security_group_policies]))
}
