variable "account_id" {
  description = "AWS account of this installation. Nothing is done when the credentials belong to another one."
  type        = string

  validation {
    condition     = can(regex("^[0-9]{12}$", var.account_id))
    error_message = "Give the twelve digits of the account."
  }
}

variable "region" {
  description = "Region of this installation, such as eu-central-1."
  type        = string

  validation {
    condition     = can(regex("^[a-z]{2}(-[a-z]+)+-[0-9]$", var.region))
    error_message = "Give a region, such as eu-central-1, and no zone."
  }
}

variable "availability_zones" {
  description = "Three zones of that region."
  type        = list(string)

  validation {
    condition     = alltrue([for zone in var.availability_zones : startswith(zone, var.region)])
    error_message = "Give zones of the region of this installation."
  }
}

variable "cidr_block" {
  description = "IPv4 block of the VPC, /16 to /20."
  type        = string
  default     = "10.50.0.0/16"
}

variable "domain_name" {
  description = "The name that people type, such as aiops.example.com."
  type        = string
}

variable "api_origin_domain_name" {
  description = "The name by which CloudFront finds the load balancer, such as origin.aiops.example.com."
  type        = string
}

variable "cloudfront_certificate_arn" {
  description = "ACM certificate for domain_name in us-east-1, for CloudFront."
  type        = string
}

variable "ingress_certificate_arn" {
  description = "ACM certificate for domain_name in the region of this installation, for the load balancer."
  type        = string
}

variable "admin_role_arns" {
  description = "IAM roles of the people who administer the cluster."
  type        = set(string)
}

variable "kubernetes_api_cidr_blocks" {
  description = "Networks that reach the Kubernetes API over the internet; empty: only from inside the VPC."
  type        = list(string)
  default     = []
}

variable "github_repository" {
  description = "Repository whose runs in the environment prod may deploy, as OWNER/NAME."
  type        = string
}
