# VPC CNI enforces NetworkPolicies on nodes alone, not on Fargate. There the same edges are security groups: each pod has
# the group of all pods and that of its component. A test holds this list to the charts' own.

locals {
  # port: gRPC of a service, HTTP of gateway and dashboard; operations: health and metrics, and auth's public keys.
  components = {
    auth      = { port = 8101, operations = 8201, postgres = true, keys = false, calls = [] }
    logs      = { port = 8102, operations = 8202, postgres = true, keys = true, calls = ["ai", "auth"] }
    tickets   = { port = 8103, operations = 8203, postgres = true, keys = true, calls = ["ai", "auth", "logs"] }
    changelog = { port = 8104, operations = 8204, postgres = true, keys = true, calls = ["ai", "auth"] }
    ai        = { port = 8105, operations = 8205, postgres = true, keys = true, calls = ["auth"] }
    gateway   = { port = 8080, operations = 8180, postgres = false, keys = true, calls = ["ai", "auth", "changelog", "logs", "tickets"] }
    dashboard = { port = 8080, operations = 8180, postgres = false, keys = false, calls = [] }
  }

  groups = { for name, group in aws_security_group.component : name => group.id }

  # Who opens a connection to whom, and on which port.
  edges = merge(
    merge([
      for name, component in local.components : {
        for callee in component.calls : "${name}-${callee}" => {
          from = local.groups[name], to = local.groups[callee], port = local.components[callee].port, why = "${name} calls ${callee}"
        }
      }
    ]...),
    {
      for name, component in local.components : "${name}-keys" => {
        from = local.groups[name], to = local.groups["auth"], port = local.components["auth"].operations, why = "${name} reads the keys that auth publishes"
      } if component.keys
    },
    {
      for name, component in local.components : "${name}-database" => {
        from = local.groups[name], to = var.database_security_group_id, port = 5432, why = "${name} and its migrations use PostgreSQL"
      } if component.postgres
    },
    {
      for name in ["gateway", "dashboard"] : "load-balancer-${name}" => {
        from = aws_security_group.load_balancer.id, to = local.groups[name], port = 8080, why = "The load balancer calls ${name}"
      }
    },
    {
      for name in ["gateway", "dashboard"] : "load-balancer-${name}-health" => {
        from = aws_security_group.load_balancer.id, to = local.groups[name], port = 8180, why = "The load balancer asks whether ${name} is ready"
      }
    },
    {
      for name, port in var.node_ports : "pods-${name}" => {
        from = aws_security_group.pods.id, to = var.cluster_security_group_id, port = port, why = "Pods use ${name} on the nodes"
      }
    },
    {
      kubelet = {
        from = var.cluster_security_group_id, to = aws_security_group.pods.id, port = 10250, why = "The control plane reaches the kubelets of the pods"
      }
    },
  )
}

# ---- Groups -----------------------------------------------------------------------------------------------------------

resource "aws_security_group" "pods" {
  #checkov:skip=CKV2_AWS_5:Pods get it by a SecurityGroupPolicy, in the cluster.
  name        = "${var.name}-pods"
  description = "Every pod on Fargate: what all of them need."
  vpc_id      = var.vpc_id

  tags = { Name = "${var.name}-pods" }
}

resource "aws_security_group" "component" {
  #checkov:skip=CKV2_AWS_5:Pods get it by a SecurityGroupPolicy, in the cluster.
  for_each = local.components

  name        = "${var.name}-${each.key}"
  description = "Pods of ${each.key}: the edges that it has and no others."
  vpc_id      = var.vpc_id

  tags = { Name = "${var.name}-${each.key}" }
}

resource "aws_security_group" "load_balancer" {
  #checkov:skip=CKV2_AWS_5:The load balancer that has this group is made in the cluster, out of the charts' Ingress.
  name        = "${var.name}-load-balancer"
  description = "The load balancer of the Ingress: listens to CloudFront alone."
  vpc_id      = var.vpc_id

  tags = { Name = "${var.name}-load-balancer" }
}

