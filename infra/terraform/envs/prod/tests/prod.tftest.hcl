mock_provider "aws" {
  source = "../../mocks"
}

override_resource {
  target = module.registry.aws_ecr_repository.this["gateway"]
  values = {
    arn            = "arn:aws:ecr:eu-central-1:111122223333:repository/aiops-prod/aiops-gateway"
    repository_url = "111122223333.dkr.ecr.eu-central-1.amazonaws.com/aiops-prod/aiops-gateway"
  }
}

variables {
  account_id                 = "111122223333"
  region                     = "eu-central-1"
  availability_zones         = ["eu-central-1a", "eu-central-1b", "eu-central-1c"]
  domain_name                = "aiops.example.com"
  api_origin_domain_name     = "origin.aiops.example.com"
  cloudfront_certificate_arn = "arn:aws:acm:us-east-1:111122223333:certificate/c"
  ingress_certificate_arn    = "arn:aws:acm:eu-central-1:111122223333:certificate/c"
  admin_role_arns            = ["arn:aws:iam::111122223333:role/admin"]
  github_repository          = "acme/aiops"
}

run "the_modules_fit_together" {
  assert {
    condition     = yamldecode(output.helm_values).global.image.registry == "111122223333.dkr.ecr.eu-central-1.amazonaws.com/aiops-prod"
    error_message = "The charts find the images."
  }
  assert {
    condition     = output.secrets_prefix == "aiops-prod" && output.github_variables.AWS_REGION == "eu-central-1"
    error_message = "Deployments learn where to."
  }
  assert {
    condition = (
      output.github_variables.PAGES_BUCKET == module.dashboard.bucket_name
      && output.github_variables.PAGES_DISTRIBUTION == module.dashboard.distribution_id
    )
    error_message = "Pages too."
  }
}

run "refuses_what_cannot_work" {
  command = plan

  variables {
    account_id         = "11112222333"
    availability_zones = ["eu-west-1a", "eu-west-1b", "eu-west-1c"]
  }

  expect_failures = [var.account_id, var.availability_zones]
}

run "refuses_a_zone_for_a_region" {
  command = plan

  variables {
    region = "eu-central-1a"
  }

  expect_failures = [var.region]
}
