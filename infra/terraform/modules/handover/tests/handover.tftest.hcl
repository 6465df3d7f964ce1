variables {
  region                          = "eu-central-1"
  namespace                       = "aiops"
  secrets_service_account         = "aiops-secrets-reader"
  external_secrets_role_arn       = "arn:aws:iam::111122223333:role/reader"
  registry                        = "111122223333.dkr.ecr.eu-central-1.amazonaws.com/aiops-test"
  secrets_prefix                  = "aiops-test"
  vpc_cidr_block                  = "10.40.0.0/16"
  domain_name                     = "aiops.example.com"
  ingress_certificate_arn         = "arn:aws:acm:eu-central-1:111122223333:certificate/c"
  load_balancer_security_group_id = "sg-1"
  security_group_policies         = yamlencode({ kind = "SecurityGroupPolicy" })
  pod_log_group                   = "/aws/eks/aiops-test/pods"
}

run "charts_and_cluster_learn_what_was_made" {
  assert {
    condition     = yamldecode(output.helm_values).global.image.registry == var.registry && yamldecode(output.helm_values).global.secrets.external.prefix == "aiops-test"
    error_message = "Images and secrets are found."
  }
  assert {
    condition     = yamldecode(output.helm_values).gateway.ingress.annotations["alb.ingress.kubernetes.io/security-groups"] == "sg-1" && !yamldecode(output.helm_values).gateway.ingress.pages
    error_message = "The load balancer has its group and serves no pages."
  }
  assert {
    condition = (
      yamldecode(output.helm_values).gateway.settings.trustedProxies == var.vpc_cidr_block
      && contains(split(",", yamldecode(output.helm_values).gateway.ingress.annotations["alb.ingress.kubernetes.io/load-balancer-attributes"]), "routing.http.xff_header_processing.mode=preserve")
    )
    error_message = "The gateway hears the client's address as CloudFront saw it: the load balancer adds nothing to it."
  }
  assert {
    condition = [for manifest in split("---\n", output.manifests) : yamldecode(manifest).kind] == [
      "Namespace", "RoleBinding", "Role", "RoleBinding", "ServiceAccount", "SecretStore", "StorageClass", "Namespace",
      "ConfigMap", "SecurityGroupPolicy",
    ]
    error_message = "Namespaces come before what stands in them."
  }
  assert {
    condition     = yamldecode(split("---\n", output.manifests)[4]).metadata.annotations["eks.amazonaws.com/role-arn"] == var.external_secrets_role_arn
    error_message = "The reader of secrets has its role."
  }
}

run "refuses_what_cannot_work" {
  command = plan

  variables {
    namespace               = "kube-system"
    ingress_certificate_arn = "arn:aws:iam::111122223333:server-certificate/c"
  }

  expect_failures = [var.namespace, var.ingress_certificate_arn]
}
