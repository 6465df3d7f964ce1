output "security_group_policies" {
  description = "Manifests that give the pods their groups, for kubectl apply before the first installation."
  value = join("---\n", [
    for name in keys(local.components) : yamlencode({
      apiVersion = "vpcresources.k8s.aws/v1beta1"
      kind       = "SecurityGroupPolicy"
      metadata   = { name = "aiops-${name}", namespace = var.namespace }
      spec = {
        podSelector    = { matchLabels = { "app.kubernetes.io/part-of" = "aiops", "app.kubernetes.io/name" = name } }
        securityGroups = { groupIds = [aws_security_group.pods.id, local.groups[name]] }
      }
    })
  ])
}

output "load_balancer_security_group_id" {
  description = "Security group of the load balancer, for the Ingress's annotation."
  value       = aws_security_group.load_balancer.id
}
