output "address" {
  description = "Host name of the database."
  value       = aws_db_instance.this.address
}

output "security_group_id" {
  description = "Security group of the database, for rules that let pods in."
  value       = aws_security_group.this.id
}

output "master_secret_arn" {
  description = "Secret of RDS with the user name and password of the administrator."
  value       = aws_db_instance.this.master_user_secret[0].secret_arn
}
