data "aws_caller_identity" "current" {}

data "aws_partition" "current" {}

locals {
  # Named as in Kubernetes, one JSON object each, with these keys. aiops-ai may also have openai-api-key; aiops-unleash stays
  # empty without an Unleash server.
  keys = {
    aiops-auth      = ["key.pem", "database-url", "owner-database-url", "nats-password", "key-encryption.key", "setup-token"]
    aiops-logs      = ["key.pem", "database-url", "owner-database-url", "nats-password"]
    aiops-tickets   = ["key.pem", "database-url", "owner-database-url", "nats-password"]
    aiops-changelog = ["key.pem", "database-url", "owner-database-url", "nats-password"]
    aiops-ai        = ["key.pem", "database-url", "owner-database-url", "nats-password"]
    aiops-gateway   = ["key.pem", "nats-password"]
    aiops-shared    = ["redaction.key"]
    aiops-nats      = ["authorization.conf"]
    aiops-unleash   = ["client-token"]
  }
}

# The entries alone. Values are put by a person or a pipeline: what Terraform writes stands readable in its state.
resource "aws_secretsmanager_secret" "this" {
  #checkov:skip=CKV2_AWS_57:Keys are trusted by other services and passwords stand in PostgreSQL and NATS: a change of one is a change in two places, made by an operator.
  for_each = local.keys

  name                    = "${var.name}/${each.key}"
  description             = "JSON object with the keys ${join(", ", each.value)}"
  kms_key_id              = aws_kms_key.this.arn
  recovery_window_in_days = 30
}

resource "aws_kms_key" "this" {
  description             = "Secrets of ${var.name}"
  enable_key_rotation     = true
  deletion_window_in_days = 30

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "PoliciesOfTheAccountDecide"
      Effect    = "Allow"
      Principal = { AWS = "arn:${data.aws_partition.current.partition}:iam::${data.aws_caller_identity.current.account_id}:root" }
      Action    = "kms:*"
      Resource  = "*"
    }]
  })
}

resource "aws_kms_alias" "this" {
  name          = "alias/${var.name}-secrets"
  target_key_id = aws_kms_key.this.key_id
}
