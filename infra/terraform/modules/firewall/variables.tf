variable "name" {
  description = "Name of the installation."
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

variable "vpc_id" {
  description = "The VPC of pods and database."
  type        = string
}

variable "cluster_security_group_id" {
  description = "Security group of the control plane and of the nodes."
  type        = string
}

variable "database_security_group_id" {
  description = "Security group of the database."
  type        = string
}

variable "endpoints_security_group_id" {
  description = "Security group of the endpoints of AWS services."
  type        = string
}

variable "s3_prefix_list_id" {
  description = "Prefix list of S3 in this region."
  type        = string
}

variable "node_ports" {
  description = "TCP ports that pods on Fargate reach on the nodes, by what answers there."
  type        = map(number)
  default = {
    kubernetes   = 443
    dns          = 53
    nats         = 4222
    nats-monitor = 8222
    unleash      = 4242
    otlp         = 4318
  }

  validation {
    condition     = alltrue([for port in values(var.node_ports) : port >= 1 && port <= 65535])
    error_message = "Give ports from 1 to 65535."
  }

  validation {
    condition     = alltrue([for name in ["dns", "kubernetes", "nats"] : contains(keys(var.node_ports), name)])
    error_message = "Keep dns, kubernetes and nats: no service starts without them."
  }
}
