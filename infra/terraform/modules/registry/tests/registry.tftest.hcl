mock_provider "aws" {
  source = "../../mocks"
}

override_resource {
  target = aws_ecr_repository.this["gateway"]
  values = {
    arn            = "arn:aws:ecr:eu-central-1:111122223333:repository/aiops-test/aiops-gateway"
    repository_url = "111122223333.dkr.ecr.eu-central-1.amazonaws.com/aiops-test/aiops-gateway"
  }
}

variables {
  name          = "aiops-test"
  kept_releases = 50
}

run "eight_images_whose_tags_cannot_move" {
  assert {
    condition = [for repository in aws_ecr_repository.this : repository.name] == [
      "aiops-test/aiops-ai", "aiops-test/aiops-auth", "aiops-test/aiops-changelog", "aiops-test/aiops-dashboard",
      "aiops-test/aiops-gateway", "aiops-test/aiops-logs", "aiops-test/aiops-migrate", "aiops-test/aiops-tickets",
    ]
    error_message = "One repository an image."
  }
  assert {
    condition     = alltrue([for repository in aws_ecr_repository.this : repository.image_tag_mutability == "IMMUTABLE" && repository.image_scanning_configuration[0].scan_on_push])
    error_message = "A version is one image for ever, scanned as it arrives."
  }
  assert {
    condition     = output.address == "111122223333.dkr.ecr.eu-central-1.amazonaws.com/aiops-test"
    error_message = "Charts put /aiops-gateway behind it."
  }
  assert {
    condition     = [for rule in jsondecode(aws_ecr_lifecycle_policy.this["ai"].policy).rules : rule.selection.countNumber] == [7, 50]
    error_message = "What has no tag goes after a week; fifty releases stay."
  }
}

run "refuses_what_cannot_work" {
  command = plan

  variables {
    name          = "Aiops"
    kept_releases = 1
  }

  expect_failures = [var.name, var.kept_releases]
}
