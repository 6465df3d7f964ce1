mock_provider "aws" {
  source = "../../mocks"
}

variables {
  name                   = "aiops-test"
  domain_name            = "aiops.example.com"
  api_origin_domain_name = "origin.aiops.example.com"
  certificate_arn        = "arn:aws:acm:us-east-1:111122223333:certificate/0a1b2c3d"
}

run "one_origin_for_pages_and_api" {
  assert {
    condition     = [for behavior in aws_cloudfront_distribution.this.ordered_cache_behavior : [behavior.path_pattern, behavior.target_origin_id]] == [["/graphql", "api"], ["/v1/*", "api"]]
    error_message = "The API's paths go to the gateway."
  }
  assert {
    condition     = alltrue([for behavior in aws_cloudfront_distribution.this.ordered_cache_behavior : behavior.cache_policy_id == data.aws_cloudfront_cache_policy.never.id && behavior.origin_request_policy_id == data.aws_cloudfront_origin_request_policy.all.id])
    error_message = "Its answers are never cached, and it gets every header, cookie and query."
  }
  assert {
    condition     = data.aws_cloudfront_cache_policy.never.name == "Managed-CachingDisabled" && data.aws_cloudfront_origin_request_policy.all.name == "Managed-AllViewer"
    error_message = "By the policies that AWS keeps for that."
  }
  assert {
    condition     = alltrue([for behavior in aws_cloudfront_distribution.this.ordered_cache_behavior : length(behavior.allowed_methods) == 7 && behavior.viewer_protocol_policy == "https-only"])
    error_message = "All methods, over TLS alone."
  }
  assert {
    condition     = aws_cloudfront_distribution.this.default_cache_behavior[0].target_origin_id == "pages" && length(aws_cloudfront_distribution.this.default_cache_behavior[0].function_association) == 1
    error_message = "All else is a page, and deep links are rewritten."
  }
  assert {
    condition     = length(aws_cloudfront_distribution.this.custom_error_response) == 0
    error_message = "No error of the API is turned into a page."
  }
  assert {
    condition     = alltrue([for behavior in aws_cloudfront_distribution.this.ordered_cache_behavior : length(behavior.function_association) == 0])
    error_message = "No path of the API is rewritten."
  }

  assert {
    condition     = alltrue([aws_s3_bucket_public_access_block.pages.block_public_acls, aws_s3_bucket_public_access_block.pages.block_public_policy, aws_s3_bucket_public_access_block.pages.ignore_public_acls, aws_s3_bucket_public_access_block.pages.restrict_public_buckets])
    error_message = "The bucket is private."
  }
  assert {
    condition     = jsondecode(aws_s3_bucket_policy.pages.policy).Statement[0].Condition.StringEquals["AWS:SourceArn"] == aws_cloudfront_distribution.this.arn
    error_message = "This distribution alone reads it."
  }
  assert {
    condition     = aws_cloudfront_distribution.this.viewer_certificate[0].minimum_protocol_version == "TLSv1.2_2021" && aws_cloudfront_distribution.this.aliases == toset(["aiops.example.com"])
    error_message = "Its own name, over TLS 1.2 at least."
  }
}

run "refuses_what_cannot_work" {
  command = plan

  variables {
    name            = "Aiops"
    domain_name     = "https://aiops.example.com/"
    certificate_arn = "arn:aws:acm:eu-central-1:111122223333:certificate/0a1b2c3d"
  }

  expect_failures = [var.name, var.domain_name, var.certificate_arn]
}

run "refuses_a_distribution_that_asks_itself" {
  command = plan

  variables {
    api_origin_domain_name = "aiops.example.com"
  }

  expect_failures = [var.api_origin_domain_name]
}
