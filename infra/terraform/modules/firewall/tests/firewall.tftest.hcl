mock_provider "aws" {
  source = "../../mocks"
}

variables {
  name                        = "aiops-test"
  namespace                   = "aiops"
  vpc_id                      = "vpc-1"
  cluster_security_group_id   = "sg-cluster"
  database_security_group_id  = "sg-database"
  endpoints_security_group_id = "sg-endpoints"
  s3_prefix_list_id           = "pl-s3"
}

run "each_edge_is_open_at_both_ends_and_nothing_else_is" {
  assert {
    condition = keys(aws_vpc_security_group_ingress_rule.edge) == [
      "ai-auth", "ai-database", "ai-keys", "auth-database", "changelog-ai", "changelog-auth", "changelog-database",
      "changelog-keys", "gateway-ai", "gateway-auth", "gateway-changelog", "gateway-keys", "gateway-logs",
      "gateway-tickets", "kubelet", "load-balancer-dashboard", "load-balancer-dashboard-health", "load-balancer-gateway",
      "load-balancer-gateway-health", "logs-ai", "logs-auth", "logs-database", "logs-keys", "pods-dns", "pods-kubernetes",
      "pods-nats", "pods-nats-monitor", "pods-otlp", "pods-unleash", "tickets-ai", "tickets-auth", "tickets-database", "tickets-keys", "tickets-logs",
    ]
    error_message = "These connections are let in."
  }
  assert {
    condition     = setsubtract(keys(aws_vpc_security_group_ingress_rule.edge), keys(aws_vpc_security_group_egress_rule.edge)) == toset(["kubelet"])
    error_message = "And the same are let out; the control plane's group lets everything out by itself."
  }
  assert {
    condition     = aws_vpc_security_group_ingress_rule.edge["tickets-logs"].security_group_id == aws_security_group.component["logs"].id && aws_vpc_security_group_ingress_rule.edge["tickets-logs"].referenced_security_group_id == aws_security_group.component["tickets"].id && aws_vpc_security_group_ingress_rule.edge["tickets-logs"].from_port == 8102
    error_message = "tickets calls logs at 8102."
  }
  assert {
    condition     = aws_vpc_security_group_egress_rule.edge["tickets-logs"].security_group_id == aws_security_group.component["tickets"].id && aws_vpc_security_group_egress_rule.edge["tickets-logs"].referenced_security_group_id == aws_security_group.component["logs"].id
    error_message = "And is let out to there."
  }
  assert {
    condition     = toset([for name, rule in aws_vpc_security_group_ingress_rule.edge : name if rule.security_group_id == "sg-database"]) == toset(["ai-database", "auth-database", "changelog-database", "logs-database", "tickets-database"])
    error_message = "Gateway and dashboard do not reach the database."
  }
  assert {
    condition     = aws_vpc_security_group_ingress_rule.cloudfront.prefix_list_id == data.aws_ec2_managed_prefix_list.cloudfront.id && aws_vpc_security_group_ingress_rule.cloudfront.from_port == 443
    error_message = "The load balancer listens to CloudFront alone."
  }
  assert {
    condition     = aws_vpc_security_group_egress_rule.model.security_group_id == aws_security_group.component["ai"].id
    error_message = "ai alone reaches the internet."
  }
}

run "each_component_gets_its_groups_in_the_cluster" {
  assert {
    condition     = [for manifest in split("---\n", output.security_group_policies) : yamldecode(manifest).metadata.name] == ["aiops-ai", "aiops-auth", "aiops-changelog", "aiops-dashboard", "aiops-gateway", "aiops-logs", "aiops-tickets"]
    error_message = "One policy a component."
  }
  assert {
    condition     = yamldecode(split("---\n", output.security_group_policies)[0]).spec.securityGroups.groupIds == [aws_security_group.pods.id, aws_security_group.component["ai"].id]
    error_message = "The group of all pods, and its own."
  }
}

run "refuses_what_cannot_work" {
  command = plan

  variables {
    name       = "Aiops"
    node_ports = { dns = 53, kubernetes = 443, nats = 0 }
  }

  expect_failures = [var.name, var.node_ports]
}

run "refuses_pods_without_names" {
  command = plan

  variables {
    node_ports = { kubernetes = 443, nats = 4222 }
  }

  expect_failures = [var.node_ports]
}
