variable "name" {
  description = "Name of the installation, which is also that of the cluster."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,22}[a-z0-9]$", var.name))
    error_message = "Give 3 to 24 lower-case letters, digits and hyphens, with a letter first and no hyphen at the end."
  }
}

variable "namespace" {
  description = "Kubernetes namespace of the services."
  type        = string
}

variable "secrets_service_account" {
  description = "Service account in that namespace with which the External Secrets Operator reads secrets."
  type        = string
}

variable "oidc_provider_arn" {
  description = "ARN of the cluster's OIDC provider."
  type        = string
}

variable "oidc_issuer" {
  description = "Issuer of the cluster's service account tokens, without https://."
  type        = string

  validation {
    condition     = !startswith(var.oidc_issuer, "https://")
    error_message = "Give the issuer without https://: conditions on tokens are named after it in this form."
  }
}

variable "secret_arns" {
  description = "The secrets that may be read."
  type        = list(string)

  validation {
    condition     = length(var.secret_arns) > 0 && !anytrue([for arn in var.secret_arns : strcontains(arn, "*")])
    error_message = "Give the ARN of each secret, without wildcards."
  }
}

variable "secrets_key_arn" {
  description = "KMS key of the secrets."
  type        = string
}

variable "cluster_arn" {
  description = "The cluster that is deployed to."
  type        = string
}

variable "repository_arns" {
  description = "Image repositories that the deployment pushes to."
  type        = list(string)
}

variable "dashboard_bucket_arn" {
  description = "Bucket of the dashboard's pages."
  type        = string
}

variable "dashboard_distribution_arn" {
  description = "CloudFront distribution in front of the pages."
  type        = string
}

variable "github_repository" {
  description = "Repository whose runs may deploy, as OWNER/NAME."
  type        = string

  validation {
    condition     = can(regex("^[A-Za-z0-9][A-Za-z0-9-]*/[A-Za-z0-9._-]+$", var.github_repository))
    error_message = "Give one repository as OWNER/NAME, without wildcards."
  }
}

variable "github_environment" {
  description = "Environment of that repository, whose protection rules say who approves a deployment."
  type        = string

  validation {
    condition     = can(regex("^[A-Za-z0-9][A-Za-z0-9._-]*$", var.github_environment))
    error_message = "Give the name of one environment, without wildcards."
  }
}
