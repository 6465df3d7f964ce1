mock_provider "aws" {
  source = "../../mocks"
}

variables {
  name               = "aiops-test"
  kubernetes_version = "1.34"
  private_subnet_ids = ["subnet-a", "subnet-b", "subnet-c"]
  admin_role_arns    = ["arn:aws:iam::111122223333:role/admin"]
  deployer_role_arn  = "arn:aws:iam::111122223333:role/deployer"
  ebs_csi_role_arn   = "arn:aws:iam::111122223333:role/ebs-csi"
  fargate_namespaces = ["aiops"]
  node_instance_type = "m6i.large"
  node_count         = 3

  addon_versions = {
    vpc_cni    = "v1.20.4-eksbuild.2"
    kube_proxy = "v1.34.0-eksbuild.2"
    coredns    = "v1.12.3-eksbuild.1"
    ebs_csi    = "v1.51.0-eksbuild.1"
  }
}

run "a_private_audited_cluster_with_fargate_and_nodes" {
  assert {
    condition     = aws_eks_cluster.this.vpc_config[0].endpoint_private_access && !aws_eks_cluster.this.vpc_config[0].endpoint_public_access
    error_message = "The API is reached from inside the VPC alone."
  }
  assert {
    condition     = aws_eks_cluster.this.encryption_config[0].provider[0].key_arn == aws_kms_key.this.arn && aws_eks_cluster.this.encryption_config[0].resources == toset(["secrets"])
    error_message = "Secrets are encrypted with the key of this installation."
  }
  assert {
    condition     = contains(aws_eks_cluster.this.enabled_cluster_log_types, "audit") && aws_cloudwatch_log_group.control_plane.name == "/aws/eks/aiops-test/cluster"
    error_message = "The audit log is on, in the group that was made for it."
  }
  assert {
    condition     = aws_eks_cluster.this.access_config[0].authentication_mode == "API" && !aws_eks_cluster.this.access_config[0].bootstrap_cluster_creator_admin_permissions
    error_message = "Nobody is admin of the cluster without being named."
  }

  assert {
    condition     = [for profile in aws_eks_fargate_profile.services : tolist(profile.selector)[0].namespace] == ["aiops"]
    error_message = "The services' namespace runs on Fargate."
  }
  assert {
    condition     = aws_eks_node_group.volumes.scaling_config[0].desired_size == 3 && aws_eks_node_group.volumes.update_config[0].max_unavailable == 1
    error_message = "Three nodes, of which one at a time is replaced."
  }
  assert {
    condition     = aws_launch_template.node.metadata_options[0].http_tokens == "required" && aws_launch_template.node.metadata_options[0].http_put_response_hop_limit == 1
    error_message = "A pod cannot take the node's credentials."
  }
  assert {
    condition     = aws_launch_template.node.block_device_mappings[0].ebs[0].encrypted == "true"
    error_message = "Disks are encrypted."
  }

  assert {
    condition     = aws_eks_addon.ebs_csi.addon_version == "v1.51.0-eksbuild.1" && aws_eks_addon.ebs_csi.service_account_role_arn == var.ebs_csi_role_arn
    error_message = "The EBS driver is pinned and has its role."
  }
  assert {
    condition     = jsondecode(aws_eks_addon.vpc_cni.configuration_values).enableNetworkPolicy == "true"
    error_message = "NetworkPolicies hold on the nodes."
  }

  assert {
    condition     = jsondecode(aws_iam_role.fargate.assume_role_policy).Statement[0].Condition.ArnLike["aws:SourceArn"] == "arn:aws:eks:eu-central-1:111122223333:fargateprofile/aiops-test/*"
    error_message = "Only this cluster's profiles run pods with the role."
  }
  assert {
    condition     = aws_eks_access_entry.deployer.kubernetes_groups == toset(["aiops-deployers"])
    error_message = "The deployment is in its group."
  }
  assert {
    condition     = keys(aws_eks_access_policy_association.admin) == ["arn:aws:iam::111122223333:role/admin"]
    error_message = "Only the named roles are admins."
  }
}

run "an_office_may_reach_the_api" {
  variables {
    public_access_cidr_blocks = ["203.0.113.0/24"]
  }

  assert {
    condition     = aws_eks_cluster.this.vpc_config[0].endpoint_public_access && aws_eks_cluster.this.vpc_config[0].public_access_cidrs == toset(["203.0.113.0/24"])
    error_message = "That network and no other."
  }
}

run "refuses_what_cannot_work" {
  command = plan

  variables {
    name                      = "Aiops"
    public_access_cidr_blocks = ["0.0.0.0/0"]
    kubernetes_version        = "1.34.2"
    private_subnet_ids        = ["subnet-a", "subnet-b"]
    admin_role_arns           = []
    fargate_namespaces        = ["aiops", "kube-system"]
    node_instance_type        = "m7g.large"
    node_count                = 1
    addon_versions = {
      vpc_cni    = "latest"
      kube_proxy = "v1.34.0-eksbuild.2"
      coredns    = "v1.12.3-eksbuild.1"
      ebs_csi    = "v1.51.0-eksbuild.1"
    }
  }

  expect_failures = [var.name, var.public_access_cidr_blocks, var.kubernetes_version, var.private_subnet_ids, var.admin_role_arns, var.fargate_namespaces, var.node_instance_type, var.node_count, var.addon_versions]
}

run "refuses_other_wrong_forms" {
  command = plan

  variables {
    admin_role_arns = ["arn:aws:iam::111122223333:user/somebody"]
  }

  expect_failures = [var.admin_role_arns]
}
