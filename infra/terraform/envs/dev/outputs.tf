output "helm_values" {
  description = "Values file for the charts: terraform output -raw helm_values > installation.yaml"
  value       = module.handover.helm_values
}

output "manifests" {
  description = "What the cluster needs once: terraform output -raw manifests | kubectl apply -f -"
  value       = module.handover.manifests
}

output "github_variables" {
  description = "Variables of the environment in the repository's settings."
  value = {
    AWS_REGION         = var.region
    CLUSTER            = module.eks.cluster_name
    DEPLOY_ROLE_ARN    = module.iam.deploy_role_arn
    PAGES_BUCKET       = module.dashboard.bucket_name
    PAGES_DISTRIBUTION = module.dashboard.distribution_id
    REGISTRY           = module.registry.address
    URL                = "https://${var.domain_name}"
  }
}

output "database_address" {
  description = "Host name of the database."
  value       = module.rds.address
}

output "database_master_secret_arn" {
  description = "Secret of RDS with the administrator's name and password."
  value       = module.rds.master_secret_arn
}

output "secrets_prefix" {
  description = "What stands before the secrets' names in Secrets Manager."
  value       = module.secrets.prefix
}

output "vpc_id" {
  description = "The VPC, which the load balancer controller has to be told."
  value       = module.network.vpc_id
}

output "load_balancer_controller_role_arn" {
  description = "Role for the service account of the AWS Load Balancer Controller."
  value       = module.iam.load_balancer_controller_role_arn
}

output "pages_bucket" {
  description = "Bucket that the built pages are put into."
  value       = module.dashboard.bucket_name
}

output "pages_distribution_id" {
  description = "CloudFront distribution whose cache forgets index.html after a release."
  value       = module.dashboard.distribution_id
}

output "pages_distribution_domain_name" {
  description = "Where the DNS record of domain_name leads to."
  value       = module.dashboard.distribution_domain_name
}
