mock_provider "aws" {
  source = "../../mocks"
}

variables {
  name               = "aiops-test"
  cidr_block         = "10.40.0.0/16"
  availability_zones = ["eu-central-1a", "eu-central-1b", "eu-central-1c"]
  egress_zone_count  = 3
}

run "three_zones_each_with_its_own_way_out" {
  assert {
    condition     = aws_subnet.private[*].cidr_block == ["10.40.0.0/19", "10.40.32.0/19", "10.40.64.0/19"]
    error_message = "Private subnets are the first three eighths."
  }
  assert {
    condition     = aws_subnet.public[*].cidr_block == ["10.40.192.0/22", "10.40.196.0/22", "10.40.200.0/22"]
    error_message = "Public subnets stand in the seventh eighth."
  }
  assert {
    condition     = aws_subnet.database[*].cidr_block == ["10.40.224.0/24", "10.40.225.0/24", "10.40.226.0/24"]
    error_message = "Database subnets stand in the last eighth."
  }
  assert {
    condition     = alltrue([for subnet in aws_subnet.public : !subnet.map_public_ip_on_launch])
    error_message = "Nothing gets a public address by standing in a subnet."
  }

  assert {
    condition     = length(aws_nat_gateway.this) == 3
    error_message = "One NAT gateway a zone."
  }
  assert {
    condition     = [for table in aws_route_table.private : tolist(table.route)[0].nat_gateway_id] == [for gateway in aws_nat_gateway.this : gateway.id]
    error_message = "A zone's route leads to the NAT gateway of that zone."
  }
  assert {
    condition     = length(aws_vpc_endpoint.interface["sts"].subnet_ids) == 3
    error_message = "Endpoints stand in each zone."
  }

  assert {
    condition     = length(aws_route_table.database.route) == 0
    error_message = "The database's subnets know no route but the VPC's own."
  }
  assert {
    condition     = length(aws_default_security_group.closed.ingress) == 0 && length(aws_default_security_group.closed.egress) == 0
    error_message = "The default group is closed."
  }

  assert {
    condition     = toset(keys(aws_vpc_endpoint.interface)) == toset(["ecr.api", "ecr.dkr", "logs", "secretsmanager", "sts"])
    error_message = "Each service that pods need has an endpoint."
  }
  assert {
    condition     = alltrue([for endpoint in aws_vpc_endpoint.interface : endpoint.private_dns_enabled])
    error_message = "The services' own names lead to the endpoints."
  }
  assert {
    condition     = aws_vpc_endpoint.s3.service_name == "com.amazonaws.eu-central-1.s3" && length(aws_vpc_endpoint.s3.route_table_ids) >= 1
    error_message = "S3, where the layers of images are, has a gateway endpoint."
  }

  assert {
    condition     = aws_flow_log.this.traffic_type == "ALL" && aws_cloudwatch_log_group.flow_logs.retention_in_days == 365
    error_message = "Accepted and refused traffic is kept for a year."
  }
  assert {
    condition     = aws_cloudwatch_log_group.flow_logs.kms_key_id == aws_kms_key.flow_logs.arn && aws_kms_key.flow_logs.enable_key_rotation
    error_message = "Flow logs are encrypted with a key of their own that rotates."
  }
}

run "one_way_out_serves_all_zones" {
  variables {
    egress_zone_count = 1
  }

  assert {
    condition     = length(aws_nat_gateway.this) == 1 && length(aws_eip.nat) == 1
    error_message = "One NAT gateway."
  }
  assert {
    condition     = length(aws_route_table.private) == 3
    error_message = "All three zones have a route to it."
  }
}

run "refuses_what_cannot_work" {
  command = plan

  variables {
    name               = "AIOps_Prod"
    cidr_block         = "10.40.0.0/24"
    availability_zones = ["eu-central-1a", "eu-central-1a", "eu-central-1b"]
    egress_zone_count  = 2
  }

  expect_failures = [var.name, var.cidr_block, var.availability_zones, var.egress_zone_count]
}

run "refuses_other_wrong_forms" {
  command = plan

  variables {
    cidr_block = "10.40.0.0"
  }

  expect_failures = [var.cidr_block]
}