# ---- Edges: a rule at each end ----------------------------------------------------------------------------------------

resource "aws_vpc_security_group_egress_rule" "edge" {
  for_each = { for name, edge in local.edges : name => edge if name != "kubelet" }

  security_group_id            = each.value.from
  referenced_security_group_id = each.value.to
  description                  = each.value.why
  ip_protocol                  = "tcp"
  from_port                    = each.value.port
  to_port                      = each.value.port

  tags = { Name = "${var.name}-${each.key}" }
}

resource "aws_vpc_security_group_ingress_rule" "edge" {
  for_each = local.edges

  security_group_id            = each.value.to
  referenced_security_group_id = each.value.from
  description                  = each.value.why
  ip_protocol                  = "tcp"
  from_port                    = each.value.port
  to_port                      = each.value.port

  tags = { Name = "${var.name}-${each.key}" }
}

# The cluster's own group lets everything out, so the nodes need only to be let in.
resource "aws_vpc_security_group_ingress_rule" "operations" {
  security_group_id            = aws_security_group.pods.id
  referenced_security_group_id = var.cluster_security_group_id
  description                  = "Probes, and Prometheus on the nodes"
  ip_protocol                  = "tcp"
  from_port                    = 8180
  to_port                      = 8205

  tags = { Name = "${var.name}-operations" }
}

resource "aws_vpc_security_group_egress_rule" "dns" {
  security_group_id            = aws_security_group.pods.id
  referenced_security_group_id = var.cluster_security_group_id
  description                  = "Names, from CoreDNS on the nodes"
  ip_protocol                  = "udp"
  from_port                    = 53
  to_port                      = 53

  tags = { Name = "${var.name}-dns" }
}

resource "aws_vpc_security_group_ingress_rule" "dns" {
  security_group_id            = var.cluster_security_group_id
  referenced_security_group_id = aws_security_group.pods.id
  description                  = "Names for pods on Fargate"
  ip_protocol                  = "udp"
  from_port                    = 53
  to_port                      = 53

  tags = { Name = "${var.name}-dns" }
}

# ---- Edges to what is no pod ------------------------------------------------------------------------------------------

data "aws_ec2_managed_prefix_list" "cloudfront" {
  name = "com.amazonaws.global.cloudfront.origin-facing"
}

resource "aws_vpc_security_group_ingress_rule" "cloudfront" {
  security_group_id = aws_security_group.load_balancer.id
  prefix_list_id    = data.aws_ec2_managed_prefix_list.cloudfront.id
  description       = "HTTPS from CloudFront"
  ip_protocol       = "tcp"
  from_port         = 443
  to_port           = 443

  tags = { Name = "${var.name}-cloudfront" }
}

resource "aws_vpc_security_group_egress_rule" "endpoints" {
  security_group_id            = aws_security_group.pods.id
  referenced_security_group_id = var.endpoints_security_group_id
  description                  = "Images, secrets, credentials and logs, from the endpoints of AWS services"
  ip_protocol                  = "tcp"
  from_port                    = 443
  to_port                      = 443

  tags = { Name = "${var.name}-endpoints" }
}

resource "aws_vpc_security_group_egress_rule" "s3" {
  security_group_id = aws_security_group.pods.id
  prefix_list_id    = var.s3_prefix_list_id
  description       = "Layers of images, from S3"
  ip_protocol       = "tcp"
  from_port         = 443
  to_port           = 443

  tags = { Name = "${var.name}-s3" }
}

# ai alone may ask a model on the internet, where one is configured.
resource "aws_vpc_security_group_egress_rule" "model" {
  security_group_id = local.groups["ai"]
  cidr_ipv4         = "0.0.0.0/0"
  description       = "HTTPS to the model"
  ip_protocol       = "tcp"
  from_port         = 443
  to_port           = 443

  tags = { Name = "${var.name}-model" }
}
