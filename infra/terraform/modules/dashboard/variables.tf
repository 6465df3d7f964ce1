variable "name" {
  description = "Name of the installation."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,22}[a-z0-9]$", var.name))
    error_message = "Give 3 to 24 lower-case letters, digits and hyphens, with a letter first and no hyphen at the end."
  }
}

variable "domain_name" {
  description = "The name that people type, such as aiops.example.com; its DNS record leads to the distribution."
  type        = string

  validation {
    condition     = can(regex("^([a-z0-9]([a-z0-9-]*[a-z0-9])?\\.)+[a-z]{2,}$", var.domain_name))
    error_message = "Give one host name in lower case, without https:// and without a path: aiops.example.com."
  }
}

variable "api_origin_domain_name" {
  description = "A second name, whose DNS record leads to the load balancer of the charts' Ingress: origin.aiops.example.com."
  type        = string

  validation {
    condition     = can(regex("^([a-z0-9]([a-z0-9-]*[a-z0-9])?\\.)+[a-z]{2,}$", var.api_origin_domain_name)) && var.api_origin_domain_name != var.domain_name
    error_message = "Give a host name other than domain_name: that one leads to CloudFront, which would ask itself."
  }
}

variable "certificate_arn" {
  description = "Certificate for domain_name. CloudFront takes it from ACM in us-east-1 alone."
  type        = string

  validation {
    condition     = can(regex("^arn:aws[a-z-]*:acm:us-east-1:[0-9]{12}:certificate/.+$", var.certificate_arn))
    error_message = "Give the ARN of an ACM certificate in us-east-1."
  }
}
