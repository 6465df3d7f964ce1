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
