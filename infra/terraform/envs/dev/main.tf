# One of each where that is enough: a zone or an instance that fails takes this installation along.

locals {
  name                    = "aiops-dev"
  namespace               = "aiops"
  secrets_service_account = "aiops-secrets-reader"
}

module "network" {
  source = "../../modules/network"

  name               = local.name
  cidr_block         = var.cidr_block
  availability_zones = var.availability_zones
  egress_zone_count  = 1
}

module "eks" {
  source = "../../modules/eks"

  name                      = local.name
  kubernetes_version        = "1.34"
  private_subnet_ids        = module.network.private_subnet_ids
  public_access_cidr_blocks = var.kubernetes_api_cidr_blocks
  admin_role_arns           = var.admin_role_arns
  deployer_role_arn         = module.iam.deploy_role_arn
  ebs_csi_role_arn          = module.iam.ebs_csi_role_arn
  fargate_namespaces        = [local.namespace]
  node_instance_type        = "t3.large"
  node_count                = 2

  addon_versions = {
    vpc_cni    = "v1.20.4-eksbuild.2"
    kube_proxy = "v1.34.0-eksbuild.2"
    coredns    = "v1.12.3-eksbuild.1"
    ebs_csi    = "v1.51.0-eksbuild.1"
  }
}

module "rds" {
  #checkov:skip=CKV_AWS_157:dev may wait for a restored instance; prod has a second one.
  source = "../../modules/rds"

  name                  = local.name
  vpc_id                = module.network.vpc_id
  subnet_ids            = module.network.database_subnet_ids
  engine_version        = "18"
  instance_class        = "db.t4g.medium"
  storage_gib           = 20
  multi_az              = false
  backup_retention_days = 7
}

module "secrets" {
  source = "../../modules/secrets"

  name = local.name
}

module "registry" {
  source = "../../modules/registry"

  name          = local.name
  kept_releases = 20
}

module "dashboard" {
  source = "../../modules/dashboard"

  name                   = local.name
  domain_name            = var.domain_name
  api_origin_domain_name = var.api_origin_domain_name
  certificate_arn        = var.cloudfront_certificate_arn
}

module "firewall" {
  source = "../../modules/firewall"

  name                        = local.name
  namespace                   = local.namespace
  vpc_id                      = module.network.vpc_id
  cluster_security_group_id   = module.eks.cluster_security_group_id
  database_security_group_id  = module.rds.security_group_id
  endpoints_security_group_id = module.network.endpoints_security_group_id
  s3_prefix_list_id           = module.network.s3_prefix_list_id
}

module "iam" {
  source = "../../modules/iam"

  name                       = local.name
  namespace                  = local.namespace
  secrets_service_account    = local.secrets_service_account
  oidc_provider_arn          = module.eks.oidc_provider_arn
  oidc_issuer                = module.eks.oidc_issuer
  secret_arns                = values(module.secrets.arns)
  secrets_key_arn            = module.secrets.key_arn
  cluster_arn                = module.eks.cluster_arn
  repository_arns            = module.registry.repository_arns
  dashboard_bucket_arn       = module.dashboard.bucket_arn
  dashboard_distribution_arn = module.dashboard.distribution_arn
  github_repository          = var.github_repository
  github_environment         = "dev"
}

module "handover" {
  source = "../../modules/handover"

  region                          = var.region
  namespace                       = local.namespace
  secrets_service_account         = local.secrets_service_account
  external_secrets_role_arn       = module.iam.external_secrets_role_arn
  registry                        = module.registry.address
  secrets_prefix                  = module.secrets.prefix
  vpc_cidr_block                  = module.network.vpc_cidr_block
  domain_name                     = var.domain_name
  ingress_certificate_arn         = var.ingress_certificate_arn
  load_balancer_security_group_id = module.firewall.load_balancer_security_group_id
  security_group_policies         = module.firewall.security_group_policies
  pod_log_group                   = module.eks.pod_log_group
}
