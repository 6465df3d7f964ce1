variable "region" {
  description = "Region of the installation."
  type        = string
}

variable "namespace" {
  description = "Kubernetes namespace of the services."
  type        = string

  validation {
    condition     = can(regex("^[a-z]([a-z0-9-]{0,61}[a-z0-9])?$", var.namespace)) && !startswith(var.namespace, "kube-")
    error_message = "Give a namespace's name that does not begin with kube-."
  }
}

variable "secrets_service_account" {
  description = "Service account with which the External Secrets Operator reads secrets."
  type        = string
}

variable "external_secrets_role_arn" {
  description = "IAM role of that service account."
  type        = string
}

variable "registry" {
  description = "What stands before the images' names."
  type        = string
}

variable "secrets_prefix" {
  description = "What stands before the secrets' names in Secrets Manager."
  type        = string
}

variable "vpc_cidr_block" {
  description = "IPv4 block of the VPC."
  type        = string
}

variable "domain_name" {
  description = "The name that people type."
  type        = string
}

variable "ingress_certificate_arn" {
  description = "Certificate for domain_name in the region of the installation, for the load balancer."
  type        = string

  validation {
    condition     = can(regex("^arn:aws[a-z-]*:acm:[a-z0-9-]+:[0-9]{12}:certificate/.+$", var.ingress_certificate_arn))
    error_message = "Give the ARN of an ACM certificate."
  }
}

variable "load_balancer_security_group_id" {
  description = "Security group of the load balancer."
  type        = string
}

variable "security_group_policies" {
  description = "Manifests that give the pods their security groups."
  type        = string
}

variable "pod_log_group" {
  description = "Log group for what the pods on Fargate print."
  type        = string
}
