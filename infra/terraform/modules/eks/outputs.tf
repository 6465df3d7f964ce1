output "cluster_name" {
  description = "Name of the cluster."
  value       = aws_eks_cluster.this.name
}

output "cluster_arn" {
  description = "ARN of the cluster."
  value       = aws_eks_cluster.this.arn
}

output "cluster_security_group_id" {
  description = "Security group of the control plane and of the nodes."
  value       = local.cluster_sg
}

output "oidc_provider_arn" {
  description = "ARN of the provider that roles for service accounts trust."
  value       = aws_iam_openid_connect_provider.this.arn
}

output "oidc_issuer" {
  description = "Issuer of the service accounts' tokens, without https://."
  value       = trimprefix(local.oidc_issuer, "https://")
}

output "pod_log_group" {
  description = "Log group for what the pods on Fargate print."
  value       = aws_cloudwatch_log_group.pods.name
}
