mock_provider "aws" {
  source = "../../mocks"
}

variables {
  name                  = "aiops-test"
  vpc_id                = "vpc-1"
  subnet_ids            = ["subnet-a", "subnet-b", "subnet-c"]
  engine_version        = "18"
  instance_class        = "db.t4g.medium"
  storage_gib           = 20
  multi_az              = true
  backup_retention_days = 14
}

run "a_private_encrypted_database_that_is_hard_to_lose" {
  assert {
    condition     = aws_db_instance.this.multi_az && aws_db_instance.this.deletion_protection && !aws_db_instance.this.skip_final_snapshot
    error_message = "A second instance stands by, and deleting takes two steps and leaves a snapshot."
  }
  assert {
    condition     = aws_db_instance.this.backup_retention_period == 14 && !aws_db_instance.this.delete_automated_backups
    error_message = "Any second of two weeks can be restored, also after deletion."
  }
  assert {
    condition     = !aws_db_instance.this.publicly_accessible && aws_db_instance.this.storage_encrypted
    error_message = "Not reachable from outside, encrypted."
  }
  assert {
    condition     = alltrue([for key in [aws_db_instance.this.kms_key_id, aws_db_instance.this.performance_insights_kms_key_id, aws_db_instance.this.master_user_secret_kms_key_id] : key == aws_kms_key.this.arn])
    error_message = "Storage, insights and password are under the key of this installation."
  }
  assert {
    condition     = aws_db_instance.this.manage_master_user_password && aws_db_instance.this.password == null
    error_message = "RDS makes the password; Terraform never sees it."
  }
  assert {
    condition     = aws_db_parameter_group.this.family == "postgres18" && aws_db_parameter_group.this.name == "aiops-test-postgres18"
    error_message = "Parameters are those of the major version."
  }
  assert {
    condition = { for parameter in aws_db_parameter_group.this.parameter : parameter.name => parameter.value } == {
      "rds.force_ssl"                       = "1"
      "log_statement"                       = "ddl"
      "log_min_duration_statement"          = "1000"
      "log_parameter_max_length"            = "0"
      "idle_in_transaction_session_timeout" = "60000"
    }
    error_message = "TLS is forced, and logged statements have no values."
  }
}

run "an_exact_version_on_one_instance" {
  command = plan

  variables {
    engine_version = "17.6"
    multi_az       = false
  }

  assert {
    condition     = aws_db_instance.this.engine_version == "17.6" && aws_db_parameter_group.this.family == "postgres17" && !aws_db_instance.this.multi_az
    error_message = "The parameters follow the major version."
  }
}

run "refuses_what_cannot_work" {
  command = plan

  variables {
    name                  = "aiops--test"
    subnet_ids            = ["subnet-a"]
    engine_version        = "14"
    instance_class        = "db.t4g.micro"
    storage_gib           = 10
    backup_retention_days = 1
  }

  expect_failures = [var.name, var.subnet_ids, var.engine_version, var.instance_class, var.storage_gib, var.backup_retention_days]
}
