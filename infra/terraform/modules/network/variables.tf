variable "name" {
  description = "Name of the installation; begins the name of everything that is made."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,22}[a-z0-9]$", var.name))
    error_message = "Give 3 to 24 lower-case letters, digits and hyphens, with a letter first and no hyphen at the end."
  }
}

variable "cidr_block" {
  description = "IPv4 block of the VPC, /16 to /20: three eighths of it are for pods and nodes."
  type        = string

  validation {
    condition     = can(cidrhost(var.cidr_block, 0)) && try(tonumber(split("/", var.cidr_block)[1]) >= 16 && tonumber(split("/", var.cidr_block)[1]) <= 20, false)
    error_message = "Give an IPv4 block from /16 to /20, such as 10.40.0.0/16."
  }
}

variable "availability_zones" {
  description = "The three availability zones, for example [\"eu-central-1a\", \"eu-central-1b\", \"eu-central-1c\"]."
  type        = list(string)

  validation {
    condition     = length(var.availability_zones) == 3 && length(distinct(var.availability_zones)) == 3
    error_message = "Give three different zones of one region."
  }
}

variable "egress_zone_count" {
  description = "In how many zones NAT gateways and the endpoints of AWS services stand: 1 costs less, 3 outlive a zone."
  type        = number

  validation {
    condition     = contains([1, 3], var.egress_zone_count)
    error_message = "Give 1 (one for all zones) or 3 (one in each)."
  }
}
