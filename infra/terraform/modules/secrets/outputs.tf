output "arns" {
  description = "ARN of each secret, by the name that it has in Kubernetes."
  value       = { for name, secret in aws_secretsmanager_secret.this : name => secret.arn }
}

output "key_arn" {
  description = "KMS key that the secrets are encrypted with."
  value       = aws_kms_key.this.arn
}

output "prefix" {
  description = "What stands before a secret's name in Secrets Manager: the charts' global.secrets.external.prefix."
  value       = var.name
}
