output "address" {
  description = "What stands before an image's name: the charts' global.image.registry."
  value       = trimsuffix(aws_ecr_repository.this["gateway"].repository_url, "/aiops-gateway")
}

output "repository_arns" {
  description = "ARNs of the repositories, for the role that pushes."
  value       = [for repository in aws_ecr_repository.this : repository.arn]
}
