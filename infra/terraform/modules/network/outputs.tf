output "vpc_id" {
  description = "Id of the VPC."
  value       = aws_vpc.this.id
}

output "vpc_cidr_block" {
  description = "IPv4 block of the VPC."
  value       = aws_vpc.this.cidr_block
}

output "public_subnet_ids" {
  description = "Subnets of the load balancer, one a zone."
  value       = aws_subnet.public[*].id
}

output "private_subnet_ids" {
  description = "Subnets of pods and nodes, one a zone."
  value       = aws_subnet.private[*].id
}

output "database_subnet_ids" {
  description = "Subnets without a way out, one a zone."
  value       = aws_subnet.database[*].id
}

output "endpoints_security_group_id" {
  description = "Security group of the endpoints of AWS services."
  value       = aws_security_group.endpoints.id
}

output "s3_prefix_list_id" {
  description = "Prefix list of S3 in this region, for rules that let pods out to it."
  value       = aws_vpc_endpoint.s3.prefix_list_id
}
