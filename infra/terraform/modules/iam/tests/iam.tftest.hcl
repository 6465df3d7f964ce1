mock_provider "aws" {
  source = "../../mocks"
}

variables {
  name                       = "aiops-test"
  namespace                  = "aiops"
  secrets_service_account    = "aiops-secrets-reader"
  oidc_provider_arn          = "arn:aws:iam::111122223333:oidc-provider/oidc.eks.eu-central-1.amazonaws.com/id/A"
  oidc_issuer                = "oidc.eks.eu-central-1.amazonaws.com/id/A"
  secret_arns                = ["arn:aws:secretsmanager:eu-central-1:111122223333:secret:aiops-test/auth-AbCdEf"]
  secrets_key_arn            = "arn:aws:kms:eu-central-1:111122223333:key/k"
  cluster_arn                = "arn:aws:eks:eu-central-1:111122223333:cluster/aiops-test"
  repository_arns            = ["arn:aws:ecr:eu-central-1:111122223333:repository/aiops-test/aiops-auth"]
  dashboard_bucket_arn       = "arn:aws:s3:::aiops-test-pages"
  dashboard_distribution_arn = "arn:aws:cloudfront::111122223333:distribution/E1"
  github_repository          = "acme/aiops"
  github_environment         = "production"
}

run "each_role_is_for_one_subject_and_these_resources" {
  assert {
    condition = { for name, role in aws_iam_role.pod : name => jsondecode(role.assume_role_policy).Statement[0].Condition.StringEquals["oidc.eks.eu-central-1.amazonaws.com/id/A:sub"] } == {
      ebs-csi                  = "system:serviceaccount:kube-system:ebs-csi-controller-sa"
      external-secrets         = "system:serviceaccount:aiops:aiops-secrets-reader"
      load-balancer-controller = "system:serviceaccount:kube-system:aws-load-balancer-controller"
    }
    error_message = "A role is for one service account."
  }
  assert {
    condition     = alltrue([for role in aws_iam_role.pod : jsondecode(role.assume_role_policy).Statement[0].Condition.StringEquals["oidc.eks.eu-central-1.amazonaws.com/id/A:aud"] == "sts.amazonaws.com"])
    error_message = "A token that was made for somebody else gets no role."
  }
  assert {
    condition     = flatten([for statement in jsondecode(aws_iam_role_policy.external_secrets.policy).Statement : statement.Resource]) == concat(var.secret_arns, [var.secrets_key_arn])
    error_message = "It reads these secrets, with their key, and nothing else."
  }
  assert {
    condition     = jsondecode(aws_iam_role.deploy.assume_role_policy).Statement[0].Condition.StringEquals["token.actions.githubusercontent.com:sub"] == "repo:acme/aiops:environment:production"
    error_message = "Only an approved run of this repository deploys: not a branch, not a pull request."
  }
  assert {
    condition     = [for statement in jsondecode(aws_iam_role_policy.deploy.policy).Statement : statement.Sid if statement.Resource == "*"] == ["LogInToTheRegistry"]
    error_message = "But for the log-in, each right of the deployment names its resource."
  }
  assert {
    condition     = alltrue([for statement in jsondecode(aws_iam_role_policy.load_balancer_controller.policy).Statement : statement.Sid == "Look" || can(statement.Condition)])
    error_message = "The controller changes only what bears this cluster's tag."
  }
}

run "refuses_what_cannot_work" {
  command = plan

  variables {
    name               = "A"
    oidc_issuer        = "https://oidc.eks.eu-central-1.amazonaws.com/id/A"
    secret_arns        = ["arn:aws:secretsmanager:eu-central-1:111122223333:secret:*"]
    github_repository  = "acme/*"
    github_environment = "*"
  }

  expect_failures = [var.name, var.oidc_issuer, var.secret_arns, var.github_repository, var.github_environment]
}

run "refuses_no_secret_and_a_bare_repository" {
  command = plan

  variables {
    secret_arns       = []
    github_repository = "aiops"
  }

  expect_failures = [var.secret_arns, var.github_repository]
}
