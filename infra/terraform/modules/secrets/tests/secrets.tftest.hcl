mock_provider "aws" {
  source = "../../mocks"
}

variables {
  name = "aiops-test"
}

run "one_entry_for_each_secret_of_the_charts" {
  assert {
    condition = [for secret in aws_secretsmanager_secret.this : secret.name] == [
      "aiops-test/aiops-ai", "aiops-test/aiops-auth", "aiops-test/aiops-changelog", "aiops-test/aiops-gateway",
      "aiops-test/aiops-logs", "aiops-test/aiops-nats", "aiops-test/aiops-shared", "aiops-test/aiops-tickets",
      "aiops-test/aiops-unleash",
    ]
    error_message = "Names are those in Kubernetes, behind the installation's name."
  }
  assert {
    condition     = aws_secretsmanager_secret.this["aiops-gateway"].description == "JSON object with the keys key.pem, nats-password"
    error_message = "Whoever fills a secret reads which keys it needs."
  }
  assert {
    condition     = alltrue([for secret in aws_secretsmanager_secret.this : secret.kms_key_id == aws_kms_key.this.arn && secret.recovery_window_in_days == 30])
    error_message = "Encrypted with the installation's key; a deleted one can be had back for a month."
  }
  assert {
    condition     = output.prefix == "aiops-test" && length(output.arns) == 9
    error_message = "The outputs say how they are found."
  }
}

run "refuses_what_cannot_work" {
  command = plan

  variables {
    name = "aiops/test"
  }

  expect_failures = [var.name]
}
