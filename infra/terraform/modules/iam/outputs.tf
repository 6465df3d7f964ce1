output "external_secrets_role_arn" {
  description = "Role that reads the secrets; the service account is annotated with it."
  value       = aws_iam_role.pod["external-secrets"].arn
}

output "ebs_csi_role_arn" {
  description = "Role of the EBS driver."
  value       = aws_iam_role.pod["ebs-csi"].arn
}

output "load_balancer_controller_role_arn" {
  description = "Role of the AWS Load Balancer Controller."
  value       = aws_iam_role.pod["load-balancer-controller"].arn
}

output "deploy_role_arn" {
  description = "Role that GitHub's runners deploy with."
  value       = aws_iam_role.deploy.arn
}
