variable "name" {
  description = "Name of the installation, with which the repositories' names begin: NAME/aiops-auth."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,22}[a-z0-9]$", var.name))
    error_message = "Give 3 to 24 lower-case letters, digits and hyphens, with a letter first and no hyphen at the end."
  }
}

variable "kept_releases" {
  description = "How many releases of each image are kept. A release that still runs must be among them."
  type        = number

  validation {
    condition     = var.kept_releases >= 20 && var.kept_releases <= 1000
    error_message = "Give 20 to 1000: with fewer, an image that still runs might go."
  }
}
