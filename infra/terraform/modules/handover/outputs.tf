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
      # The load balancer sends to the pods themselves, from addresses of the VPC.
      networkPolicy = { ingressFrom = [{ ipBlock = { cidr = var.vpc_cidr_block } }] }
    }
    # CloudFront serves the pages.
    dashboard = { enabled = false }
    gateway = {
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
          # Subscriptions are quiet for long; at its end the balancer waits as long as the pods drain.
          "alb.ingress.kubernetes.io/load-balancer-attributes" = "idle_timeout.timeout_seconds=300,routing.http.drop_invalid_header_fields.enabled=true"
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
