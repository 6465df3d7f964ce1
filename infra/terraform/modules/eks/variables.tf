variable "name" {
  description = "Name of the installation, which is also that of the cluster."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,22}[a-z0-9]$", var.name))
    error_message = "Give 3 to 24 lower-case letters, digits and hyphens, with a letter first and no hyphen at the end."
  }
}

variable "kubernetes_version" {
  description = "Minor version of Kubernetes, such as 1.34. Raise it by one at a time, and the add-ons with it."
  type        = string

  validation {
    condition     = can(regex("^1\\.(3[2-9]|[4-9][0-9])$", var.kubernetes_version))
    error_message = "Give a minor version from 1.32 on, without a patch: 1.34."
  }
}

variable "private_subnet_ids" {
  description = "Subnets of pods and nodes, one in each of three zones."
  type        = list(string)

  validation {
    condition     = length(var.private_subnet_ids) == 3
    error_message = "Give three subnets, one in each zone."
  }
}

variable "public_access_cidr_blocks" {
  description = "Networks that reach the Kubernetes API over the internet. Empty: none; it is reached from inside the VPC."
  type        = list(string)
  default     = []

  validation {
    condition     = alltrue([for block in var.public_access_cidr_blocks : can(cidrhost(block, 0)) && !endswith(block, "/0")])
    error_message = "Give IPv4 blocks such as 203.0.113.0/24; 0.0.0.0/0 would be everybody."
  }
}

variable "admin_role_arns" {
  description = "IAM roles of the people who administer the cluster."
  type        = set(string)

  validation {
    condition     = length(var.admin_role_arns) > 0 && alltrue([for arn in var.admin_role_arns : can(regex("^arn:[a-z-]+:iam::[0-9]{12}:role/.+$", arn))])
    error_message = "Give at least one ARN of an IAM role: whoever makes the cluster has no rights in it by that."
  }
}

variable "deployer_role_arn" {
  description = "IAM role of the deployment; a member of the Kubernetes group aiops-deployers."
  type        = string
}

variable "ebs_csi_role_arn" {
  description = "IAM role with which the EBS driver makes and mounts volumes."
  type        = string
}

variable "fargate_namespaces" {
  description = "Namespaces whose pods run on Fargate."
  type        = set(string)

  validation {
    condition     = length(var.fargate_namespaces) > 0 && !contains(var.fargate_namespaces, "kube-system")
    error_message = "Give at least one namespace; kube-system stays on nodes, where the EBS driver needs it."
  }
}

variable "node_instance_type" {
  description = "Instance type of the nodes, with x86-64 processors, such as m6i.large."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]*\\.[a-z0-9]+$", var.node_instance_type)) && !can(regex("^[a-z]+[0-9]+g", var.node_instance_type))
    error_message = "Give an instance type with x86-64 processors, such as m6i.large; the images are not built for Graviton."
  }
}

variable "node_count" {
  description = "How many nodes there are: 3 for a NATS cluster that outlives a zone."
  type        = number

  validation {
    condition     = var.node_count >= 2 && var.node_count <= 12 && floor(var.node_count) == var.node_count
    error_message = "Give 2 to 12: on a single node, an update of it stops everything."
  }
}

variable "addon_versions" {
  description = "Exact versions of the add-ons: `aws eks describe-addon-versions --kubernetes-version 1.34` lists them."
  type = object({
    vpc_cni    = string
    kube_proxy = string
    coredns    = string
    ebs_csi    = string
  })

  validation {
    condition     = alltrue([for version in values(var.addon_versions) : can(regex("^v[0-9]+\\.[0-9]+\\.[0-9]+-eksbuild\\.[0-9]+$", version))])
    error_message = "Give exact versions, such as v1.20.4-eksbuild.2."
  }
}
