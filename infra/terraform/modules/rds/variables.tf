variable "name" {
  description = "Name of the installation, which is also that of the database instance."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,22}[a-z0-9]$", var.name)) && !strcontains(var.name, "--")
    error_message = "Give 3 to 24 lower-case letters, digits and single hyphens, with a letter first and no hyphen at the end."
  }
}

variable "vpc_id" {
  description = "The VPC that the database stands in."
  type        = string
}

variable "subnet_ids" {
  description = "Subnets without a way out, one in each of three zones."
  type        = list(string)

  validation {
    condition     = length(var.subnet_ids) == 3
    error_message = "Give three subnets, one in each zone."
  }
}

variable "engine_version" {
  description = "PostgreSQL: a major version such as 18, whose newest minor is taken, or an exact one."
  type        = string

  validation {
    condition     = can(regex("^1[5-8](\\.[0-9]+)?$", var.engine_version))
    error_message = "Give PostgreSQL 15 to 18: the SQL of the services is tried with these."
  }
}

variable "instance_class" {
  description = "Instance class, such as db.m7g.large. Pools take up to 10 connections a process: 400 at two replicas and two colours."
  type        = string

  validation {
    condition     = can(regex("^db\\.[a-z0-9]+\\.[a-z0-9]+$", var.instance_class)) && !can(regex("^db\\.[a-z0-9]+\\.(micro|small)$", var.instance_class))
    error_message = "Give an instance class from medium on, such as db.t4g.medium: smaller ones allow too few connections."
  }
}

variable "storage_gib" {
  description = "Storage at first, in GiB; it grows by itself to five times that."
  type        = number

  validation {
    condition     = var.storage_gib >= 20 && var.storage_gib <= 10000
    error_message = "Give 20 to 10000 GiB."
  }
}

variable "multi_az" {
  description = "Whether a second instance in another zone takes over when the first one fails. Doubles the price."
  type        = bool
}

variable "backup_retention_days" {
  description = "For how many days back the database can be restored to any second."
  type        = number

  validation {
    condition     = var.backup_retention_days >= 7 && var.backup_retention_days <= 35
    error_message = "Give 7 to 35 days."
  }
}
